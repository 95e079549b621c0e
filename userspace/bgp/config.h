/* SPDX-License-Identifier: GPL-2.0 */
/* Section bgp of the configuration: whom this node tells by BGP, through BIRD, what it can be reached by. */
#ifndef KSERV_BGP_CONFIG_H
#define KSERV_BGP_CONFIG_H

#include "cluster/errors.h"
#include "cluster/tree.h"
#include "lib/tables.h"

#define KSERV_BGP_PATH		"/run/kserv/bird.conf"
#define KSERV_BGP_SOCKET	"/run/bird/bird.ctl"

/**
 * struct kserv_bgp_peer - a router that this node speaks to
 * @port: 0: BGP's own
 * @hops: 0: on a common network
 * @template: of BIRD, with what else is to be said about the peer; "" for none
 */
struct kserv_bgp_peer {
	struct kserv_addr addr;
	uint32_t asn;
	uint16_t port;
	uint8_t hops;
	char *template;
};

/**
 * struct kserv_bgp_config - the whole section
 * @router_id: AF_UNSPEC: this node's IPv4 address
 * @pods, @balancers: announce the node's pod CIDRs, the load-balancer addresses that it serves
 * @path: of the file for BIRD
 * @socket: BIRD's
 */
struct kserv_bgp_config {
	uint32_t asn;
	struct kserv_addr router_id;
	bool pods, balancers;
	struct kserv_bgp_peer *peers;
	size_t n_peers;
	char *path, *socket;
};

/**
 * kserv_bgp_config_read() - the section, with an error added for each value that is wrong
 * @ret: to be cleared with kserv_bgp_config_clear() in any case
 *
 * Return: whether there is such a section.
 */
bool kserv_bgp_config_read(const struct kserv_value *root, struct kserv_bgp_config *ret, struct kserv_errors *errors);
void kserv_bgp_config_clear(struct kserv_bgp_config *config);

#endif
