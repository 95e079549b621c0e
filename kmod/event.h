/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_EVENT_H
#define _KSERV_EVENT_H

#include "flow.h"

struct kserv_service;

/* True when somebody listens: ask before building an event. Context: any. */
bool kserv_event_wanted(const struct kserv_net *kn);

/**
 * kserv_event_flow() - tell listeners that a flow began or ended
 * @type: KSERV_EVENT_TYPE_FLOW_NEW or KSERV_EVENT_TYPE_FLOW_END
 * What cannot be sent is counted and told in the next event. Context: RCU read section, any.
 */
void kserv_event_flow(struct kserv_net *kn, enum kserv_event_type type, const struct kserv_flow *flow);
/* A packet was rejected or dropped; @service may be NULL. Context: RCU read section, any. */
void kserv_event_packet(struct kserv_net *kn, enum kserv_event_type type, const struct kserv_tuple *tuple,
			const struct kserv_service *service, enum kserv_reason reason);
/* A transaction was committed. Context: process, net's mutex. */
void kserv_event_commit(struct kserv_net *kn);
/* Fill a flow nest of that attribute type. Context: RCU read section. Return: 0 or -EMSGSIZE. */
int kserv_flow_put(struct sk_buff *skb, int type, const struct kserv_flow *flow);

#endif /* _KSERV_EVENT_H */
