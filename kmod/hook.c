// SPDX-License-Identifier: GPL-2.0
/*
 * The packet's story. Early, before routing: a packet of a client is sent to its endpoint (and an answer to a
 * masqueraded one back to its client). Late, after everything else: an answer gets the frontend's address back (and a
 * packet to be masqueraded an address of this node). So routing, connection tracking and firewalls see client and
 * endpoint.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack.h>

#include "kserv.h"
#include "cache.h"
#include "conntrack.h"
#include "event.h"
#include "fast.h"
#include "fragment.h"
#include "masquerade.h"
#include "reject.h"
#include "start.h"
#include "track.h"
#include "way.h"

static unsigned int hook_early(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);
static unsigned int hook_late(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

/*
 * The last packet on this CPU that was rewritten early and has nothing to wait for late, by the random seed of its
 * table, 0 for none, and the addresses it was given.
 */
struct idle {
	u64 table_id;
	struct kserv_tuple tuple;
};

static DEFINE_PER_CPU(struct idle, idle_late);

static void set_idle(const struct kserv_net *kn, const struct kserv_tuple *tuple)
{
	struct idle *mine = this_cpu_ptr(&idle_late);

	mine->table_id = kn->flows.seed.key[0];
	mine->tuple = *tuple;
}

static void clear_idle(void)
{
	this_cpu_write(idle_late.table_id, 0);
}

static bool is_idle(const struct kserv_net *kn, const struct kserv_tuple *tuple)
{
	const struct idle *mine = this_cpu_ptr(&idle_late);

	return mine->table_id == kn->flows.seed.key[0] && kserv_tuple_equal(&mine->tuple, tuple);
}

static void keep_untracked(struct sk_buff *skb)
{
	if (!skb_nfct(skb))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

static unsigned int drop(struct kserv_net *kn, const struct kserv_packet *packet, enum kserv_reason reason)
{
	kserv_count_drop(kn, reason);
	if (kserv_event_wanted(kn))
		kserv_event_packet(kn, KSERV_EVENT_TYPE_DROP, &packet->tuple, NULL, reason);
	return NF_DROP;
}

static bool is_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return skb_ext_exist(skb, SKB_EXT_BRIDGE_NF);
#else
	return false;
#endif
}

static const struct nf_hook_entries *pre_routing_entries(const struct net *net, u8 family)
{
	return family == NFPROTO_IPV4 ? rcu_dereference(net->nf.hooks_ipv4[NF_INET_PRE_ROUTING]) :
					rcu_dereference(net->nf.hooks_ipv6[NF_INET_PRE_ROUTING]);
}

/* The kernel's own at that place; rules of nftables may be anywhere. */
static bool is_own(const struct nf_hook_entries *entries, int i, int priority)
{
	const struct nf_hook_ops *ops = nf_hook_entries_get_hook_ops(entries)[i];

	return ops->priority == priority && ops->hook_ops_type == NF_HOOK_OP_UNDEFINED;
}

/*
 * May a packet be given its route already? Not if hooks between ours and routing might mark it for another one, which
 * connection tracking does not.
 */
static bool routing_is_next(const struct nf_hook_state *state)
{
	const struct nf_hook_entries *entries = pre_routing_entries(state->net, state->pf);
	int i;

	/* The last hook may be on its way out while we are still in it. */
	if (!entries)
		return false;
	for (i = entries->num_hook_entries - 1; i >= 0; i--) {
		if (entries->hooks[i].hook == hook_early)
			return true;
		if (!is_own(entries, i, NF_IP_PRI_CONNTRACK))
			return false;
	}
	return false;
}

bool kserv_hooks_alone(const struct net *net, u8 family, bool untracked)
{
	const struct nf_hook_entries *entries = pre_routing_entries(net, family);
	int i;

	if (!entries)
		return false;
	for (i = 0; i < entries->num_hook_entries; i++) {
		if (entries->hooks[i].hook == hook_early || is_own(entries, i, NF_IP_PRI_CONNTRACK_DEFRAG))
			continue;
		if (!untracked || !is_own(entries, i, NF_IP_PRI_CONNTRACK))
			return false;
	}
	return true;
}

bool kserv_hooks_translate(const struct net *net, u8 family)
{
	const struct nf_hook_entries *entries = pre_routing_entries(net, family);
	int i;

	for (i = 0; entries && i < entries->num_hook_entries; i++)
		if (is_own(entries, i, NF_IP_PRI_NAT_DST))
			return true;
	return false;
}

bool kserv_hooks_unwatched(const struct net *net, u8 family)
{
	const struct netns_nf *nf = &net->nf;
	const struct nf_hook_entries *forward, *post_routing;

	if (family == NFPROTO_IPV4) {
		forward = rcu_dereference(nf->hooks_ipv4[NF_INET_FORWARD]);
		post_routing = rcu_dereference(nf->hooks_ipv4[NF_INET_POST_ROUTING]);
	} else {
		forward = rcu_dereference(nf->hooks_ipv6[NF_INET_FORWARD]);
		post_routing = rcu_dereference(nf->hooks_ipv6[NF_INET_POST_ROUTING]);
	}
	return !forward && post_routing && post_routing->num_hook_entries == 1 &&
	       post_routing->hooks[0].hook == hook_late && kserv_hooks_alone(net, family, false);
}

/*
 * Early, once a packet has the addresses it is routed by.
 * Return: false if its route is to be learned when it leaves; @ret_fast is true if packets of its flow need not be
 * remembered then either, since the ingress fast path will know the way.
 */
static bool choose_route(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			 const struct kserv_tuple *tuple, bool *ret_fast)
{
	const struct kserv_way *way;

	*ret_fast = false;
	/* A bridge has not decided yet whether it routes it at all; a VRF decides where. */
	if (state->hook == NF_INET_PRE_ROUTING && !is_bridged(skb) && !netif_is_l3_master(state->in) &&
	    !netif_is_l3_slave(state->in) && routing_is_next(state)) {
		way = kserv_way_take(kn, skb, state, tuple);
		*ret_fast = way && way->fast;
		return way;
	}
	kserv_way_ask_nothing();
	return true;
}

/* The destination may have changed: what was known of the way there no longer holds. */
static unsigned int route_again(struct sk_buff *skb, const struct nf_hook_state *state)
{
	int ret = 0;

	if (state->hook == NF_INET_PRE_ROUTING) {
		skb_dst_drop(skb);
		return NF_ACCEPT;
	}
	if (state->hook == NF_INET_LOCAL_OUT)
		ret = state->pf == NFPROTO_IPV4 ? ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC) :
						  ip6_route_me_harder(state->net, state->sk, skb);
	return ret ? NF_DROP_ERR(ret) : NF_ACCEPT;
}

/* What follows a rewrite at its hook. */
static unsigned int rewritten(struct sk_buff *skb, const struct nf_hook_state *state, enum kserv_stage stage)
{
	if (stage == KSERV_STAGE_EARLY)
		return route_again(skb, state);
	/* An early lookup for a socket went by the endpoint's address; that is another connection's. */
	if (state->hook == NF_INET_LOCAL_IN && skb->sk)
		skb_orphan(skb);
	return NF_ACCEPT;
}

static unsigned int rewrite(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			    const struct kserv_packet *packet, const struct kserv_nat *nat, enum kserv_stage stage)
{
	if (kserv_nat_rewrite(skb, packet, nat))
		return drop(kn, packet, KSERV_REASON_NO_MEMORY);
	if (stage == KSERV_STAGE_EARLY)
		kserv_count(kn, TRANSLATED);
	else
		kserv_count(kn, UNTRANSLATED);
	return rewritten(skb, state, stage);
}

/* Packets are counted where they come from their sender: client packets early, answers late. */
static bool is_counted(enum kserv_stage stage, enum kserv_flow_dir dir)
{
	return (stage == KSERV_STAGE_EARLY) == (dir == KSERV_DIR_IN);
}

static __always_inline unsigned int apply_cached(struct kserv_net *kn, struct sk_buff *skb,
						 const struct nf_hook_state *state, const struct kserv_packet *packet,
						 struct kserv_cache_entry *entry, enum kserv_stage stage)
{
	const struct kserv_tuple *now = &packet->tuple;
	bool known, fast;

	kserv_count(kn, CACHE_HITS);
	if (entry->untracked && stage == KSERV_STAGE_EARLY)
		keep_untracked(skb);
	if (is_counted(stage, entry->dir)) {
		entry->packets++;
		entry->bytes += skb->len;
	}
	if (stage == KSERV_STAGE_LATE && kserv_way_is_asked(kn))
		kserv_way_learn(kn, skb, state, &packet->tuple);
	if (entry->valid == KSERV_CACHE_REWRITE) {
		now = &entry->nat.to;
		if (unlikely(kserv_nat_rewrite(skb, packet, &entry->nat)))
			return drop(kn, packet, KSERV_REASON_NO_MEMORY);
		if (stage == KSERV_STAGE_EARLY)
			kserv_count(kn, TRANSLATED);
		else
			kserv_count(kn, UNTRANSLATED);
		if (stage == KSERV_STAGE_LATE || state->hook != NF_INET_PRE_ROUTING)
			return rewritten(skb, state, stage);
		skb_dst_drop(skb);
	}
	if (stage == KSERV_STAGE_LATE)
		return NF_ACCEPT;
	known = choose_route(kn, skb, state, now, &fast);
	if (known && entry->idle)
		set_idle(kn, now);
	else
		clear_idle();
	return NF_ACCEPT;
}

static bool is_steady(const struct kserv_packet *packet)
{
	return !(packet->tcp_flags & KSERV_TCP_CONTROL);
}

/* A client's packet has nothing to wait for once its destination is rewritten, unless something is to be remembered. */
static bool is_idle_late(const struct kserv_net *kn, const struct kserv_match *match, bool fast)
{
	if (match->dir != KSERV_DIR_IN || match->flow->flags & KSERV_FLOW_FLAGS_MASQUERADE)
		return false;
	if (!kn->fast_started)
		return !kserv_track_is_settled(match->flow);
	return fast && kserv_hooks_alone(kn->net, match->flow->node[0].tuple.family,
					 match->flow->flags & KSERV_FLOW_FLAGS_UNTRACKED);
}

/* Do what the flow says, and remember it for the packets that follow if @settled. */
static unsigned int apply(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			  const struct kserv_packet *packet, const struct kserv_match *match, enum kserv_stage stage,
			  bool settled)
{
	struct kserv_flow *flow = match->flow;
	struct kserv_nat *nat = NULL, buffer;
	unsigned int verdict = NF_ACCEPT;
	struct kserv_tuple to;
	bool fast;

	if (flow->flags & KSERV_FLOW_FLAGS_UNTRACKED && stage == KSERV_STAGE_EARLY)
		keep_untracked(skb);
	if (match->kind == KSERV_MATCH_REWRITE && kserv_flow_target(flow, stage, match->dir, &to)) {
		kserv_nat_prepare(&buffer, &packet->tuple, &to);
		nat = &buffer;
	}
	if (state->hook == NF_INET_POST_ROUTING) {
		kserv_way_learn(kn, skb, state, &packet->tuple);
		kserv_fast_remember(kn, flow, match->dir, skb, state);
	}
	if (settled && !READ_ONCE(flow->fast))
		kserv_cache_fill(kn, flow, match->dir, stage, &packet->tuple, nat);
	if (nat)
		verdict = rewrite(kn, skb, state, packet, nat, stage);
	if (stage == KSERV_STAGE_EARLY && verdict == NF_ACCEPT) {
		if (nat)
			kserv_flow_expect(kn, flow, &to);
		if (choose_route(kn, skb, state, nat ? &to : &packet->tuple, &fast) && is_idle_late(kn, match, fast))
			set_idle(kn, &to);
		else
			clear_idle();
	}
	return verdict;
}

/* The first packet of a flow. */
static unsigned int started(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			    const struct kserv_packet *packet, struct kserv_flow *flow)
{
	struct kserv_match match = { .kind = KSERV_MATCH_REWRITE, .dir = KSERV_DIR_IN, .flow = flow };
	bool settled;

	kserv_track_packet(kn, flow, KSERV_DIR_IN, skb, packet, &settled);
	return apply(kn, skb, state, packet, &match, KSERV_STAGE_EARLY, false);
}

static unsigned int start(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			  const struct kserv_packet *packet, const struct kserv_flow *old)
{
	struct kserv_flow *flow;
	unsigned int verdict;

	verdict = kserv_start(kn, skb, state, packet, old, &flow);
	return flow ? started(kn, skb, state, packet, flow) : verdict;
}

/* A packet of a client whose flow is known. */
static unsigned int follow(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			   const struct kserv_packet *packet, const struct kserv_match *match)
{
	bool settled = false;

	switch (kserv_track_packet(kn, match->flow, KSERV_DIR_IN, skb, packet, &settled)) {
	case KSERV_TRACK_GO:
		return apply(kn, skb, state, packet, match, KSERV_STAGE_EARLY, settled);
	case KSERV_TRACK_FOREIGN:
		return NF_ACCEPT;
	case KSERV_TRACK_RENEW:
		kserv_flow_kill(kn, match->flow);
		return start(kn, skb, state, packet, NULL);
	case KSERV_TRACK_MOVE:
		if (packet->tuple.proto == IPPROTO_TCP) {
			kserv_count(kn, SYN_RETRIED);
			kserv_track_expired(kn, match->flow);
		} else {
			kserv_count(kn, REPICKED);
		}
		kserv_flow_kill(kn, match->flow);
		return start(kn, skb, state, packet, match->flow);
	case KSERV_TRACK_RESET:
		kserv_flow_kill(kn, match->flow);
		kserv_count(kn, RESETS);
		kserv_reject_reset(skb, state->pf, state);
		return drop(kn, packet, KSERV_REASON_ENDPOINT_REMOVED);
	}
	return NF_ACCEPT;
}

/* A packet straight to an endpoint, with the addresses that a flow's packets have after translation. */
static unsigned int collide(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			    const struct kserv_packet *packet, struct kserv_flow *other)
{
	struct kserv_flow *flow;
	unsigned int verdict;

	/* Unless it is for a frontend that has the endpoint's address. */
	verdict = kserv_start(kn, skb, state, packet, NULL, &flow);
	if (flow)
		return started(kn, skb, state, packet, flow);
	/* Over loopback the flow's own packets come by here a second time. */
	if (verdict != NF_ACCEPT || (state->in && state->in->flags & IFF_LOOPBACK))
		return verdict;
	if (packet->tuple.proto == IPPROTO_TCP && kserv_track_is_over(other)) {
		kserv_flow_kill(kn, other);
		return NF_ACCEPT;
	}
	verdict = kserv_start_beside(kn, packet, other, &flow);
	return flow ? started(kn, skb, state, packet, flow) : verdict;
}

/* What the affinity cache says of a packet that it must not answer itself, or else the table. */
static void find(struct kserv_net *kn, const struct kserv_packet *packet, const struct kserv_cache_entry *entry,
		 enum kserv_stage stage, struct kserv_match *match)
{
	if (!entry || packet->tcp_flags & KSERV_TCP_SYN) {
		kserv_flow_find(kn, &packet->tuple, stage, match);
		return;
	}
	match->kind = entry->valid == KSERV_CACHE_REWRITE ? KSERV_MATCH_REWRITE : KSERV_MATCH_PASS;
	match->dir = entry->dir;
	match->flow = entry->flow;
}

static unsigned int early_lookup(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				 const struct kserv_packet *packet, const struct kserv_cache_entry *entry)
{
	struct kserv_match match;

	find(kn, packet, entry, KSERV_STAGE_EARLY, &match);
	switch (match.kind) {
	case KSERV_MATCH_REWRITE:
		if (match.dir == KSERV_DIR_IN)
			return follow(kn, skb, state, packet, &match);
		fallthrough;
	case KSERV_MATCH_PASS:
		return apply(kn, skb, state, packet, &match, KSERV_STAGE_EARLY,
			     is_steady(packet) && kserv_track_is_settled(match.flow));
	case KSERV_MATCH_COLLIDE:
		return collide(kn, skb, state, packet, match.flow);
	default:
		return start(kn, skb, state, packet, NULL);
	}
}

static unsigned int late_lookup(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				const struct kserv_packet *packet, const struct kserv_cache_entry *entry)
{
	struct kserv_match match;
	bool settled = is_steady(packet);

	find(kn, packet, entry, KSERV_STAGE_LATE, &match);
	if (match.kind == KSERV_MATCH_NONE)
		return NF_ACCEPT;
	if (match.dir == KSERV_DIR_OUT) {
		if (kserv_track_packet(kn, match.flow, KSERV_DIR_OUT, skb, packet, &settled) != KSERV_TRACK_GO)
			return NF_ACCEPT;
		return apply(kn, skb, state, packet, &match, KSERV_STAGE_LATE, settled);
	}
	/* Rule 7.2: what ends in a socket of this node is never masqueraded. */
	if (state->hook == NF_INET_LOCAL_IN)
		return NF_ACCEPT;
	if (match.kind == KSERV_MATCH_REWRITE) {
		switch (kserv_masquerade(kn, match.flow, skb, state->out)) {
		case 0:
			break;
		case -ENETUNREACH:
			return drop(kn, packet, KSERV_REASON_NO_ROUTE);
		case -ENOMEM:
			return drop(kn, packet, KSERV_REASON_NO_MEMORY);
		default:
			return drop(kn, packet, KSERV_REASON_COLLISION);
		}
	}
	return apply(kn, skb, state, packet, &match, KSERV_STAGE_LATE, settled && kserv_track_is_settled(match.flow));
}

/* An error goes the way that an answer to the packet inside it would go, and is rewritten as that would be. */
static unsigned int translate_error(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				    const struct kserv_packet *packet, enum kserv_stage stage)
{
	struct kserv_tuple from = kserv_tuple_inverse(&packet->tuple), to;
	struct kserv_match match;

	kserv_flow_find(kn, &from, stage, &match);
	if (match.kind != KSERV_MATCH_REWRITE || !kserv_flow_target(match.flow, stage, match.dir, &to))
		return NF_ACCEPT;
	if (match.flow->flags & KSERV_FLOW_FLAGS_UNTRACKED && stage == KSERV_STAGE_EARLY)
		keep_untracked(skb);
	if (kserv_nat_rewrite_error(skb, packet, &from, &to))
		return drop(kn, packet, KSERV_REASON_NO_MEMORY);
	kserv_count(kn, ERRORS_TRANSLATED);
	return rewritten(skb, state, stage);
}

/* What is not simply TCP or UDP, and in one piece. */
static noinline unsigned int early_unusual(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state)
{
	unsigned int verdict = kserv_fragment_gather(skb, state);
	struct kserv_packet packet;
	struct kserv_flow *none;

	if (verdict != NF_ACCEPT)
		return verdict;
	switch (kserv_packet_parse(skb, state->pf, &packet)) {
	case 0:
		break;
	case -EPROTONOSUPPORT:
		/* No flows, but the guards of cluster IPs and service CIDRs stand before it. */
		if (packet.fragment || packet.is_error)
			return NF_ACCEPT;
		return kserv_start(kn, skb, state, &packet, NULL, &none);
	default:
		return NF_ACCEPT;
	}
	if (packet.is_error)
		return translate_error(kn, skb, state, &packet, KSERV_STAGE_EARLY);
	if (packet.is_echo)
		return kserv_start(kn, skb, state, &packet, NULL, &none);
	return early_lookup(kn, skb, state, &packet, NULL);
}

static unsigned int early(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_cache_entry *entry;
	struct kserv_packet packet;

	if (!kserv_packet_parse_plain(skb, state->pf, &packet))
		return early_unusual(kn, skb, state);
	entry = kserv_cache_lookup(&kn->flows, &packet.tuple, KSERV_STAGE_EARLY, READ_ONCE(kn->stale));
	if (entry && is_steady(&packet))
		return apply_cached(kn, skb, state, &packet, entry, KSERV_STAGE_EARLY);
	return early_lookup(kn, skb, state, &packet, entry);
}

static noinline unsigned int late_unusual(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_packet packet;

	if (kserv_packet_parse(skb, state->pf, &packet) || packet.is_echo)
		return NF_ACCEPT;
	if (packet.is_error)
		return translate_error(kn, skb, state, &packet, KSERV_STAGE_LATE);
	return late_lookup(kn, skb, state, &packet, NULL);
}

static unsigned int late(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_cache_entry *entry;
	struct kserv_packet packet;

	if (!kserv_packet_parse_plain(skb, state->pf, &packet))
		return late_unusual(kn, skb, state);
	if (is_idle(kn, &packet.tuple))
		return NF_ACCEPT;
	entry = kserv_cache_lookup(&kn->flows, &packet.tuple, KSERV_STAGE_LATE, READ_ONCE(kn->stale));
	if (entry && is_steady(&packet) && !(entry->dir == KSERV_DIR_IN && state->hook == NF_INET_LOCAL_IN))
		return apply_cached(kn, skb, state, &packet, entry, KSERV_STAGE_LATE);
	return late_lookup(kn, skb, state, &packet, entry);
}

/* Is a packet to an address that might get a cluster IP, but has none? */
static noinline bool is_guarded(const struct kserv_net *kn, const struct sk_buff *skb, u8 family)
{
	const struct kserv_prefixes *cidrs = rcu_dereference(kn->config)->service_cidrs;
	union nf_inet_addr addr = {};

	if (family == NFPROTO_IPV4)
		addr.ip = ip_hdr(skb)->daddr;
	else
		addr.in6 = ipv6_hdr(skb)->daddr;
	return kserv_prefixes_contain(cidrs, family, &addr);
}

static __always_inline bool may_be_guarded(const struct kserv_net *kn, const struct sk_buff *skb, u8 family)
{
	const struct kserv_config *config = rcu_dereference(kn->config);

	if (family == NFPROTO_IPV4)
		return kserv_cover_passes(&config->service_cover[0], ip_hdr(skb)->daddr);
	return kserv_cover_passes(&config->service_cover[1], ipv6_hdr(skb)->daddr.s6_addr32[0]);
}

/* A process that sends may be interrupted by packets on its CPU; one that comes in is such a packet. */
static noinline unsigned int early_in_any_context(struct kserv_net *kn, struct sk_buff *skb,
						  const struct nf_hook_state *state)
{
	unsigned int verdict;

	if (softirq_count())
		return early(kn, skb, state);
	local_bh_disable();
	verdict = early(kn, skb, state);
	local_bh_enable();
	return verdict;
}

static noinline unsigned int late_in_any_context(struct kserv_net *kn, struct sk_buff *skb,
						 const struct nf_hook_state *state)
{
	unsigned int verdict;

	if (softirq_count())
		return late(kn, skb, state);
	local_bh_disable();
	verdict = late(kn, skb, state);
	local_bh_enable();
	return verdict;
}

/* May a packet have to do with a service? Of those that have not, hardly any passes. */
static __always_inline bool may_be_ours(const struct kserv_net *kn, const struct sk_buff *skb, u8 family)
{
	return kserv_filter_passes(kn->filter, skb, family) || kserv_filter_node_port(kn->filter, skb, family) ||
	       (may_be_guarded(kn, skb, family) && is_guarded(kn, skb, family));
}

/* Most packets are none of ours, and pay for no more than this; hence the same twice, each with a known family. */
static unsigned int hook_early(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_net *kn = priv;

	if (state->pf == NFPROTO_IPV4 ? !may_be_ours(kn, skb, NFPROTO_IPV4) : !may_be_ours(kn, skb, NFPROTO_IPV6))
		return NF_ACCEPT;
	return early_in_any_context(kn, skb, state);
}

static unsigned int hook_late(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_net *kn = priv;

	if (!kserv_filter_passes(kn->filter, skb, state->pf))
		return NF_ACCEPT;
	return late_in_any_context(kn, skb, state);
}

/* Before connection tracking, but after it has put fragments together; its numbers are the same in both families. */
#define PRIORITY_EARLY (NF_IP_PRI_CONNTRACK - 1)
/* After everything but the last step of connection tracking, which does not look at addresses. */
#define PRIORITY_LATE (NF_IP_PRI_CONNTRACK_CONFIRM - 1)

static_assert((int)NF_IP_PRI_CONNTRACK == (int)NF_IP6_PRI_CONNTRACK);
static_assert((int)NF_IP_PRI_NAT_DST == (int)NF_IP6_PRI_NAT_DST);
static_assert((int)NF_IP_PRI_CONNTRACK_DEFRAG < PRIORITY_EARLY);

#define HOOK(family, number, function, order) \
	{ .hook = function, .pf = family, .hooknum = number, .priority = order }

static const struct nf_hook_ops hooks[] = {
	/* Packets that come in: the endpoint decides whether they are forwarded or for this node. */
	HOOK(NFPROTO_IPV4, NF_INET_PRE_ROUTING, hook_early, PRIORITY_EARLY),
	HOOK(NFPROTO_IPV6, NF_INET_PRE_ROUTING, hook_early, PRIORITY_EARLY),
	/* Packets of this node's processes, which are routed again. */
	HOOK(NFPROTO_IPV4, NF_INET_LOCAL_OUT, hook_early, PRIORITY_EARLY),
	HOOK(NFPROTO_IPV6, NF_INET_LOCAL_OUT, hook_early, PRIORITY_EARLY),
	/* Answers to this node's processes: firewalls have seen the endpoint's address, sockets want the frontend's. */
	HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN, hook_late, PRIORITY_LATE),
	HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN, hook_late, PRIORITY_LATE),
	/* Packets that go out: answers to clients, and what is masqueraded, whose address depends on the device. */
	HOOK(NFPROTO_IPV4, NF_INET_POST_ROUTING, hook_late, PRIORITY_LATE),
	HOOK(NFPROTO_IPV6, NF_INET_POST_ROUTING, hook_late, PRIORITY_LATE),
};

static_assert(ARRAY_SIZE(hooks) == KSERV_N_HOOKS);

int kserv_hooks_register(struct kserv_net *kn)
{
	int i, ret;

	lockdep_assert_held(&kn->mutex);
	if (kn->hooks_registered)
		return 0;
	memcpy(kn->hooks, hooks, sizeof(hooks));
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		kn->hooks[i].priv = kn;
	kserv_conntrack_start(kn);
	ret = nf_register_net_hooks(kn->net, kn->hooks, ARRAY_SIZE(hooks));
	if (ret) {
		kserv_conntrack_stop(kn);
		return ret;
	}
	kn->hooks_registered = true;
	kserv_fast_update(kn);
	return 0;
}

void kserv_hooks_unregister(struct kserv_net *kn)
{
	if (!kn->hooks_registered)
		return;
	kserv_fast_stop(kn);
	nf_unregister_net_hooks(kn->net, kn->hooks, ARRAY_SIZE(hooks));
	kserv_conntrack_stop(kn);
	kn->hooks_registered = false;
}
