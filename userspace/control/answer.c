// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/json.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "control/answer.h"

static const char *const verbs[] = {
	[KSERV_CREATED] = "created", [KSERV_CONFIGURED] = "configured", [KSERV_UNCHANGED] = "unchanged",
	[KSERV_DELETED] = "deleted",
};

static const char *const outcomes[] = {
	[KSERV_OUTCOME_DONE] = "done", [KSERV_OUTCOME_REFUSED] = "refused", [KSERV_OUTCOME_NO_MODULE] = "no-module",
};

static void put_string(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *text)
{
	if (text)
		kserv_value_set(map, key, kserv_value_new_string(tree, text));
}

static void put_int(struct kserv_tree *tree, struct kserv_value *map, const char *key, int64_t number)
{
	kserv_value_set(map, key, kserv_value_new_int(tree, number));
}

static struct kserv_value *put_list(struct kserv_tree *tree, struct kserv_value *map, const char *key)
{
	struct kserv_value *list = kserv_value_new(tree, KSERV_VALUE_LIST);

	kserv_value_set(map, key, list);
	return list;
}

static struct kserv_value *append_map(struct kserv_tree *tree, struct kserv_value *list)
{
	struct kserv_value *map = kserv_value_new(tree, KSERV_VALUE_MAP);

	kserv_value_append(list, map);
	return map;
}

static void put_changes(struct kserv_tree *tree, struct kserv_value *root, const char *key,
			const struct kserv_changes *changes)
{
	struct kserv_value *list = put_list(tree, root, key), *map;
	size_t i;

	for (i = 0; i < changes->n; i++) {
		map = append_map(tree, list);
		put_string(tree, map, "verb", verbs[changes->v[i].verb]);
		put_string(tree, map, "kind", changes->v[i].kind->kind);
		put_string(tree, map, "namespace", changes->v[i].namespace);
		put_string(tree, map, "name", changes->v[i].name);
		put_string(tree, map, "before", changes->v[i].before);
		put_string(tree, map, "after", changes->v[i].after);
	}
}

static void put_strings(struct kserv_tree *tree, struct kserv_value *root, const char *key,
			const struct kserv_strings *strings)
{
	struct kserv_value *list = put_list(tree, root, key);
	size_t i;

	for (i = 0; i < strings->n; i++)
		kserv_value_append(list, kserv_value_new_string(tree, strings->v[i]));
}

static void put_errors(struct kserv_tree *tree, struct kserv_value *root, const struct kserv_errors *errors)
{
	struct kserv_value *list = put_list(tree, root, "errors"), *map;
	size_t i;

	for (i = 0; i < errors->n; i++) {
		map = append_map(tree, list);
		put_string(tree, map, "source", errors->v[i].source);
		put_int(tree, map, "line", errors->v[i].line);
		put_int(tree, map, "column", errors->v[i].column);
		put_string(tree, map, "path", errors->v[i].path);
		put_string(tree, map, "text", errors->v[i].text);
	}
	put_int(tree, root, "moreErrors", errors->more);
}

static void put_warnings(struct kserv_tree *tree, struct kserv_value *root, const struct kserv_warnings *warnings)
{
	struct kserv_value *list = put_list(tree, root, "warnings"), *map;
	size_t i;

	for (i = 0; i < warnings->n; i++) {
		map = append_map(tree, list);
		put_string(tree, map, "object", warnings->v[i].object);
		put_string(tree, map, "text", warnings->v[i].text);
	}
}

static void emit(struct kserv_text *text, struct kserv_tree *tree)
{
	kserv_emit_json(text, tree->root, 0);
	kserv_text_add(text, "\n");
	kserv_tree_clear(tree);
}

void kserv_control_write_answer(struct kserv_text *text, const struct kserv_control_answer *answer)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *root = tree.root = kserv_value_new(&tree, KSERV_VALUE_MAP);

	put_string(&tree, root, "outcome", outcomes[answer->outcome]);
	put_string(&tree, root, "words", answer->words);
	kserv_value_set(root, "programmed", kserv_value_new_bool(&tree, answer->programmed));
	put_int(&tree, root, "generation", answer->generation);
	put_int(&tree, root, "durationUs", answer->duration_us);
	put_changes(&tree, root, "changes", &answer->changes);
	put_strings(&tree, root, "notes", &answer->changes.notes);
	put_strings(&tree, root, "missing", &answer->missing);
	put_errors(&tree, root, &answer->errors);
	put_warnings(&tree, root, &answer->warnings);
	emit(text, &tree);
}

void kserv_control_write_request(struct kserv_text *text, const struct kserv_control_request *request)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *root = tree.root = kserv_value_new(&tree, KSERV_VALUE_MAP), *list, *map;
	size_t i;

	put_string(&tree, root, "namespace", request->namespace);
	kserv_value_set(root, "dryRun", kserv_value_new_bool(&tree, request->dry));
	kserv_value_set(root, "ignoreUnknownKinds", kserv_value_new_bool(&tree, request->skip_unknown));
	list = put_list(&tree, root, "files");
	for (i = 0; i < request->n_files; i++) {
		map = append_map(&tree, list);
		put_string(&tree, map, "source", request->files[i].source);
		put_string(&tree, map, "text", request->files[i].text);
	}
	put_changes(&tree, root, "objects", &request->objects);
	emit(text, &tree);
}

static char *take_string(const struct kserv_value *map, const char *key)
{
	const struct kserv_value *value = kserv_value_find(map, key);

	return kserv_value_is(value, KSERV_VALUE_STRING) ? kserv_must_strdup(value->text) : NULL;
}

static size_t find_word(const char *const *words, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n && strcmp(words[i], word); i++)
		;
	return i;
}

static int read_changes(const struct kserv_value *list, struct kserv_changes *changes)
{
	const struct kserv_value *map;
	struct kserv_change *change;
	size_t verb;

	for (map = kserv_value_first(list); map; map = map->next) {
		verb = find_word(verbs, sizeof(verbs) / sizeof(verbs[0]), kserv_value_string(map, "verb"));
		if (verb == sizeof(verbs) / sizeof(verbs[0]) || !kserv_kind_lookup(kserv_value_string(map, "kind")))
			return -EINVAL;
		changes->v = kserv_must_grow(changes->v, changes->n, sizeof(*changes->v));
		change = &changes->v[changes->n++];
		change->verb = verb;
		change->kind = kserv_kind_lookup(kserv_value_string(map, "kind"));
		change->namespace = kserv_must_strdup(kserv_value_string(map, "namespace"));
		change->name = kserv_must_strdup(kserv_value_string(map, "name"));
		change->before = take_string(map, "before");
		change->after = take_string(map, "after");
	}
	return 0;
}

static void read_strings(const struct kserv_value *list, struct kserv_strings *strings)
{
	for (list = kserv_value_first(list); list; list = list->next)
		kserv_strings_add(strings, list->text);
}

static void read_errors(const struct kserv_value *root, struct kserv_errors *errors)
{
	const struct kserv_value *map;

	for (map = kserv_value_first(kserv_value_find(root, "errors")); map; map = map->next) {
		errors->source = kserv_value_string(map, "source");
		kserv_errors_add(errors, kserv_value_int(map, "line", 0), kserv_value_int(map, "column", 0),
				 kserv_value_string(map, "path"), "%s", kserv_value_string(map, "text"));
	}
	errors->source = NULL;
	errors->more += kserv_value_int(root, "moreErrors", 0);
}

static void read_warnings(const struct kserv_value *list, struct kserv_warnings *warnings)
{
	const struct kserv_value *map;

	for (map = kserv_value_first(list); map; map = map->next) {
		warnings->v = reallocarray(warnings->v, warnings->n + 1, sizeof(*warnings->v));
		if (!warnings->v)
			abort();
		warnings->v[warnings->n++] = (struct kserv_warning){
			kserv_must_strdup(kserv_value_string(map, "object")), kserv_must_strdup(kserv_value_string(map, "text")),
		};
	}
}

int kserv_control_read_answer(const char *text, size_t len, struct kserv_control_answer *ret,
			      struct kserv_errors *errors)
{
	struct kserv_tree tree = { 0 };
	int error;

	*ret = (struct kserv_control_answer){ 0 };
	errors->source = "kservd";
	error = kserv_json_read(&tree, text, len, 1, NULL, errors);
	if (!error) {
		ret->outcome = find_word(outcomes, sizeof(outcomes) / sizeof(outcomes[0]),
					 kserv_value_string(tree.root, "outcome"));
		ret->words = take_string(tree.root, "words");
		ret->programmed = kserv_value_bool(tree.root, "programmed", false);
		ret->generation = kserv_value_int(tree.root, "generation", 0);
		ret->duration_us = kserv_value_int(tree.root, "durationUs", 0);
		error = read_changes(kserv_value_find(tree.root, "changes"), &ret->changes);
		read_strings(kserv_value_find(tree.root, "notes"), &ret->changes.notes);
		read_strings(kserv_value_find(tree.root, "missing"), &ret->missing);
		read_errors(tree.root, &ret->errors);
		read_warnings(kserv_value_find(tree.root, "warnings"), &ret->warnings);
		if (error || (size_t)ret->outcome >= sizeof(outcomes) / sizeof(outcomes[0])) {
			kserv_errors_add(errors, 0, 0, "", "its answer is not one that this kservctl knows");
			error = -EINVAL;
		}
	}
	kserv_tree_clear(&tree);
	return error;
}

int kserv_control_read_request(const char *text, size_t len, struct kserv_control_request *ret,
			       struct kserv_errors *errors)
{
	struct kserv_control_file *file;
	const struct kserv_value *map;
	struct kserv_tree tree = { 0 };
	int error;

	*ret = (struct kserv_control_request){ 0 };
	errors->source = "the request";
	error = kserv_json_read(&tree, text, len, 1, NULL, errors);
	if (error) {
		kserv_tree_clear(&tree);
		return error;
	}
	ret->namespace = take_string(tree.root, "namespace");
	ret->dry = kserv_value_bool(tree.root, "dryRun", false);
	ret->skip_unknown = kserv_value_bool(tree.root, "ignoreUnknownKinds", false);
	for (map = kserv_value_first(kserv_value_find(tree.root, "files")); map; map = map->next) {
		ret->files = kserv_must_grow(ret->files, ret->n_files, sizeof(*ret->files));
		file = &ret->files[ret->n_files++];
		file->source = kserv_must_strdup(kserv_value_string(map, "source"));
		file->text = kserv_must_strdup(kserv_value_string(map, "text"));
		file->len = strlen(file->text);
	}
	error = read_changes(kserv_value_find(tree.root, "objects"), &ret->objects);
	if (error)
		kserv_errors_add(errors, 0, 0, "objects", "each must have a verb and a kind that are known");
	if (!ret->namespace)
		ret->namespace = kserv_must_strdup("default");
	kserv_tree_clear(&tree);
	return error;
}

void kserv_control_request_clear(struct kserv_control_request *request)
{
	size_t i;

	for (i = 0; i < request->n_files; i++) {
		free(request->files[i].source);
		free(request->files[i].text);
	}
	free(request->files);
	kserv_changes_clear(&request->objects);
	free(request->namespace);
	*request = (struct kserv_control_request){ 0 };
}

void kserv_control_answer_clear(struct kserv_control_answer *answer)
{
	size_t i;

	kserv_changes_clear(&answer->changes);
	kserv_errors_clear(&answer->errors);
	kserv_warnings_clear(&answer->warnings);
	for (i = 0; i < answer->missing.n; i++)
		free(answer->missing.v[i]);
	free(answer->missing.v);
	free(answer->words);
	*answer = (struct kserv_control_answer){ 0 };
}
