/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_WAY_H
#define _KSERV_WAY_H

#include "packet.h"

/**
 * DOC: Ways
 *
 * A packet of a service that comes in as one before it did (the same addresses once translated, device, mark and type
 * of service) is routed as that one was: it is given that route before the IP stack looks for one, or crosses the node
 * by the ingress fast path, see fast.c. A way is learned where a packet leaves, from the route that the IP stack found,
 * and holds for half a second at most, or until the kernel's routes change. It is only taken where no other hook might
 * mark the packet for another route: see choose_route() in hook.c, and kserv_hooks_alone().
 */

#define KSERV_WAY_BITS 8

/* What decides about the route of a packet that comes in. */
struct kserv_way_key {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u32 mark;
	u32 iif;
	u8 tos;
	u8 family;
} __aligned(8);

/**
 * struct kserv_way - the route of packets with this key, in the affinity cache of one CPU
 * @dst: holds a reference; NULL in an empty one
 * @cookie: of @dst, for IPv6
 * @learned: jiffies
 * @fast: fit for the ingress fast path
 * @peer: the other end of the veth pair that @dst leads to may be handed the packet
 */
struct kserv_way {
	struct kserv_way_key key;
	struct dst_entry *dst;
	u32 cookie;
	u32 learned;
	bool fast;
	bool peer;
};

struct kserv_cache;
struct kserv_net;
struct nf_hook_state;

/* What this CPU found no way for last; @kn is NULL if there is nothing to learn. */
struct kserv_way_question {
	const struct kserv_net *kn;
	struct kserv_way_key key;
};

DECLARE_PER_CPU(struct kserv_way_question, kserv_way_asked);

/**
 * kserv_way_find() - the route of packets like this one, or NULL
 * @iif: number of the device it came in by
 * @tuple: the addresses it is to be routed by
 * Context: BH off, RCU read section.
 */
const struct kserv_way *kserv_way_find(struct kserv_net *kn, const struct sk_buff *skb, u32 iif,
				       const struct kserv_tuple *tuple);

/**
 * kserv_way_take() - give a packet the route of one before it, or note that its own is to be learned
 * @tuple: as for kserv_way_find()
 * Context: PRE_ROUTING, BH off, RCU read section that lasts until the packet is routed.
 * Return: the way, or NULL.
 */
const struct kserv_way *kserv_way_take(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				       const struct kserv_tuple *tuple);

/* The packet last seen early on this CPU needs no learning. Context: BH off. */
static inline void kserv_way_ask_nothing(void)
{
	this_cpu_write(kserv_way_asked.kn, NULL);
}

/* May the route of a packet that is about to leave be learned? Context: BH off. */
static inline bool kserv_way_is_asked(const struct kserv_net *kn)
{
	return this_cpu_read(kserv_way_asked.kn) == kn;
}

/**
 * kserv_way_learn() - remember the route of a packet that is about to leave, if that was noted
 * @tuple: its addresses, still those that it was routed by
 * Context: POST_ROUTING, BH off, RCU read section.
 */
void kserv_way_learn(struct kserv_net *kn, const struct sk_buff *skb, const struct nf_hook_state *state,
		     const struct kserv_tuple *tuple);

/* Give up ways that were learned @age jiffies ago or more. Context: holds the lock of @cache. */
void kserv_way_age(struct kserv_cache *cache, u32 age);

#endif /* _KSERV_WAY_H */
