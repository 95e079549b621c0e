/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_EJECT_H
#define _KSERV_EJECT_H

#include <linux/jiffies.h>
#include "service.h"

struct kserv_net;

/*
 * Passive ejection: an endpoint that left several connections in a row unanswered is not chosen for a while, unless too
 * few would be left. The time doubles with each ejection and starts anew with the first answer.
 */

/* A connection was left unanswered. Context: RCU read section, any. */
void kserv_eject_failure(struct kserv_net *kn, struct kserv_endpoint *endpoint);
/* A connection was answered. Context: any. */
static inline void kserv_eject_success(struct kserv_endpoint *endpoint)
{
	if (READ_ONCE(endpoint->failures))
		WRITE_ONCE(endpoint->failures, 0);
	if (READ_ONCE(endpoint->ejections))
		WRITE_ONCE(endpoint->ejections, 0);
	/* It is being chosen, so its time is over; left there, it would come again when jiffies have gone round. */
	if (READ_ONCE(endpoint->ejected_until))
		WRITE_ONCE(endpoint->ejected_until, 0);
}

static inline bool kserv_endpoint_is_ejected(const struct kserv_endpoint *endpoint, u32 now)
{
	u32 until = READ_ONCE(endpoint->ejected_until);

	return until && (s32)(until - now) > 0;
}

#endif /* _KSERV_EJECT_H */
