/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_CACHE_H
#define _KSERV_CACHE_H

#include <linux/cache.h>
#include "flow.h"
#include "nat.h"
#include "way.h"

/*
 * The affinity cache: each CPU's front of the flow table. A hot packet finds here what to do with it, and touches no
 * memory that another CPU writes.
 *
 * An entry is valid only while its flow is alive, so entry->flow may be followed while it is. Who kills a flow sets
 * flow->dead, then clears the entries on the CPUs in flow->cpus; who fills an entry sets its bit in flow->cpus first
 * and looks at flow->dead afterwards, under the lock of the cache. No entry outlives its flow by more than the RCU read
 * section that was already using it. Hits take no lock.
 */

#define KSERV_CACHE_BITS 10

/* An entry goes back to its flow this often: to keep it alive, to count, to see whether its endpoint still stands. */
#define KSERV_CACHE_REFRESH (HZ / 2)

enum kserv_cache_action {
	KSERV_CACHE_PASS = 1,	/* of a flow, but nothing to rewrite at this stage */
	KSERV_CACHE_REWRITE,
};

/**
 * struct kserv_cache_entry - what to do with a packet of this tuple at this stage
 * @from: the key
 * @valid: enum kserv_cache_action, or 0
 * @stage: enum kserv_stage, part of the key
 * @dir: enum kserv_flow_dir
 * @watch: each packet may change the state of the flow; ingress only
 * @untracked: keep connection tracking off the packet
 * @idle: once the packet is rewritten early nothing is to be done with it late
 * @refreshed: jiffies
 * @stale: kserv_net.stale then
 * @packets: counted by the owner alone; those up to @folded_packets are in @flow already. The same for bytes.
 */
struct kserv_cache_entry {
	struct kserv_tuple from;
	u8 valid;
	u8 stage:2, dir:1, untracked:1, watch:1, idle:1;
	u16 stale;
	u32 refreshed;
	u32 packets;
	u32 folded_packets;
	u64 bytes;
	u64 folded_bytes;
	struct kserv_flow *flow;
	struct kserv_nat nat;
} ____cacheline_aligned;

static_assert(sizeof(struct kserv_cache_entry) == 128);

/**
 * struct kserv_fast_entry - what to do with a packet as it comes in from a device, see fast.c
 * @cache: the rewrite all the way, from what comes in to what goes out
 * @dst: the route out; holds a reference
 * @cookie: of @dst, for IPv6
 * @mtu: of @dst
 * @iif: number of the device that the flow's packets come in by
 * @peer: hand it to the other end of the veth pair that @dst leads to
 */
struct kserv_fast_entry {
	struct kserv_cache_entry cache;
	struct dst_entry *dst;
	u32 cookie;
	u32 mtu;
	u32 iif;
	bool peer;
};

/* @lock: filling, clearing and folding entries and ways; not taken for a hit. */
struct kserv_cache {
	spinlock_t lock;
	struct kserv_way way[1 << KSERV_WAY_BITS];
	struct kserv_cache_entry entry[1 << KSERV_CACHE_BITS];
	struct kserv_fast_entry fast[1 << KSERV_CACHE_BITS];
};

/* Spreads tuples over the entries; a bad spread costs a table lookup, so it need not be a strong hash. */
static inline u32 kserv_cache_index(const struct kserv_tuple *tuple, enum kserv_stage stage)
{
	const u64 *word = (const u64 *)tuple;
	u64 hash = word[0] ^ word[1] ^ (word[2] << 1) ^ (word[3] << 1) ^ word[4] ^ ((u64)stage << 40);

	hash *= 0x9e3779b97f4a7c15ull;
	return hash >> (64 - KSERV_CACHE_BITS);
}

/* May @entry be used for packets of @tuple at @stage without asking the flow? Context: BH off, RCU read section. */
static inline bool kserv_cache_hits(const struct kserv_cache_entry *entry, const struct kserv_tuple *tuple,
				    unsigned int stage, u32 stale)
{
	return READ_ONCE(entry->valid) && entry->stage == stage && kserv_tuple_equal(&entry->from, tuple) &&
	       entry->stale == (u16)stale && (u32)jiffies - entry->refreshed < KSERV_CACHE_REFRESH;
}

/* This CPU's entry for a packet before or after routing, or NULL. Context: BH off, RCU read section. */
static inline struct kserv_cache_entry *kserv_cache_lookup(struct kserv_flow_table *table,
							   const struct kserv_tuple *tuple, enum kserv_stage stage,
							   u32 stale)
{
	struct kserv_cache *cache = *this_cpu_ptr(table->cache);
	struct kserv_cache_entry *entry = &cache->entry[kserv_cache_index(tuple, stage)];

	return kserv_cache_hits(entry, tuple, stage, stale) ? entry : NULL;
}

/* This CPU's entry for a packet as it comes in from a device, or NULL. Context: BH off, RCU read section. */
static inline struct kserv_fast_entry *kserv_cache_lookup_fast(struct kserv_flow_table *table,
							       const struct kserv_tuple *tuple, u32 stale)
{
	struct kserv_cache *cache = *this_cpu_ptr(table->cache);
	struct kserv_fast_entry *entry = &cache->fast[kserv_cache_index(tuple, KSERV_STAGE_INGRESS)];

	return kserv_cache_hits(&entry->cache, tuple, KSERV_STAGE_INGRESS, stale) ? entry : NULL;
}

/**
 * kserv_cache_fill() - remember what is done with packets of @from
 * @nat: what they are rewritten to, or NULL for nothing
 * Context: BH off, RCU read section in which @flow was found.
 */
void kserv_cache_fill(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir, enum kserv_stage stage,
		      const struct kserv_tuple *from, const struct kserv_nat *nat);

/**
 * kserv_cache_fill_fast() - remember how packets of @from cross this node
 * @to: what they go out as
 * @iif, @peer: see struct kserv_fast_entry
 * @dst: how; a reference is taken
 * Context: as kserv_cache_fill().
 * Return: the entry, valid as one that was looked up; NULL if the flow or the route is dying.
 */
struct kserv_fast_entry *kserv_cache_fill_fast(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir,
					       const struct kserv_tuple *from, const struct kserv_tuple *to, u32 iif,
					       struct dst_entry *dst, bool peer);

/* Clear what other CPUs keep of a flow that is @flow->dead. Context: any. */
void kserv_cache_forget(struct kserv_net *kn, struct kserv_flow *flow);
/* Bring what all CPUs have counted to the flows. Context: process. */
void kserv_cache_fold(struct kserv_net *kn);
/* Give up routes that no packet has used for a while. Context: process. */
void kserv_cache_age(struct kserv_net *kn);

/* Return: 0 or -ENOMEM. */
int kserv_cache_init(struct kserv_flow_table *table);
void kserv_cache_exit(struct kserv_flow_table *table);

#endif /* _KSERV_CACHE_H */
