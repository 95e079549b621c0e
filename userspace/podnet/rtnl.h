/* SPDX-License-Identifier: GPL-2.0 */
/* Between our types and libnl's, and the dumps that podnet looks at. */
#ifndef KSERV_PODNET_RTNL_H
#define KSERV_PODNET_RTNL_H

#include <netlink/netlink.h>
#include "podnet/apply.h"

/* A sentence about a libnl error, of which the first is kept. Return: @error as -errno. */
__attribute__((format(printf, 3, 4)))
int podnet_fail(char **ret_why, int error, const char *format, ...);

/* NULL is never returned: the program ends when there is no memory. */
struct nl_addr *podnet_nl_addr(const struct kserv_addr *addr);
struct nl_addr *podnet_nl_prefix(const struct kserv_prefix *prefix);
struct nl_addr *podnet_nl_mac(const uint8_t mac[KSERV_PODNET_MAC]);
/* False if it is no IP address. A missing default prefix is given a family with @family. */
bool podnet_read_prefix(const struct nl_addr *addr, int family, struct kserv_prefix *ret);
bool podnet_read_addr(const struct nl_addr *addr, struct kserv_addr *ret);

/* On a device: the permanent neighbours of AF_INET or AF_INET6, or with AF_BRIDGE the FDB entries that are ours. */
int podnet_dump_neighbours(struct nl_sock *socket, int family, int ifindex, struct kserv_podnet_neighbour **ret,
			   size_t *ret_n, char **ret_why);

/* Make the device be as @plan says, or not be (*@ret_ifindex is 0 then). Return: 0, or -errno with a sentence. */
int podnet_settle_device(struct nl_sock *socket, const struct kserv_podnet_config *config,
			 const struct kserv_podnet_plan *plan, int *ret_ifindex,
			 struct kserv_podnet_changes *changes, char **ret_why);

#endif
