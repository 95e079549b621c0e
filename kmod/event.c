// SPDX-License-Identifier: GPL-2.0
/* Notifications: flows that begin and end, packets refused, transactions committed. */
#include <linux/jiffies.h>
#include <net/genetlink.h>

#include "kserv.h"
#include "event.h"
#include "genl.h"
#include "service.h"
#include "stats.h"

/* Enough for each event: its flow has at most 25 members, one of them a service's name. */
#define EVENT_SIZE 1024

/* Attribute types of an address and a port in a flow nest. */
struct place {
	int v4, v6, port;
};

static const struct place client = { KSERV_A_FLOW_CLIENT4, KSERV_A_FLOW_CLIENT6, KSERV_A_FLOW_CLIENT_PORT };
static const struct place frontend = { KSERV_A_FLOW_FRONTEND4, KSERV_A_FLOW_FRONTEND6, KSERV_A_FLOW_FRONTEND_PORT };
static const struct place endpoint = { KSERV_A_FLOW_ENDPOINT4, KSERV_A_FLOW_ENDPOINT6, KSERV_A_FLOW_ENDPOINT_PORT };

static int put_place(struct sk_buff *skb, const struct place *place, u8 family, const union nf_inet_addr *addr,
		     __be16 port)
{
	return (family == NFPROTO_IPV4 ? nla_put_in_addr(skb, place->v4, addr->ip) :
					 nla_put_in6_addr(skb, place->v6, &addr->in6)) ?:
	       nla_put_be16(skb, place->port, port);
}

/* As the client sends it. */
static int put_tuple(struct sk_buff *skb, const struct kserv_tuple *tuple)
{
	return nla_put_u8(skb, KSERV_A_FLOW_FAMILY, tuple->family) ?:
	       nla_put_u8(skb, KSERV_A_FLOW_PROTOCOL, tuple->proto) ?:
	       put_place(skb, &client, tuple->family, &tuple->src, tuple->sport) ?:
	       put_place(skb, &frontend, tuple->family, &tuple->dst, tuple->dport);
}

static int put_counts(struct sk_buff *skb, const struct kserv_flow *flow)
{
	return nla_put_u64_64bit(skb, KSERV_A_FLOW_PACKETS_IN, atomic64_read(&flow->packets[KSERV_DIR_IN]),
				 KSERV_A_FLOW_PAD) ?:
	       nla_put_u64_64bit(skb, KSERV_A_FLOW_BYTES_IN, atomic64_read(&flow->bytes[KSERV_DIR_IN]),
				 KSERV_A_FLOW_PAD) ?:
	       nla_put_u64_64bit(skb, KSERV_A_FLOW_PACKETS_OUT, atomic64_read(&flow->packets[KSERV_DIR_OUT]),
				 KSERV_A_FLOW_PAD) ?:
	       nla_put_u64_64bit(skb, KSERV_A_FLOW_BYTES_OUT, atomic64_read(&flow->bytes[KSERV_DIR_OUT]),
				 KSERV_A_FLOW_PAD);
}

/* What is there of it is not needed to follow the flow, but to put it back after it was saved. */
static int put_past(struct sk_buff *skb, const struct kserv_flow *flow, u8 state)
{
	const struct place place = { KSERV_A_FLOW_MASQUERADE4, KSERV_A_FLOW_MASQUERADE6, KSERV_A_FLOW_MASQUERADE_PORT };
	const struct kserv_tuple *client = kserv_flow_tuple(flow, KSERV_KEY_CLIENT);
	struct kserv_masquerade *masquerade;
	u8 fin = READ_ONCE(flow->fin);
	int ret = 0;

	rcu_read_lock();
	masquerade = rcu_dereference(flow->masquerade);
	if (masquerade)
		ret = put_place(skb, &place, client->family, &masquerade->node.tuple.dst, masquerade->node.tuple.dport);
	rcu_read_unlock();
	if (!ret && client->proto == IPPROTO_TCP && state == KSERV_FLOW_STATE_NEW)
		ret = nla_put_u32(skb, KSERV_A_FLOW_ISN, READ_ONCE(flow->isn));
	/* Its packets may have gone on since the state was read. */
	if (!ret && fin && (state == KSERV_FLOW_STATE_CLOSING || state == KSERV_FLOW_STATE_CLOSED))
		ret = nla_put_u8(skb, KSERV_A_FLOW_FIN, fin);
	return ret;
}

static int put_flow(struct sk_buff *skb, const struct kserv_flow *flow)
{
	const struct kserv_tuple *inside = kserv_flow_tuple(flow, KSERV_KEY_ENDPOINT);
	s32 left = READ_ONCE(flow->expires) - (u32)jiffies;
	u32 flags = READ_ONCE(flow->flags);
	u8 state = READ_ONCE(flow->state);

	if (READ_ONCE(flow->endpoint->removed))
		flags |= KSERV_FLOW_FLAGS_ORPHAN;
	return put_tuple(skb, kserv_flow_tuple(flow, KSERV_KEY_CLIENT)) ?:
	       put_place(skb, &endpoint, inside->family, &inside->src, inside->sport) ?:
	       nla_put_be16(skb, KSERV_A_FLOW_TRANSLATED_PORT, inside->dport) ?:
	       nla_put_string(skb, KSERV_A_FLOW_SERVICE, flow->endpoint->service->name) ?:
	       nla_put_u8(skb, KSERV_A_FLOW_STATE, state) ?:
	       nla_put_u32(skb, KSERV_A_FLOW_FLAGS, flags) ?:
	       nla_put_u64_64bit(skb, KSERV_A_FLOW_EXPIRES_MS, left > 0 ? jiffies_to_msecs(left) : 0,
				 KSERV_A_FLOW_PAD) ?:
	       put_past(skb, flow, state) ?: put_counts(skb, flow);
}

int kserv_flow_put(struct sk_buff *skb, int type, const struct kserv_flow *flow)
{
	struct nlattr *nest = nla_nest_start(skb, type);

	if (!nest)
		return -EMSGSIZE;
	if (put_flow(skb, flow)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

bool kserv_event_wanted(const struct kserv_net *kn)
{
	return !READ_ONCE(kn->exiting) &&
	       genl_has_listeners(&kserv_nl_family, kn->net, KSERV_NLGRP_MONITOR);
}

/* A notification being built. */
struct event {
	struct kserv_net *kn;
	struct sk_buff *skb;
	void *header;
	struct nlattr *nest;
	u64 lost;	/* before it, which it tells */
};

static void count_lost(struct kserv_net *kn, u64 n)
{
	atomic64_add(n, &kn->events_lost);
	this_cpu_inc(kn->stats->counter[KSERV_COUNTER_EVENTS_LOST]);
}

/* False when there is no memory for it, which is counted. */
static bool event_begin(struct event *event, struct kserv_net *kn, enum kserv_event_type type)
{
	event->kn = kn;
	event->skb = genlmsg_new(EVENT_SIZE, GFP_ATOMIC);
	if (!event->skb) {
		count_lost(kn, 1);
		return false;
	}
	event->lost = atomic64_read(&kn->events_lost) ? atomic64_xchg(&kn->events_lost, 0) : 0;
	event->header = genlmsg_put(event->skb, 0, 0, &kserv_nl_family, 0, KSERV_CMD_EVENT);
	event->nest = nla_nest_start(event->skb, KSERV_A_MESSAGE_EVENT);
	/* The message is new and large enough for all of it. */
	nla_put_u8(event->skb, KSERV_A_EVENT_TYPE, type);
	if (event->lost)
		nla_put_u64_64bit(event->skb, KSERV_A_EVENT_LOST, event->lost, KSERV_A_EVENT_PAD);
	return true;
}

static void event_send(struct event *event, int error)
{
	struct kserv_net *kn = event->kn;

	if (error) {
		nlmsg_free(event->skb);
		count_lost(kn, event->lost + 1);
		return;
	}
	nla_nest_end(event->skb, event->nest);
	genlmsg_end(event->skb, event->header);
	error = genlmsg_multicast_netns(&kserv_nl_family, kn->net, event->skb, 0, KSERV_NLGRP_MONITOR, GFP_ATOMIC);
	/* Nobody listens any more: nobody missed it. */
	if (error && error != -ESRCH)
		count_lost(kn, event->lost + 1);
}

void kserv_event_flow(struct kserv_net *kn, enum kserv_event_type type, const struct kserv_flow *flow)
{
	struct event event;

	if (event_begin(&event, kn, type))
		event_send(&event, kserv_flow_put(event.skb, KSERV_A_EVENT_FLOW, flow));
}

static int put_packet(struct sk_buff *skb, const struct kserv_tuple *tuple, const struct kserv_service *service)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_EVENT_FLOW);

	if (!nest || put_tuple(skb, tuple) ||
	    (service && nla_put_string(skb, KSERV_A_FLOW_SERVICE, service->name)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

void kserv_event_packet(struct kserv_net *kn, enum kserv_event_type type, const struct kserv_tuple *tuple,
			const struct kserv_service *service, enum kserv_reason reason)
{
	struct event event;

	if (event_begin(&event, kn, type))
		event_send(&event, put_packet(event.skb, tuple, service) ?:
				   nla_put_u8(event.skb, KSERV_A_EVENT_REASON, reason));
}

void kserv_event_commit(struct kserv_net *kn)
{
	struct event event;

	lockdep_assert_held(&kn->mutex);
	if (event_begin(&event, kn, KSERV_EVENT_TYPE_COMMIT))
		event_send(&event, nla_put_u32(event.skb, KSERV_A_EVENT_GENERATION, kn->generation));
}
