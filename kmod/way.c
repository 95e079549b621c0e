// SPDX-License-Identifier: GPL-2.0
/* Routes of packets that went by a moment ago, for those that follow; see way.h. */
#include <linux/netfilter_bridge.h>
#include <net/dst.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/route.h>

#include "kserv.h"
#include "cache.h"
#include "fast.h"
#include "way.h"

DEFINE_PER_CPU(struct kserv_way_question, kserv_way_asked);

static struct kserv_way *find_slot(struct kserv_cache *cache, const struct kserv_tuple *tuple)
{
	const u64 *word = (const u64 *)tuple;
	u64 hash = word[0] ^ word[1] ^ (word[2] << 1) ^ (word[3] << 1);

	return &cache->way[(hash * 0x9e3779b97f4a7c15ull) >> (64 - KSERV_WAY_BITS)];
}

static u8 type_of_service(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ? ip_hdr(skb)->tos : ipv6_get_dsfield(ipv6_hdr(skb));
}

static bool is_for(const struct kserv_way_key *key, const struct sk_buff *skb, u32 iif,
		   const struct kserv_tuple *tuple)
{
	const u64 *x = (const u64 *)key, *y = (const u64 *)tuple;

	return !((x[0] ^ y[0]) | (x[2] ^ y[2]) | (x[1] ^ y[1]) | (x[3] ^ y[3])) && key->mark == skb->mark &&
	       key->iif == iif && key->family == tuple->family && key->tos == type_of_service(skb, tuple->family);
}

const struct kserv_way *kserv_way_find(struct kserv_net *kn, const struct sk_buff *skb, u32 iif,
				       const struct kserv_tuple *tuple)
{
	struct kserv_way *way = find_slot(*this_cpu_ptr(kn->flows.cache), tuple);
	struct dst_entry *dst = READ_ONCE(way->dst);

	if (!dst || !is_for(&way->key, skb, iif, tuple) || (u32)jiffies - way->learned >= KSERV_CACHE_REFRESH ||
	    !dst_check(dst, way->cookie))
		return NULL;
	return way;
}

static void ask(struct kserv_net *kn, const struct sk_buff *skb, const struct nf_hook_state *state,
		const struct kserv_tuple *tuple)
{
	struct kserv_way_question *mine = this_cpu_ptr(&kserv_way_asked);

	mine->kn = kn;
	mine->key.src = tuple->src;
	mine->key.dst = tuple->dst;
	mine->key.mark = skb->mark;
	mine->key.iif = state->in->ifindex;
	mine->key.tos = type_of_service(skb, tuple->family);
	mine->key.family = tuple->family;
}

const struct kserv_way *kserv_way_take(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				       const struct kserv_tuple *tuple)
{
	const struct kserv_way *way = kserv_way_find(kn, skb, state->in->ifindex, tuple);

	if (way) {
		kserv_way_ask_nothing();
		skb_dst_set_noref(skb, way->dst);
	} else {
		ask(kn, skb, state, tuple);
	}
	return way;
}

/* Was its route chosen by what a key holds, and not by ports as well: by a rule, or as one of several? */
static bool is_plain4(const struct net *net, const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

#ifdef CONFIG_IP_MULTIPLE_TABLES
	if (net->ipv4.fib_rules_require_fldissect)
		return false;
#endif
	return (IPCB(skb)->flags & (IPSKB_FORWARDED | IPSKB_MULTIPATH)) == IPSKB_FORWARDED && rt_is_input_route(rt) &&
	       rt->rt_type == RTN_UNICAST;
}

static bool is_plain6(const struct net *net, const struct sk_buff *skb)
{
	const struct rt6_info *rt = (const struct rt6_info *)skb_dst(skb);
	const struct fib6_info *from = rcu_dereference(rt->from);

#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	if (net->ipv6.fib6_rules_require_fldissect)
		return false;
#endif
	return IP6CB(skb)->flags & IP6SKB_FORWARDED && from && !from->fib6_nsiblings && !from->nh;
}

/* A plain forwarded packet: what else the IP stack notes about one while it looks for a route must not be needed. */
static bool is_plain(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct dst_entry *dst = skb_dst(skb);

	/* Out by the way it came: the sender may be owed a redirect. */
	if (!dst || dst->error || dst_xfrm(dst) || dst->lwtstate || dst->dev == state->in)
		return false;
	return state->pf == NFPROTO_IPV4 ? is_plain4(state->net, skb) : is_plain6(state->net, skb);
}

void kserv_way_learn(struct kserv_net *kn, const struct sk_buff *skb, const struct nf_hook_state *state,
		     const struct kserv_tuple *tuple)
{
	struct kserv_way_question *mine = this_cpu_ptr(&kserv_way_asked);
	struct dst_entry *dst = skb_dst(skb);
	struct kserv_cache *cache;
	struct kserv_way *way;

	if (mine->kn != kn || !kserv_addr_equal(&mine->key.src, &tuple->src) ||
	    !kserv_addr_equal(&mine->key.dst, &tuple->dst))
		return;
	mine->kn = NULL;
	if (!state->in || mine->key.iif != state->in->ifindex || mine->key.family != state->pf ||
	    !is_plain(skb, state) || !dst_hold_safe(dst))
		return;
	cache = *this_cpu_ptr(kn->flows.cache);
	way = find_slot(cache, tuple);
	spin_lock(&cache->lock);
	swap(way->dst, dst);
	way->key = mine->key;
	way->cookie = state->pf == NFPROTO_IPV6 ? rt6_get_cookie((struct rt6_info *)way->dst) : 0;
	way->learned = (u32)jiffies;
	way->fast = kserv_fast_fits(skb, state->pf);
	way->peer = way->fast && kserv_fast_leads_to_peer(&tuple->dst, way->dst);
	spin_unlock(&cache->lock);
	dst_release(dst);
}

void kserv_way_age(struct kserv_cache *cache, u32 age)
{
	struct kserv_way *way;

	lockdep_assert_held(&cache->lock);
	for (way = cache->way; way < cache->way + ARRAY_SIZE(cache->way); way++) {
		if (!way->dst || (u32)jiffies - way->learned < age)
			continue;
		dst_release(way->dst);
		WRITE_ONCE(way->dst, NULL);
	}
}
