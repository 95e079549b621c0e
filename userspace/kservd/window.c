// SPDX-License-Identifier: GPL-2.0
#include "kservd/window.h"

#define RETRY_FIRST	100000ULL

void window_note(struct window *window, uint64_t now)
{
	if (!window->first)
		window->first = now;
	window->last = now;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t retry_after(const struct window *window)
{
	uint64_t wait = RETRY_FIRST;
	unsigned int i;

	for (i = 1; i < window->failures && wait < window->retry_max; i++)
		wait *= 2;
	return earlier(wait, window->retry_max);
}

uint64_t window_due(const struct window *window)
{
	uint64_t due;

	if (!window->first)
		return WINDOW_NEVER;
	due = earlier(window->last + window->quiet, window->first + window->longest);
	if (window->ended)
		due = later(due, window->ended + window->min_period);
	if (window->failures)
		due = later(due, window->ended + retry_after(window));
	return due;
}

void window_ended(struct window *window, uint64_t now, int error)
{
	window->ended = now;
	if (error) {
		window->failures++;
		return;
	}
	window->failures = 0;
	window->first = 0;
	window->last = 0;
}
