/* SPDX-License-Identifier: GPL-2.0 */
/* Chance that a seed repeats. */
#ifndef CHANCE_H
#define CHANCE_H

#include <stddef.h>
#include <stdint.h>

static uint64_t chance_state;

/* 0 to @n - 1 */
static inline uint32_t chance(uint32_t n)
{
	chance_state = chance_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(chance_state >> 33) % n;
}

static inline void chance_bytes(void *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		((uint8_t *)bytes)[i] = chance(256);
}

/* One of the members of an array. */
#define one_of(array) ((array)[chance(sizeof(array) / sizeof((array)[0]))])

#endif
