// SPDX-License-Identifier: GPL-2.0
/* apply, delete, diff and sync: changes of the embedded cluster, and the kernel after it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/json.h"
#include "cluster/memory.h"
#include "kservctl/desired.h"
#include "source/object.h"

static const char **paths;
static char *dry_run_text, *selector_text;
static int recursive, no_kernel, skip_unknown, ignore_not_found, dry;

/* Values of options that need more than popt stores by itself. */
enum { OPTION_DRY_RUN = 1 };

static void note_option(poptContext context, enum poptCallbackReason reason, const struct poptOption *option,
			const char *arg, void *data)
{
	(void)context, (void)reason, (void)arg, (void)data;
	if (option->val == OPTION_DRY_RUN)
		dry = 1;
}

static struct poptOption dry_run_options[] = {
	{ NULL, '\0', POPT_ARG_CALLBACK, note_option, 0, NULL, NULL },
	{ "dry-run", '\0', POPT_ARG_STRING | POPT_ARGFLAG_OPTIONAL, &dry_run_text, OPTION_DRY_RUN,
	  "say what would change, and change nothing", "client|server|none" },
	POPT_TABLEEND
};

static struct poptOption file_options[] = {
	{ "filename", 'f', POPT_ARG_ARGV, &paths, 0, "manifests: a file, a folder or - for standard input", "FILE" },
	{ "recursive", 'R', POPT_ARG_NONE, &recursive, 0, "also folders in folders", NULL },
	{ "ignore-unknown-kinds", '\0', POPT_ARG_NONE, &skip_unknown, 0,
	  "pass over objects of kinds kserv does not know", NULL },
	POPT_TABLEEND
};

static struct poptOption kernel_options[] = {
	{ "no-kernel", '\0', POPT_ARG_NONE, &no_kernel, 0, "change the store only", NULL },
	POPT_TABLEEND
};

struct poptOption apply_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, file_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, dry_run_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, kernel_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct poptOption delete_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, file_options, 0, NULL, NULL },
	{ "selector", 'l', POPT_ARG_STRING, &selector_text, 0, "only objects with these labels", "SELECTOR" },
	{ "ignore-not-found", '\0', POPT_ARG_NONE, &ignore_not_found, 0, "objects that are not there are no error",
	  NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, dry_run_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, kernel_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct poptOption diff_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, file_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct poptOption sync_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char apply_more[] =
	"Takes the YAML or JSON that kubectl takes: Service, EndpointSlice, Endpoints, Pod, Node, ServiceCIDR,\n"
	"Namespace, List, and Deployment, ReplicaSet, StatefulSet and DaemonSet, which are stored but start no\n"
	"containers. All of it is applied or nothing. The kernel of this network namespace is brought in step with\n"
	"it; without the kserv module the objects are stored all the same and the exit code is 3.\n\n"
	"  kservctl apply -f web.yaml\n"
	"  kservctl apply -R -f manifests/ -n shop --dry-run=server\n"
	"  kubectl get svc,endpointslices -A -o yaml | kservctl apply -f -\n";

const char delete_more[] =
	"  kservctl delete -f web.yaml\n"
	"  kservctl delete svc web db -n shop\n"
	"  kservctl delete pods -l app=web\n";

const char diff_more[] =
	"Exit code 0: nothing would change; 1: what is printed would; 2: something is wrong with the manifests.\n";

/* What one transaction is about to do. */
struct session {
	struct kserv_embedded embedded;
	struct kserv_manifests manifests;
	struct kserv_changes changes;
	struct kserv_changes wanted;	/* delete: what to ask the daemon for */
	struct kserv_errors errors;
	bool missing;			/* delete: something was not there */
};

static void session_clear(struct session *session)
{
	kserv_errors_clear(&session->errors);
	kserv_changes_clear(&session->changes);
	kserv_changes_clear(&session->wanted);
	kserv_manifests_clear(&session->manifests);
	kserv_embedded_close(&session->embedded);
}

static bool read_dry_run(void)
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

static bool check_arguments(int argc, const char **argv)
{
	if (!read_dry_run())
		return false;
	if (argc)
		return usage_error("\"%s\": manifests are given with -f", argv[0]), false;
	if (!paths)
		return usage_error("give manifests with -f"), false;
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

/* Reads the manifests; false, with the errors printed, if that cannot go on. */
static bool read_manifests(struct session *session)
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

/* What the daemon answered, which is cleared. */
static enum exit_code say_answer(struct kserv_control_answer *answer)
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

/* --no-kernel is about who works on the store alone. */
static bool check_remote(void)
{
	if (no_kernel)
		kserv_log_error("--no-kernel: the daemon at %s keeps the kernel in step with what is stored", daemon_socket());
	return !no_kernel;
}

static enum exit_code ask_apply(bool is_dry, struct kserv_control_answer *answer)
{
	struct kserv_control_request request = {
		.namespace = (char *)chosen_namespace(), .dry = is_dry, .skip_unknown = skip_unknown,
	};

	request.files = (struct kserv_control_file *)files_read(&request.n_files);
	return ask_daemon(KSERV_CONTROL_APPLY, &request, answer);
}

static enum exit_code apply_remote(void)
{
	struct kserv_control_answer answer;

	if (!check_remote() || ask_apply(dry, &answer))
		return REFUSED;
	return say_answer(&answer);
}

/* The transaction holds what is wanted: kernel, store, words. */
static enum exit_code finish(struct session *session)
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

static enum exit_code refuse(struct session *session)
{
	if (session->embedded.store)
		kserv_embedded_rollback(&session->embedded);
	print_errors(&session->errors);
	kserv_log_error("nothing was changed");
	return REFUSED;
}

static enum exit_code apply(struct session *session)
{
	if (open_cluster(true, &session->embedded))
		return REFUSED;
	if (!read_manifests(session))
		return REFUSED;
	if (daemon_socket())
		return session->errors.n ? refuse(session) : apply_remote();
	if (kserv_embedded_begin(&session->embedded, &session->errors) ||
	    kserv_embedded_apply(&session->embedded, &session->manifests, chosen_namespace(), &session->changes,
				 &session->errors))
		return refuse(session);
	return finish(session);
}

enum exit_code cmd_apply(int argc, const char **argv)
{
	struct session session = { 0 };
	enum exit_code code;

	if (!check_arguments(argc, argv))
		return USAGE;
	code = apply(&session);
	session_clear(&session);
	return code;
}

static bool was_deleted(const struct session *session, const struct kserv_kind *kind, const char *namespace,
			const char *name)
{
	size_t i;

	for (i = 0; i < session->changes.n; i++) {
		const struct kserv_change *change = &session->changes.v[i];

		if (change->kind == kind && !strcmp(change->name, name) &&
		    (!kind->namespaced || !strcmp(change->namespace, namespace)))
			return true;
	}
	return false;
}

/* For the daemon they are gathered and sent together. */
static int note_target(struct session *session, const struct kserv_kind *kind, const char *namespace, const char *name)
{
	const struct kserv_change change = {
		.verb = KSERV_DELETED, .kind = kind, .namespace = (char *)namespace, .name = (char *)name,
	};

	kserv_change_add(&session->wanted, &change);
	return 0;
}

static int delete_one(struct session *session, const struct kserv_kind *kind, const char *namespace, const char *name)
{
	int error;

	if (daemon_socket())
		return note_target(session, kind, namespace, name);
	error = kserv_embedded_delete(&session->embedded, kind, namespace, name, &session->changes,
					  &session->errors);

	if (error != -ENOENT || ignore_not_found || was_deleted(session, kind, namespace, name))
		return error == -ENOENT ? 0 : error;
	kserv_log_error("%s \"%s\" not found%s%s", kind->plural, name, kind->namespaced ? " in namespace " : "",
			kind->namespaced ? namespace : "");
	session->missing = true;
	return 0;
}

static int delete_manifests(struct session *session)
{
	const char *namespace, *name;
	size_t i;

	for (i = 0; i < session->manifests.n; i++) {
		const struct kserv_manifest *manifest = &session->manifests.v[i];

		namespace = kserv_value_string(manifest->value, "metadata.namespace");
		name = kserv_value_string(manifest->value, "metadata.name");
		session->errors.source = manifest->source;
		if (!*name)
			kserv_error_missing(&session->errors, manifest->value, "metadata.name", "required");
		else if (delete_one(session, manifest->kind, *namespace ? namespace : chosen_namespace(), name))
			return -EINVAL;
	}
	return session->errors.n ? -EINVAL : 0;
}

static int delete_selected(struct session *session, const struct kserv_kind *kind, const struct selector *selector)
{
	const struct kserv_value *object;
	struct kserv_objects objects;
	int error = list_objects(&session->embedded, kind, &objects, &session->errors);

	for (object = error ? NULL : kserv_value_first(objects.tree.root); object && !error; object = object->next) {
		const char *namespace = kserv_value_string(object, "metadata.namespace");

		/* Those without uid are made from others and stored nowhere. */
		if ((kind->namespaced && strcmp(namespace, chosen_namespace())) ||
		    !selector_matches(selector, object) ||
		    !*kserv_value_string(object, "metadata.uid"))
			continue;
		error = delete_one(session, kind, namespace, kserv_value_string(object, "metadata.name"));
	}
	kserv_objects_clear(&objects);
	return error;
}

static int delete_targets(struct session *session, const struct targets *targets, const struct selector *selector)
{
	int error = 0;
	size_t i;

	for (i = 0; i < targets->n && !error; i++)
		error = targets->v[i].name ?
			delete_one(session, targets->v[i].kind, chosen_namespace(), targets->v[i].name) :
			delete_selected(session, targets->v[i].kind, selector);
	return error;
}

static enum exit_code delete_remote(struct session *session, const struct targets *targets,
				    const struct selector *selector)
{
	struct kserv_control_request request = { .namespace = (char *)chosen_namespace(), .dry = dry };
	struct kserv_control_answer answer;

	if (!check_remote())
		return REFUSED;
	if (paths ? delete_manifests(session) : delete_targets(session, targets, selector))
		return refuse(session);
	request.objects = session->wanted;
	if (ask_daemon(KSERV_CONTROL_DELETE, &request, &answer))
		return REFUSED;
	return say_answer(&answer);
}

static enum exit_code delete(struct session *session, const struct targets *targets, const struct selector *selector)
{
	enum exit_code code;
	int error;

	if (open_cluster(true, &session->embedded))
		return REFUSED;
	if (paths && !read_manifests(session))
		return REFUSED;
	if (session->errors.n)
		return refuse(session);
	if (daemon_socket())
		return delete_remote(session, targets, selector);
	if (kserv_embedded_begin(&session->embedded, &session->errors))
		return refuse(session);
	error = paths ? delete_manifests(session) : delete_targets(session, targets, selector);
	if (error)
		return refuse(session);
	if (!session->changes.n) {
		kserv_embedded_rollback(&session->embedded);
		if (!session->missing)
			puts("No resources found");
		return session->missing ? REFUSED : DONE;
	}
	code = finish(session);
	return code == DONE && session->missing ? REFUSED : code;
}

enum exit_code cmd_delete(int argc, const char **argv)
{
	struct selector *selector = NULL;
	struct session session = { 0 };
	struct targets targets = { 0 };
	enum exit_code code = USAGE;
	size_t i;

	if (!read_dry_run())
		return USAGE;
	if (paths && argc)
		return usage_error("give manifests with -f, or types and names, not both");
	if (!paths && !parse_targets(argc, argv, &targets))
		return USAGE;
	if (selector_text)
		selector = selector_parse(selector_text);
	for (i = 0; i < targets.n; i++)
		if (!targets.v[i].name && !selector_text)
			break;
	if (!paths && i < targets.n)
		usage_error("say which %s: names, or -l SELECTOR", targets.v[i].kind->plural);
	else if (!selector_text || selector)
		code = delete(&session, &targets, selector);
	selector_free(selector);
	targets_clear(&targets);
	session_clear(&session);
	return code;
}

/* The JSON of the store as YAML, without what changes at each apply. The caller frees it. */
static char *yaml_of(const char *json)
{
	struct kserv_errors ignored = { 0 };
	struct kserv_text text = { 0 };
	struct kserv_tree tree = { 0 };

	if (json && !kserv_json_read(&tree, json, strlen(json), 1, NULL, &ignored)) {
		kserv_value_remove(kserv_value_find(tree.root, "metadata"), "resourceVersion");
		kserv_emit_yaml(&text, tree.root);
	}
	kserv_errors_clear(&ignored);
	kserv_tree_clear(&tree);
	return kserv_text_take(&text);
}

static bool diff_change(const struct kserv_change *change)
{
	char *name = object_word(change->kind, change->name);
	char *before = yaml_of(change->before), *after = yaml_of(change->after);
	bool differs = print_diff(name, before, after);

	free(before);
	free(after);
	free(name);
	return differs;
}

static enum exit_code diff_changes(const struct kserv_changes *changes)
{
	enum exit_code code = DONE;
	size_t i;

	for (i = 0; i < changes->n; i++)
		if (diff_change(&changes->v[i]))
			code = REFUSED;
	return code;
}

static enum exit_code diff_remote(struct session *session)
{
	struct kserv_control_answer answer;
	enum exit_code code;

	if (session->errors.n || ask_apply(true, &answer)) {
		print_errors(&session->errors);
		return USAGE;
	}
	code = answer.outcome == KSERV_OUTCOME_REFUSED ? USAGE : diff_changes(&answer.changes);
	print_errors(&answer.errors);
	kserv_control_answer_clear(&answer);
	return code;
}

static enum exit_code diff(struct session *session)
{
	if (open_cluster(true, &session->embedded) || !read_manifests(session))
		return USAGE;
	if (daemon_socket())
		return diff_remote(session);
	if (kserv_embedded_begin(&session->embedded, &session->errors) ||
	    kserv_embedded_apply(&session->embedded, &session->manifests, chosen_namespace(), &session->changes,
				 &session->errors)) {
		kserv_embedded_rollback(&session->embedded);
		print_errors(&session->errors);
		return USAGE;
	}
	kserv_embedded_rollback(&session->embedded);
	return diff_changes(&session->changes);
}

enum exit_code cmd_diff(int argc, const char **argv)
{
	struct session session = { 0 };
	enum exit_code code;

	if (!check_arguments(argc, argv))
		return USAGE;
	code = diff(&session);
	session_clear(&session);
	return code;
}

static enum exit_code sync_remote(void)
{
	const struct kserv_control_request request = { 0 };
	struct kserv_control_answer answer;
	enum exit_code code;

	if (ask_daemon(KSERV_CONTROL_SYNC, &request, &answer))
		return REFUSED;
	code = answer.outcome == KSERV_OUTCOME_DONE ? DONE :
		answer.outcome == KSERV_OUTCOME_NO_MODULE ? NO_MODULE : REFUSED;
	print_warnings(&answer.warnings);
	print_errors(&answer.errors);
	if (answer.words)
		kserv_log_error("%s", answer.words);
	if (!code)
		printf("kernel generation %u in %.1f ms\n", answer.generation, answer.duration_us / 1000.0);
	kserv_control_answer_clear(&answer);
	return code;
}

enum exit_code cmd_sync(int argc, const char **argv)
{
	struct session session = { 0 };
	struct programmed programmed = { 0 };
	enum exit_code code;

	if (argc)
		return usage_error("\"%s\": there are no arguments", argv[0]);
	if (daemon_socket())
		return sync_remote();
	code = open_cluster(true, &session.embedded);
	if (!code && kserv_embedded_begin(&session.embedded, &session.errors))
		code = refuse(&session);
	/* The lock is held so that no other apply comes between reading the store and writing the kernel. */
	if (!code) {
		code = program_kernel(&session.embedded, &programmed);
		kserv_embedded_rollback(&session.embedded);
	}
	if (!code)
		printf("kernel generation %u in %.1f ms\n", programmed.generation, programmed.duration_us / 1000.0);
	session_clear(&session);
	return code;
}
