// SPDX-License-Identifier: GPL-2.0
/* The flow table: finding, adding and ending flows. What packets do to a flow is in track.c. */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "kserv.h"
#include "cache.h"
#include "event.h"
#include "flow.h"
#include "gc.h"
#include "latency.h"
#include "service.h"
#include "track.h"

/* Buckets searched for a flow to give up when the table is full: those of some flows, even if they lie far apart. */
#define EARLY_DROP_BUCKETS 256
#define EARLY_DROP_BUCKETS_MAX 16384
#define EARLY_DROP_FLOWS 16

#define MIN_BITS 10
#define MAX_BITS 20

static struct kmem_cache *flow_cache;

/* Compare (address, port) of source and destination, in any order that is the same for both directions. */
static bool tuple_is_descending(const struct kserv_tuple *tuple)
{
	int order;

	if (tuple->family == NFPROTO_IPV4 && tuple->src.ip != tuple->dst.ip)
		return (__force u32)tuple->src.ip > (__force u32)tuple->dst.ip;
	order = memcmp(&tuple->src, &tuple->dst, sizeof(tuple->src));
	if (order)
		return order > 0;
	return (__force u16)tuple->sport > (__force u16)tuple->dport;
}

/*
 * Both directions of a connection hash alike, so that one bucket tells whether a packet, or an answer to it, belongs to
 * a flow. Keyed, so that nobody can fill one bucket on purpose.
 */
static u32 tuple_bucket(const struct kserv_flow_table *table, const struct kserv_tuple *tuple)
{
	bool swap = tuple_is_descending(tuple);
	const union nf_inet_addr *low = swap ? &tuple->dst : &tuple->src;
	const union nf_inet_addr *high = swap ? &tuple->src : &tuple->dst;
	u32 ports = (u32)(__force u16)(swap ? tuple->dport : tuple->sport) << 16 |
		    (__force u16)(swap ? tuple->sport : tuple->dport);
	u32 words[10], hash;

	if (tuple->family == NFPROTO_IPV4) {
		hash = hsiphash_4u32((__force u32)low->ip, (__force u32)high->ip, ports, tuple->proto, &table->seed);
	} else {
		memcpy(words, low, sizeof(*low));
		memcpy(words + 4, high, sizeof(*high));
		words[8] = ports;
		words[9] = tuple->proto;
		hash = hsiphash(words, sizeof(words), &table->seed);
	}
	return hash >> (32 - table->bits);
}

static bool is_live(const struct kserv_flow *flow)
{
	return !READ_ONCE(flow->dead) && !kserv_flow_is_expired(flow);
}

static bool tuple_is_inverse(const struct kserv_tuple *a, const struct kserv_tuple *b)
{
	return a->sport == b->dport && a->dport == b->sport && a->proto == b->proto && a->family == b->family &&
	       kserv_addr_equal(&a->src, &b->dst) && kserv_addr_equal(&a->dst, &b->src);
}

static enum kserv_match_kind match_early(const struct kserv_flow_node *node, const struct kserv_tuple *tuple,
					 enum kserv_flow_dir *dir)
{
	if (node->key != KSERV_KEY_ENDPOINT) {
		*dir = node->key == KSERV_KEY_CLIENT ? KSERV_DIR_IN : KSERV_DIR_OUT;
		return kserv_tuple_equal(&node->tuple, tuple) ? KSERV_MATCH_REWRITE : KSERV_MATCH_NONE;
	}
	*dir = KSERV_DIR_OUT;
	if (kserv_tuple_equal(&node->tuple, tuple))
		return KSERV_MATCH_PASS;
	return tuple_is_inverse(&node->tuple, tuple) ? KSERV_MATCH_COLLIDE : KSERV_MATCH_NONE;
}

static enum kserv_match_kind match_late(const struct kserv_flow_node *node, const struct kserv_tuple *tuple,
					enum kserv_flow_dir *dir)
{
	if (node->key != KSERV_KEY_ENDPOINT)
		return KSERV_MATCH_NONE;
	*dir = KSERV_DIR_OUT;
	if (kserv_tuple_equal(&node->tuple, tuple))
		return KSERV_MATCH_REWRITE;
	*dir = KSERV_DIR_IN;
	if (!tuple_is_inverse(&node->tuple, tuple))
		return KSERV_MATCH_NONE;
	return kserv_node_flow(node)->flags & KSERV_FLOW_FLAGS_MASQUERADE ? KSERV_MATCH_REWRITE : KSERV_MATCH_PASS;
}

/*
 * What this CPU worked out last: a packet comes by more than once with the same tuple, or with one given to it.
 * @table_id: the random seed of the table, since @bucket means nothing in another one
 */
struct expectation {
	struct kserv_tuple tuple;
	u64 table_id;
	u32 bucket;
};

static DEFINE_PER_CPU(struct expectation, expected);

static void expect(const struct kserv_flow_table *table, const struct kserv_tuple *tuple, u32 bucket)
{
	struct expectation *mine = this_cpu_ptr(&expected);

	mine->tuple = *tuple;
	mine->table_id = table->seed.key[0];
	mine->bucket = bucket;
}

void kserv_flow_expect(const struct kserv_net *kn, const struct kserv_flow *flow, const struct kserv_tuple *tuple)
{
	/* Both directions of the endpoint's key are in one bucket. */
	expect(&kn->flows, tuple, flow->node[KSERV_KEY_ENDPOINT].bucket);
}

static u32 find_bucket(const struct kserv_flow_table *table, const struct kserv_tuple *tuple)
{
	const struct expectation *mine = this_cpu_ptr(&expected);
	u32 bucket;

	if (mine->table_id == table->seed.key[0] && kserv_tuple_equal(&mine->tuple, tuple))
		return mine->bucket;
	bucket = tuple_bucket(table, tuple);
	expect(table, tuple, bucket);
	return bucket;
}

void kserv_flow_find(struct kserv_net *kn, const struct kserv_tuple *tuple, enum kserv_stage stage,
		     struct kserv_match *match)
{
	struct hlist_head *bucket = &kn->flows.buckets[find_bucket(&kn->flows, tuple)];
	struct kserv_flow_node *node;
	enum kserv_match_kind kind;
	enum kserv_flow_dir dir;

	match->kind = KSERV_MATCH_NONE;
	hlist_for_each_entry_rcu(node, bucket, node) {
		kind = stage == KSERV_STAGE_EARLY ? match_early(node, tuple, &dir) : match_late(node, tuple, &dir);
		if (kind == KSERV_MATCH_NONE || !is_live(kserv_node_flow(node)))
			continue;
		match->kind = kind;
		match->dir = dir;
		match->flow = kserv_node_flow(node);
		/* What a packet is beats what it resembles. */
		if (kind == KSERV_MATCH_REWRITE)
			return;
	}
}

struct kserv_flow *kserv_flow_lookup_client(struct kserv_net *kn, const struct kserv_tuple *tuple)
{
	struct kserv_match match;

	if (!READ_ONCE(kn->flows.buckets))
		return NULL;
	/* The expectation is this CPU's packets'. */
	local_bh_disable();
	kserv_flow_find(kn, tuple, KSERV_STAGE_EARLY, &match);
	local_bh_enable();
	return match.kind == KSERV_MATCH_REWRITE && match.dir == KSERV_DIR_IN ? match.flow : NULL;
}

bool kserv_flow_target(const struct kserv_flow *flow, enum kserv_stage stage, enum kserv_flow_dir dir,
		       struct kserv_tuple *ret)
{
	const struct kserv_tuple *endpoint = kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	struct kserv_masquerade *masquerade;

	if (stage == KSERV_STAGE_EARLY) {
		*ret = dir == KSERV_DIR_IN ? kserv_tuple_inverse(endpoint) : *endpoint;
		return true;
	}
	if (dir == KSERV_DIR_OUT) {
		*ret = kserv_tuple_inverse(kserv_flow_tuple(flow, KSERV_KEY_CLIENT));
		return true;
	}
	masquerade = rcu_dereference(flow->masquerade);
	if (!masquerade)
		return false;
	*ret = kserv_tuple_inverse(&masquerade->node.tuple);
	return true;
}

static spinlock_t *bucket_lock(struct kserv_net *kn, u32 bucket)
{
	return &kn->flows.locks[bucket & (KSERV_FLOW_LOCKS - 1)];
}

static void lock_two(spinlock_t *a, spinlock_t *b) __acquires(a) __acquires(b)
{
	if (a > b)
		swap(a, b);
	spin_lock(a);
	if (a != b)
		spin_lock_nested(b, SINGLE_DEPTH_NESTING);
	else
		__acquire(b);
}

static void unlock_two(spinlock_t *a, spinlock_t *b) __releases(a) __releases(b)
{
	spin_unlock(a);
	if (a != b)
		spin_unlock(b);
	else
		__release(b);
}

static bool bucket_has(struct kserv_net *kn, u32 bucket, const struct kserv_tuple *tuple, bool client)
{
	struct kserv_flow_node *node;
	bool is_client;

	lockdep_assert_held(bucket_lock(kn, bucket));
	hlist_for_each_entry(node, &kn->flows.buckets[bucket], node) {
		is_client = node->key == KSERV_KEY_CLIENT;
		if (is_client == client && kserv_tuple_equal(&node->tuple, tuple) && is_live(kserv_node_flow(node)))
			return true;
	}
	return false;
}

static int flow_link(struct kserv_net *kn, struct kserv_flow *flow)
{
	struct kserv_flow_node *client = &flow->node[KSERV_KEY_CLIENT];
	struct kserv_flow_node *endpoint = &flow->node[KSERV_KEY_ENDPOINT];
	spinlock_t *a, *b;
	int ret = 0;

	/* The packet was just looked for: its bucket is known. */
	client->bucket = find_bucket(&kn->flows, &client->tuple);
	endpoint->bucket = tuple_bucket(&kn->flows, &endpoint->tuple);
	a = bucket_lock(kn, client->bucket);
	b = bucket_lock(kn, endpoint->bucket);
	lock_two(a, b);
	if (bucket_has(kn, client->bucket, &client->tuple, true)) {
		ret = -EALREADY;
	} else if (bucket_has(kn, endpoint->bucket, &endpoint->tuple, false)) {
		ret = -EEXIST;
	} else {
		hlist_add_head_rcu(&client->node, &kn->flows.buckets[client->bucket]);
		hlist_add_head_rcu(&endpoint->node, &kn->flows.buckets[endpoint->bucket]);
	}
	unlock_two(a, b);
	return ret;
}

static void node_unlink(struct kserv_net *kn, struct kserv_flow_node *node)
{
	spinlock_t *lock = bucket_lock(kn, node->bucket);

	spin_lock_bh(lock);
	hlist_del_rcu(&node->node);
	spin_unlock_bh(lock);
}

/* A packet of the endpoint, as it answers this flow. */
static void endpoint_tuple(struct kserv_tuple *tuple, const struct kserv_tuple *client,
			   const struct kserv_endpoint *endpoint, __be16 sport)
{
	*tuple = kserv_tuple_inverse(client);
	tuple->src = endpoint->addr;
	tuple->sport = endpoint->port;
	tuple->dport = sport;
}

static struct kserv_flow *flow_alloc(struct kserv_net *kn, const struct kserv_tuple *client,
				     struct kserv_endpoint *endpoint, __be16 sport, u16 flags)
{
	struct kserv_flow *flow;

	flow = kmem_cache_zalloc(flow_cache, GFP_ATOMIC);
	if (!flow)
		return ERR_PTR(-ENOMEM);
	if (!kserv_endpoint_get_maybe_zero(endpoint)) {
		kmem_cache_free(flow_cache, flow);
		return ERR_PTR(-ENOENT);
	}
	flow->node[KSERV_KEY_CLIENT].key = KSERV_KEY_CLIENT;
	flow->node[KSERV_KEY_CLIENT].tuple = *client;
	flow->node[KSERV_KEY_ENDPOINT].key = KSERV_KEY_ENDPOINT;
	endpoint_tuple(&flow->node[KSERV_KEY_ENDPOINT].tuple, client, endpoint, sport);
	spin_lock_init(&flow->lock);
	flow->endpoint = endpoint;
	flow->flags = flags;
	flow->stale = READ_ONCE(kn->stale);
	flow->expires = (u32)jiffies + kserv_track_timeout(kn, flow);
	return flow;
}

/* Make room by ending a flow that nobody has answered, or that is over. */
static bool early_drop(struct kserv_net *kn, u32 max)
{
	u32 mask = (1U << kn->flows.bits) - 1;
	u32 start = get_random_u32() & mask;
	/* Where flow-max was lowered after the table was made, most buckets are empty. */
	u32 buckets = clamp_t(u32, (EARLY_DROP_FLOWS << kn->flows.bits) / max_t(u32, max, 1), EARLY_DROP_BUCKETS,
			      min_t(u32, EARLY_DROP_BUCKETS_MAX, mask + 1));
	struct kserv_flow_node *node;
	struct kserv_flow *flow;
	u32 i;

	for (i = 0; i < buckets; i++) {
		hlist_for_each_entry_rcu(node, &kn->flows.buckets[(start + i) & mask], node) {
			flow = kserv_node_flow(node);
			if (!kserv_track_is_disposable(flow) || !kserv_flow_kill(kn, flow))
				continue;
			kserv_count(kn, FLOWS_EARLY_DROPPED);
			return true;
		}
	}
	return false;
}

static bool has_room(struct kserv_net *kn)
{
	u32 max = rcu_dereference(kn->config)->flow_max;

	return percpu_counter_read_positive(&kn->flows.n) < max || early_drop(kn, max);
}

/* Before anybody can find the flow. */
static void take_past(struct kserv_net *kn, struct kserv_flow *flow, const struct kserv_flow_past *past)
{
	u32 timeout;
	int dir;

	flow->state = past->state;
	flow->fin = past->fin;
	flow->isn = past->isn;
	/* Its SYN has been seen. */
	flow->retries = past->state == KSERV_FLOW_STATE_NEW;
	flow->asked = kserv_latency_now();
	for (dir = KSERV_DIR_IN; dir <= KSERV_DIR_OUT; dir++) {
		atomic64_set(&flow->packets[dir], past->packets[dir]);
		atomic64_set(&flow->bytes[dir], past->bytes[dir]);
		flow->folded_packets[dir] = past->packets[dir];
		flow->folded_bytes[dir] = past->bytes[dir];
	}
	/* Its endpoint may have gone, or no longer serve. */
	flow->stale--;
	timeout = kserv_track_timeout(kn, flow);
	flow->expires = (u32)jiffies + clamp_t(u64, div_u64((u64)past->left_ms * HZ, MSEC_PER_SEC), 1, timeout);
	flow->released = kserv_track_is_over(flow);
}

static struct kserv_masquerade *masquerade_alloc(struct kserv_net *kn, struct kserv_flow *flow,
						 const union nf_inet_addr *source, __be16 port)
{
	struct kserv_masquerade *masquerade;

	masquerade = kzalloc(sizeof(*masquerade), GFP_ATOMIC);
	if (!masquerade)
		return NULL;
	masquerade->flow = flow;
	masquerade->node.key = KSERV_KEY_MASQUERADE;
	masquerade->node.tuple = *kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	masquerade->node.tuple.dst = *source;
	masquerade->node.tuple.dport = port;
	masquerade->node.bucket = tuple_bucket(&kn->flows, &masquerade->node.tuple);
	return masquerade;
}

/* Unless it has one already. Return: 0 with *@ret_rest what was not taken, or -EEXIST. */
static int masquerade_link(struct kserv_net *kn, struct kserv_flow *flow, struct kserv_masquerade *masquerade,
			   struct kserv_masquerade **ret_rest)
{
	spinlock_t *lock = bucket_lock(kn, masquerade->node.bucket);
	int ret = 0;

	lockdep_assert_held(&flow->lock);
	*ret_rest = masquerade;
	if (rcu_access_pointer(flow->masquerade))
		return 0;
	spin_lock(lock);
	if (bucket_has(kn, masquerade->node.bucket, &masquerade->node.tuple, false)) {
		ret = -EEXIST;
	} else {
		hlist_add_head_rcu(&masquerade->node.node, &kn->flows.buckets[masquerade->node.bucket]);
		rcu_assign_pointer(flow->masquerade, masquerade);
		*ret_rest = NULL;
	}
	spin_unlock(lock);
	return ret;
}

/*
 * Packets may find the flow at once, but wait for its lock before they would give it another masquerade.
 * *@ret_masquerade: 0 or what is wrong with that of a flow that is in the table.
 */
static int link_with_past(struct kserv_net *kn, struct kserv_flow *flow, const struct kserv_flow_past *past,
			  int *ret_masquerade)
{
	struct kserv_masquerade *masquerade = NULL;
	int ret;

	*ret_masquerade = 0;
	if (past->masquerade_port) {
		masquerade = masquerade_alloc(kn, flow, &past->masquerade_addr, past->masquerade_port);
		if (!masquerade)
			return -ENOMEM;
	}
	spin_lock(&flow->lock);
	ret = flow_link(kn, flow);
	if (!ret && masquerade)
		*ret_masquerade = masquerade_link(kn, flow, masquerade, &masquerade);
	spin_unlock(&flow->lock);
	kfree(masquerade);
	return ret;
}

static __always_inline struct kserv_flow *flow_add(struct kserv_net *kn, const struct kserv_tuple *client,
						   struct kserv_endpoint *endpoint, __be16 sport, u16 flags,
						   const struct kserv_flow_past *past, int *ret_masquerade)
{
	bool is_load = true;
	struct kserv_flow *flow;
	int ret;

	if (!has_room(kn))
		return ERR_PTR(-ENOSPC);
	flow = flow_alloc(kn, client, endpoint, sport, flags);
	if (IS_ERR(flow))
		return flow;
	if (past) {
		take_past(kn, flow, past);
		/* Its packets may end it as soon as they can find it. */
		is_load = !flow->released;
		ret = link_with_past(kn, flow, past, ret_masquerade);
	} else {
		ret = flow_link(kn, flow);
	}
	if (ret) {
		kserv_endpoint_put(endpoint);
		kmem_cache_free(flow_cache, flow);
		return ERR_PTR(ret);
	}
	percpu_counter_inc(&kn->flows.n);
	if (is_load)
		atomic_inc(&endpoint->active);
	atomic64_inc(&endpoint->connections);
	kserv_count(kn, FLOWS_CREATED);
	if (kserv_event_wanted(kn))
		kserv_event_flow(kn, KSERV_EVENT_TYPE_FLOW_NEW, flow);
	return flow;
}

struct kserv_flow *kserv_flow_add(struct kserv_net *kn, const struct kserv_tuple *client,
				  struct kserv_endpoint *endpoint, __be16 sport, u16 flags)
{
	return flow_add(kn, client, endpoint, sport, flags, NULL, NULL);
}

struct kserv_flow *kserv_flow_resume(struct kserv_net *kn, const struct kserv_tuple *client,
				     struct kserv_endpoint *endpoint, __be16 sport, u16 flags,
				     const struct kserv_flow_past *past)
{
	struct kserv_flow *flow;
	int masquerade;

	flow = flow_add(kn, client, endpoint, sport, flags, past, &masquerade);
	if (IS_ERR(flow) || !masquerade)
		return flow;
	kserv_flow_kill(kn, flow);
	return ERR_PTR(masquerade);
}

int kserv_flow_masquerade(struct kserv_net *kn, struct kserv_flow *flow, const union nf_inet_addr *source, __be16 port)
{
	struct kserv_masquerade *masquerade = masquerade_alloc(kn, flow, source, port);
	int ret;

	if (!masquerade)
		return -ENOMEM;
	spin_lock(&flow->lock);
	ret = flow->dead ? -ENOENT : masquerade_link(kn, flow, masquerade, &masquerade);
	spin_unlock(&flow->lock);
	kfree(masquerade);
	return ret;
}

static void flow_free_rcu(struct rcu_head *rcu)
{
	struct kserv_flow *flow = container_of(rcu, struct kserv_flow, rcu);

	kfree(rcu_access_pointer(flow->masquerade));
	kserv_endpoint_put(flow->endpoint);
	kmem_cache_free(flow_cache, flow);
}

/* Bring what the flow has counted to its endpoint. */
static void flow_fold(struct kserv_flow *flow)
{
	u64 packets, bytes;
	int dir;

	lockdep_assert_held(&flow->lock);
	for (dir = KSERV_DIR_IN; dir <= KSERV_DIR_OUT; dir++) {
		packets = atomic64_read(&flow->packets[dir]);
		bytes = atomic64_read(&flow->bytes[dir]);
		atomic64_add(packets - flow->folded_packets[dir], &flow->endpoint->packets[dir]);
		atomic64_add(bytes - flow->folded_bytes[dir], &flow->endpoint->bytes[dir]);
		flow->folded_packets[dir] = packets;
		flow->folded_bytes[dir] = bytes;
	}
}

bool kserv_flow_kill(struct kserv_net *kn, struct kserv_flow *flow)
{
	struct kserv_masquerade *masquerade;
	bool was_dead, was_released;

	spin_lock_bh(&flow->lock);
	was_dead = flow->dead;
	was_released = flow->released;
	WRITE_ONCE(flow->dead, true);
	masquerade = rcu_dereference_protected(flow->masquerade, lockdep_is_held(&flow->lock));
	spin_unlock_bh(&flow->lock);
	if (was_dead)
		return false;

	node_unlink(kn, &flow->node[KSERV_KEY_CLIENT]);
	node_unlink(kn, &flow->node[KSERV_KEY_ENDPOINT]);
	if (masquerade)
		node_unlink(kn, &masquerade->node);
	kserv_cache_forget(kn, flow);

	spin_lock_bh(&flow->lock);
	flow_fold(flow);
	spin_unlock_bh(&flow->lock);
	percpu_counter_dec(&kn->flows.n);
	if (!was_released)
		atomic_dec(&flow->endpoint->active);
	local_bh_disable();
	kserv_count(kn, FLOWS_ENDED);
	local_bh_enable();
	if (kserv_event_wanted(kn))
		kserv_event_flow(kn, KSERV_EVENT_TYPE_FLOW_END, flow);
	call_rcu(&flow->rcu, flow_free_rcu);
	return true;
}

bool kserv_flow_matches(const struct kserv_flow *flow, const struct kserv_flow_filter *filter)
{
	const struct kserv_tuple *client = kserv_flow_tuple(flow, KSERV_KEY_CLIENT);
	const struct kserv_endpoint *endpoint = flow->endpoint;

#define SET(bit) (filter->set & BIT(KSERV_FILTER_##bit))
	return !((SET(FAMILY) && client->family != filter->family) ||
		 (SET(PROTOCOL) && client->proto != filter->protocol) ||
		 (SET(CLIENT) && !kserv_addr_equal(&client->src, &filter->client)) ||
		 (SET(CLIENT_PORT) && client->sport != filter->client_port) ||
		 (SET(FRONTEND) && !kserv_addr_equal(&client->dst, &filter->frontend)) ||
		 (SET(FRONTEND_PORT) && client->dport != filter->frontend_port) ||
		 (SET(ENDPOINT) && !kserv_addr_equal(&endpoint->addr, &filter->endpoint)) ||
		 (SET(ENDPOINT_PORT) && endpoint->port != filter->endpoint_port) ||
		 (SET(SERVICE) && strcmp(endpoint->service->name, filter->service)));
#undef SET
}

int kserv_flow_walk(struct kserv_net *kn, unsigned long *bucket, unsigned long *skip,
		    int (*fn)(struct kserv_flow *flow, void *arg), void *arg)
{
	struct kserv_flow_table *table = &kn->flows;
	struct kserv_flow_node *node;
	unsigned long seen;
	int ret = 0;

	if (!READ_ONCE(table->buckets))
		return 0;
	for (; *bucket < 1UL << table->bits; ++*bucket, *skip = 0) {
		seen = 0;
		rcu_read_lock();
		hlist_for_each_entry_rcu(node, &table->buckets[*bucket], node) {
			/* Each flow is told of where its client key is. */
			if (node->key != KSERV_KEY_CLIENT || !is_live(kserv_node_flow(node)) || seen++ < *skip)
				continue;
			ret = fn(kserv_node_flow(node), arg);
			if (ret) {
				*skip = seen - 1;
				break;
			}
		}
		rcu_read_unlock();
		if (ret)
			return ret;
		if (!(*bucket & 63))
			cond_resched();
	}
	return 0;
}

struct delete_request {
	struct kserv_net *kn;
	const struct kserv_flow_filter *filter;
	unsigned int n;
};

static int delete_one(struct kserv_flow *flow, void *arg)
{
	struct delete_request *request = arg;

	if (kserv_flow_matches(flow, request->filter) && kserv_flow_kill(request->kn, flow))
		request->n++;
	return 0;
}

unsigned int kserv_flow_delete(struct kserv_net *kn, const struct kserv_flow_filter *filter)
{
	struct delete_request request = { .kn = kn, .filter = filter };
	unsigned long bucket = 0, skip = 0;

	kserv_flow_walk(kn, &bucket, &skip, delete_one, &request);
	return request.n;
}

static int fold_one(struct kserv_flow *flow, void *arg)
{
	spin_lock_bh(&flow->lock);
	if (!flow->dead)
		flow_fold(flow);
	spin_unlock_bh(&flow->lock);
	return 0;
}

void kserv_flow_fold(struct kserv_net *kn)
{
	unsigned long bucket = 0, skip = 0;

	if (!READ_ONCE(kn->flows.buckets))
		return;
	kserv_cache_fold(kn);
	kserv_flow_walk(kn, &bucket, &skip, fold_one, NULL);
}

int kserv_flow_net_init(struct kserv_net *kn)
{
	get_random_bytes(&kn->flows.seed, sizeof(kn->flows.seed));
	return percpu_counter_init(&kn->flows.n, 0, GFP_KERNEL);
}

int kserv_flow_net_start(struct kserv_net *kn, u32 flow_max)
{
	struct kserv_flow_table *table = &kn->flows;
	struct hlist_head *buckets;
	unsigned int i;
	int ret;

	lockdep_assert_held(&kn->mutex);
	if (table->buckets)
		return 0;
	ret = kserv_cache_init(table);
	if (ret)
		return ret;
	table->bits = clamp_t(unsigned int, order_base_2(flow_max), MIN_BITS, MAX_BITS);
	buckets = kvcalloc(1U << table->bits, sizeof(*buckets), KSERV_GFP_TABLE);
	table->locks = kvmalloc_array(KSERV_FLOW_LOCKS, sizeof(*table->locks), KSERV_GFP_TABLE);
	if (!buckets || !table->locks) {
		kvfree(table->locks);
		kvfree(buckets);
		kserv_cache_exit(table);
		return -ENOMEM;
	}
	for (i = 0; i < KSERV_FLOW_LOCKS; i++)
		spin_lock_init(&table->locks[i]);
	/* Pairs with the READ_ONCE of walkers; packets come only after the hooks are registered. */
	smp_store_release(&table->buckets, buckets);
	kserv_gc_start(kn);
	return 0;
}

void kserv_flow_net_exit(struct kserv_net *kn)
{
	const struct kserv_flow_filter all = {};

	if (kn->flows.buckets) {
		kserv_gc_stop(kn);
		kserv_flow_delete(kn, &all);
		/* Flows that expired are passed over by walks. */
		kserv_gc_expire_all(kn);
		/* Nobody may still be looking into a bucket or the cache. */
		synchronize_rcu();
		kvfree(kn->flows.buckets);
		kvfree(kn->flows.locks);
		kserv_cache_exit(&kn->flows);
	}
	percpu_counter_destroy(&kn->flows.n);
}

int kserv_flow_module_init(void)
{
	int ret;

	flow_cache = KMEM_CACHE(kserv_flow, 0);
	if (!flow_cache)
		return -ENOMEM;
	ret = kserv_gc_module_init();
	if (ret)
		kmem_cache_destroy(flow_cache);
	return ret;
}

void kserv_flow_module_exit(void)
{
	kserv_gc_module_exit();
	kmem_cache_destroy(flow_cache);
}
