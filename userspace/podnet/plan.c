// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "lib/addr.h"
#include "plan/address.h"
#include "plan/here.h"
#include "plan/warning.h"
#include "podnet/podnet.h"

/* A pod CIDR and whose it is; of several nodes with one CIDR the first by name has it, as plan/route.c decides. */
struct claim {
	struct kserv_prefix prefix;
	const struct kserv_node *node;
};

/* What the functions of this page work on. */
struct work {
	const struct kserv_podnet_config *config;
	const struct kserv_here *here;
	const struct kserv_podnet_view *view;
	struct kserv_podnet_plan *plan;
	struct kserv_warnings *warnings;
	uint8_t family;
};

void kserv_podnet_mac(const char *node_name, uint8_t ret[KSERV_PODNET_MAC])
{
	uint64_t hash = 0xcbf29ce484222325;
	int i;

	/* FNV-1a of 64 bits, folded to the 40 that are ours to choose. */
	for (; *node_name; node_name++)
		hash = (hash ^ (uint8_t)*node_name) * 0x100000001b3;
	hash ^= hash >> 40;
	/* Locally administered, unicast. */
	ret[0] = 0x02;
	for (i = 1; i < KSERV_PODNET_MAC; i++)
		ret[i] = hash >> (8 * (i - 1));
}

bool kserv_podnet_is_on_link(const struct kserv_podnet_view *view, const struct kserv_addr *addr, int *ret_ifindex)
{
	const struct kserv_podnet_way *way, *best = NULL;
	size_t i;

	for (i = 0; i < view->n_ways; i++) {
		way = &view->ways[i];
		if (way->prefix.addr.family != addr->family || !kserv_cidr_contains(&way->prefix, addr))
			continue;
		if (!best || way->prefix.len > best->prefix.len ||
		    (way->prefix.len == best->prefix.len && way->metric < best->metric))
			best = way;
	}
	if (!best || best->has_gateway || !best->ifindex)
		return false;
	*ret_ifindex = best->ifindex;
	return true;
}

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = kserv_prefix_compare(&x->prefix, &y->prefix);

	return order ? order : strcmp(x->node->meta.name, y->node->meta.name);
}

static struct claim *find_claims(struct kserv_node *const *nodes, size_t n_nodes, size_t *ret_n)
{
	struct claim *claims = NULL;
	size_t i, j, n = 0;

	for (i = 0; i < n_nodes; i++) {
		for (j = 0; j < nodes[i]->pod_cidrs.n; j++) {
			struct claim claim = { .node = nodes[i] };

			/* plan/route.c says so when it is none. */
			if (!kserv_cidr_read(nodes[i]->pod_cidrs.v[j], &claim.prefix))
				continue;
			claims = kserv_must_grow(claims, n, sizeof(*claims));
			claims[n++] = claim;
		}
	}
	if (n)
		qsort(claims, n, sizeof(*claims), claim_compare);
	*ret_n = n;
	return claims;
}

static void add_prefix(struct kserv_prefixes *list, const struct kserv_prefix *prefix)
{
	list->v = kserv_must_grow(list->v, list->n, sizeof(*list->v));
	list->v[list->n++] = *prefix;
}

static void add_neighbour(struct kserv_podnet_neighbour **list, size_t *n, const struct kserv_addr *addr,
			  const uint8_t mac[KSERV_PODNET_MAC])
{
	*list = kserv_must_grow(*list, *n, sizeof(**list));
	(*list)[*n].addr = *addr;
	memcpy((*list)[(*n)++].mac, mac, KSERV_PODNET_MAC);
}

static void add_route(struct kserv_podnet_plan *plan, const struct kserv_prefix *prefix,
		      const struct kserv_addr *gateway, int ifindex)
{
	plan->routes = kserv_must_grow(plan->routes, plan->n_routes, sizeof(*plan->routes));
	plan->routes[plan->n_routes++] = (struct kserv_podnet_route){ *prefix, *gateway, ifindex };
}

int kserv_podnet_neighbour_compare(const void *a, const void *b)
{
	const struct kserv_podnet_neighbour *x = a, *y = b;

	if (x->addr.family != y->addr.family)
		return x->addr.family < y->addr.family ? -1 : 1;
	return memcmp(&x->addr.v6, &y->addr.v6, sizeof(x->addr.v6));
}

int kserv_podnet_fdb_compare(const void *a, const void *b)
{
	const struct kserv_podnet_neighbour *x = a, *y = b;

	return memcmp(x->mac, y->mac, KSERV_PODNET_MAC);
}

/* Return: false if the MAC address is that of a node at another address. */
static bool add_fdb(struct kserv_podnet_plan *plan, const uint8_t mac[KSERV_PODNET_MAC], const struct kserv_addr *addr)
{
	size_t low = 0, high = plan->n_fdb, middle;
	struct kserv_podnet_neighbour one;
	int order;

	if (!memcmp(mac, plan->mac, KSERV_PODNET_MAC))
		return false;
	while (low < high) {
		middle = (low + high) / 2;
		order = memcmp(mac, plan->fdb[middle].mac, KSERV_PODNET_MAC);
		if (!order)
			return kserv_addr_is_equal(&plan->fdb[middle].addr, addr);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	add_neighbour(&plan->fdb, &plan->n_fdb, addr, mac);
	one = plan->fdb[plan->n_fdb - 1];
	memmove(&plan->fdb[low + 1], &plan->fdb[low], (plan->n_fdb - 1 - low) * sizeof(one));
	plan->fdb[low] = one;
	return true;
}

static void plan_vxlan(struct work *work, const struct claim *claim, const struct kserv_addr primary[2])
{
	const struct kserv_addr *node_addr = &primary[kserv_family_index(work->family)];
	struct kserv_podnet_plan *plan = work->plan;
	uint8_t mac[KSERV_PODNET_MAC];
	char text[KSERV_ADDR_TEXT];

	kserv_prefix_format(&claim->prefix, text);
	if (!plan->has_device || node_addr->family == AF_UNSPEC) {
		kserv_warn(work->warnings, "Node", &claim->node->meta,
			   "its pods in %s cannot be reached by VXLAN: %s has no IPv%c address", text,
			   plan->has_device ? "it" : "this node", work->family == AF_INET6 ? '6' : '4');
		return;
	}
	kserv_podnet_mac(claim->node->meta.name, mac);
	if (!add_fdb(plan, mac, node_addr)) {
		kserv_warn(work->warnings, "Node", &claim->node->meta,
			   "its pods in %s cannot be reached by VXLAN: its name makes the MAC address of another node; rename it",
			   text);
		return;
	}
	add_neighbour(&plan->neighbours, &plan->n_neighbours, &claim->prefix.addr, mac);
	add_route(plan, &claim->prefix, &claim->prefix.addr, 0);
}

static void plan_peer(struct work *work, const struct claim *claim)
{
	const struct kserv_addr *gateway;
	struct kserv_addr primary[2] = { 0 };
	char text[KSERV_ADDR_TEXT];
	int ifindex;

	kserv_node_primary(claim->node, primary);
	gateway = &primary[kserv_family_index(claim->prefix.addr.family)];
	if (work->config->mode == KSERV_PODNET_VXLAN)
		plan_vxlan(work, claim, primary);
	else if (gateway->family != AF_UNSPEC && kserv_podnet_is_on_link(work->view, gateway, &ifindex))
		add_route(work->plan, &claim->prefix, gateway, ifindex);
	else if (work->config->mode == KSERV_PODNET_AUTO)
		plan_vxlan(work, claim, primary);
	else if (gateway->family != AF_UNSPEC)
		kserv_warn(work->warnings, "Node", &claim->node->meta,
			   "its pods in %s cannot be reached: there is a router before it, and podNetwork.mode is direct",
			   kserv_prefix_format(&claim->prefix, text));
	/* plan/route.c has said that it has no address of that family. */
}

static void plan_own(struct work *work)
{
	const struct kserv_strings *cidrs = &work->here->node->pod_cidrs;
	struct kserv_prefix prefix;
	size_t i;

	for (i = 0; i < cidrs->n; i++) {
		if (!kserv_cidr_read(cidrs->v[i], &prefix))
			continue;
		add_prefix(&work->plan->pod_cidrs, &prefix);
		prefix.len = prefix.addr.family == AF_INET6 ? 128 : 32;
		if (work->plan->has_device)
			add_prefix(&work->plan->addresses, &prefix);
	}
	if (work->plan->addresses.n)
		qsort(work->plan->addresses.v, work->plan->addresses.n, sizeof(prefix), kserv_prefix_compare);
}

/* That of the first internal address, which kubelet calls the primary one. */
static uint8_t find_family(const struct work *work)
{
	const struct kserv_here *here = work->here;
	const struct kserv_strings *ips = here->settings->node_ips.n ? &here->settings->node_ips : &here->node->internal_ips;
	struct kserv_addr addr;

	if (work->config->family != AF_UNSPEC)
		return work->config->family;
	if (ips->n && kserv_address_read(ips->v[0], &addr))
		return addr.family;
	return here->primary[0].family == AF_UNSPEC && here->primary[1].family != AF_UNSPEC ? AF_INET6 : AF_INET;
}

static void plan_device(struct work *work)
{
	bool wanted = work->config->mode == KSERV_PODNET_AUTO || work->config->mode == KSERV_PODNET_VXLAN;
	unsigned int index = kserv_family_index(work->family);
	uint32_t overhead = index ? KSERV_PODNET_OVERHEAD6 : KSERV_PODNET_OVERHEAD4;
	uint32_t mtu = work->config->mtu ? work->config->mtu : work->view->mtu[index];
	struct kserv_podnet_plan *plan = work->plan;

	plan->local = work->here->primary[index];
	plan->has_device = wanted && plan->local.family != AF_UNSPEC;
	plan->pod_mtu = mtu;
	if (!plan->has_device)
		return;
	kserv_podnet_mac(work->here->node->meta.name, plan->mac);
	if (mtu)
		mtu = mtu > KSERV_PODNET_MTU_MIN + overhead ? mtu - overhead : KSERV_PODNET_MTU_MIN;
	plan->pod_mtu = plan->device_mtu = mtu;
}

void kserv_podnet_plan(const struct kserv_podnet_config *config, const struct kserv_here *here,
		       struct kserv_node *const *nodes, size_t n_nodes, const struct kserv_podnet_view *view,
		       struct kserv_podnet_plan *ret, struct kserv_warnings *warnings)
{
	struct work work = { config, here, view, ret, warnings, 0 };
	struct claim *claims, *claim;
	size_t i, n;

	memset(ret, 0, sizeof(*ret));
	work.family = find_family(&work);
	plan_device(&work);
	plan_own(&work);
	if (config->mode == KSERV_PODNET_NONE)
		return;
	claims = find_claims(nodes, n_nodes, &n);
	for (i = 0; i < n; i++) {
		claim = &claims[i];
		if (i && !kserv_prefix_compare(&claim[-1].prefix, &claim->prefix))
			continue;
		if (!kserv_here_is_node(here, claim->node->meta.name))
			plan_peer(&work, claim);
	}
	/* Routes are in the order of the CIDRs already, and FDB entries in that of their MAC addresses. */
	if (ret->n_neighbours)
		qsort(ret->neighbours, ret->n_neighbours, sizeof(*ret->neighbours), kserv_podnet_neighbour_compare);
	free(claims);
}

void kserv_podnet_plan_clear(struct kserv_podnet_plan *plan)
{
	free(plan->routes);
	free(plan->neighbours);
	free(plan->fdb);
	free(plan->addresses.v);
	free(plan->pod_cidrs.v);
	memset(plan, 0, sizeof(*plan));
}
