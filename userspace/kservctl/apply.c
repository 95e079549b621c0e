// SPDX-License-Identifier: GPL-2.0
/* apply, diff and sync: manifests become the embedded cluster, and the kernel after it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/json.h"
#include "cluster/memory.h"
#include "kservctl/edit.h"

struct poptOption apply_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, file_options, 0, NULL, NULL },
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

const char diff_more[] =
	"With -f: what apply would change of the objects. Without: where the kernel's tables are not what the objects\n"
	"lead to, a line for each service; also with an API server behind the daemon.\n\n"
	"Exit code 0: nothing differs; 1: what is printed does; 2: something is wrong with the manifests.\n";

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

	if (!argc && !paths)
		return diff_kernel();
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
