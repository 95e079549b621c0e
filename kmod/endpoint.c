// SPDX-License-Identifier: GPL-2.0
/* How a transaction changes the endpoints of a service: reading them, and building the service's next version. */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sort.h>
#include <net/ipv6.h>
#include <net/netlink.h>

#include "kserv.h"
#include "pick.h"
#include "service.h"
#include "tables.h"
#include "transaction.h"

#define IN_A_SET (KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_LOCAL_SET)

static enum kserv_group group_of(u8 flags)
{
	switch (flags & IN_A_SET) {
	case KSERV_ENDPOINT_FLAGS_LOCAL_SET:
		return KSERV_GROUP_LOCAL;
	case IN_A_SET:
		return KSERV_GROUP_BOTH;
	case KSERV_ENDPOINT_FLAGS_CLUSTER_SET:
		return KSERV_GROUP_CLUSTER;
	default:
		return KSERV_GROUP_NEITHER;
	}
}

/* As the Kubernetes API does for EndpointSlices, and some that no packet can be sent to. */
static int check_addr4(__be32 addr, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (ipv4_is_zeronet(addr))
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be unspecified (0.0.0.0/8)");
	if (ipv4_is_loopback(addr))
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be loopback (127.0.0.0/8)");
	if (ipv4_is_linklocal_169(addr))
		return kserv_refuse(extack, attr, -EINVAL,
				    "an endpoint's address may not be link-local (169.254.0.0/16)");
	if (ipv4_is_multicast(addr) || ipv4_is_lbcast(addr))
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be multicast or broadcast");
	return 0;
}

static int check_addr6(const struct in6_addr *addr, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	int type = ipv6_addr_type(addr);

	if (type == IPV6_ADDR_ANY)
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be unspecified (::)");
	if (type & IPV6_ADDR_LOOPBACK)
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be loopback (::1)");
	if (type & IPV6_ADDR_MULTICAST)
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be multicast");
	if (type & IPV6_ADDR_LINKLOCAL)
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be link-local (fe80::/10)");
	if (type & IPV6_ADDR_MAPPED)
		return kserv_refuse(extack, attr, -EINVAL, "an endpoint's address may not be IPv4-mapped");
	return 0;
}

int kserv_endpoint_check_addr(u8 family, const union nf_inet_addr *addr, const struct nlattr *attr,
			      struct netlink_ext_ack *extack)
{
	return family == NFPROTO_IPV4 ? check_addr4(addr->ip, attr, extack) : check_addr6(&addr->in6, attr, extack);
}

/* Fill in one member. @family is that of the service. */
static int parse_attr(struct kserv_endpoint_change *change, u8 family, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	int type = nla_type(attr);

	switch (type) {
	case KSERV_A_ENDPOINT_ADDR4:
		if (family != NFPROTO_IPV4)
			break;
		change->addr.ip = nla_get_in_addr(attr);
		return check_addr4(change->addr.ip, attr, extack);
	case KSERV_A_ENDPOINT_ADDR6:
		if (family != NFPROTO_IPV6)
			break;
		change->addr.in6 = nla_get_in6_addr(attr);
		return check_addr6(&change->addr.in6, attr, extack);
	case KSERV_A_ENDPOINT_PORT:
		change->port = nla_get_be16(attr);
		return 0;
	case KSERV_A_ENDPOINT_STATE:
		change->state = nla_get_u8(attr);
		return 0;
	case KSERV_A_ENDPOINT_FLAGS:
		change->flags = nla_get_u8(attr);
		return 0;
	case KSERV_A_ENDPOINT_WEIGHT:
		change->weight = nla_get_u16(attr);
		return 0;
	case KSERV_A_ENDPOINT_CLUSTER_REASON:
		change->cluster_reason = nla_get_u8(attr);
		return 0;
	case KSERV_A_ENDPOINT_LOCAL_REASON:
		change->local_reason = nla_get_u8(attr);
		return 0;
	default:
		return kserv_refuse(extack, attr, -EINVAL, "this attribute of an endpoint is read only");
	}
	return kserv_refuse(extack, attr, -EINVAL, "the endpoint's address is not of the service's family");
}

static int reserve(struct kserv_service_change *change)
{
	struct kserv_endpoint_change *endpoints;
	u32 max = max(16U, 2 * change->max_endpoints);

	if (change->n_endpoints < change->max_endpoints)
		return 0;
	endpoints = kvmalloc_array(max, sizeof(*endpoints), KSERV_GFP_TABLE);
	if (!endpoints)
		return -ENOMEM;
	if (change->n_endpoints)
		memcpy(endpoints, change->endpoints, change->n_endpoints * sizeof(*endpoints));
	kvfree(change->endpoints);
	change->endpoints = endpoints;
	change->max_endpoints = max;
	return 0;
}

int kserv_endpoint_stage(struct kserv_transaction *tx, struct kserv_service_change *change, const struct nlattr *attr,
			 bool del)
{
	u8 family = change->service->family;
	struct kserv_endpoint_change *to;
	const struct nlattr *member;
	int ret, rem;

	ret = reserve(change);
	if (ret)
		return ret;
	to = &change->endpoints[change->n_endpoints];
	*to = (struct kserv_endpoint_change) {
		.attr = attr,
		.nest = tx->nest,
		.slot = KSERV_NO_SLOT,
		.del = del,
		.weight = 100,
		.state = KSERV_ENDPOINT_STATE_READY,
		.flags = KSERV_ENDPOINT_FLAGS_CLUSTER_SET | KSERV_ENDPOINT_FLAGS_SERVING,
	};
	nla_for_each_nested(member, attr, rem) {
		ret = parse_attr(to, family, member, tx->extack);
		if (ret)
			return ret;
	}
	/* An address that was given is not all zero. */
	if (!memchr_inv(&to->addr, 0, sizeof(to->addr)))
		return kserv_refuse(tx->extack, attr, -EINVAL, "an endpoint needs an address");
	if (!to->port)
		return kserv_refuse(tx->extack, attr, -EINVAL, "an endpoint needs a port");
	change->n_endpoints++;
	return 0;
}

void kserv_endpoint_unstage(struct kserv_service_change *change)
{
	change->n_endpoints = 0;
}

static int order(const union nf_inet_addr *a, __be16 a_port, const union nf_inet_addr *b, __be16 b_port)
{
	return memcmp(a, b, sizeof(*a)) ?: memcmp(&a_port, &b_port, sizeof(a_port));
}

/* By address and port, then by place in the message. */
static int change_cmp(const void *one, const void *other)
{
	const struct kserv_endpoint_change *a = one, *b = other;

	return order(&a->addr, a->port, &b->addr, b->port) ?: a->attr < b->attr ? -1 : 1;
}

static void sort_changes(struct kserv_service_change *change)
{
	u32 i;

	for (i = 1; i < change->n_endpoints; i++) {
		if (change_cmp(&change->endpoints[i - 1], &change->endpoints[i]) < 0)
			continue;
		sort(change->endpoints, change->n_endpoints, sizeof(change->endpoints[0]), change_cmp, NULL);
		return;
	}
}

/* Index of the first endpoint of the group, from @first on, that is not before the change's. */
static u32 lower_bound(const struct kserv_choices *choices, u32 first, u32 end,
		       const struct kserv_endpoint_change *change)
{
	const struct kserv_endpoint *endpoint;
	u32 middle;

	while (first < end) {
		middle = first + (end - first) / 2;
		endpoint = choices->endpoint[middle];
		if (order(&endpoint->addr, endpoint->port, &change->addr, change->port) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

static bool is_at(const struct kserv_choices *choices, u32 slot, const struct kserv_endpoint_change *change)
{
	const struct kserv_endpoint *endpoint = choices->endpoint[slot];

	return !order(&endpoint->addr, endpoint->port, &change->addr, change->port);
}

/* Where the endpoint is among those in force; @guess is where it is if all come as they are there. */
static u32 find_slot(const struct kserv_choices *choices, const struct kserv_endpoint_change *change, u32 guess)
{
	enum kserv_group group;
	u32 at, end;

	if (guess < choices->n && is_at(choices, guess, change))
		return guess;
	for (group = KSERV_GROUP_LOCAL; choices->n && group < KSERV_N_GROUPS; group++) {
		end = kserv_choices_bound(choices, group + 1);
		at = lower_bound(choices, kserv_choices_bound(choices, group), end, change);
		if (at < end && is_at(choices, at, change))
			return at;
	}
	return KSERV_NO_SLOT;
}

struct kserv_endpoint *kserv_endpoint_lookup(const struct kserv_choices *choices, const union nf_inet_addr *addr,
					     __be16 port)
{
	const struct kserv_endpoint_change sought = { .addr = *addr, .port = port };
	u32 slot = find_slot(choices, &sought, KSERV_NO_SLOT);

	return slot == KSERV_NO_SLOT ? NULL : choices->endpoint[slot];
}

static struct kserv_choices *in_force(const struct kserv_transaction *tx, const struct kserv_service *service)
{
	return rcu_dereference_protected(service->choices, lockdep_is_held(&tx->kn->mutex));
}

/*
 * One endpoint's changes, @n of them in the order of the message, become one, which is put to @to (that may be where
 * they are); the first one's slot is a guess. Return: 0 or -errno; *@ret_void when nothing is left of them.
 */
static int resolve_one(struct kserv_transaction *tx, struct kserv_service_change *change,
		       const struct kserv_endpoint_change *from, u32 n, struct kserv_endpoint_change *to,
		       bool *ret_void)
{
	struct kserv_choices *choices = in_force(tx, change->service);
	u32 i, slot = find_slot(choices, from, from->slot);
	bool exists = slot != KSERV_NO_SLOT && !change->cleared;

	for (i = 0; i < n; i++) {
		if (i && from[i].nest == from[i - 1].nest)
			return kserv_refuse(tx->extack, from[i].attr, -EEXIST,
					    "the same endpoint is named twice in one service-set");
		if (from[i].del && !exists)
			return kserv_refuse(tx->extack, from[i].attr, -ENOENT, "the service has no such endpoint");
		exists = !from[i].del;
	}
	*to = from[n - 1];
	to->slot = slot;
	if (slot != KSERV_NO_SLOT) {
		to->endpoint = choices->endpoint[slot];
		to->endpoint->named = true;
	}
	*ret_void = to->del && slot == KSERV_NO_SLOT;
	return 0;
}

static int resolve(struct kserv_transaction *tx, struct kserv_service_change *change)
{
	struct kserv_endpoint_change *v = change->endpoints;
	u32 first, next, n = change->n_endpoints, out = 0, guess = 0;
	bool is_void;
	int ret;

	sort_changes(change);
	for (first = 0; first < n; first = next) {
		for (next = first + 1; next < n; next++)
			if (order(&v[first].addr, v[first].port, &v[next].addr, v[next].port))
				break;
		v[first].slot = guess;
		ret = resolve_one(tx, change, &v[first], next - first, &v[out], &is_void);
		/* Only those up to here are looked at when the transaction is given up. */
		change->n_endpoints = out;
		if (ret)
			return ret;
		if (is_void)
			continue;
		if (v[out].slot != KSERV_NO_SLOT)
			guess = v[out].slot + 1;
		out++;
	}
	change->n_endpoints = out;
	return 0;
}

/* Endpoints that the message does not name are removed. */
static int resolve_rest(struct kserv_transaction *tx, struct kserv_service_change *change)
{
	struct kserv_choices *choices = in_force(tx, change->service);
	struct kserv_endpoint *endpoint;
	int ret;
	u32 i;

	for (i = 0; i < choices->n; i++) {
		endpoint = choices->endpoint[i];
		if (endpoint->named)
			continue;
		ret = reserve(change);
		if (ret)
			return ret;
		change->endpoints[change->n_endpoints++] = (struct kserv_endpoint_change) {
			.endpoint = endpoint,
			.slot = i,
			.del = true,
		};
	}
	return 0;
}

static int create_endpoints(struct kserv_service_change *change)
{
	struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;
	struct kserv_endpoint *endpoint;

	for (c = change->endpoints; c < end; c++) {
		if (c->endpoint)
			continue;
		endpoint = kserv_endpoint_create(change->service, &c->addr, c->port);
		if (!endpoint)
			return -ENOMEM;
		endpoint->weight = c->weight;
		endpoint->state = c->state;
		endpoint->flags = c->flags;
		endpoint->cluster_reason = c->cluster_reason;
		endpoint->local_reason = c->local_reason;
		endpoint->since = (u32)jiffies;
		c->endpoint = endpoint;
	}
	return 0;
}

/* Endpoints that come or go, move between sets or change weight need a new version, as do the service's own members. */
static bool needs_version(const struct kserv_choices *old, const struct kserv_service_change *change)
{
	const struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;

	if (change->created || old->scheduler != change->scheduler || old->removal != change->removal ||
	    old->flags != change->flags || old->affinity_timeout != change->affinity_timeout ||
	    old->removal_grace != change->removal_grace || old->slow_start != change->slow_start)
		return true;
	for (c = change->endpoints; c < end; c++)
		if (c->del || c->slot == KSERV_NO_SLOT || c->endpoint->flags != c->flags ||
		    c->endpoint->weight != c->weight)
			return true;
	return false;
}

/* A version of a service being built. Within each group, @old is sorted by address and port, as the changes are. */
struct version {
	struct kserv_choices *new;
	const struct kserv_choices *old;
	const struct kserv_service_change *change;
	u32 n;	/* endpoints that are in @new */
};

static void take(struct version *version, u32 from, u32 to)
{
	memcpy(version->new->endpoint + version->n, version->old->endpoint + from,
	       (to - from) * sizeof(version->new->endpoint[0]));
	version->n += to - from;
}

/* Endpoints of one group: runs of the old ones between those that change. */
static void build_group(struct version *version, enum kserv_group group)
{
	const struct kserv_service_change *change = version->change;
	const struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;
	u32 old_first = kserv_choices_bound(version->old, group);
	u32 old_end = kserv_choices_bound(version->old, group + 1);
	u32 at, pos = old_first;
	bool was, is;

	for (c = change->endpoints; c < end; c++) {
		was = c->slot >= old_first && c->slot < old_end;
		is = !c->del && group_of(c->flags) == group;
		if (was == is)
			continue;
		at = was ? c->slot : lower_bound(version->old, pos, old_end, c);
		take(version, pos, at);
		pos = at + was;
		if (is)
			version->new->endpoint[version->n++] = c->endpoint;
	}
	take(version, pos, old_end);
}

/* All endpoints are in the changes. */
static void build_group_afresh(struct version *version, enum kserv_group group)
{
	const struct kserv_service_change *change = version->change;
	const struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;

	for (c = change->endpoints; c < end; c++)
		if (!c->del && group_of(c->flags) == group)
			version->new->endpoint[version->n++] = c->endpoint;
}

static void build_endpoints(struct version *version)
{
	bool afresh = version->change->replace || !version->old->n;
	u32 first[KSERV_N_GROUPS + 1];
	enum kserv_group group;

	for (group = KSERV_GROUP_LOCAL; group < KSERV_N_GROUPS; group++) {
		first[group] = version->n;
		if (afresh)
			build_group_afresh(version, group);
		else
			build_group(version, group);
	}
	version->new->cluster_first = first[KSERV_GROUP_BOTH];
	version->new->n_local = first[KSERV_GROUP_CLUSTER];
	version->new->n_cluster = first[KSERV_GROUP_NEITHER] - first[KSERV_GROUP_BOTH];
}

static bool is_serving(u8 flags)
{
	return flags & KSERV_ENDPOINT_FLAGS_SERVING;
}

static u32 count_serving(const struct kserv_choices *old, const struct kserv_service_change *change)
{
	const struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;
	u32 n = old->serving;

	for (c = change->endpoints; c < end; c++) {
		if (c->slot != KSERV_NO_SLOT)
			n -= is_serving(c->endpoint->flags);
		if (!c->del)
			n += is_serving(c->flags);
	}
	return n;
}

static bool is_weighted(const struct kserv_choices *choices)
{
	unsigned int i;

	if (choices->slow_start)
		return true;
	for (i = 0; i < choices->n; i++)
		if (!choices->endpoint[i]->weight || choices->endpoint[i]->weight != choices->endpoint[0]->weight)
			return true;
	return false;
}

/* Exchange the weights in force with those of the changes. */
static void swap_weights(struct kserv_service_change *change)
{
	struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;
	u16 weight;

	for (c = change->endpoints; c < end; c++) {
		if (c->del || c->slot == KSERV_NO_SLOT)
			continue;
		weight = c->endpoint->weight;
		WRITE_ONCE(c->endpoint->weight, c->weight);
		c->weight = weight;
	}
}

static int build(struct kserv_transaction *tx, struct kserv_service_change *change, u32 n)
{
	struct version version = { .old = in_force(tx, change->service), .change = change };
	struct kserv_choices *new;
	int ret;

	new = kserv_choices_alloc(n);
	if (!new)
		return -ENOMEM;
	new->scheduler = change->scheduler;
	new->removal = change->removal;
	new->flags = change->flags;
	new->affinity_timeout = change->affinity_timeout;
	new->removal_grace = change->removal_grace;
	new->slow_start = change->slow_start;
	new->serving = count_serving(version.old, change);
	version.new = new;
	build_endpoints(&version);

	/*
	 * Schedulers read weights from the endpoints, so the new ones are put there meanwhile. Packets may see them for
	 * that moment, which shifts the odds of a few choices and nothing else.
	 */
	swap_weights(change);
	new->weighted = is_weighted(new);
	ret = kserv_pick_prepare(new);
	swap_weights(change);
	if (ret) {
		kserv_choices_free(new);
		return ret;
	}
	change->choices = new;
	return 0;
}

/* How many endpoints the service is to have. */
static u32 count_after(const struct kserv_choices *old, const struct kserv_service_change *change)
{
	const struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;
	u32 n = old->n;

	for (c = change->endpoints; c < end; c++)
		n += (c->slot == KSERV_NO_SLOT) - c->del;
	return n;
}

int kserv_endpoint_prepare(struct kserv_transaction *tx, struct kserv_service_change *change)
{
	struct kserv_choices *old = in_force(tx, change->service);
	int ret;
	u32 n;

	ret = resolve(tx, change);
	if (ret)
		return ret;
	if (change->replace) {
		ret = resolve_rest(tx, change);
		if (ret)
			return ret;
	}
	n = count_after(old, change);
	if (n > KSERV_MAX_ENDPOINTS && n > old->n)
		return kserv_refuse(tx->extack, change->attr, -ENOSPC, "a service has at most 65536 endpoints");
	if (!needs_version(old, change))
		return 0;
	ret = create_endpoints(change);
	return ret ? ret : build(tx, change, n);
}

static void update(struct kserv_transaction *tx, struct kserv_endpoint *endpoint,
		   const struct kserv_endpoint_change *to)
{
	/* Rule 4.5: an endpoint that leaves a set is forgotten at once, even if it returns. */
	if (endpoint->flags & ~to->flags & IN_A_SET && in_force(tx, endpoint->service)->affinity_timeout)
		tx->forget = true;
	/* Rule 8.4: UDP flows leave an endpoint that no longer serves. */
	if (endpoint->flags & ~to->flags & KSERV_ENDPOINT_FLAGS_SERVING)
		tx->stale = true;
	/* It can be chosen from now on. */
	if (!(endpoint->flags & IN_A_SET) && to->flags & IN_A_SET)
		WRITE_ONCE(endpoint->since, (u32)jiffies);
	WRITE_ONCE(endpoint->weight, to->weight);
	WRITE_ONCE(endpoint->state, to->state);
	WRITE_ONCE(endpoint->flags, to->flags);
	WRITE_ONCE(endpoint->cluster_reason, to->cluster_reason);
	WRITE_ONCE(endpoint->local_reason, to->local_reason);
}

void kserv_endpoint_commit(struct kserv_transaction *tx, struct kserv_service_change *change)
{
	struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;
	struct kserv_net *kn = tx->kn;

	for (c = change->endpoints; c < end; c++) {
		c->endpoint->named = false;
		if (c->slot == KSERV_NO_SLOT) {
			kn->n_endpoints++;
			kserv_filter_add(kn->filter, change->service->family, &c->addr);
		} else if (!c->del) {
			update(tx, c->endpoint, c);
		}
	}
	if (change->choices) {
		tx->forget |= in_force(tx, change->service)->affinity_timeout && !change->affinity_timeout;
		kserv_choices_publish(kn, change->service, change->choices);
	}
	/* Only now that no packet can come by them any more. */
	for (c = change->endpoints; c < end; c++) {
		if (!c->del)
			continue;
		WRITE_ONCE(c->endpoint->since, (u32)jiffies);
		/* Pairs with the look at kn->stale that makes flows ask: the time is right when this is seen. */
		smp_store_release(&c->endpoint->removed, true);
		kn->n_endpoints--;
		kserv_endpoint_put(c->endpoint);
		tx->stale = true;
	}
	kvfree(change->endpoints);
}

void kserv_endpoint_abort(struct kserv_service_change *change)
{
	struct kserv_endpoint_change *c, *end = change->endpoints + change->n_endpoints;

	for (c = change->endpoints; c < end; c++) {
		if (!c->endpoint)
			continue;
		c->endpoint->named = false;
		if (c->slot == KSERV_NO_SLOT)
			kserv_endpoint_put(c->endpoint);
	}
	kserv_choices_free(change->choices);
	kvfree(change->endpoints);
}
