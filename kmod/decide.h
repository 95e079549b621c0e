/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_DECIDE_H
#define _KSERV_DECIDE_H

#include <linux/netdevice.h>
#include "packet.h"
#include "service.h"

/**
 * struct kserv_question - a packet that belongs to no flow
 * @tuple: its addresses and ports
 * @in: the device it came in on; NULL when a process of this node sent it
 * @is_echo: an ICMP echo request; ports mean nothing
 */
struct kserv_question {
	struct kserv_tuple tuple;
	const struct net_device *in;
	bool is_echo;
};

/**
 * struct kserv_decision - what is to become of it, and why
 * @verdict: enum kserv_verdict
 * @reason: enum kserv_reason
 * @source: enum kserv_source_type
 * @local: the local set applies
 * @masquerade: whatever endpoint is chosen; see kserv_decide_masquerade()
 * @frontend: what matched, or NULL; valid inside the RCU section, as all pointers here
 * @service: its service
 * @choices: the service's version to choose from
 */
struct kserv_decision {
	u8 verdict;
	u8 reason;
	u8 source;
	bool local;
	bool masquerade;
	struct kserv_frontend *frontend;
	struct kserv_service *service;
	const struct kserv_choices *choices;
};

/**
 * kserv_decide() - decide about a packet that belongs to no flow, but for the choice among endpoints
 * The one place where packets and explain get their verdict from. Changes nothing.
 * Context: RCU read section; softirq or process.
 */
void kserv_decide(struct kserv_net *kn, const struct kserv_question *question, struct kserv_decision *decision);

/* Masquerade towards this endpoint? Rules 5.1-5.9: as decided, and always for a pod that reaches itself. */
static inline bool kserv_decide_masquerade(const struct kserv_decision *decision, const struct kserv_question *question,
					   const struct kserv_endpoint *endpoint)
{
	return decision->masquerade || kserv_addr_equal(&question->tuple.src, &endpoint->addr);
}

/* Has this node the address, in this namespace? Context: RCU read section or process. */
bool kserv_addr_is_local(struct net *net, u8 family, const union nf_inet_addr *addr);

#endif /* _KSERV_DECIDE_H */
