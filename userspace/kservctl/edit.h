/* SPDX-License-Identifier: GPL-2.0 */
/* A change of the embedded cluster by manifests or names, from its options to the words at its end. */
#ifndef KSERVCTL_EDIT_H
#define KSERVCTL_EDIT_H

#include "kservctl/desired.h"

/* -f, -R, --ignore-unknown-kinds; --dry-run; --no-kernel. */
extern struct poptOption file_options[], dry_run_options[], kernel_options[];

/* What these were; @dry also counts --dry-run before the command, once read_dry_run() has returned true. */
extern const char **paths;
extern int skip_unknown, ignore_not_found, dry;

/* What one transaction is about to do. */
struct session {
	struct kserv_embedded embedded;
	struct kserv_manifests manifests;
	struct kserv_changes changes;
	struct kserv_changes wanted;	/* delete: what to ask the daemon for */
	struct kserv_errors errors;
	bool missing;			/* delete: something was not there */
};

void session_clear(struct session *session);

/* False, after it said why, if --dry-run has a word that it does not know. */
bool read_dry_run(void);
/* Reads the manifests of -f; false, with the errors printed, if that cannot go on. */
bool read_manifests(struct session *session);
/* False, after it said why, with --no-kernel, which is about who works on the store alone. */
bool check_remote(void);

/* diff without manifests: the kernel beside the objects. */
enum exit_code diff_kernel(void);

/* Says what the daemon answered, which is cleared. */
enum exit_code say_answer(struct kserv_control_answer *answer);
/* The transaction holds what is wanted: kernel, store, words. */
enum exit_code finish(struct session *session);
/* Undoes the transaction and says what was wrong. Returns REFUSED. */
enum exit_code refuse(struct session *session);

#endif
