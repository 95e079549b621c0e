// SPDX-License-Identifier: GPL-2.0
/* What differs, in an order in which no packet goes astray: who a gateway is, then the way to it; away in reverse. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6_route.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/addr.h"
#include "podnet/rtnl.h"

/**
 * struct job - one run
 * @ifindex: of the VXLAN device; 0 if there is none
 * @error: the first; *@ret_why is its sentence
 */
struct job {
	struct nl_sock *socket;
	const struct kserv_podnet_plan *plan;
	int ifindex, error;
	struct kserv_podnet_changes *changes;
	char **ret_why;
};

static void note(struct job *job, int error)
{
	job->error = job->error ? job->error : error;
}

static struct rtnl_neigh *neigh_of(const struct job *job, const struct kserv_podnet_neighbour *one, bool is_fdb)
{
	struct nl_addr *addr = podnet_nl_addr(&one->addr), *mac = podnet_nl_mac(one->mac);
	struct rtnl_neigh *neigh = rtnl_neigh_alloc();

	if (!neigh)
		abort();
	rtnl_neigh_set_ifindex(neigh, job->ifindex);
	rtnl_neigh_set_lladdr(neigh, mac);
	rtnl_neigh_set_state(neigh, NUD_PERMANENT);
	/* Sets the family, too, and refuses an address of another one: so before AF_BRIDGE. */
	rtnl_neigh_set_dst(neigh, addr);
	if (is_fdb) {
		rtnl_neigh_set_family(neigh, AF_BRIDGE);
		rtnl_neigh_set_flags(neigh, NTF_SELF);
	}
	nl_addr_put(addr);
	nl_addr_put(mac);
	return neigh;
}

static void set_neighbour(struct job *job, const struct kserv_podnet_neighbour *one, bool is_fdb)
{
	struct rtnl_neigh *neigh = neigh_of(job, one, is_fdb);
	int error = rtnl_neigh_add(job->socket, neigh, NLM_F_CREATE | NLM_F_REPLACE);
	char text[KSERV_ADDR_TEXT];

	rtnl_neigh_put(neigh);
	if (error < 0)
		note(job, podnet_fail(job->ret_why, error, "the %s entry of %s cannot be made", is_fdb ? "FDB" : "neighbour",
				      kserv_addr_format(&one->addr, text)));
	else
		job->changes->set++;
}

static void remove_neighbour(struct job *job, const struct kserv_podnet_neighbour *one, bool is_fdb)
{
	struct rtnl_neigh *neigh = neigh_of(job, one, is_fdb);
	int error = rtnl_neigh_delete(job->socket, neigh, 0);
	char text[KSERV_ADDR_TEXT];

	rtnl_neigh_put(neigh);
	if (error < 0 && error != -NLE_OBJ_NOTFOUND)
		note(job, podnet_fail(job->ret_why, error, "the %s entry of %s cannot be removed", is_fdb ? "FDB" : "neighbour",
				      kserv_addr_format(&one->addr, text)));
	else
		job->changes->removed++;
}

static bool is_same(const struct kserv_podnet_neighbour *a, const struct kserv_podnet_neighbour *b)
{
	return kserv_addr_is_equal(&a->addr, &b->addr) && !memcmp(a->mac, b->mac, KSERV_PODNET_MAC);
}

struct neighbours {
	struct kserv_podnet_neighbour *v;
	size_t n;
};

/* bsearch() of a list that may be empty. */
static const struct kserv_podnet_neighbour *find(const struct kserv_podnet_neighbour *key,
						 const struct kserv_podnet_neighbour *v, size_t n, int (*compare)(const void *a, const void *b))
{
	return n ? bsearch(key, v, n, sizeof(*v), compare) : NULL;
}

/* @wanted is sorted, @held is sorted here. */
static void set_missing(struct job *job, const struct kserv_podnet_neighbour *wanted, size_t n, struct neighbours *held,
			bool is_fdb)
{
	int (*compare)(const void *a, const void *b) = is_fdb ? kserv_podnet_fdb_compare : kserv_podnet_neighbour_compare;
	const struct kserv_podnet_neighbour *found;
	size_t i;

	if (held->n)
		qsort(held->v, held->n, sizeof(*held->v), compare);
	for (i = 0; i < n; i++) {
		found = find(&wanted[i], held->v, held->n, compare);
		if (!found || !is_same(&wanted[i], found))
			set_neighbour(job, &wanted[i], is_fdb);
	}
}

static void remove_stale(struct job *job, const struct kserv_podnet_neighbour *wanted, size_t n,
			 const struct neighbours *held, bool is_fdb)
{
	int (*compare)(const void *a, const void *b) = is_fdb ? kserv_podnet_fdb_compare : kserv_podnet_neighbour_compare;
	size_t i;

	for (i = 0; i < held->n; i++)
		if (!find(&held->v[i], wanted, n, compare))
			remove_neighbour(job, &held->v[i], is_fdb);
}

static struct rtnl_route *route_of(const struct kserv_prefix *prefix, const struct kserv_addr *gateway, int ifindex,
				   bool is_onlink)
{
	struct nl_addr *dst = podnet_nl_prefix(prefix);
	struct nl_addr *via = gateway->family == AF_UNSPEC ? NULL : podnet_nl_addr(gateway);
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct rtnl_route *route = rtnl_route_alloc();

	if (!route || !hop)
		abort();
	rtnl_route_set_family(route, prefix->addr.family);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_protocol(route, KSERV_PODNET_PROTOCOL);
	rtnl_route_set_scope(route, RT_SCOPE_UNIVERSE);
	rtnl_route_set_type(route, RTN_UNICAST);
	rtnl_route_set_dst(route, dst);
	if (via)
		rtnl_route_nh_set_gateway(hop, via);
	rtnl_route_nh_set_ifindex(hop, ifindex);
	rtnl_route_add_nexthop(route, hop);
	/* With one next hop its flags are those of the route. */
	if (is_onlink)
		rtnl_route_set_flags(route, RTNH_F_ONLINK);
	nl_addr_put(dst);
	nl_addr_put(via);
	return route;
}

static void remove_route(struct job *job, const struct kserv_podnet_held *held)
{
	struct rtnl_route *route = route_of(&held->prefix, &held->gateway, held->ifindex, false);
	int error;
	char text[KSERV_ADDR_TEXT];

	rtnl_route_set_priority(route, held->metric);
	/* Any. */
	rtnl_route_set_scope(route, RT_SCOPE_NOWHERE);
	error = rtnl_route_delete(job->socket, route, 0);
	rtnl_route_put(route);
	if (error < 0 && error != -NLE_OBJ_NOTFOUND)
		note(job, podnet_fail(job->ret_why, error, "the route to %s, which is not needed any more, cannot be removed",
				      kserv_prefix_format(&held->prefix, text)));
	else
		job->changes->removed++;
}

/* @held: one of ours, which this one replaces, or NULL; one of others never is replaced. */
static void set_route(struct job *job, const struct kserv_podnet_route *wanted, const struct kserv_podnet_held *held)
{
	int ifindex = wanted->ifindex ? wanted->ifindex : job->ifindex;
	struct rtnl_route *route = route_of(&wanted->prefix, &wanted->gateway, ifindex, !wanted->ifindex);
	char prefix[KSERV_ADDR_TEXT], gateway[KSERV_ADDR_TEXT];
	int error;

	/* There is no VXLAN device, which was told of. */
	if (!ifindex) {
		rtnl_route_put(route);
		return;
	}
	/* The kernel takes no IPv6 gateway that it would reach by another device, as the old route says it does. */
	if (held && wanted->prefix.addr.family == AF_INET6 && held->ifindex != ifindex) {
		remove_route(job, held);
		held = NULL;
	}
	error = rtnl_route_add(job->socket, route, NLM_F_CREATE | (held ? NLM_F_REPLACE : NLM_F_EXCL));
	rtnl_route_put(route);
	if (error < 0)
		note(job, podnet_fail(job->ret_why, error, "the route to %s by %s cannot be made",
				      kserv_prefix_format(&wanted->prefix, prefix),
				      kserv_addr_format(&wanted->gateway, gateway)));
	else
		job->changes->set++;
}

static bool is_as_wanted(const struct job *job, const struct kserv_podnet_route *wanted,
			 const struct kserv_podnet_held *held)
{
	return kserv_addr_is_equal(&wanted->gateway, &held->gateway) &&
	       held->ifindex == (wanted->ifindex ? wanted->ifindex : job->ifindex);
}

/* Ours have the kernel's own metrics; one with another is not replaced by ours, but stands beside it. */
static bool has_own_metric(const struct kserv_podnet_held *held)
{
	return held->metric == (held->prefix.addr.family == AF_INET6 ? IP6_RT_PRIO_USER : 0);
}

/* Both lists are sorted by CIDR. */
static void settle_routes(struct job *job, const struct kserv_podnet_held *held, size_t n_held)
{
	const struct kserv_podnet_plan *plan = job->plan;
	size_t i = 0, j = 0;
	int order;

	while (i < plan->n_routes || j < n_held) {
		order = i == plan->n_routes ? 1 : j == n_held ? -1 :
			kserv_prefix_compare(&plan->routes[i].prefix, &held[j].prefix);
		if (order > 0 || (j < n_held && !has_own_metric(&held[j]))) {
			remove_route(job, &held[j++]);
		} else {
			if (order || !is_as_wanted(job, &plan->routes[i], &held[j]))
				set_route(job, &plan->routes[i], order ? NULL : &held[j]);
			i++;
			j += !order;
		}
	}
}

static int dump(struct job *job, struct neighbours *neighbours, struct neighbours *fdb)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct neighbours one;
	size_t i;
	int error;

	for (i = 0; i < 2 && job->ifindex; i++) {
		one = (struct neighbours){ 0 };
		error = podnet_dump_neighbours(job->socket, families[i], job->ifindex, &one.v, &one.n, job->ret_why);
		if (error)
			return error;
		neighbours->v = realloc(neighbours->v, (neighbours->n + one.n + 1) * sizeof(*one.v));
		if (!neighbours->v)
			abort();
		if (one.n)
			memcpy(neighbours->v + neighbours->n, one.v, one.n * sizeof(*one.v));
		neighbours->n += one.n;
		free(one.v);
	}
	return job->ifindex ? podnet_dump_neighbours(job->socket, AF_BRIDGE, job->ifindex, &fdb->v, &fdb->n, job->ret_why) : 0;
}

/* Pods' packets are forwarded; the ptp plugin would say so as well, but only with the first pod. */
static void forward(struct job *job)
{
	static const char *const paths[] = { "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding" };
	size_t i, j;
	char now;
	int fd;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < job->plan->pod_cidrs.n; j++)
			if ((job->plan->pod_cidrs.v[j].addr.family == AF_INET6) == (i == 1))
				break;
		if (j == job->plan->pod_cidrs.n)
			continue;
		fd = open(paths[i], O_RDWR | O_CLOEXEC);
		if (fd < 0 || read(fd, &now, 1) != 1 || (now == '0' && pwrite(fd, "1", 1, 0) != 1))
			note(job, podnet_fail(job->ret_why, -NLE_FAILURE, "forwarding cannot be switched on in %s", paths[i]));
		if (fd >= 0)
			close(fd);
	}
}

int kserv_podnet_apply(struct nl_sock *socket, const struct kserv_podnet_config *config,
		       const struct kserv_podnet_plan *plan, struct kserv_podnet_changes *ret_changes, char **ret_why)
{
	struct job job = { .socket = socket, .plan = plan, .changes = ret_changes, .ret_why = ret_why };
	struct neighbours neighbours = { 0 }, fdb = { 0 };
	struct kserv_podnet_held *held = NULL;
	size_t n_held = 0;
	int error;

	memset(ret_changes, 0, sizeof(*ret_changes));
	*ret_why = NULL;
	note(&job, podnet_settle_device(socket, config, plan, &job.ifindex, ret_changes, ret_why));
	error = dump(&job, &neighbours, &fdb);
	if (!error)
		error = kserv_podnet_routes(socket, &held, &n_held, ret_why);
	note(&job, error);
	if (!error) {
		forward(&job);
		if (job.ifindex) {
			set_missing(&job, plan->fdb, plan->n_fdb, &fdb, true);
			set_missing(&job, plan->neighbours, plan->n_neighbours, &neighbours, false);
		}
		settle_routes(&job, held, n_held);
		remove_stale(&job, plan->neighbours, plan->n_neighbours, &neighbours, false);
		remove_stale(&job, plan->fdb, plan->n_fdb, &fdb, true);
	}
	free(neighbours.v);
	free(fdb.v);
	free(held);
	return job.error;
}
