/* SPDX-License-Identifier: GPL-2.0 */
/* The servers of spec.healthCheckNodePort: one for each Service of type LoadBalancer with external policy Local. */
#ifndef KSERVD_CHECK_H
#define KSERVD_CHECK_H

#include "kservd/model.h"
#include <systemd/sd-event.h>

struct checks;

/**
 * struct checks_options - what servers need of the daemon
 * @is_healthy: as in the answers (rule 9.8)
 * @report: a server cannot listen
 */
struct checks_options {
	sd_event *loop;
	const struct model *model;
	bool (*is_healthy)(void *context);
	void (*report)(void *context, const char *service, const char *reason, const char *text);
	void *context;
};

struct checks *checks_new(const struct checks_options *options);
void checks_free(struct checks *checks);

/* @entry is as the kernel holds it now: open its server, close it, or tell it how many endpoints there are. */
void checks_update(struct checks *checks, const struct entry *entry);
/* Try again to listen where it failed; listen elsewhere if the node's addresses have changed. */
void checks_retry(struct checks *checks);

size_t checks_count(const struct checks *checks);
size_t checks_failed(const struct checks *checks);

#endif
