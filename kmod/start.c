// SPDX-License-Identifier: GPL-2.0
/* The first packet of a connection: verdict, choice of an endpoint, and a flow for the packets that follow. */
#include <linux/netfilter.h>
#include <linux/random.h>

#include "kserv.h"
#include "affinity.h"
#include "conntrack.h"
#include "decide.h"
#include "echo.h"
#include "event.h"
#include "pick.h"
#include "reject.h"
#include "start.h"

/* Endpoints tried when the chosen one already has a connection that looks the same. */
#define ENDPOINT_TRIES 4

__be16 kserv_start_port(struct kserv_net *kn)
{
	const struct kserv_config *config = rcu_dereference(kn->config);
	u32 n = config->masquerade_port_max - config->masquerade_port_min + 1;

	return htons(config->masquerade_port_min + get_random_u32_below(n));
}

static struct kserv_endpoint *choose(struct kserv_net *kn, const struct kserv_decision *decision,
				     const struct kserv_tuple *tuple, const struct kserv_endpoint *avoid)
{
	struct kserv_pick pick = {
		.choices = decision->choices,
		.round_robin = &decision->service->round_robin,
		.local = decision->local,
		.tuple = tuple,
		.avoid = avoid,
		.now = (u32)jiffies,
	};
	struct kserv_endpoint *endpoint;

	endpoint = kserv_session_lookup(kn, decision->service, decision->choices, decision->local, &tuple->src);
	if (endpoint && endpoint != avoid)
		return endpoint;
	return kserv_pick_endpoint(&pick);
}

static u16 flow_flags(struct kserv_net *kn, const struct kserv_question *question,
		      const struct kserv_decision *decision, const struct kserv_endpoint *endpoint)
{
	u16 flags = 0;

	if (kserv_decide_masquerade(decision, question, endpoint))
		flags |= KSERV_FLOW_FLAGS_MASQUERADE;
	if (rcu_dereference(kn->config)->conntrack == KSERV_CONNTRACK_BYPASS)
		flags |= KSERV_FLOW_FLAGS_UNTRACKED;
	if (!question->in)
		flags |= KSERV_FLOW_FLAGS_FROM_PROCESS;
	return flags;
}

/* The client's own port is taken towards this endpoint: give it another one. */
static struct kserv_flow *add_with_other_port(struct kserv_net *kn, const struct kserv_tuple *tuple,
					      struct kserv_endpoint *endpoint, u16 flags)
{
	struct kserv_flow *flow;
	int tries;

	for (tries = 0; tries < KSERV_PORT_TRIES; tries++) {
		flow = kserv_flow_add(kn, tuple, endpoint, kserv_start_port(kn), flags | KSERV_FLOW_FLAGS_PORT_CHANGED);
		if (IS_ERR(flow) && PTR_ERR(flow) == -EEXIST)
			continue;
		if (!IS_ERR(flow))
			kserv_count(kn, PORT_CHANGED);
		return flow;
	}
	return ERR_PTR(-EEXIST);
}

static struct kserv_flow *make_flow(struct kserv_net *kn, const struct kserv_question *question,
				    const struct kserv_decision *decision, const struct kserv_flow *old)
{
	const struct kserv_endpoint *avoid = old ? old->endpoint : NULL;
	const struct kserv_tuple *tuple = &question->tuple;
	struct kserv_endpoint *endpoint = NULL;
	struct kserv_flow *flow;
	int tries;

	/* Nothing is wrong with the endpoint, but it has another connection with these addresses. */
	if (old && old->foreign && !kserv_pick_excluded(decision->choices, avoid, decision->local, (u32)jiffies))
		return add_with_other_port(kn, tuple, old->endpoint, flow_flags(kn, question, decision, avoid));
	for (tries = 0; tries < ENDPOINT_TRIES; tries++) {
		endpoint = choose(kn, decision, tuple, avoid);
		if (!endpoint)
			return ERR_PTR(-EHOSTUNREACH);
		flow = kserv_flow_add(kn, tuple, endpoint, tuple->sport,
				      flow_flags(kn, question, decision, endpoint));
		if (!IS_ERR(flow) || (PTR_ERR(flow) != -EEXIST && PTR_ERR(flow) != -ENOENT))
			return flow;
		/* Session affinity: the endpoint stays, the port gives way. */
		if (decision->choices->affinity_timeout && PTR_ERR(flow) == -EEXIST)
			break;
		avoid = endpoint;
	}
	return add_with_other_port(kn, tuple, endpoint, flow_flags(kn, question, decision, endpoint));
}

static unsigned int drop(struct kserv_net *kn, const struct kserv_tuple *tuple, struct kserv_service *service,
			 enum kserv_reason reason)
{
	kserv_count_drop(kn, reason);
	if (service)
		atomic64_inc(&service->drops);
	if (kserv_event_wanted(kn))
		kserv_event_packet(kn, KSERV_EVENT_TYPE_DROP, tuple, service, reason);
	return NF_DROP;
}

static unsigned int reject(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			   const struct kserv_tuple *tuple, struct kserv_service *service, enum kserv_reason reason)
{
	kserv_count(kn, REJECTED);
	if (service)
		atomic64_inc(&service->rejects);
	if (kserv_event_wanted(kn))
		kserv_event_packet(kn, KSERV_EVENT_TYPE_REJECT, tuple, service, reason);
	kserv_reject(skb, state->pf, state);
	/* A process of this node learns it from its call as well. */
	return state->hook == NF_INET_LOCAL_OUT ? NF_DROP_ERR(-ECONNREFUSED) : NF_DROP;
}

/* A TCP segment that starts nothing and belongs to nothing: what a host without that connection would answer. */
static unsigned int reset_stray(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				const struct kserv_packet *packet, struct kserv_service *service)
{
	if (!(packet->tcp_flags & KSERV_TCP_RST)) {
		kserv_count(kn, RESETS);
		kserv_reject_reset(skb, state->pf, state);
	}
	return drop(kn, &packet->tuple, service, KSERV_REASON_NO_FLOW);
}

static unsigned int answer_ping(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
				const struct kserv_packet *packet)
{
	switch (kserv_echo_answer(kn, skb, state, packet)) {
	case 0:
		kserv_count(kn, ECHOES);
		consume_skb(skb);
		return NF_STOLEN;
	case -EBUSY:
		return drop(kn, &packet->tuple, NULL, KSERV_REASON_TOO_MANY_PINGS);
	case -EHOSTUNREACH:
		return drop(kn, &packet->tuple, NULL, KSERV_REASON_NO_ROUTE);
	case -EBADMSG:
		return drop(kn, &packet->tuple, NULL, KSERV_REASON_MALFORMED);
	case -ENOMEM:
		return drop(kn, &packet->tuple, NULL, KSERV_REASON_NO_MEMORY);
	default:
		return NF_DROP;
	}
}

static bool starts_connection(const struct kserv_packet *packet)
{
	return packet->tuple.proto != IPPROTO_TCP ||
	       (packet->tcp_flags & (KSERV_TCP_SYN | KSERV_TCP_ACK | KSERV_TCP_RST)) == KSERV_TCP_SYN;
}

static enum kserv_reason error_reason(long error)
{
	switch (error) {
	case -ENOSPC:
		return KSERV_REASON_FLOW_TABLE_FULL;
	case -ENOMEM:
		return KSERV_REASON_NO_MEMORY;
	default:
		return KSERV_REASON_COLLISION;
	}
}

/* Note what a new flow means to those it is of. */
static void connected(struct kserv_net *kn, const struct kserv_tuple *tuple, const struct kserv_decision *decision,
		      const struct kserv_flow *flow)
{
	kserv_filter_add(kn->filter, tuple->family, &tuple->dst);
	atomic64_inc(&decision->service->connections);
	atomic64_inc(&decision->frontend->connections);
	kserv_session_remember(kn, decision->service, decision->choices, &tuple->src, flow->endpoint);
}

static unsigned int connect(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			    const struct kserv_question *question, const struct kserv_decision *decision,
			    const struct kserv_flow *old, struct kserv_flow **ret_flow)
{
	const struct kserv_tuple *tuple = &question->tuple;
	struct kserv_service *service = decision->service;
	struct kserv_flow *flow;

	flow = make_flow(kn, question, decision, old);
	if (!IS_ERR(flow)) {
		connected(kn, tuple, decision, flow);
		*ret_flow = flow;
		return NF_ACCEPT;
	}
	if (PTR_ERR(flow) == -EHOSTUNREACH)
		return reject(kn, skb, state, tuple, service, KSERV_REASON_NO_ENDPOINTS);
	/* Another CPU has just made the flow for an earlier packet of the same connection. */
	if (PTR_ERR(flow) == -EALREADY) {
		*ret_flow = kserv_flow_lookup_client(kn, tuple);
		if (*ret_flow)
			return NF_ACCEPT;
	}
	return drop(kn, tuple, service, error_reason(PTR_ERR(flow)));
}

unsigned int kserv_start(struct kserv_net *kn, struct sk_buff *skb, const struct nf_hook_state *state,
			 const struct kserv_packet *packet, const struct kserv_flow *old, struct kserv_flow **ret_flow)
{
	struct kserv_question question = {
		.tuple = packet->tuple,
		.in = state->hook == NF_INET_LOCAL_OUT ? NULL : state->in,
		.is_echo = packet->is_echo,
	};
	struct kserv_decision decision;

	*ret_flow = NULL;
	kserv_decide(kn, &question, &decision);
	if (decision.verdict == KSERV_VERDICT_PASS)
		return NF_ACCEPT;
	if (!kserv_packet_is_syn(packet) && !old && kserv_conntrack_translates(kn, state, packet, &decision))
		return NF_ACCEPT;
	switch (decision.verdict) {
	case KSERV_VERDICT_REJECT:
		return reject(kn, skb, state, &packet->tuple, decision.service, decision.reason);
	case KSERV_VERDICT_DROP:
		return drop(kn, &packet->tuple, decision.service, decision.reason);
	case KSERV_VERDICT_ANSWER:
		return answer_ping(kn, skb, state, packet);
	}
	if (!starts_connection(packet))
		return reset_stray(kn, skb, state, packet, decision.service);
	return connect(kn, skb, state, &question, &decision, old, ret_flow);
}

struct kserv_flow *kserv_start_plainly(struct kserv_net *kn, const struct kserv_packet *packet,
				       const struct net_device *in)
{
	struct kserv_question question = { .tuple = packet->tuple, .in = in };
	struct kserv_decision decision;
	struct kserv_flow *flow;

	kserv_decide(kn, &question, &decision);
	if (decision.verdict != KSERV_VERDICT_TRANSLATE || !starts_connection(packet))
		return NULL;
	flow = make_flow(kn, &question, &decision, NULL);
	if (IS_ERR(flow))
		return NULL;
	connected(kn, &packet->tuple, &decision, flow);
	return flow;
}

unsigned int kserv_start_beside(struct kserv_net *kn, const struct kserv_packet *packet, struct kserv_flow *other,
				struct kserv_flow **ret_flow)
{
	struct kserv_flow *flow;

	*ret_flow = NULL;
	/* An older direct connection, which the flow has not taken over. */
	if (!starts_connection(packet))
		return NF_ACCEPT;
	flow = add_with_other_port(kn, &packet->tuple, other->endpoint, other->flags & KSERV_FLOW_FLAGS_UNTRACKED);
	if (IS_ERR(flow))
		return drop(kn, &packet->tuple, NULL, error_reason(PTR_ERR(flow)));
	*ret_flow = flow;
	return NF_ACCEPT;
}
