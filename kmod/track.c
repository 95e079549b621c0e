// SPDX-License-Identifier: GPL-2.0
/* What packets do to the state of their flow, and what that means for the packet. */
#include <linux/tcp.h>
#include <linux/skbuff.h>

#include "kserv.h"
#include "eject.h"
#include "flow.h"
#include "latency.h"
#include "service.h"
#include "track.h"

/* Longest time that one direction may go on after the other has sent its FIN; kube-proxy sets CLOSE_WAIT so. */
#define HALF_CLOSED_TIMEOUT (3600 * HZ)

/* Data in a SYN (TCP fast open) may be acknowledged by the SYN-ACK; more than this is another connection's. */
#define SYN_DATA_MAX 65535

#define FIN_BOTH (BIT(KSERV_DIR_IN) | BIT(KSERV_DIR_OUT))

static u32 tcp_timeout(const struct kserv_config *config, const struct kserv_flow *flow)
{
	switch (flow->state) {
	case KSERV_FLOW_STATE_ESTABLISHED:
		return config->tcp_established_timeout;
	case KSERV_FLOW_STATE_CLOSING:
		if (flow->fin == FIN_BOTH)
			return config->tcp_close_timeout;
		return min_t(u32, config->tcp_established_timeout, HALF_CLOSED_TIMEOUT);
	case KSERV_FLOW_STATE_CLOSED:
		return config->tcp_close_timeout;
	default:
		return config->tcp_syn_timeout;
	}
}

u32 kserv_track_timeout(struct kserv_net *kn, const struct kserv_flow *flow)
{
	const struct kserv_config *config = rcu_dereference(kn->config);

	switch (kserv_flow_tuple(flow, KSERV_KEY_CLIENT)->proto) {
	case IPPROTO_TCP:
		return tcp_timeout(config, flow);
	case IPPROTO_SCTP:
		return flow->state == KSERV_FLOW_STATE_NEW ? config->udp_timeout : config->sctp_timeout;
	default:
		return flow->state == KSERV_FLOW_STATE_NEW ? config->udp_timeout : config->udp_stream_timeout;
	}
}

bool kserv_track_is_over(const struct kserv_flow *flow)
{
	u8 state = READ_ONCE(flow->state);

	return state == KSERV_FLOW_STATE_CLOSED ||
	       (state == KSERV_FLOW_STATE_CLOSING && flow->fin == FIN_BOTH) || kserv_flow_is_expired(flow);
}

/* An answer alone proves nothing: endpoints answer the SYNs of a flood as well. */
bool kserv_track_is_disposable(const struct kserv_flow *flow)
{
	u8 state = READ_ONCE(flow->state);

	return state == KSERV_FLOW_STATE_NEW || state == KSERV_FLOW_STATE_REPLIED || kserv_track_is_over(flow);
}

void kserv_track_expired(struct kserv_net *kn, struct kserv_flow *flow)
{
	if (flow->state == KSERV_FLOW_STATE_NEW && kserv_flow_tuple(flow, KSERV_KEY_CLIENT)->proto == IPPROTO_TCP)
		kserv_eject_failure(kn, flow->endpoint);
}

/* Datagrams that go on and on one way, as those of a log, count as well. */
#define ONE_WAY_PACKETS 4

bool kserv_track_is_settled(const struct kserv_flow *flow)
{
	if (READ_ONCE(flow->state) == KSERV_FLOW_STATE_ESTABLISHED)
		return true;
	return kserv_flow_tuple(flow, KSERV_KEY_CLIENT)->proto != IPPROTO_TCP &&
	       atomic64_read(&flow->packets[KSERV_DIR_IN]) > ONE_WAY_PACKETS;
}

static void touch(struct kserv_net *kn, struct kserv_flow *flow)
{
	u32 expires = (u32)jiffies + kserv_track_timeout(kn, flow);

	if (READ_ONCE(flow->expires) != expires)
		WRITE_ONCE(flow->expires, expires);
}

/* A connection that is over is no load for its endpoint, though its flow stays a while for late segments. */
static void set_state(struct kserv_flow *flow, u8 state)
{
	lockdep_assert_held(&flow->lock);
	WRITE_ONCE(flow->state, state);
	if (flow->released || flow->dead ||
	    !(state == KSERV_FLOW_STATE_CLOSED || (state == KSERV_FLOW_STATE_CLOSING && flow->fin == FIN_BOTH)))
		return;
	flow->released = true;
	atomic_dec(&flow->endpoint->active);
}

/* The service that the frontend of a flow leads to now: it may have been deleted and made again. */
static struct kserv_service *current_service(struct kserv_net *kn, const struct kserv_flow *flow)
{
	const struct kserv_tuple *client = kserv_flow_tuple(flow, KSERV_KEY_CLIENT);
	struct kserv_frontend_key key = {
		.addr = client->dst, .port = client->dport, .protocol = client->proto, .family = client->family,
	};
	struct kserv_service *service = flow->endpoint->service;
	struct kserv_frontend *frontend;

	if (!READ_ONCE(service->dead))
		return service;
	frontend = kserv_frontend_lookup(kn, &key);
	if (!frontend) {
		memset(&key.addr, 0, sizeof(key.addr));
		key.node_port = 1;
		frontend = kserv_frontend_lookup(kn, &key);
	}
	return frontend ? frontend->service : NULL;
}

enum endpoint_state { ENDPOINT_STANDS, ENDPOINT_STANDS_FOR_NOW, ENDPOINT_GONE };

/*
 * Does a UDP flow's endpoint still stand? Rules 8.1 to 8.10: one that no longer serves is left as soon as another one
 * serves, compared by address; flows of a service without any serving endpoint, or of a deleted one, stay.
 */
static enum endpoint_state udp_endpoint_state(struct kserv_net *kn, const struct kserv_flow *flow)
{
	const struct kserv_endpoint *endpoint = flow->endpoint;
	struct kserv_service *service = current_service(kn, flow);
	const struct kserv_choices *choices;

	if (!service)
		return ENDPOINT_STANDS_FOR_NOW;
	if (service == endpoint->service && !READ_ONCE(endpoint->removed) &&
	    READ_ONCE(endpoint->flags) & KSERV_ENDPOINT_FLAGS_SERVING)
		return ENDPOINT_STANDS;
	choices = rcu_dereference(service->choices);
	if (!choices || !choices->serving)
		return ENDPOINT_STANDS_FOR_NOW;
	return kserv_choices_serve(choices, &endpoint->addr) ? ENDPOINT_STANDS : ENDPOINT_GONE;
}

/* TCP goes on to a removed endpoint unless its service wants such connections reset. */
static enum endpoint_state tcp_endpoint_state(const struct kserv_flow *flow)
{
	const struct kserv_endpoint *endpoint = flow->endpoint;
	const struct kserv_choices *choices = rcu_dereference(endpoint->service->choices);

	/* Pairs with kserv_endpoint_commit(): the time of the removal is there. */
	if (!smp_load_acquire(&endpoint->removed) || !choices || choices->removal != KSERV_REMOVAL_RESET)
		return ENDPOINT_STANDS;
	if ((u32)jiffies - READ_ONCE(endpoint->since) < choices->removal_grace * HZ)
		return ENDPOINT_STANDS_FOR_NOW;
	return ENDPOINT_GONE;
}

/* Look whether the endpoint still stands, if anything was removed since the flow last asked. */
static enum endpoint_state endpoint_state(struct kserv_net *kn, struct kserv_flow *flow)
{
	u32 stale = READ_ONCE(kn->stale);
	enum endpoint_state state;

	if (READ_ONCE(flow->stale) == stale)
		return ENDPOINT_STANDS;
	switch (kserv_flow_tuple(flow, KSERV_KEY_CLIENT)->proto) {
	case IPPROTO_UDP:
		state = udp_endpoint_state(kn, flow);
		break;
	case IPPROTO_TCP:
		state = tcp_endpoint_state(flow);
		break;
	default:
		state = ENDPOINT_STANDS;
	}
	if (state == ENDPOINT_STANDS)
		WRITE_ONCE(flow->stale, stale);
	return state;
}

static const struct tcphdr *tcp_header(struct sk_buff *skb, const struct kserv_packet *packet, struct tcphdr *buffer)
{
	return skb_header_pointer(skb, packet->thoff, sizeof(*buffer), buffer);
}

/* A SYN of the client that nobody has answered yet. */
static enum kserv_track track_syn(struct kserv_net *kn, struct kserv_flow *flow, struct sk_buff *skb,
				  const struct kserv_packet *packet)
{
	const struct kserv_choices *choices = rcu_dereference(flow->endpoint->service->choices);
	struct tcphdr buffer;
	const struct tcphdr *tcph = tcp_header(skb, packet, &buffer);
	u32 seq;

	lockdep_assert_held(&flow->lock);
	if (!tcph)
		return KSERV_TRACK_GO;
	seq = ntohl(tcph->seq);
	if (!flow->retries || flow->isn != seq) {
		flow->isn = seq;
		flow->retries = 1;
		flow->asked = kserv_latency_now();
		return KSERV_TRACK_GO;
	}
	if (flow->retries < U8_MAX)
		flow->retries++;
	/* It will be answered so for ever: kserv_start() gives it another source port. */
	if (flow->foreign)
		return KSERV_TRACK_MOVE;
	/* A client that is bound to its endpoint by session affinity stays with it, as does one without a choice. */
	if (!choices || (choices->n_cluster <= 1 && choices->n_local <= 1))
		return KSERV_TRACK_GO;
	if (choices->affinity_timeout || choices->flags & KSERV_SERVICE_FLAGS_NO_SYN_RETRY)
		return KSERV_TRACK_GO;
	return KSERV_TRACK_MOVE;
}

/*
 * The first answer to a SYN. Until then the endpoint may have a connection of its own with the same addresses, of a
 * client that talks to it directly: what does not answer our SYN belongs there, a challenge ACK (RFC 5961) for one.
 */
static enum kserv_track track_syn_answer(struct kserv_net *kn, struct kserv_flow *flow, struct sk_buff *skb,
					 const struct kserv_packet *packet)
{
	struct tcphdr buffer;
	const struct tcphdr *tcph = tcp_header(skb, packet, &buffer);

	lockdep_assert_held(&flow->lock);
	if (!tcph || !tcph->ack || !(tcph->syn || tcph->rst) ||
	    ntohl(tcph->ack_seq) - flow->isn - 1 > SYN_DATA_MAX) {
		flow->foreign = true;
		return KSERV_TRACK_FOREIGN;
	}
	kserv_eject_success(flow->endpoint);
	if (!tcph->rst)
		kserv_latency_add(flow->endpoint, kserv_latency_now() - flow->asked);
	set_state(flow, tcph->rst ? KSERV_FLOW_STATE_CLOSED : KSERV_FLOW_STATE_REPLIED);
	return KSERV_TRACK_GO;
}

static enum kserv_track track_tcp_locked(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir,
					 struct sk_buff *skb, const struct kserv_packet *packet)
{
	u8 flags = packet->tcp_flags;

	if (dir == KSERV_DIR_IN && kserv_packet_is_syn(packet)) {
		if (flow->state == KSERV_FLOW_STATE_CLOSING || flow->state == KSERV_FLOW_STATE_CLOSED)
			return KSERV_TRACK_RENEW;
		if (flow->state == KSERV_FLOW_STATE_NEW)
			return track_syn(kn, flow, skb, packet);
		return KSERV_TRACK_GO;
	}
	if (flow->state == KSERV_FLOW_STATE_NEW) {
		if (dir == KSERV_DIR_OUT)
			return track_syn_answer(kn, flow, skb, packet);
		/* The answer took another way than through this node, or a RST gives up. */
		set_state(flow, flags & KSERV_TCP_RST ? KSERV_FLOW_STATE_CLOSED : KSERV_FLOW_STATE_ESTABLISHED);
		return KSERV_TRACK_GO;
	}
	if (flags & KSERV_TCP_RST) {
		set_state(flow, KSERV_FLOW_STATE_CLOSED);
	} else if (flags & KSERV_TCP_FIN) {
		flow->fin |= BIT(dir);
		set_state(flow, KSERV_FLOW_STATE_CLOSING);
	} else if (flow->state == KSERV_FLOW_STATE_REPLIED && dir == KSERV_DIR_IN) {
		set_state(flow, KSERV_FLOW_STATE_ESTABLISHED);
	}
	return KSERV_TRACK_GO;
}

static enum kserv_track track_tcp(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir,
				  struct sk_buff *skb, const struct kserv_packet *packet)
{
	enum kserv_track track = KSERV_TRACK_GO;

	if (packet->tcp_flags & KSERV_TCP_CONTROL ||
	    READ_ONCE(flow->state) != KSERV_FLOW_STATE_ESTABLISHED) {
		spin_lock(&flow->lock);
		track = track_tcp_locked(kn, flow, dir, skb, packet);
		spin_unlock(&flow->lock);
	}
	return track;
}

static void track_datagram(struct kserv_flow *flow, enum kserv_flow_dir dir)
{
	u8 state = READ_ONCE(flow->state);

	if (state == KSERV_FLOW_STATE_ESTABLISHED || (state == KSERV_FLOW_STATE_NEW && dir == KSERV_DIR_IN))
		return;
	if (state == KSERV_FLOW_STATE_REPLIED && dir == KSERV_DIR_OUT)
		return;
	spin_lock(&flow->lock);
	if (dir == KSERV_DIR_OUT && flow->state == KSERV_FLOW_STATE_NEW)
		set_state(flow, KSERV_FLOW_STATE_REPLIED);
	else if (dir == KSERV_DIR_IN && flow->state == KSERV_FLOW_STATE_REPLIED)
		set_state(flow, KSERV_FLOW_STATE_ESTABLISHED);
	spin_unlock(&flow->lock);
}

enum kserv_track kserv_track_packet(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir,
				    struct sk_buff *skb, const struct kserv_packet *packet, bool *settled)
{
	enum kserv_track track = KSERV_TRACK_GO;
	enum endpoint_state state = ENDPOINT_STANDS;

	if (dir == KSERV_DIR_IN)
		state = endpoint_state(kn, flow);
	if (state == ENDPOINT_GONE)
		return packet->tuple.proto == IPPROTO_TCP ? KSERV_TRACK_RESET : KSERV_TRACK_MOVE;

	if (packet->tuple.proto == IPPROTO_TCP)
		track = track_tcp(kn, flow, dir, skb, packet);
	else
		track_datagram(flow, dir);
	if (track != KSERV_TRACK_GO)
		return track;

	touch(kn, flow);
	atomic64_inc(&flow->packets[dir]);
	atomic64_add(skb->len, &flow->bytes[dir]);
	*settled = state == ENDPOINT_STANDS && kserv_track_is_settled(flow);
	return KSERV_TRACK_GO;
}
