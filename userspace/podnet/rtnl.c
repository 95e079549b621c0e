// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "lib/addr.h"
#include "plan/address.h"
#include "podnet/rtnl.h"

/* libnl has fewer errors than the kernel; these are told apart by callers. */
static int to_errno(int error)
{
	switch (error < 0 ? -error : error) {
	case NLE_EXIST:
		return -EEXIST;
	case NLE_OBJ_NOTFOUND: case NLE_NODEV:
		return -ENODEV;
	case NLE_PERM: case NLE_NOACCESS:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OPNOTSUPP: case NLE_AF_NOSUPPORT:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

int podnet_fail(char **ret_why, int error, const char *format, ...)
{
	va_list args;
	char *what;

	if (*ret_why)
		return to_errno(error);
	va_start(args, format);
	what = kserv_must_vprintf(format, args);
	va_end(args);
	*ret_why = kserv_must_printf("%s: %s", what, nl_geterror(error));
	free(what);
	return to_errno(error);
}

static struct nl_addr *must(struct nl_addr *addr)
{
	if (!addr)
		abort();
	return addr;
}

struct nl_addr *podnet_nl_addr(const struct kserv_addr *addr)
{
	return must(nl_addr_build(addr->family, &addr->v6, addr->family == AF_INET6 ? 16 : 4));
}

struct nl_addr *podnet_nl_prefix(const struct kserv_prefix *prefix)
{
	struct nl_addr *addr = podnet_nl_addr(&prefix->addr);

	nl_addr_set_prefixlen(addr, prefix->len);
	return addr;
}

struct nl_addr *podnet_nl_mac(const uint8_t mac[KSERV_PODNET_MAC])
{
	return must(nl_addr_build(AF_LLC, mac, KSERV_PODNET_MAC));
}

/* By length, since the kernel's FDB has addresses of family AF_BRIDGE. */
bool podnet_read_addr(const struct nl_addr *addr, struct kserv_addr *ret)
{
	size_t len = addr ? nl_addr_get_len(addr) : 0;

	memset(ret, 0, sizeof(*ret));
	if (len != 4 && len != 16)
		return false;
	ret->family = len == 16 ? AF_INET6 : AF_INET;
	memcpy(&ret->v6, nl_addr_get_binary_addr(addr), len);
	return true;
}

bool podnet_read_prefix(const struct nl_addr *addr, int family, struct kserv_prefix *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!addr || !nl_addr_get_len(addr)) {
		ret->addr.family = family;
		return true;
	}
	ret->len = nl_addr_get_prefixlen(addr);
	return podnet_read_addr(addr, &ret->addr);
}

int kserv_podnet_open(struct nl_sock **ret_socket, char **ret_why)
{
	struct nl_sock *socket = nl_socket_alloc();
	int error;

	if (!socket)
		return -ENOMEM;
	error = nl_connect(socket, NETLINK_ROUTE);
	if (error < 0) {
		nl_socket_free(socket);
		return podnet_fail(ret_why, error, "rtnetlink cannot be reached");
	}
	*ret_socket = socket;
	return 0;
}

/* What podnet_dump_neighbours() collects. */
struct dump {
	int ifindex, family;
	struct kserv_podnet_neighbour *v;
	size_t n;
};

static bool is_ours(const struct dump *dump, struct rtnl_neigh *neigh, const uint8_t *mac)
{
	if (rtnl_neigh_get_ifindex(neigh) != dump->ifindex || !(rtnl_neigh_get_state(neigh) & NUD_PERMANENT))
		return false;
	return dump->family != AF_BRIDGE || mac[0] == 0x02;
}

static void collect(struct nl_object *object, void *context)
{
	struct rtnl_neigh *neigh = (struct rtnl_neigh *)object;
	struct nl_addr *lladdr = rtnl_neigh_get_lladdr(neigh);
	struct dump *dump = context;
	struct kserv_podnet_neighbour *one;
	struct kserv_addr addr;

	if (!lladdr || nl_addr_get_len(lladdr) != KSERV_PODNET_MAC || !podnet_read_addr(rtnl_neigh_get_dst(neigh), &addr) ||
	    !is_ours(dump, neigh, nl_addr_get_binary_addr(lladdr)))
		return;
	dump->v = kserv_must_grow(dump->v, dump->n, sizeof(*dump->v));
	one = &dump->v[dump->n++];
	one->addr = addr;
	memcpy(one->mac, nl_addr_get_binary_addr(lladdr), KSERV_PODNET_MAC);
}

static int on_neighbour(struct nl_msg *msg, void *context)
{
	nl_msg_parse(msg, collect, context);
	return NL_OK;
}

int podnet_dump_neighbours(struct nl_sock *socket, int family, int ifindex, struct kserv_podnet_neighbour **ret,
			   size_t *ret_n, char **ret_why)
{
	struct ndmsg header = { .ndm_family = family };
	struct dump dump = { .ifindex = ifindex, .family = family };
	int error;

	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_neighbour, &dump);
	error = nl_send_simple(socket, RTM_GETNEIGH, NLM_F_DUMP, &header, sizeof(header));
	if (error >= 0)
		error = nl_recvmsgs_default(socket);
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
	if (error < 0) {
		free(dump.v);
		return podnet_fail(ret_why, error, "the neighbours cannot be listed");
	}
	*ret = dump.v;
	*ret_n = dump.n;
	return 0;
}

static bool is_of_main_table(struct rtnl_route *route)
{
	return rtnl_route_get_table(route) == RT_TABLE_MAIN && rtnl_route_get_type(route) == RTN_UNICAST &&
	       !(rtnl_route_get_flags(route) & RTM_F_CLONED);
}

static void add_way(struct kserv_podnet_view *view, struct rtnl_route *route)
{
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	struct kserv_podnet_way way = { .metric = rtnl_route_get_priority(route) };

	if (!hop || !podnet_read_prefix(rtnl_route_get_dst(route), rtnl_route_get_family(route), &way.prefix))
		return;
	way.ifindex = rtnl_route_nh_get_ifindex(hop);
	way.has_gateway = rtnl_route_nh_get_gateway(hop) || rtnl_route_nh_get_via(hop) ||
			  rtnl_route_get_nnexthops(route) > 1;
	view->ways = kserv_must_grow(view->ways, view->n_ways, sizeof(*view->ways));
	view->ways[view->n_ways++] = way;
}

static int view_ways(struct nl_sock *socket, struct kserv_podnet_view *view, char **ret_why)
{
	struct nl_object *object;
	struct nl_cache *cache;
	int error = rtnl_route_alloc_cache(socket, AF_UNSPEC, 0, &cache);

	if (error < 0)
		return podnet_fail(ret_why, error, "the routes cannot be listed");
	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
		struct rtnl_route *route = (struct rtnl_route *)object;

		if (is_of_main_table(route) && rtnl_route_get_protocol(route) != KSERV_PODNET_PROTOCOL)
			add_way(view, route);
	}
	nl_cache_free(cache);
	return 0;
}

static uint32_t mtu_of(struct nl_sock *socket, int ifindex)
{
	struct rtnl_link *link;
	uint32_t mtu;

	if (rtnl_link_get_kernel(socket, ifindex, NULL, &link) < 0)
		return 0;
	mtu = rtnl_link_get_mtu(link);
	rtnl_link_put(link);
	return mtu;
}

static int view_mtu(struct nl_sock *socket, const struct kserv_addr primary[2], struct kserv_podnet_view *view,
		    char **ret_why)
{
	struct nl_object *object;
	struct nl_cache *cache;
	struct kserv_addr addr;
	int i, error = rtnl_addr_alloc_cache(socket, &cache);

	if (error < 0)
		return podnet_fail(ret_why, error, "the addresses cannot be listed");
	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
		struct rtnl_addr *one = (struct rtnl_addr *)object;

		if (!podnet_read_addr(rtnl_addr_get_local(one), &addr))
			continue;
		for (i = 0; i < 2; i++)
			if (kserv_addr_is_equal(&addr, &primary[i]))
				view->mtu[i] = mtu_of(socket, rtnl_addr_get_ifindex(one));
	}
	nl_cache_free(cache);
	return 0;
}

int kserv_podnet_view(struct nl_sock *socket, const struct kserv_addr primary[2], struct kserv_podnet_view *ret,
		      char **ret_why)
{
	int error;

	memset(ret, 0, sizeof(*ret));
	error = view_ways(socket, ret, ret_why);
	return error ? error : view_mtu(socket, primary, ret, ret_why);
}

void kserv_podnet_view_clear(struct kserv_podnet_view *view)
{
	free(view->ways);
	memset(view, 0, sizeof(*view));
}

static int held_compare(const void *a, const void *b)
{
	const struct kserv_podnet_held *x = a, *y = b;

	return kserv_prefix_compare(&x->prefix, &y->prefix);
}

static bool read_held(struct rtnl_route *route, struct kserv_podnet_held *ret)
{
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);

	memset(ret, 0, sizeof(*ret));
	if (!is_of_main_table(route) || rtnl_route_get_protocol(route) != KSERV_PODNET_PROTOCOL || !hop ||
	    !podnet_read_prefix(rtnl_route_get_dst(route), rtnl_route_get_family(route), &ret->prefix))
		return false;
	podnet_read_addr(rtnl_route_nh_get_gateway(hop), &ret->gateway);
	ret->ifindex = rtnl_route_nh_get_ifindex(hop);
	ret->metric = rtnl_route_get_priority(route);
	if (!if_indextoname(ret->ifindex, ret->device))
		snprintf(ret->device, sizeof(ret->device), "%d", ret->ifindex);
	return true;
}

int kserv_podnet_routes(struct nl_sock *socket, struct kserv_podnet_held **ret, size_t *ret_n, char **ret_why)
{
	struct kserv_podnet_held one, *held = NULL;
	struct nl_object *object;
	struct nl_cache *cache;
	size_t n = 0;
	int error = rtnl_route_alloc_cache(socket, AF_UNSPEC, 0, &cache);

	if (error < 0)
		return podnet_fail(ret_why, error, "the routes cannot be listed");
	for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
		if (!read_held((struct rtnl_route *)object, &one))
			continue;
		held = kserv_must_grow(held, n, sizeof(*held));
		held[n++] = one;
	}
	nl_cache_free(cache);
	if (n)
		qsort(held, n, sizeof(*held), held_compare);
	*ret = held;
	*ret_n = n;
	return 0;
}
