/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_PICK_H
#define _KSERV_PICK_H

#include "service.h"
#include "packet.h"

/**
 * struct kserv_pick - one question to a scheduler
 * @choices: the service's version; RCU
 * @round_robin: the service's counter for that scheduler
 * @local: choose from the local set rather than the cluster set
 * @tuple: the packet, for maglev
 * @avoid: an endpoint not to choose again if there is another, or NULL
 * @now: jiffies
 */
struct kserv_pick {
	const struct kserv_choices *choices;
	atomic_t *round_robin;
	bool local;
	const struct kserv_tuple *tuple;
	const struct kserv_endpoint *avoid;
	u32 now;
};

/**
 * kserv_pick_endpoint() - choose an endpoint for a new flow
 * Pure: changes nothing but the round robin counter.
 * Context: RCU read section, any.
 * Return: the endpoint, without a reference, or NULL when there is none to choose.
 */
struct kserv_endpoint *kserv_pick_endpoint(const struct kserv_pick *pick);

/* Why @endpoint may not be chosen from that set; KSERV_REASON_NONE if it may. Context: RCU read section. */
enum kserv_reason kserv_pick_excluded(const struct kserv_choices *choices, const struct kserv_endpoint *endpoint,
				      bool local, u32 now);

/**
 * kserv_pick_prepare() - build what the scheduler of @choices needs beyond the endpoints
 * Context: process, before @choices is published.
 * Return: 0 or -ENOMEM. kserv_pick_release() frees it.
 */
int kserv_pick_prepare(struct kserv_choices *choices);
void kserv_pick_release(struct kserv_choices *choices);

/* Seeds what random choices are made from. */
void kserv_pick_module_init(void);

#endif /* _KSERV_PICK_H */
