// SPDX-License-Identifier: GPL-2.0
/* Filling, counting and clearing the affinity cache; the hot path is in cache.h. */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <net/dst.h>
#include <net/ip6_fib.h>

#include "kserv.h"
#include "cache.h"
#include "service.h"

/* Bring what an entry has counted to its flow. */
static void fold(struct kserv_cache *cache, struct kserv_cache_entry *entry)
{
	u32 packets = READ_ONCE(entry->packets);
	u64 bytes = READ_ONCE(entry->bytes);

	lockdep_assert_held(&cache->lock);
	if (packets == entry->folded_packets)
		return;
	atomic64_add((u32)(packets - entry->folded_packets), &entry->flow->packets[entry->dir]);
	atomic64_add(bytes - entry->folded_bytes, &entry->flow->bytes[entry->dir]);
	entry->folded_packets = packets;
	entry->folded_bytes = bytes;
}

static void clear(struct kserv_cache *cache, struct kserv_cache_entry *entry)
{
	fold(cache, entry);
	WRITE_ONCE(entry->valid, 0);
	if (entry->stage == KSERV_STAGE_INGRESS)
		dst_release(container_of(entry, struct kserv_fast_entry, cache)->dst);
}

/* Let the killer of a flow know that this CPU may have an entry of it. */
static void note_cpu(struct kserv_flow *flow)
{
	u64 bit = BIT_ULL(smp_processor_id() & 63);

	if (!(atomic64_read(&flow->cpus) & bit))
		atomic64_or(bit, &flow->cpus);
	/* Pairs with the one in kserv_cache_forget(). */
	smp_mb__after_atomic();
}

/* Make an entry the flow's, but for what it does. Return: false if the flow is dead. */
static bool take(struct kserv_net *kn, struct kserv_cache *cache, struct kserv_cache_entry *entry,
		 struct kserv_flow *flow, enum kserv_flow_dir dir, enum kserv_stage stage,
		 const struct kserv_tuple *from)
{
	lockdep_assert_held(&cache->lock);
	if (entry->valid)
		clear(cache, entry);
	if (READ_ONCE(flow->dead))
		return false;
	kserv_count(kn, CACHE_FILLS);
	entry->from = *from;
	entry->stage = stage;
	entry->dir = dir;
	entry->untracked = !!(flow->flags & KSERV_FLOW_FLAGS_UNTRACKED);
	entry->watch = 1;
	entry->idle = dir == KSERV_DIR_IN && !(flow->flags & KSERV_FLOW_FLAGS_MASQUERADE);
	entry->stale = flow->stale;
	entry->refreshed = (u32)jiffies;
	entry->packets = 0;
	entry->folded_packets = 0;
	entry->bytes = 0;
	entry->folded_bytes = 0;
	entry->flow = flow;
	return true;
}

void kserv_cache_fill(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir, enum kserv_stage stage,
		      const struct kserv_tuple *from, const struct kserv_nat *nat)
{
	struct kserv_cache *cache = *this_cpu_ptr(kn->flows.cache);
	struct kserv_cache_entry *entry = &cache->entry[kserv_cache_index(from, stage)];

	note_cpu(flow);
	spin_lock(&cache->lock);
	if (take(kn, cache, entry, flow, dir, stage, from)) {
		if (nat)
			entry->nat = *nat;
		entry->valid = nat ? KSERV_CACHE_REWRITE : KSERV_CACHE_PASS;
	}
	spin_unlock(&cache->lock);
}

struct kserv_fast_entry *kserv_cache_fill_fast(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir,
					       const struct kserv_tuple *from, const struct kserv_tuple *to, u32 iif,
					       struct dst_entry *dst, bool peer)
{
	struct kserv_cache *cache = *this_cpu_ptr(kn->flows.cache);
	struct kserv_fast_entry *entry = &cache->fast[kserv_cache_index(from, KSERV_STAGE_INGRESS)];
	bool filled = false;

	note_cpu(flow);
	spin_lock(&cache->lock);
	if (take(kn, cache, &entry->cache, flow, dir, KSERV_STAGE_INGRESS, from) && dst_hold_safe(dst)) {
		kserv_nat_prepare(&entry->cache.nat, from, to);
		entry->dst = dst;
		entry->cookie = from->family == NFPROTO_IPV6 ? rt6_get_cookie((struct rt6_info *)dst) : 0;
		entry->mtu = dst_mtu(dst);
		entry->iif = iif;
		entry->peer = peer;
		entry->cache.valid = KSERV_CACHE_REWRITE;
		filled = true;
	}
	spin_unlock(&cache->lock);
	return filled ? entry : NULL;
}

static void forget_entry(struct kserv_cache *cache, struct kserv_cache_entry *entry, const struct kserv_flow *flow)
{
	if (entry->valid && entry->flow == flow)
		clear(cache, entry);
}

static void forget_tuple(struct kserv_cache *cache, const struct kserv_flow *flow, const struct kserv_tuple *tuple)
{
	forget_entry(cache, &cache->entry[kserv_cache_index(tuple, KSERV_STAGE_EARLY)], flow);
	forget_entry(cache, &cache->entry[kserv_cache_index(tuple, KSERV_STAGE_LATE)], flow);
	forget_entry(cache, &cache->fast[kserv_cache_index(tuple, KSERV_STAGE_INGRESS)].cache, flow);
}

/* The four tuples with which packets of the flow may have passed here. */
static void forget_flow(struct kserv_cache *cache, struct kserv_flow *flow)
{
	const struct kserv_tuple *endpoint = kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	struct kserv_tuple towards = kserv_tuple_inverse(endpoint);
	/* The flow is dead: nobody publishes one any more, and it is freed with the flow. */
	struct kserv_masquerade *masquerade = rcu_dereference_protected(flow->masquerade, flow->dead);

	forget_tuple(cache, flow, kserv_flow_tuple(flow, KSERV_KEY_CLIENT));
	forget_tuple(cache, flow, endpoint);
	forget_tuple(cache, flow, &towards);
	if (masquerade)
		forget_tuple(cache, flow, &masquerade->node.tuple);
}

void kserv_cache_forget(struct kserv_net *kn, struct kserv_flow *flow)
{
	struct kserv_cache *cache;
	u64 cpus;
	int cpu;

	/* Pairs with note_cpu(): flow->dead is out before the CPUs are looked at. */
	smp_mb();
	cpus = atomic64_read(&flow->cpus);
	if (!cpus)
		return;
	for_each_possible_cpu(cpu) {
		if (!(cpus & BIT_ULL(cpu & 63)))
			continue;
		cache = *per_cpu_ptr(kn->flows.cache, cpu);
		spin_lock_bh(&cache->lock);
		forget_flow(cache, flow);
		spin_unlock_bh(&cache->lock);
	}
}

/* Call @fn for each valid entry, under the lock of its cache. */
static void walk(struct kserv_net *kn, void (*fn)(struct kserv_cache *cache, struct kserv_cache_entry *entry))
{
	struct kserv_cache_entry *entry;
	struct kserv_cache *cache;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		cache = *per_cpu_ptr(kn->flows.cache, cpu);
		for (i = 0; i < 2 << KSERV_CACHE_BITS; i++) {
			entry = i & 1 ? &cache->fast[i / 2].cache : &cache->entry[i / 2];
			if (!READ_ONCE(entry->valid))
				continue;
			spin_lock_bh(&cache->lock);
			if (entry->valid)
				fn(cache, entry);
			spin_unlock_bh(&cache->lock);
		}
		cond_resched();
	}
}

void kserv_cache_fold(struct kserv_net *kn)
{
	walk(kn, fold);
}

static void age(struct kserv_cache *cache, struct kserv_cache_entry *entry)
{
	if ((u32)jiffies - entry->refreshed >= 2 * KSERV_CACHE_REFRESH)
		clear(cache, entry);
}

void kserv_cache_age(struct kserv_net *kn)
{
	struct kserv_cache *cache;
	int cpu;

	walk(kn, age);
	for_each_possible_cpu(cpu) {
		cache = *per_cpu_ptr(kn->flows.cache, cpu);
		spin_lock_bh(&cache->lock);
		kserv_way_age(cache, KSERV_CACHE_REFRESH);
		spin_unlock_bh(&cache->lock);
	}
}

int kserv_cache_init(struct kserv_flow_table *table)
{
	struct kserv_cache *cache;
	int cpu;

	table->cache = alloc_percpu(struct kserv_cache *);
	if (!table->cache)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		cache = kvzalloc_node(sizeof(*cache), KSERV_GFP_TABLE, cpu_to_node(cpu));
		if (!cache) {
			kserv_cache_exit(table);
			return -ENOMEM;
		}
		spin_lock_init(&cache->lock);
		*per_cpu_ptr(table->cache, cpu) = cache;
	}
	return 0;
}

void kserv_cache_exit(struct kserv_flow_table *table)
{
	struct kserv_cache *cache;
	int cpu;

	if (!table->cache)
		return;
	for_each_possible_cpu(cpu) {
		cache = *per_cpu_ptr(table->cache, cpu);
		if (!cache)
			continue;
		spin_lock_bh(&cache->lock);
		kserv_way_age(cache, 0);
		spin_unlock_bh(&cache->lock);
		kvfree(cache);
	}
	free_percpu(table->cache);
	table->cache = NULL;
}
