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
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netfilter/nf_conntrack.h>

#include "kserv.h"
#include "cache.h"
#include "event.h"
#include "fast.h"
#include "masquerade.h"
#include "reject.h"
#include "start.h"
#include "track.h"

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

static unsigned int apply_cached(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				 const struct kserv_packet *packet, struct kserv_cache_entry *entry)
{
	kserv_count(kn, CACHE_HITS);
	if (entry->untracked && entry->stage == KSERV_STAGE_EARLY)
		keep_untracked(skb);
	if (is_counted(entry->stage, entry->dir)) {
		entry->packets++;
		entry->bytes += skb->len;
	}
	if (entry->valid == KSERV_CACHE_PASS)
		return NF_ACCEPT;
	return rewrite(kn, skb, state, packet, &entry->nat, entry->stage);
}

static bool is_steady(const struct kserv_packet *packet)
{
	return packet->tuple.proto != IPPROTO_TCP ||
	       !(packet->tcp_flags & (KSERV_TCP_SYN | KSERV_TCP_FIN | KSERV_TCP_RST));
}

/* A client's packet has nothing to wait for once its destination is rewritten, unless something is to be remembered. */
static bool is_idle_late(const struct kserv_net *kn, const struct kserv_match *match)
{
	return match->dir == KSERV_DIR_IN && !(match->flow->flags & KSERV_FLOW_FLAGS_MASQUERADE) &&
	       !kn->fast_started && !kserv_track_is_settled(match->flow);
}

/* Do what the flow says, and remember it for the packets that follow if @settled. */
static unsigned int apply(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			  const struct kserv_packet *packet, const struct kserv_match *match, enum kserv_stage stage,
			  bool settled)
{
	struct kserv_flow *flow = match->flow;
	struct kserv_nat *nat = NULL, buffer;
	struct kserv_tuple to;

	if (flow->flags & KSERV_FLOW_FLAGS_UNTRACKED && stage == KSERV_STAGE_EARLY)
		keep_untracked(skb);
	if (match->kind == KSERV_MATCH_REWRITE && kserv_flow_target(flow, stage, match->dir, &to)) {
		kserv_nat_prepare(&buffer, &packet->tuple, &to);
		nat = &buffer;
		if (stage == KSERV_STAGE_EARLY)
			kserv_flow_expect(flow, &to, is_idle_late(kn, match));
	}
	if (state->hook == NF_INET_POST_ROUTING)
		kserv_fast_remember(kn, flow, match->dir, skb, state);
	if (settled && !READ_ONCE(flow->fast))
		kserv_cache_fill(kn, flow, match->dir, stage, &packet->tuple, nat);
	return nat ? rewrite(kn, skb, state, packet, nat, stage) : NF_ACCEPT;
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

static unsigned int early_lookup(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				 const struct kserv_packet *packet)
{
	struct kserv_match match;

	kserv_flow_find(kn, &packet->tuple, KSERV_STAGE_EARLY, &match);
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
		kserv_flow_expect_nothing();
		return start(kn, skb, state, packet, NULL);
	}
}

static unsigned int late_lookup(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				const struct kserv_packet *packet)
{
	struct kserv_match match;
	bool settled = is_steady(packet);

	if (kserv_flow_is_idle(kn, &packet->tuple))
		return NF_ACCEPT;
	kserv_flow_find(kn, &packet->tuple, KSERV_STAGE_LATE, &match);
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

/* A packet without such an address may still be for a node port, or for an address that no service has. */
static bool may_start(struct kserv_net *kn, const struct kserv_packet *packet)
{
	return test_bit(ntohs(packet->tuple.dport), kn->filter->node_port) ||
	       kserv_prefixes_contain(rcu_dereference(kn->config)->service_cidrs, packet->tuple.family,
				      &packet->tuple.dst);
}

static unsigned int early(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_cache_entry *entry;
	struct kserv_packet packet;
	struct kserv_flow *none;
	bool ours = kserv_filter_passes(kn->filter, skb, state->pf);

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
	if (!ours && !may_start(kn, &packet))
		return NF_ACCEPT;

	entry = kserv_cache_lookup(&kn->flows, &packet.tuple, KSERV_STAGE_EARLY, READ_ONCE(kn->stale));
	if (entry && is_steady(&packet))
		return apply_cached(kn, skb, state, &packet, entry);
	return early_lookup(kn, skb, state, &packet);
}

static unsigned int late(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct kserv_cache_entry *entry;
	struct kserv_packet packet;

	if (!kserv_filter_passes(kn->filter, skb, state->pf) || kserv_packet_parse(skb, state->pf, &packet) ||
	    packet.is_echo)
		return NF_ACCEPT;
	if (packet.is_error)
		return translate_error(kn, skb, state, &packet, KSERV_STAGE_LATE);

	entry = kserv_cache_lookup(&kn->flows, &packet.tuple, KSERV_STAGE_LATE, READ_ONCE(kn->stale));
	if (entry && is_steady(&packet) && !(entry->dir == KSERV_DIR_IN && state->hook == NF_INET_LOCAL_IN))
		return apply_cached(kn, skb, state, &packet, entry);
	return late_lookup(kn, skb, state, &packet);
}

static unsigned int hook_early(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	/* A process that sends may be interrupted by packets on its CPU; one that comes in is such a packet. */
	bool may_be_interrupted = !softirq_count();
	unsigned int verdict;

	if (may_be_interrupted)
		local_bh_disable();
	verdict = early(kserv_pernet(state->net), skb, state);
	if (may_be_interrupted)
		local_bh_enable();
	return verdict;
}

static unsigned int hook_late(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	bool may_be_interrupted = !softirq_count();
	unsigned int verdict;

	if (may_be_interrupted)
		local_bh_disable();
	verdict = late(kserv_pernet(state->net), skb, state);
	if (may_be_interrupted)
		local_bh_enable();
	return verdict;
}

/* After fragments are put together and before connection tracking, whose numbers are the same in both families. */
#define PRIORITY_EARLY (NF_IP_PRI_CONNTRACK - 1)
/* After everything but the last step of connection tracking, which does not look at addresses. */
#define PRIORITY_LATE (NF_IP_PRI_CONNTRACK_CONFIRM - 1)

static_assert((int)NF_IP_PRI_CONNTRACK == (int)NF_IP6_PRI_CONNTRACK);
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

int kserv_hooks_register(struct kserv_net *kn)
{
	int ret;

	lockdep_assert_held(&kn->mutex);
	if (kn->hooks_registered)
		return 0;
	ret = nf_defrag_ipv4_enable(kn->net);
	if (ret)
		return ret;
	ret = nf_defrag_ipv6_enable(kn->net);
	if (ret)
		goto out_defrag4;
	ret = nf_register_net_hooks(kn->net, hooks, ARRAY_SIZE(hooks));
	if (ret)
		goto out_defrag6;
	kn->hooks_registered = true;
	kserv_fast_update(kn);
	return 0;

out_defrag6:
	nf_defrag_ipv6_disable(kn->net);
out_defrag4:
	nf_defrag_ipv4_disable(kn->net);
	return ret;
}

void kserv_hooks_unregister(struct kserv_net *kn)
{
	if (!kn->hooks_registered)
		return;
	kserv_fast_stop(kn);
	nf_unregister_net_hooks(kn->net, hooks, ARRAY_SIZE(hooks));
	nf_defrag_ipv6_disable(kn->net);
	nf_defrag_ipv4_disable(kn->net);
	kn->hooks_registered = false;
}
