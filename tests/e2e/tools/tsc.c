// SPDX-License-Identifier: GPL-2.0
/* tsc: how many thousand times a second this machine's time stamp counter counts, which is the VM's as well. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define SPAN_NS 50000000

#ifdef __x86_64__
#include <x86intrin.h>

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Both clocks at once: of some tries, the one that took the least time. */
static int64_t both(uint64_t *ret_ticks)
{
	int64_t before, after, least = INT64_MAX, at = 0;
	uint64_t ticks;
	int i;

	for (i = 0; i < 20; i++) {
		before = now_ns();
		ticks = __rdtsc();
		after = now_ns();
		if (after - before >= least)
			continue;
		least = after - before;
		at = before + least / 2;
		*ret_ticks = ticks;
	}
	return at;
}

int main(void)
{
	uint64_t first, last;
	int64_t start = both(&first), end;

	while (now_ns() - start < SPAN_NS)
		;
	end = both(&last);
	printf("%.0f\n", (double)(last - first) * 1e6 / (end - start));
	return 0;
}
#else
int main(void)
{
	return 1;
}
#endif
