// SPDX-License-Identifier: GPL-2.0
/* Filling, counting and clearing the affinity cache; the hot path is in cache.h. */
#include <linux/cpumask.h>
#include <linux/percpu.h>

#include "kserv.h"
#include "cache.h"

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

static void fill(struct kserv_net *kn, struct kserv_cache_entry *entry, struct kserv_flow *flow)
{
	entry->untracked = flow->flags & KSERV_FLOW_FLAGS_UNTRACKED;
	entry->refreshed = (u32)jiffies;
	entry->stale = flow->stale;
	entry->packets = 0;
	entry->folded_packets = 0;
	entry->bytes = 0;
	entry->folded_bytes = 0;
	entry->flow = flow;
}

void kserv_cache_fill(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir, enum kserv_stage stage,
		      const struct kserv_tuple *from, const struct kserv_nat *nat)
{
	struct kserv_cache *cache = *this_cpu_ptr(kn->flows.cache);
	u64 bit = BIT_ULL(smp_processor_id() & 63);
	struct kserv_cache_entry *entry = &cache->entry[kserv_cache_index(from, stage)];

	if (!(atomic64_read(&flow->cpus) & bit))
		atomic64_or(bit, &flow->cpus);
	/* Pairs with the one in kserv_cache_forget(). */
	smp_mb__after_atomic();

	spin_lock(&cache->lock);
	if (entry->valid)
		fold(cache, entry);
	else
		kserv_count(kn, CACHE_FILLS);
	entry->valid = 0;
	if (!READ_ONCE(flow->dead)) {
		fill(kn, entry, flow);
		entry->from = *from;
		entry->stage = stage;
		entry->dir = dir;
		if (nat)
			entry->nat = *nat;
		entry->valid = nat ? KSERV_CACHE_REWRITE : KSERV_CACHE_PASS;
	}
	spin_unlock(&cache->lock);
}

static void forget_tuple(struct kserv_cache *cache, struct kserv_flow *flow, const struct kserv_tuple *tuple)
{
	struct kserv_cache_entry *entry;
	int stage;

	for (stage = KSERV_STAGE_EARLY; stage <= KSERV_STAGE_LATE; stage++) {
		entry = &cache->entry[kserv_cache_index(tuple, stage)];
		if (entry->valid && entry->flow == flow) {
			fold(cache, entry);
			WRITE_ONCE(entry->valid, 0);
		}
	}
}

/* The four tuples with which packets of the flow may have passed here. */
static void forget_flow(struct kserv_cache *cache, struct kserv_flow *flow)
{
	const struct kserv_tuple *endpoint = kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	struct kserv_tuple towards = kserv_tuple_inverse(endpoint);
	struct kserv_masquerade *masquerade = rcu_access_pointer(flow->masquerade);

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

	/* Pairs with kserv_cache_fill(): flow->dead is out before the CPUs are looked at. */
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

void kserv_cache_fold(struct kserv_net *kn)
{
	struct kserv_cache *cache;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		cache = *per_cpu_ptr(kn->flows.cache, cpu);
		for (i = 0; i < ARRAY_SIZE(cache->entry); i++) {
			if (!READ_ONCE(cache->entry[i].valid))
				continue;
			spin_lock_bh(&cache->lock);
			if (cache->entry[i].valid)
				fold(cache, &cache->entry[i]);
			spin_unlock_bh(&cache->lock);
		}
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
		cache = kvzalloc_node(sizeof(*cache), GFP_KERNEL, cpu_to_node(cpu));
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
	int cpu;

	if (!table->cache)
		return;
	for_each_possible_cpu(cpu)
		kvfree(*per_cpu_ptr(table->cache, cpu));
	free_percpu(table->cache);
	table->cache = NULL;
}
