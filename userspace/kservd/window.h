/* SPDX-License-Identifier: GPL-2.0 */
/* When to sync: changes are merged until there is quiet for a moment or one has waited long enough. Pure. */
#ifndef KSERVD_WINDOW_H
#define KSERVD_WINDOW_H

#include <stdint.h>

/* No time: nothing is to be done. */
#define WINDOW_NEVER	UINT64_MAX

/**
 * struct window - all times in microseconds, of one clock
 * @quiet: without a change for so long, what has changed is synced
 * @longest: no change waits longer than this, however many follow
 * @min_period: least time between the end of a sync and the begin of the next
 * @retry_max: a failed sync is tried again after RETRY_FIRST, then after twice as long each time, up to this
 * @first, @last: the oldest and the newest change that is not in the kernel; 0 when there is none
 * @ended: when the last sync came to its end, well or not
 * @failures: how many have failed since the last that went well
 */
struct window {
	uint64_t quiet, longest, min_period, retry_max;
	uint64_t first, last, ended;
	unsigned int failures;
};

/* Something has changed. */
void window_note(struct window *window, uint64_t now);
/* When the next sync is due; WINDOW_NEVER if there is nothing to sync. */
uint64_t window_due(const struct window *window);
/* A sync has ended: with success there is nothing left to do, otherwise all of it is. */
void window_ended(struct window *window, uint64_t now, int error);

#endif
