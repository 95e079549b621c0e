// SPDX-License-Identifier: GPL-2.0
/* What apply, delete and diff share: their options, reading manifests, and how a change ends and is told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "kservctl/edit.h"

const char **paths;
int skip_unknown, ignore_not_found, dry;
static char *dry_run_text;
static int recursive, no_kernel;

/* Values of options that need more than popt stores by itself. */
enum { OPTION_DRY_RUN = 1 };

static void note_option(poptContext context, enum poptCallbackReason reason, const struct poptOption *option,
			const char *arg, void *data)
{
	(void)context, (void)reason, (void)arg, (void)data;
	if (option->val == OPTION_DRY_RUN)
		dry = 1;
}

struct poptOption dry_run_options[] = {
	{ NULL, '\0', POPT_ARG_CALLBACK, note_option, 0, NULL, NULL },
	{ "dry-run", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, &dry_run_text, OPTION_DRY_RUN,
	  "say what would change, and change nothing", "client|server|none" },
	POPT_TABLEEND
};

struct poptOption file_options[] = {
	{ "filename", 'f', POPT_ARG_ARGV, &paths, 0, "manifests: a file, a folder or - for standard input", "FILE" },
	{ "recursive", 'R', POPT_ARG_NONE, &recursive, 0, "also folders in folders", NULL },
	{ "ignore-unknown-kinds", '\0', POPT_ARG_NONE, &skip_unknown, 0,
	  "pass over objects of kinds kserv does not know", NULL },
	POPT_TABLEEND
};

struct poptOption kernel_options[] = {
	{ "no-kernel", '\0', POPT_ARG_NONE, &no_kernel, 0, "change the store only", NULL },
	POPT_TABLEEND
};

void session_clear(struct session *session)
{
	kserv_errors_clear(&session->errors);
	kserv_changes_clear(&session->changes);
	kserv_changes_clear(&session->wanted);
	kserv_manifests_clear(&session->manifests);
	kserv_embedded_close(&session->embedded);
}

bool read_dry_run(void)
{
	/* --dry-run may also stand before the command. */
	dry |= dry_run;
	if (!dry_run_text)
		return true;
	if (!strcmp(dry_run_text, "none"))
		dry = 0;
	else if (strcmp(dry_run_text, "client") && strcmp(dry_run_text, "server"))
		return usage_error("--dry-run: expected client, server or none, got \"%s\"", dry_run_text), false;
	return true;
}

/* As kubectl: -n and the namespace that an object names must not contradict each other. */
static void check_namespaces(struct session *session)
{
	size_t i;

	for (i = 0; namespace_given() && i < session->manifests.n; i++) {
		const struct kserv_manifest *manifest = &session->manifests.v[i];
		const char *own = kserv_value_string(manifest->value, "metadata.namespace");

		session->errors.source = manifest->source;
		if (manifest->kind->namespaced && *own && strcmp(own, chosen_namespace()))
			kserv_error_at(&session->errors, kserv_value_get(manifest->value, "metadata.namespace"),
				       "is %s, but -n says %s", own, chosen_namespace());
	}
}

bool read_manifests(struct session *session)
{
	session->manifests.skip_unknown = skip_unknown;
	read_files(paths, recursive, &session->manifests, &session->errors);
	check_namespaces(session);
	if (session->manifests.skipped)
		kserv_log_note("passed over %zu objects of kinds that kserv does not know", session->manifests.skipped);
	if (!session->errors.n && !session->manifests.n && !session->manifests.skipped) {
		kserv_log_error("no objects were given");
		return false;
	}
	return true;
}

static const char *verb_word(enum kserv_verb verb)
{
	static const char *const words[] = {
		[KSERV_CREATED] = "created", [KSERV_CONFIGURED] = "configured", [KSERV_UNCHANGED] = "unchanged",
	};

	return words[verb];
}

/* What was allocated for a Service: "   clusterIP 10.96.14.7   nodePort http 30417". */
static char *describe_allocated(const struct kserv_change *change)
{
	struct kserv_text text = { 0 };
	struct kserv_errors ignored = { 0 };
	struct kserv_tree tree = { 0 };
	const struct kserv_value *v;
	bool several;

	if (strcmp(change->kind->kind, "Service") ||
	    kserv_json_read(&tree, change->after, strlen(change->after), 1, NULL, &ignored))
		return kserv_text_take(&text);
	for (v = kserv_value_first(kserv_value_get(tree.root, "spec.clusterIPs")); v; v = v->next)
		kserv_text_printf(&text, "%s%s", text.len ? "," : "   clusterIP ", v->text);
	v = kserv_value_get(tree.root, "spec.ports");
	several = v && v->n > 1;
	for (v = kserv_value_first(v); v; v = v->next)
		if (kserv_value_int(v, "nodePort", 0))
			kserv_text_printf(&text, "   nodePort %s%s%lld", several ? kserv_value_string(v, "name") : "",
					  several ? " " : "", (long long)kserv_value_int(v, "nodePort", 0));
	v = kserv_value_first(kserv_value_get(tree.root, "status.loadBalancer.ingress"));
	for (several = false; v; v = v->next, several = true)
		kserv_text_printf(&text, "%s%s", several ? "," : "   loadBalancer ", kserv_value_string(v, "ip"));
	if (kserv_value_int(tree.root, "spec.healthCheckNodePort", 0))
		kserv_text_printf(&text, "   healthCheckNodePort %lld",
				  (long long)kserv_value_int(tree.root, "spec.healthCheckNodePort", 0));
	kserv_tree_clear(&tree);
	return kserv_text_take(&text);
}

static void print_change(const struct kserv_change *change)
{
	char *word = object_word(change->kind, change->name), *slash, *allocated;

	if (change->verb == KSERV_DELETED) {
		slash = strchr(word, '/');
		printf("%.*s \"%s\" deleted%s\n", (int)(slash - word), word, change->name, dry ? " (dry run)" : "");
	} else {
		allocated = change->verb == KSERV_UNCHANGED ? kserv_must_strdup("") : describe_allocated(change);
		printf("%s %s%s%s\n", word, verb_word(change->verb), dry ? " (dry run)" : "", allocated);
		free(allocated);
	}
	free(word);
}

static void print_notes(const struct kserv_errors *errors, const struct kserv_changes *changes)
{
	size_t i;

	for (i = 0; i < errors->n_notes; i++)
		kserv_log_note("%s", errors->notes[i]);
	for (i = 0; i < changes->notes.n; i++)
		kserv_log_note("%s", changes->notes.v[i]);
}

/* Says what was done. @code: DONE, or NO_MODULE where the kernel was not programmed. */
static enum exit_code say_done(const struct kserv_errors *errors, const struct kserv_changes *changes,
			       const struct programmed *programmed, enum exit_code code)
{
	size_t i;

	for (i = 0; i < changes->n; i++)
		print_change(&changes->v[i]);
	print_notes(errors, changes);
	if (!dry)
		print_summary(changes, programmed);
	if (code == NO_MODULE)
		kserv_log_error("this is stored, but the kernel was not programmed; %s does that once the module is loaded",
				daemon_socket() ? "the daemon" : "kservctl sync");
	return code;
}

enum exit_code say_answer(struct kserv_control_answer *answer)
{
	struct programmed programmed = { answer->programmed, answer->generation, answer->duration_us };
	enum exit_code code = DONE;
	size_t i;

	print_warnings(&answer->warnings);
	if (answer->outcome == KSERV_OUTCOME_REFUSED) {
		print_errors(&answer->errors);
		if (answer->words)
			kserv_log_error("%s", answer->words);
		kserv_log_error("nothing was changed");
		code = REFUSED;
	} else {
		for (i = 0; i < answer->missing.n && !ignore_not_found; i++)
			kserv_log_error("%s", answer->missing.v[i]);
		if (answer->changes.n)
			code = say_done(&answer->errors, &answer->changes, &programmed,
					answer->outcome == KSERV_OUTCOME_NO_MODULE ? NO_MODULE : DONE);
		else if (!answer->missing.n || ignore_not_found)
			puts("No resources found");
		if (answer->missing.n && !ignore_not_found)
			code = REFUSED;
	}
	kserv_control_answer_clear(answer);
	return code;
}

bool check_remote(void)
{
	if (no_kernel)
		kserv_log_error("--no-kernel: the daemon at %s keeps the kernel in step with what is stored", daemon_socket());
	return !no_kernel;
}

enum exit_code finish(struct session *session)
{
	struct programmed programmed = { 0 };
	enum exit_code code = DONE;

	if (!dry && !no_kernel)
		code = program_kernel(&session->embedded, &programmed);
	if (code == REFUSED || dry)
		kserv_embedded_rollback(&session->embedded);
	else if (commit_cluster(&session->embedded, &programmed))
		code = REFUSED;
	if (code == REFUSED) {
		kserv_log_error("nothing was changed");
		return code;
	}
	return say_done(&session->errors, &session->changes, &programmed, code);
}

enum exit_code refuse(struct session *session)
{
	if (session->embedded.store)
		kserv_embedded_rollback(&session->embedded);
	print_errors(&session->errors);
	kserv_log_error("nothing was changed");
	return REFUSED;
}
