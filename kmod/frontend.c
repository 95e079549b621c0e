// SPDX-License-Identifier: GPL-2.0
/* Frontends: by what address, protocol and port a service is reached; their table and how a transaction changes it. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include <net/netlink.h>

#include "kserv.h"
#include "config.h"
#include "service.h"
#include "tables.h"
#include "transaction.h"

static struct kmem_cache *frontend_cache;

static const struct rhashtable_params frontend_params = {
	.head_offset = offsetof(struct kserv_frontend, node),
	.key_offset = offsetof(struct kserv_frontend, key),
	.key_len = sizeof(struct kserv_frontend_key),
	/* A namespace without frontends has the smallest table. */
	.nelem_hint = 3,
	.automatic_shrinking = true,
};

struct kserv_frontend *kserv_frontend_lookup(struct kserv_net *kn, const struct kserv_frontend_key *key)
{
	struct kserv_frontend *frontend = rhashtable_lookup(&kn->frontends, key, frontend_params);

	/* Pairs with make_live(): who sees it live sees its service's endpoints. */
	return frontend && smp_load_acquire(&frontend->live) ? frontend : NULL;
}

static void make_live(struct kserv_frontend *frontend)
{
	/* Pairs with kserv_frontend_lookup(). */
	smp_store_release(&frontend->live, true);
}

static void frontend_free(struct kserv_frontend *frontend)
{
	kfree(frontend->sources);
	kmem_cache_free(frontend_cache, frontend);
}

static void frontend_free_rcu(struct rcu_head *rcu)
{
	frontend_free(container_of(rcu, struct kserv_frontend, rcu));
}

/* Take it out of the table. */
static void unlink(struct kserv_net *kn, struct kserv_frontend *frontend)
{
	rhashtable_remove_fast(&kn->frontends, &frontend->node, frontend_params);
	call_rcu(&frontend->rcu, frontend_free_rcu);
}

/* In the table, live or not. */
static struct kserv_frontend *find(struct kserv_net *kn, const struct kserv_frontend_key *key)
{
	lockdep_assert_held(&kn->mutex);
	return rhashtable_lookup_fast(&kn->frontends, key, frontend_params);
}

/*
 * Some addresses have a guard in the table as well, as long as any frontend has them: that of a cluster IP stands for
 * all protocols and ports that no service has, that of a load-balancer address for pings.
 * Return: false if those of this type have none.
 */
static bool guard_key(const struct kserv_frontend *frontend, struct kserv_frontend_key *ret)
{
	u8 icmp = frontend->key.family == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	memset(ret, 0, sizeof(*ret));
	ret->addr = frontend->key.addr;
	ret->family = frontend->key.family;
	if (frontend->type == KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP)
		ret->protocol = icmp;
	return ret->protocol || frontend->type == KSERV_FRONTEND_TYPE_CLUSTER_IP;
}

/* The guard of the frontend's address, or NULL. */
static struct kserv_frontend *find_guard(struct kserv_net *kn, const struct kserv_frontend *frontend)
{
	struct kserv_frontend_key key;

	return guard_key(frontend, &key) ? find(kn, &key) : NULL;
}

static int parse_addr(struct kserv_frontend *frontend, struct nlattr **tb, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *v4 = tb[KSERV_A_FRONTEND_ADDR4], *v6 = tb[KSERV_A_FRONTEND_ADDR6];
	struct kserv_frontend_key *key = &frontend->key;

	if (frontend->type == KSERV_FRONTEND_TYPE_NODE_PORT) {
		key->node_port = 1;
		if (v4 || v6)
			return kserv_refuse(extack, v4 ? v4 : v6, -EINVAL, "a node port has no address");
		return 0;
	}
	if (!v4 && !v6)
		return kserv_refuse(extack, attr, -EINVAL, "a frontend needs an address, unless it is a node port");
	if (key->family == NFPROTO_IPV4 ? !!v6 : !!v4)
		return kserv_refuse(extack, v4 ? v4 : v6, -EINVAL,
				    "the frontend's address is not of the service's family");
	if (v4) {
		key->addr.ip = nla_get_in_addr(v4);
		if (ipv4_is_zeronet(key->addr.ip) || ipv4_is_loopback(key->addr.ip) ||
		    ipv4_is_multicast(key->addr.ip) || ipv4_is_lbcast(key->addr.ip))
			return kserv_refuse(extack, v4, -EINVAL,
					    "a frontend's address is not unspecified, loopback, multicast or broadcast");
		return 0;
	}
	key->addr.in6 = nla_get_in6_addr(v6);
	if (ipv6_addr_any(&key->addr.in6) || ipv6_addr_loopback(&key->addr.in6) ||
	    ipv6_addr_is_multicast(&key->addr.in6) || ipv6_addr_v4mapped(&key->addr.in6))
		return kserv_refuse(extack, v6, -EINVAL,
				    "a frontend's address is not unspecified, loopback, multicast or IPv4-mapped");
	return 0;
}

/* Fill in what names a frontend: type and key. */
static int parse_key(struct kserv_frontend *frontend, struct nlattr **tb, const struct kserv_service *service,
		     const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	int ret;

	ret = nla_parse_nested(tb, KSERV_A_FRONTEND_MAX, attr, NULL, extack);
	if (ret)
		return ret;
	if (tb[KSERV_A_FRONTEND_CONNECTIONS])
		return kserv_refuse(extack, tb[KSERV_A_FRONTEND_CONNECTIONS], -EINVAL,
				    "a frontend's connections are read only");
	if (!tb[KSERV_A_FRONTEND_TYPE])
		return kserv_refuse(extack, attr, -EINVAL, "a frontend needs its type");
	if (!tb[KSERV_A_FRONTEND_PORT])
		return kserv_refuse(extack, attr, -EINVAL, "a frontend needs its port");
	frontend->type = nla_get_u8(tb[KSERV_A_FRONTEND_TYPE]);
	frontend->key.port = nla_get_be16(tb[KSERV_A_FRONTEND_PORT]);
	frontend->key.family = service->family;
	frontend->key.protocol = service->protocol;
	return parse_addr(frontend, tb, attr, extack);
}

static int parse(struct kserv_frontend *frontend, const struct kserv_service *service, const struct nlattr *attr,
		 struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KSERV_A_FRONTEND_MAX + 1];
	int ret;

	ret = parse_key(frontend, tb, service, attr, extack);
	if (ret)
		return ret;
	if (tb[KSERV_A_FRONTEND_FLAGS])
		frontend->flags = nla_get_u8(tb[KSERV_A_FRONTEND_FLAGS]);
	return kserv_prefixes_parse(attr, KSERV_A_FRONTEND_SOURCE, service->family, &frontend->sources, extack);
}

static bool sources_equal(const struct kserv_prefixes *a, const struct kserv_prefixes *b)
{
	if (!a || !b)
		return a == b;
	return a->n == b->n && !memcmp(a->v, b->v, a->n * sizeof(a->v[0]));
}

static bool is_same(const struct kserv_frontend *a, const struct kserv_frontend *b)
{
	return a->service == b->service && a->type == b->type && a->flags == b->flags &&
	       sources_equal(a->sources, b->sources);
}

static struct kserv_frontend_change *change_of(struct kserv_transaction *tx, const struct kserv_frontend *frontend)
{
	return frontend && frontend->staged ? &tx->frontends[frontend->staged - 1] : NULL;
}

static struct kserv_frontend_change *change_add(struct kserv_transaction *tx, struct kserv_frontend *frontend)
{
	u32 max = max(8U, 2 * tx->max_frontends);
	struct kserv_frontend_change *changes;

	if (tx->n_frontends == tx->max_frontends) {
		changes = kvmalloc_array(max, sizeof(*changes), KSERV_GFP_TABLE);
		if (!changes)
			return NULL;
		if (tx->n_frontends)
			memcpy(changes, tx->frontends, tx->n_frontends * sizeof(*changes));
		kvfree(tx->frontends);
		tx->frontends = changes;
		tx->max_frontends = max;
	}
	changes = &tx->frontends[tx->n_frontends++];
	memset(changes, 0, sizeof(*changes));
	frontend->staged = tx->n_frontends;
	return changes;
}

/* The service that has the key as far as the message has been read, or NULL. */
static const struct kserv_service *holder(const struct kserv_frontend *found,
					  const struct kserv_frontend_change *change)
{
	if (change && change->new)
		return change->new->service;
	return change && change->leaving ? NULL : found->service;
}

/* Nobody has the key: into the table with @new, where packets pass it over until the commit. */
static int stage_new(struct kserv_transaction *tx, struct kserv_frontend *new, const struct nlattr *attr)
{
	struct kserv_frontend_change *change;
	int ret;

	change = change_add(tx, new);
	if (!change)
		return -ENOMEM;
	ret = rhashtable_insert_fast(&tx->kn->frontends, &new->node, frontend_params);
	if (ret) {
		tx->n_frontends--;
		return kserv_refuse(tx->extack, attr, ret, "the table of frontends could not grow for want of memory");
	}
	change->new = new;
	change->attr = attr;
	change->nest = tx->nest;
	return 0;
}

/* The service has set a frontend with this key before, in the same message: the later word counts. */
static void overwrite(struct kserv_frontend *to, struct kserv_frontend *from)
{
	to->type = from->type;
	to->flags = from->flags;
	swap(to->sources, from->sources);
	frontend_free(from);
}

/* The key is in the table with @found, which may not be live. Done with @new on success. */
static int stage_over(struct kserv_transaction *tx, struct kserv_frontend *found, struct kserv_frontend *new,
		      const struct nlattr *attr)
{
	struct kserv_frontend_change *change = change_of(tx, found);
	const struct kserv_service *has = holder(found, change);

	if (has == new->service && change && (change->new || change->kept) && change->nest == tx->nest)
		return kserv_refuse(tx->extack, attr, -EEXIST, "the same frontend is set twice");
	/* A service in force may yet give it up in this message: kserv_frontend_prepare() looks. */
	if (has && has != new->service && change && (change->new || change->kept))
		return kserv_refuse(tx->extack, attr, -EEXIST,
				    "another service of this transaction sets the same address, protocol and port");
	if (!change) {
		change = change_add(tx, found);
		if (!change)
			return -ENOMEM;
		change->old = found;
	}
	change->attr = attr;
	change->nest = tx->nest;
	change->kept = change->old && is_same(change->old, new);
	if (change->kept) {
		change->leaving = false;
		frontend_free(new);
		if (change->new)
			frontend_free(change->new);
		change->new = NULL;
	} else if (change->new) {
		overwrite(change->new, new);
	} else {
		change->new = new;
	}
	return 0;
}

int kserv_frontend_stage_set(struct kserv_transaction *tx, struct kserv_service_change *change,
			     const struct nlattr *attr)
{
	struct kserv_frontend *new, *found;
	int ret;

	new = kmem_cache_zalloc(frontend_cache, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->service = change->service;
	ret = parse(new, change->service, attr, tx->extack);
	if (!ret) {
		found = find(tx->kn, &new->key);
		ret = found ? stage_over(tx, found, new, attr) : stage_new(tx, new, attr);
	}
	if (ret)
		frontend_free(new);
	return ret;
}

/* What the message said of the key is void. */
static void unstage(struct kserv_transaction *tx, struct kserv_frontend_change *change)
{
	if (!change->new)
		return;
	if (change->old)
		frontend_free(change->new);
	else
		unlink(tx->kn, change->new);
	change->new = NULL;
}

static int leave(struct kserv_transaction *tx, struct kserv_frontend *frontend, const struct kserv_service *service)
{
	struct kserv_frontend_change *change = change_of(tx, frontend);

	if (!change) {
		change = change_add(tx, frontend);
		if (!change)
			return -ENOMEM;
		change->old = frontend;
	}
	if (change->new && change->new->service == service)
		unstage(tx, change);
	if (change->old && change->old->service == service) {
		change->leaving = true;
		change->kept = false;
	}
	return 0;
}

int kserv_frontend_stage_del(struct kserv_transaction *tx, struct kserv_service_change *change,
			     const struct nlattr *attr)
{
	struct nlattr *tb[KSERV_A_FRONTEND_MAX + 1];
	struct kserv_frontend_change *staged;
	struct kserv_frontend name = {}, *found;
	u8 type;
	int ret;

	ret = parse_key(&name, tb, change->service, attr, tx->extack);
	if (ret)
		return ret;
	found = find(tx->kn, &name.key);
	staged = change_of(tx, found);
	type = staged && staged->new ? staged->new->type : found ? found->type : 0;
	if (!found || holder(found, staged) != change->service || type != name.type)
		return kserv_refuse(tx->extack, attr, -ENOENT, "the service has no such frontend");
	return leave(tx, found, change->service);
}

/* Those that are not in the service's list, as they are not in force yet. */
static void unstage_all(struct kserv_transaction *tx, const struct kserv_service *service)
{
	u32 i;

	for (i = 0; i < tx->n_frontends; i++)
		if (tx->frontends[i].new && tx->frontends[i].new->service == service)
			unstage(tx, &tx->frontends[i]);
}

int kserv_frontend_stage_rest(struct kserv_transaction *tx, struct kserv_service *service, bool all)
{
	struct kserv_frontend_change *change;
	struct kserv_frontend *frontend;
	int ret;

	if (all && service->staged->set)
		unstage_all(tx, service);
	hlist_for_each_entry(frontend, &service->frontends, list) {
		change = change_of(tx, frontend);
		if (!all && change && (change->kept || (change->new && change->new->service == service)))
			continue;
		ret = leave(tx, frontend, service);
		if (ret)
			return ret;
	}
	return 0;
}

/* A guard that is not live yet, unless there is one. */
static int prepare_guard(struct kserv_net *kn, const struct kserv_frontend *frontend)
{
	struct kserv_frontend_key key;
	struct kserv_frontend *guard;
	int ret;

	if (!guard_key(frontend, &key) || find(kn, &key))
		return 0;
	guard = kmem_cache_zalloc(frontend_cache, GFP_KERNEL_ACCOUNT);
	if (!guard)
		return -ENOMEM;
	guard->type = frontend->type;
	guard->key = key;
	ret = rhashtable_insert_fast(&kn->frontends, &guard->node, frontend_params);
	if (ret)
		frontend_free(guard);
	return ret;
}

int kserv_frontend_prepare(struct kserv_transaction *tx)
{
	struct kserv_frontend_change *change, *end = tx->frontends + tx->n_frontends;
	u32 n = tx->kn->n_frontends;
	int ret;

	for (change = tx->frontends; change < end; change++) {
		if (change->old && change->leaving)
			n--;
		if (!change->new)
			continue;
		if (change->old && change->old->service != change->new->service && !change->leaving)
			return kserv_refuse(tx->extack, change->attr, -EEXIST,
					    "another service already has this address, protocol and port");
		if (!change->old || change->leaving)
			n++;
		ret = prepare_guard(tx->kn, change->new);
		if (ret)
			return ret;
		tx->needs_hooks = true;
	}
	if (n > KSERV_MAX_FRONTENDS)
		return kserv_refuse(tx->extack, NULL, -ENOSPC, "there would be more than 1048576 frontends");
	return 0;
}

static void guard_get(struct kserv_net *kn, const struct kserv_frontend *frontend)
{
	struct kserv_frontend *guard = find_guard(kn, frontend);

	if (!guard)
		return;
	guard->guarded++;
	make_live(guard);
}

static void guard_put(struct kserv_net *kn, const struct kserv_frontend *frontend)
{
	struct kserv_frontend *guard = find_guard(kn, frontend);

	if (guard && !--guard->guarded)
		unlink(kn, guard);
}

static void commit_new(struct kserv_net *kn, struct kserv_frontend *old, struct kserv_frontend *new)
{
	new->staged = 0;
	if (old) {
		if (old->service == new->service)
			atomic64_set(&new->connections, atomic64_read(&old->connections));
		new->live = true;
		rhashtable_replace_fast(&kn->frontends, &old->node, &new->node, frontend_params);
	} else {
		kn->n_frontends++;
		make_live(new);
	}
}

static void commit_old(struct kserv_net *kn, struct kserv_frontend *old, bool replaced)
{
	hlist_del(&old->list);
	guard_put(kn, old);
	if (replaced) {
		call_rcu(&old->rcu, frontend_free_rcu);
	} else {
		kn->n_frontends--;
		unlink(kn, old);
	}
}

void kserv_frontend_commit(struct kserv_transaction *tx)
{
	struct kserv_frontend_change *change, *end = tx->frontends + tx->n_frontends;
	struct kserv_net *kn = tx->kn;

	lockdep_assert_held(&kn->mutex);
	/* All at first, so that no guard goes that is needed again. */
	for (change = tx->frontends; change < end; change++) {
		if (!change->new)
			continue;
		guard_get(kn, change->new);
		if (change->new->key.node_port)
			set_bit(ntohs(change->new->key.port), kn->filter->node_port);
		else
			kserv_filter_add(kn->filter, change->new->key.family, &change->new->key.addr);
	}
	for (change = tx->frontends; change < end; change++) {
		if (change->old)
			change->old->staged = 0;
		if (change->new)
			commit_new(kn, change->old, change->new);
		if (change->old && (change->new || change->leaving))
			commit_old(kn, change->old, change->new);
		if (change->new)
			hlist_add_head(&change->new->list, &change->new->service->frontends);
	}
	kvfree(tx->frontends);
}

void kserv_frontend_abort(struct kserv_transaction *tx)
{
	struct kserv_frontend_change *change, *end = tx->frontends + tx->n_frontends;
	struct kserv_frontend *guard;

	for (change = tx->frontends; change < end; change++) {
		if (change->old)
			change->old->staged = 0;
		if (!change->new)
			continue;
		guard = find_guard(tx->kn, change->new);
		if (guard && !guard->guarded)
			unlink(tx->kn, guard);
		unstage(tx, change);
	}
	kvfree(tx->frontends);
}

static int put_addr(struct sk_buff *skb, const struct kserv_frontend *frontend)
{
	if (frontend->key.node_port)
		return 0;
	if (frontend->key.family == NFPROTO_IPV4)
		return nla_put_in_addr(skb, KSERV_A_FRONTEND_ADDR4, frontend->key.addr.ip);
	return nla_put_in6_addr(skb, KSERV_A_FRONTEND_ADDR6, &frontend->key.addr.in6);
}

static int put_sources(struct sk_buff *skb, const struct kserv_prefixes *sources)
{
	unsigned int i;

	for (i = 0; sources && i < sources->n; i++)
		if (kserv_prefix_put(skb, KSERV_A_FRONTEND_SOURCE, &sources->v[i]))
			return -EMSGSIZE;
	return 0;
}

int kserv_frontend_put(struct sk_buff *skb, int type, const struct kserv_frontend *frontend)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u8(skb, KSERV_A_FRONTEND_TYPE, frontend->type) || put_addr(skb, frontend) ||
	    nla_put_be16(skb, KSERV_A_FRONTEND_PORT, frontend->key.port) ||
	    nla_put_u8(skb, KSERV_A_FRONTEND_FLAGS, frontend->flags) || put_sources(skb, frontend->sources) ||
	    nla_put_u64_64bit(skb, KSERV_A_FRONTEND_CONNECTIONS, atomic64_read(&frontend->connections),
			      KSERV_A_FRONTEND_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int kserv_frontend_net_init(struct kserv_net *kn)
{
	return rhashtable_init(&kn->frontends, &frontend_params);
}

static void free_one(void *frontend, void *arg)
{
	call_rcu(&((struct kserv_frontend *)frontend)->rcu, frontend_free_rcu);
}

void kserv_frontend_net_exit(struct kserv_net *kn)
{
	lockdep_assert_held(&kn->mutex);
	rhashtable_free_and_destroy(&kn->frontends, free_one, NULL);
}

int kserv_frontend_module_init(void)
{
	frontend_cache = KMEM_CACHE(kserv_frontend, 0);
	return frontend_cache ? 0 : -ENOMEM;
}

void kserv_frontend_module_exit(void)
{
	kmem_cache_destroy(frontend_cache);
}
