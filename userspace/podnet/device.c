// SPDX-License-Identifier: GPL-2.0
/* The VXLAN device and its addresses. */
#include <errno.h>
#include <fcntl.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/vxlan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "podnet/rtnl.h"

/* NULL if there is none. */
static struct rtnl_link *find_link(struct nl_sock *socket, const char *name)
{
	struct rtnl_link *link;

	return rtnl_link_get_kernel(socket, 0, name, &link) < 0 ? NULL : link;
}

static bool has_mac(struct rtnl_link *link, const uint8_t mac[KSERV_PODNET_MAC])
{
	struct nl_addr *addr = rtnl_link_get_addr(link);

	return addr && nl_addr_get_len(addr) == KSERV_PODNET_MAC &&
	       !memcmp(nl_addr_get_binary_addr(addr), mac, KSERV_PODNET_MAC);
}

/* What cannot be changed of a device that is there. */
static bool is_same_tunnel(struct rtnl_link *link, const struct kserv_podnet_config *config,
			   const struct kserv_podnet_plan *plan)
{
	struct kserv_addr local = { 0 };
	uint32_t vni = 0, port = 0;
	struct nl_addr *addr;

	if (rtnl_link_vxlan_get_id(link, &vni) || rtnl_link_vxlan_get_port(link, &port) ||
	    rtnl_link_vxlan_get_local(link, &addr))
		return false;
	podnet_read_addr(addr, &local);
	nl_addr_put(addr);
	return vni == config->vni && port == config->port && kserv_addr_is_equal(&local, &plan->local) &&
	       !rtnl_link_vxlan_get_learning(link) && has_mac(link, plan->mac);
}

static int make_device(struct nl_sock *socket, const struct kserv_podnet_config *config,
		       const struct kserv_podnet_plan *plan, char **ret_why)
{
	struct nl_addr *local = podnet_nl_addr(&plan->local), *mac = podnet_nl_mac(plan->mac);
	struct rtnl_link *link = rtnl_link_vxlan_alloc();
	int error;

	if (!link)
		abort();
	rtnl_link_set_name(link, config->device);
	rtnl_link_set_addr(link, mac);
	if (plan->device_mtu)
		rtnl_link_set_mtu(link, plan->device_mtu);
	rtnl_link_vxlan_set_id(link, config->vni);
	rtnl_link_vxlan_set_local(link, local);
	rtnl_link_vxlan_set_port(link, config->port);
	/* Who is where is known from the Nodes. */
	rtnl_link_vxlan_set_learning(link, 0);
	error = rtnl_link_add(socket, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(link);
	nl_addr_put(local);
	nl_addr_put(mac);
	return error < 0 ? podnet_fail(ret_why, error, "the VXLAN device %s cannot be made", config->device) : 0;
}

/* Nobody needs its link-local address, since gateways have permanent neighbours; the device is not up yet. */
static void set_no_link_local(const char *device)
{
	char *path = kserv_must_printf("/proc/sys/net/ipv6/conf/%s/addr_gen_mode", device);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* There is no such file where there is no IPv6, and the address does no harm. */
	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			kserv_log_note("%s cannot be written: %s", path, strerror(errno));
		close(fd);
	}
	free(path);
}

static int remove_device(struct nl_sock *socket, struct rtnl_link *link, char **ret_why)
{
	int error = rtnl_link_delete(socket, link);

	return error < 0 ? podnet_fail(ret_why, error, "the VXLAN device %s cannot be removed", rtnl_link_get_name(link)) : 0;
}

static int change_device(struct nl_sock *socket, struct rtnl_link *link, const struct kserv_podnet_plan *plan,
			 char **ret_why)
{
	bool is_up = rtnl_link_get_flags(link) & IFF_UP;
	struct rtnl_link *change;
	int error;

	if (is_up && (!plan->device_mtu || rtnl_link_get_mtu(link) == plan->device_mtu))
		return 0;
	change = rtnl_link_alloc();
	if (!change)
		abort();
	if (plan->device_mtu)
		rtnl_link_set_mtu(change, plan->device_mtu);
	rtnl_link_set_flags(change, IFF_UP);
	error = rtnl_link_change(socket, link, change, 0);
	rtnl_link_put(change);
	return error < 0 ? podnet_fail(ret_why, error, "the VXLAN device %s cannot be changed", rtnl_link_get_name(link)) : 0;
}

static int change_address(struct nl_sock *socket, int ifindex, const struct kserv_prefix *prefix, bool add,
			  char **ret_why)
{
	struct nl_addr *local = podnet_nl_prefix(prefix);
	struct rtnl_addr *addr = rtnl_addr_alloc();
	char text[KSERV_ADDR_TEXT];
	int error;

	if (!addr)
		abort();
	rtnl_addr_set_ifindex(addr, ifindex);
	rtnl_addr_set_local(addr, local);
	/* Duplicate address detection would keep it from being used for a second. */
	if (add && prefix->addr.family == AF_INET6)
		rtnl_addr_set_flags(addr, IFA_F_NODAD);
	error = add ? rtnl_addr_add(socket, addr, 0) : rtnl_addr_delete(socket, addr, 0);
	rtnl_addr_put(addr);
	nl_addr_put(local);
	if (error == -NLE_EXIST && add)
		error = 0;
	return error < 0 ? podnet_fail(ret_why, error, "the VXLAN device's address %s cannot be %s",
				       kserv_prefix_format(prefix, text), add ? "set" : "removed") : 0;
}

static bool holds(const struct kserv_prefixes *list, const struct kserv_prefix *prefix)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!kserv_prefix_compare(&list->v[i], prefix))
			return true;
	return false;
}

static int find_addresses(struct nl_sock *socket, int ifindex, struct kserv_prefixes *ret, char **ret_why)
{
	struct kserv_prefix prefix;
	struct nl_object *object;
	struct nl_cache *cache;
	int error = rtnl_addr_alloc_cache(socket, &cache);

	if (error < 0)
		return podnet_fail(ret_why, error, "the addresses cannot be listed");
	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
		struct rtnl_addr *addr = (struct rtnl_addr *)object;

		if (rtnl_addr_get_ifindex(addr) != ifindex ||
		    !podnet_read_prefix(rtnl_addr_get_local(addr), AF_UNSPEC, &prefix))
			continue;
		ret->v = kserv_must_grow(ret->v, ret->n, sizeof(*ret->v));
		ret->v[ret->n++] = prefix;
	}
	nl_cache_free(cache);
	return 0;
}

/* The device is ours alone, and so are its addresses. */
static int settle_addresses(struct nl_sock *socket, int ifindex, const struct kserv_prefixes *wanted, char **ret_why)
{
	struct kserv_prefixes held = { 0 };
	int one, error = find_addresses(socket, ifindex, &held, ret_why);
	size_t i;

	for (i = 0; i < wanted->n; i++) {
		one = holds(&held, &wanted->v[i]) ? 0 : change_address(socket, ifindex, &wanted->v[i], true, ret_why);
		error = error ? error : one;
	}
	for (i = 0; i < held.n; i++) {
		one = holds(wanted, &held.v[i]) ? 0 : change_address(socket, ifindex, &held.v[i], false, ret_why);
		error = error ? error : one;
	}
	free(held.v);
	return error;
}

/* Of a device that there is: @ret_keep is false if there is none afterwards. */
static int settle_old(struct nl_sock *socket, struct rtnl_link *link, const struct kserv_podnet_config *config,
		      const struct kserv_podnet_plan *plan, bool *ret_keep, char **ret_why)
{
	*ret_keep = false;
	if (!rtnl_link_is_vxlan(link)) {
		if (plan->has_device)
			*ret_why = kserv_must_printf("there is a device %s that is no VXLAN device; "
						     "remove it or name another in podNetwork.vxlan.device", config->device);
		return plan->has_device ? -EEXIST : 0;
	}
	if (!plan->has_device || !is_same_tunnel(link, config, plan))
		return remove_device(socket, link, ret_why);
	*ret_keep = true;
	return change_device(socket, link, plan, ret_why);
}

int podnet_settle_device(struct nl_sock *socket, const struct kserv_podnet_config *config,
			 const struct kserv_podnet_plan *plan, int *ret_ifindex,
			 struct kserv_podnet_changes *changes, char **ret_why)
{
	struct rtnl_link *link = find_link(socket, config->device);
	bool is_kept = false;
	int error = 0;

	*ret_ifindex = 0;
	if (link) {
		error = settle_old(socket, link, config, plan, &is_kept, ret_why);
		rtnl_link_put(link);
	}
	if (error || !plan->has_device)
		return error;
	if (!is_kept) {
		error = make_device(socket, config, plan, ret_why);
		if (error)
			return error;
		changes->made_device = true;
		set_no_link_local(config->device);
		link = find_link(socket, config->device);
		if (link) {
			error = change_device(socket, link, plan, ret_why);
			rtnl_link_put(link);
		}
		if (error)
			return error;
	}
	*ret_ifindex = if_nametoindex(config->device);
	if (!*ret_ifindex) {
		*ret_why = kserv_must_printf("the VXLAN device %s has vanished", config->device);
		return -ENODEV;
	}
	return settle_addresses(socket, *ret_ifindex, &plan->addresses, ret_why);
}
