// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/manifest.h"
#include "cluster/memory.h"
#include "cluster/schema.h"
#include "cluster/yaml.h"

/* What is left of a file, and the document cut off it last. */
struct documents {
	const char *at, *end;
	uint32_t line;
	const char *text;
	size_t len;
	uint32_t first_line;
};

static const char *end_of_line(const char *s, const char *end)
{
	const char *newline = memchr(s, '\n', end - s);

	return newline ? newline + 1 : end;
}

static bool is_separator(const char *s, const char *end)
{
	return end - s >= 3 && !memcmp(s, "---", 3);
}

/* Behind "---" there may be blanks and a comment. */
static void check_separator(const char *s, const char *end, uint32_t line, struct kserv_errors *errors)
{
	const char *rest = s + 3;

	while (rest < end && memchr(" \t\r\n", *rest, 4))
		rest++;
	if (rest < end && (*rest != '#' || rest == s + 3))
		kserv_errors_add(errors, line, rest - s + 1, "",
				 "only a comment may follow \"---\"; begin the document on the next line");
}

static bool next_document(struct documents *docs, struct kserv_errors *errors)
{
	const char *eol;

	if (docs->at >= docs->end)
		return false;
	if (is_separator(docs->at, docs->end)) {
		eol = end_of_line(docs->at, docs->end);
		check_separator(docs->at, eol, docs->line, errors);
		docs->at = eol;
		docs->line++;
	}
	docs->text = docs->at;
	docs->first_line = docs->line;
	while (docs->at < docs->end && !is_separator(docs->at, docs->end)) {
		docs->at = end_of_line(docs->at, docs->end);
		docs->line++;
	}
	docs->len = docs->at - docs->text;
	return true;
}

/* The first character that is neither blank nor in a comment or a %directive line, '\0' if there is none. */
static char first_character(const char *s, size_t len)
{
	const char *end = s + len;

	while (s < end) {
		if (memchr(" \t\r\n", *s, 4))
			s++;
		else if (*s == '#' || *s == '%')
			s = end_of_line(s, end);
		else
			return *s;
	}
	return '\0';
}

static struct kserv_tree *new_tree(struct kserv_manifests *manifests)
{
	struct kserv_tree *tree = kserv_must_alloc(sizeof(*tree));

	manifests->trees = kserv_must_grow(manifests->trees, manifests->n_trees, sizeof(struct kserv_tree *));
	manifests->trees[manifests->n_trees++] = tree;
	return tree;
}

static void add_manifest(struct kserv_manifests *manifests, struct kserv_tree *tree, struct kserv_value *value,
			 const struct kserv_kind *kind, const char *source)
{
	manifests->v = kserv_must_grow(manifests->v, manifests->n, sizeof(*manifests->v));
	manifests->v[manifests->n++] = (struct kserv_manifest){
		.kind = kind, .tree = tree, .value = value, .source = source,
	};
}

static bool is_list_kind(const char *kind)
{
	size_t len = strlen(kind);

	return len >= 4 && !strcmp(kind + len - 4, "List");
}

/* "ServiceList" holds Services, whose own kind may be left out then. */
static void name_list_item(struct kserv_tree *tree, const struct kserv_value *list, struct kserv_value *item)
{
	const char *kind = kserv_value_string(list, "kind"), *own;

	if (item->type != KSERV_VALUE_MAP || kserv_value_find(item, "kind") || strlen(kind) == 4)
		return;
	own = kserv_tree_strndup(tree, kind, strlen(kind) - 4);
	kserv_value_set(item, "kind", kserv_value_new_string(tree, own));
	kserv_value_set(item, "apiVersion", kserv_value_new_string(tree, kserv_value_string(list, "apiVersion")));
}

static void refuse_kind(const struct kserv_value *object, const char *kind, const char *version,
			const struct kserv_kind *known, struct kserv_errors *errors)
{
	if (known)
		kserv_error_at(errors, kserv_value_find(object, "apiVersion"), "%s is read as %s, not \"%s\"", kind,
			       known->api_version, version);
	else
		kserv_error_at(errors, kserv_value_find(object, "kind"),
			       "%s %s is not a kind that kserv knows; --ignore-unknown-kinds passes over it",
			       version, kind);
}

static void add_object(struct kserv_manifests *manifests, struct kserv_tree *tree, struct kserv_value *object,
		       const char *source, struct kserv_errors *errors)
{
	const char *kind = kserv_value_string(object, "kind"), *version = kserv_value_string(object, "apiVersion");
	const struct kserv_kind *known = kserv_kind_lookup(kind);
	struct kserv_value *items = kserv_value_find(object, "items"), *item, *next;

	if (object->type != KSERV_VALUE_MAP) {
		kserv_error_at(errors, object, "expected an object with apiVersion and kind");
		return;
	}
	if (!*kind || !*version) {
		kserv_error_missing(errors, object, *kind ? "apiVersion" : "kind", "required");
		return;
	}
	if (is_list_kind(kind) && !known && (!items || items->type == KSERV_VALUE_LIST)) {
		for (item = kserv_value_first(items); item; item = next) {
			next = item->next;
			name_list_item(tree, object, item);
			add_object(manifests, tree, item, source, errors);
		}
		return;
	}
	if (known && !strcmp(known->api_version, version))
		add_manifest(manifests, tree, object, known, source);
	else if (manifests->skip_unknown)
		manifests->skipped++;
	else
		refuse_kind(object, kind, version, known, errors);
}

/* One or more JSON values. Return: false, and no object added, if the text is not JSON. */
static bool read_json(struct kserv_manifests *manifests, const char *source, const struct documents *docs,
		      struct kserv_errors *errors, struct kserv_errors *json_errors)
{
	size_t used, at = 0, first = manifests->n_trees, i;
	uint32_t line = docs->first_line;
	struct kserv_tree *tree;

	while (at < docs->len) {
		tree = new_tree(manifests);
		if (kserv_json_read(tree, docs->text + at, docs->len - at, line, &used, json_errors))
			return false;
		for (i = 0; i < used; i++)
			line += docs->text[at + i] == '\n';
		at += used;
	}
	for (; first < manifests->n_trees; first++)
		add_object(manifests, manifests->trees[first], manifests->trees[first]->root, source, errors);
	return true;
}

static void read_document(struct kserv_manifests *manifests, const char *source, const struct documents *docs,
			  struct kserv_errors *errors)
{
	struct kserv_errors json_errors = { .source = source }, yaml_errors = { .source = source };
	char first = first_character(docs->text, docs->len);
	struct kserv_tree *tree;

	if (!first)
		return;
	if (first == '{' && read_json(manifests, source, docs, errors, &json_errors)) {
		kserv_errors_clear(&json_errors);
		return;
	}
	/* What begins with "{" and is no JSON may be a YAML map in braces. */
	tree = new_tree(manifests);
	if (!kserv_yaml_read(tree, docs->text, docs->len, docs->first_line, json_errors.n ? &yaml_errors : errors)) {
		if (tree->root->type != KSERV_VALUE_NULL)
			add_object(manifests, tree, tree->root, source, errors);
	} else if (json_errors.n) {
		kserv_errors_add(errors, json_errors.v[0].line, json_errors.v[0].column, "", "%s",
				 json_errors.v[0].text);
	}
	kserv_errors_clear(&json_errors);
	kserv_errors_clear(&yaml_errors);
}

int kserv_manifests_read(struct kserv_manifests *manifests, const char *source, const char *text, size_t len,
			 struct kserv_errors *errors)
{
	struct documents docs = { .at = text, .end = text + len, .line = 1 };
	size_t before = errors->n;
	char *name = kserv_must_strdup(source);

	manifests->sources = kserv_must_grow(manifests->sources, manifests->n_sources, sizeof(char *));
	manifests->sources[manifests->n_sources++] = name;
	errors->source = name;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		docs.at += 3;
	while (next_document(&docs, errors))
		read_document(manifests, name, &docs, errors);
	return errors->n > before ? -EINVAL : 0;
}

void kserv_manifest_check(const struct kserv_manifest *manifest, struct kserv_errors *errors)
{
	errors->source = manifest->source;
	kserv_schema_check(manifest->kind->kind, manifest->value, errors);
	manifest->kind->fill(manifest->tree, manifest->value);
	manifest->kind->check(manifest->value, errors);
}

void kserv_manifests_clear(struct kserv_manifests *manifests)
{
	size_t i;

	for (i = 0; i < manifests->n_trees; i++) {
		kserv_tree_clear(manifests->trees[i]);
		free(manifests->trees[i]);
	}
	for (i = 0; i < manifests->n_sources; i++)
		free(manifests->sources[i]);
	free(manifests->trees);
	free(manifests->sources);
	free(manifests->v);
	*manifests = (struct kserv_manifests){ .skip_unknown = manifests->skip_unknown };
}
