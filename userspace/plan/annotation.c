// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "plan/annotation.h"
#include "plan/warning.h"

enum { DAY = 86400 };

struct word {
	const char *text;
	uint32_t value;
};

static const struct word schedulers[] = {
	{ "random", KSERV_SCHEDULER_RANDOM },
	{ "round-robin", KSERV_SCHEDULER_ROUND_ROBIN },
	{ "least-connections", KSERV_SCHEDULER_LEAST_CONNECTIONS },
	{ "maglev", KSERV_SCHEDULER_MAGLEV },
	{ NULL, 0 },
};

static const struct word removals[] = {
	{ "keep", KSERV_REMOVAL_KEEP },
	{ "reset", KSERV_REMOVAL_RESET },
	{ NULL, 0 },
};

static const struct word switches[] = {
	{ "true", 1 },
	{ "false", 0 },
	{ NULL, 0 },
};

/* Who asks and where complaints go. */
struct reader {
	const struct kserv_k8s_service *service;
	struct kserv_warnings *warnings;
};

static uint32_t read_word(const struct reader *reader, const char *key, const struct word *words, uint32_t otherwise,
			  const char *expected)
{
	const char *text = kserv_labels_find(&reader->service->meta.annotations, key);

	if (!text)
		return otherwise;
	for (; words->text; words++)
		if (!strcmp(words->text, text))
			return words->value;
	kserv_warn(reader->warnings, "Service", &reader->service->meta,
		   "annotation %s: expected %s, got \"%s\"; it has no effect", key, expected, text);
	return otherwise;
}

static bool parse_time(const char *text, uint32_t *ret_seconds)
{
	uint32_t n = 0, unit = 1;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		n = 10 * n + (uint32_t)(*text - '0');
		if (n > DAY)
			return false;
	}
	if (*text == 'm')
		unit = 60;
	else if (*text == 'h')
		unit = 3600;
	else if (*text && *text != 's')
		return false;
	if ((*text && text[1]) || n > DAY / unit)
		return false;
	*ret_seconds = n * unit;
	return true;
}

static uint32_t read_time(const struct reader *reader, const char *key)
{
	const char *text = kserv_labels_find(&reader->service->meta.annotations, key);
	uint32_t seconds = 0;

	if (text && !parse_time(text, &seconds))
		kserv_warn(reader->warnings, "Service", &reader->service->meta,
			   "annotation %s: expected a time as 30, 30s, 5m or 1h, at most 24h, got \"%s\"; it has no effect",
			   key, text);
	return seconds;
}

void kserv_annotations_read(const struct kserv_k8s_service *service, struct kserv_service *ret,
			    struct kserv_warnings *warnings)
{
	struct reader reader = { service, warnings };

	ret->scheduler = (uint8_t)read_word(&reader, "kserv.io/scheduler", schedulers, KSERV_SCHEDULER_RANDOM,
					    "random, round-robin, least-connections or maglev");
	ret->removal = (uint8_t)read_word(&reader, "kserv.io/removal", removals, KSERV_REMOVAL_KEEP, "keep or reset");
	ret->removal_grace = read_time(&reader, "kserv.io/removal-grace");
	ret->slow_start = read_time(&reader, "kserv.io/slow-start");
	if (!read_word(&reader, "kserv.io/syn-retry", switches, 1, "true or false"))
		ret->flags |= KSERV_SERVICE_FLAGS_NO_SYN_RETRY;
	if (!read_word(&reader, "kserv.io/eject", switches, 1, "true or false"))
		ret->flags |= KSERV_SERVICE_FLAGS_NO_EJECT;
}
