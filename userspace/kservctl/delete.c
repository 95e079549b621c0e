// SPDX-License-Identifier: GPL-2.0
/* delete: objects of the embedded cluster, by manifests, names or labels. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "kservctl/edit.h"
#include "source/object.h"

static char *selector_text;

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

const char delete_more[] =
	"  kservctl delete -f web.yaml\n"
	"  kservctl delete svc web db -n shop\n"
	"  kservctl delete pods -l app=web\n";

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
	error = kserv_embedded_delete(&session->embedded, kind, namespace, name, &session->changes, &session->errors);
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
