/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_TRACK_H
#define _KSERV_TRACK_H

#include "flow.h"

/* What is to be done with a packet that matched a flow. */
enum kserv_track {
	KSERV_TRACK_GO,		/* it belongs to the flow: rewrite it */
	KSERV_TRACK_FOREIGN,	/* it belongs to another connection with the same addresses: leave it alone */
	KSERV_TRACK_RENEW,	/* it starts a connection anew: end the flow and decide again */
	KSERV_TRACK_MOVE,	/* the endpoint does not answer, or is gone: end the flow and choose another one */
	KSERV_TRACK_RESET,	/* the endpoint is gone: end the flow and reset the sender */
};

/**
 * kserv_track_packet() - note a packet in the state of its flow
 * @skb: data at the network header
 * @packet: parsed from it, before any rewriting
 * @settled: set to false when the next packet must be looked at as well
 * Context: RCU read section, BH off; may take the flow's lock.
 */
enum kserv_track kserv_track_packet(struct kserv_net *kn, struct kserv_flow *flow, enum kserv_flow_dir dir,
				    struct sk_buff *skb, const struct kserv_packet *packet, bool *settled);

/* How long the flow may stay silent in its state, in jiffies. Context: RCU read section. */
u32 kserv_track_timeout(struct kserv_net *kn, const struct kserv_flow *flow);
/* Is the flow past its beginning, so that its packets may be remembered in the affinity cache? */
bool kserv_track_is_settled(const struct kserv_flow *flow);
/* Has the connection ended? */
bool kserv_track_is_over(const struct kserv_flow *flow);
/* May it go when the table is full? Context: RCU read section. */
bool kserv_track_is_disposable(const struct kserv_flow *flow);
/* The flow ended in silence: an endpoint that never answered is noted. Context: RCU read section. */
void kserv_track_expired(struct kserv_net *kn, struct kserv_flow *flow);

#endif /* _KSERV_TRACK_H */
