/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kservctl and kservd say to each other about changes, as JSON over HTTP on a unix socket. Paths of the Kubernetes
 * API list, read and delete single objects; those below are for what that API has no path for: several at once, all or
 * nothing.
 */
#ifndef KSERV_CONTROL_ANSWER_H
#define KSERV_CONTROL_ANSWER_H

#include "cluster/errors.h"
#include "cluster/memory.h"
#include "plan/plan.h"
#include "source/embedded.h"

#define KSERV_CONTROL_PATH	"/run/kserv/kservd.sock"

#define KSERV_CONTROL_APPLY	"/kserv/v1/apply"
#define KSERV_CONTROL_DELETE	"/kserv/v1/delete"
#define KSERV_CONTROL_SYNC	"/kserv/v1/sync"
#define KSERV_CONTROL_STATUS	"/kserv/v1/status"
#define KSERV_CONTROL_LB	"/kserv/v1/lb"
#define KSERV_CONTROL_DIFF	"/kserv/v1/diff"

/* Longer requests are refused. */
#define KSERV_CONTROL_BODY_MAX	(64UL << 20)

enum kserv_outcome {
	KSERV_OUTCOME_DONE,
	KSERV_OUTCOME_REFUSED,		/* nothing was changed */
	KSERV_OUTCOME_NO_MODULE,	/* stored, but the kernel was not programmed */
};

/* A text with the name of the file it came from, for errors. */
struct kserv_control_file {
	char *source, *text;
	size_t len;
};

/**
 * struct kserv_control_request - apply (@files) or delete (@changes, of which kind, namespace and name count)
 * @namespace: for objects that name none
 * @dry: change nothing, say what would change
 */
struct kserv_control_request {
	struct kserv_control_file *files;
	size_t n_files;
	struct kserv_changes objects;
	char *namespace;
	bool dry, skip_unknown;
};

/**
 * struct kserv_control_answer - how it went
 * @missing: sentences about objects that were to be deleted and are not there
 * @words: why the kernel refused; NULL if it did not
 * @programmed: the kernel was; then @generation and @duration_us say how
 */
struct kserv_control_answer {
	enum kserv_outcome outcome;
	struct kserv_changes changes;
	struct kserv_errors errors;
	struct kserv_warnings warnings;
	struct kserv_strings missing;
	char *words;
	bool programmed;
	uint32_t generation;
	uint64_t duration_us;
};

/* Append JSON. */
void kserv_control_write_request(struct kserv_text *text, const struct kserv_control_request *request);
void kserv_control_write_answer(struct kserv_text *text, const struct kserv_control_answer *answer);
/* Return: 0, or -EINVAL with errors added. Both are to be cleared, also then. */
int kserv_control_read_request(const char *text, size_t len, struct kserv_control_request *ret,
			       struct kserv_errors *errors);
int kserv_control_read_answer(const char *text, size_t len, struct kserv_control_answer *ret,
			      struct kserv_errors *errors);
void kserv_control_request_clear(struct kserv_control_request *request);
void kserv_control_answer_clear(struct kserv_control_answer *answer);

#endif
