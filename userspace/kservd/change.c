// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/read.h"
#include "kservd/change.h"
#include "kservd/daemon.h"
#include "lib/log.h"

static int begin(struct daemon *daemon, struct kserv_control_answer *answer)
{
	answer->outcome = KSERV_OUTCOME_REFUSED;
	return kserv_embedded_begin(&daemon->embedded, &answer->errors);
}

/* The transaction is undone, and the model is what the store holds again. */
static void undo(struct daemon *daemon, bool reload)
{
	struct kserv_errors errors = { 0 };

	kserv_embedded_rollback(&daemon->embedded);
	if (reload)
		local_reload(daemon, &errors);
	daemon_log_errors(&errors);
}

/* What the open transaction leads to goes to the kernel; 0, -ENOENT without the module, or -errno. */
static int program(struct daemon *daemon, struct kserv_control_answer *answer)
{
	int error = local_reload(daemon, &answer->errors);

	if (error)
		return error;
	daemon->answer = answer;
	daemon->program.is_strict = true;
	error = daemon_sync(daemon);
	daemon->program.is_strict = false;
	daemon->answer = NULL;
	if (error)
		answer->words = kserv_must_strdup(daemon->program.error);
	answer->programmed = !error;
	answer->generation = daemon->program.last.generation;
	answer->duration_us = daemon->program.last.duration_us;
	return error;
}

/* The transaction holds what is wanted: kernel, then store. */
static void finish(struct daemon *daemon, bool dry, struct kserv_control_answer *answer)
{
	int error;

	if (dry) {
		undo(daemon, false);
		answer->outcome = KSERV_OUTCOME_DONE;
		return;
	}
	error = program(daemon, answer);
	if (error && error != -ENOENT) {
		undo(daemon, true);
		return;
	}
	if (kserv_embedded_commit(&daemon->embedded, &answer->errors)) {
		undo(daemon, true);
		return;
	}
	answer->outcome = error ? KSERV_OUTCOME_NO_MODULE : KSERV_OUTCOME_DONE;
}

void change_apply(struct daemon *daemon, struct kserv_control_request *request, struct kserv_control_answer *answer)
{
	struct kserv_manifests manifests = { .skip_unknown = request->skip_unknown };
	size_t i;

	answer->outcome = KSERV_OUTCOME_REFUSED;
	for (i = 0; i < request->n_files; i++)
		kserv_manifests_read(&manifests, request->files[i].source, request->files[i].text, request->files[i].len,
				     &answer->errors);
	/* With errors in the text it goes on for the sake of what else is wrong, and is not kept. */
	if (!begin(daemon, answer)) {
		if (kserv_embedded_apply(&daemon->embedded, &manifests, request->namespace, &answer->changes,
					 &answer->errors) || answer->errors.n)
			undo(daemon, false);
		else
			finish(daemon, request->dry, answer);
	}
	for (i = 0; i < answer->errors.n_notes; i++)
		kserv_strings_add(&answer->changes.notes, answer->errors.notes[i]);
	kserv_manifests_clear(&manifests);
}

static bool was_deleted(const struct kserv_changes *changes, const struct kserv_change *object)
{
	size_t i;

	for (i = 0; i < changes->n; i++)
		if (changes->v[i].kind == object->kind && !strcmp(changes->v[i].name, object->name) &&
		    (!object->kind->namespaced || !strcmp(changes->v[i].namespace, object->namespace)))
			return true;
	return false;
}

static int delete_one(struct daemon *daemon, const struct kserv_change *object, struct kserv_control_answer *answer)
{
	const struct kserv_kind *kind = object->kind;
	char *sentence;
	int error = kserv_embedded_delete(&daemon->embedded, kind, object->namespace, object->name, &answer->changes,
					  &answer->errors);

	if (error != -ENOENT)
		return error;
	if (was_deleted(&answer->changes, object))
		return 0;
	sentence = kserv_must_printf("%s \"%s\" not found%s%s", kind->plural, object->name,
				     kind->namespaced ? " in namespace " : "", kind->namespaced ? object->namespace : "");
	kserv_strings_add(&answer->missing, sentence);
	free(sentence);
	return 0;
}

void change_delete(struct daemon *daemon, struct kserv_control_request *request, struct kserv_control_answer *answer)
{
	int error = 0;
	size_t i;

	if (begin(daemon, answer))
		return;
	for (i = 0; i < request->objects.n && !error; i++)
		error = delete_one(daemon, &request->objects.v[i], answer);
	if (error) {
		undo(daemon, false);
	} else if (!answer->changes.n) {
		undo(daemon, false);
		answer->outcome = KSERV_OUTCOME_DONE;
	} else {
		finish(daemon, request->dry, answer);
	}
}

void change_sync(struct daemon *daemon, struct kserv_control_answer *answer)
{
	int error;

	daemon->program.is_known = false;
	error = program(daemon, answer);
	answer->outcome = !error ? KSERV_OUTCOME_DONE :
		error == -ENOENT ? KSERV_OUTCOME_NO_MODULE : KSERV_OUTCOME_REFUSED;
}
