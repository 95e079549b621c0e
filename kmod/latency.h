/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_LATENCY_H
#define _KSERV_LATENCY_H

#include <linux/timekeeping.h>
#include "service.h"

/*
 * How long endpoints take to accept connections, seen from this node: smoothed as TCP smooths its round-trip time
 * (RFC 6298: an eighth of each new one), and kept eightfold, so that nothing is lost to rounding.
 */

#define KSERV_LATENCY_SHIFT 3
#define KSERV_LATENCY_TICK 10	/* binary logarithm of the nanoseconds in a tick */

/* A time in ticks; it goes round after 73 minutes, longer than any SYN waits. Context: any but NMI. */
static inline u32 kserv_latency_now(void)
{
	return ktime_get_ns() >> KSERV_LATENCY_TICK;
}

/* A connection was accepted after this many @ticks. Two CPUs may count as one. Context: any. */
static inline void kserv_latency_add(struct kserv_endpoint *endpoint, u32 ticks)
{
	u32 old = READ_ONCE(endpoint->latency);

	ticks = clamp(ticks, 1U, U32_MAX >> (KSERV_LATENCY_SHIFT + 1));
	WRITE_ONCE(endpoint->latency, old ? old - (old >> KSERV_LATENCY_SHIFT) + ticks : ticks << KSERV_LATENCY_SHIFT);
}

/* Microseconds of what struct kserv_endpoint has. */
static inline u32 kserv_latency_us(u32 latency)
{
	return div_u64((u64)latency << (KSERV_LATENCY_TICK - KSERV_LATENCY_SHIFT), NSEC_PER_USEC);
}

#endif /* _KSERV_LATENCY_H */
