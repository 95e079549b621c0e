/* SPDX-License-Identifier: GPL-2.0 */
/* From the model into the kernel: what changed when that is enough, everything when it is not. */
#ifndef KSERVD_PROGRAM_H
#define KSERVD_PROGRAM_H

#include "kservd/model.h"
#include "lib/nl.h"
#include "plan/claim.h"
#include "sync/sync.h"

/**
 * struct program - the kernel as we know it
 * @nl: NULL while the module is not there
 * @is_known: entries hold what the kernel does as of @generation; otherwise the next sync is a full one
 * @routes: sorted, as the kernel holds them
 * @error: the sentence about the last sync; "" if it went well
 * @last: result of the last sync that went well; @last_was_full
 * @is_strict: a service that the kernel does not take fails the sync; otherwise it is left out so that others go on
 * @n_refused: services that were left out
 * @kept: called for each service that was looked at in a sync that went well
 * @report: called for each sentence about a service: a warning of plan, or the kernel's refusal
 */
struct program {
	struct model *model;
	struct kserv_nl *nl;
	struct kserv_claims *claims;
	struct kserv_route *routes;
	size_t n_routes;
	uint32_t generation;
	bool is_known, is_strict, last_was_full;
	char error[720];
	struct kserv_sync_result last;
	size_t n_refused;
	void (*kept)(void *context, struct entry *entry);
	void (*report)(void *context, struct entry *entry, const char *reason, const char *text);
	void *context;
};

void program_init(struct program *program, struct model *model);
void program_clear(struct program *program);

/**
 * program_run() - bring the kernel in step with the model
 *
 * Return: 0, also if nothing differed; -ENOENT without the module; -errno, with the words in @program->error. The
 * kernel then holds what it held, the model's changes stay changes, and the next run is a full one.
 */
int program_run(struct program *program);

/**
 * program_check() - whether the kernel is still as we left it
 *
 * Somebody else may have changed the tables, or the module may have been loaded anew: then the next run is a full one.
 * Return: true if it is.
 */
bool program_check(struct program *program);

/* The socket, opened if it is not; NULL, with the words in @program->error, if there is no module. */
struct kserv_nl *program_nl(struct program *program);

#endif
