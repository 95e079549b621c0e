// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "cluster/tree.h"

#define CHUNK_SIZE	8192

struct kserv_tree_chunk {
	struct kserv_tree_chunk *next;
	size_t used, size;
	char data[] __attribute__((aligned(16)));
};

static void *tree_alloc(struct kserv_tree *tree, size_t size)
{
	struct kserv_tree_chunk *chunk = tree->chunks;
	size_t room;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!chunk || chunk->size - chunk->used < size) {
		room = size > CHUNK_SIZE / 4 ? size : CHUNK_SIZE;
		chunk = kserv_must_alloc(sizeof(*chunk) + room);
		chunk->size = room;
		/* A large one goes behind the chunk in use, whose rest would be lost otherwise. */
		if (room == size && tree->chunks) {
			chunk->next = tree->chunks->next;
			tree->chunks->next = chunk;
		} else {
			chunk->next = tree->chunks;
			tree->chunks = chunk;
		}
	}
	p = chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

void kserv_tree_clear(struct kserv_tree *tree)
{
	struct kserv_tree_chunk *chunk, *next;

	for (chunk = tree->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*tree = (struct kserv_tree){ 0 };
}

char *kserv_tree_strndup(struct kserv_tree *tree, const char *s, size_t len)
{
	char *copy = tree_alloc(tree, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *kserv_tree_strdup(struct kserv_tree *tree, const char *s)
{
	return kserv_tree_strndup(tree, s, strlen(s));
}

struct kserv_value *kserv_value_new(struct kserv_tree *tree, enum kserv_value_type type)
{
	struct kserv_value *value = tree_alloc(tree, sizeof(*value));

	*value = (struct kserv_value){ .type = type, .text = "" };
	return value;
}

struct kserv_value *kserv_value_new_string(struct kserv_tree *tree, const char *s)
{
	struct kserv_value *value = kserv_value_new(tree, KSERV_VALUE_STRING);

	value->text = kserv_tree_strdup(tree, s);
	return value;
}

struct kserv_value *kserv_value_new_int(struct kserv_tree *tree, int64_t i)
{
	struct kserv_value *value = kserv_value_new(tree, KSERV_VALUE_INT);
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)i);
	value->integer = i;
	value->text = kserv_tree_strdup(tree, text);
	return value;
}

struct kserv_value *kserv_value_new_bool(struct kserv_tree *tree, bool b)
{
	struct kserv_value *value = kserv_value_new(tree, KSERV_VALUE_BOOL);

	value->boolean = b;
	value->text = b ? "true" : "false";
	return value;
}

static bool has_members(const struct kserv_value *value)
{
	return value && (value->type == KSERV_VALUE_LIST || value->type == KSERV_VALUE_MAP);
}

struct kserv_value *kserv_value_copy(struct kserv_tree *tree, const struct kserv_value *value)
{
	struct kserv_value *copy = kserv_value_new(tree, value->type), *member, *made;

	copy->line = value->line;
	copy->column = value->column;
	if (!has_members(value)) {
		copy->text = kserv_tree_strdup(tree, value->text);
		copy->number = value->number;
		if (value->type == KSERV_VALUE_INT)
			copy->integer = value->integer;
		else if (value->type == KSERV_VALUE_BOOL)
			copy->boolean = value->boolean;
		return copy;
	}
	for (member = value->first; member; member = member->next) {
		made = kserv_value_copy(tree, member);
		kserv_value_append(copy, made);
		made->key = member->key ? kserv_tree_strdup(tree, member->key) : NULL;
	}
	return copy;
}

void kserv_value_unplace(struct kserv_value *value)
{
	struct kserv_value *member;

	value->line = value->column = 0;
	if (has_members(value))
		for (member = value->first; member; member = member->next)
			kserv_value_unplace(member);
}

void kserv_value_append(struct kserv_value *list, struct kserv_value *value)
{
	value->parent = list;
	value->next = NULL;
	value->key = NULL;
	if (list->last)
		list->last->next = value;
	else
		list->first = value;
	list->last = value;
	list->n++;
}

static struct kserv_value *find_member(const struct kserv_value *map, const char *key)
{
	struct kserv_value *member;

	if (!map || map->type != KSERV_VALUE_MAP)
		return NULL;
	for (member = map->first; member; member = member->next)
		if (!strcmp(member->key, key))
			return member;
	return NULL;
}

void kserv_value_remove(struct kserv_value *map, const char *key)
{
	struct kserv_value **link, *prev = NULL, *member;

	if (!map || map->type != KSERV_VALUE_MAP)
		return;
	for (link = &map->first; (member = *link); link = &member->next) {
		if (strcmp(member->key, key)) {
			prev = member;
			continue;
		}
		*link = member->next;
		if (map->last == member)
			map->last = prev;
		map->n--;
		return;
	}
}

void kserv_value_set(struct kserv_value *map, const char *key, struct kserv_value *value)
{
	struct kserv_value *old = find_member(map, key);

	if (old && !value->line) {
		value->line = old->line;
		value->column = old->column;
	}
	if (old)
		kserv_value_remove(map, key);
	kserv_value_append(map, value);
	value->key = key;
}

struct kserv_value *kserv_value_need_map(struct kserv_tree *tree, struct kserv_value *map, const char *key)
{
	struct kserv_value *member = kserv_value_find(map, key);

	if (kserv_value_is(member, KSERV_VALUE_MAP))
		return member;
	member = kserv_value_new(tree, KSERV_VALUE_MAP);
	kserv_value_set(map, key, member);
	return member;
}

struct kserv_value *kserv_value_find(const struct kserv_value *map, const char *key)
{
	struct kserv_value *member = find_member(map, key);

	return member && member->type != KSERV_VALUE_NULL ? member : NULL;
}

struct kserv_value *kserv_value_get(const struct kserv_value *map, const char *path)
{
	struct kserv_value *value = NULL;
	const char *dot;
	char key[64];

	for (;; path = dot + 1, map = value) {
		dot = strchrnul(path, '.');
		if ((size_t)(dot - path) >= sizeof(key))
			return NULL;
		memcpy(key, path, dot - path);
		key[dot - path] = '\0';
		value = kserv_value_find(map, key);
		if (!value || !*dot)
			return value;
	}
}

struct kserv_value *kserv_value_first(const struct kserv_value *list)
{
	return kserv_value_is(list, KSERV_VALUE_LIST) ? list->first : NULL;
}

bool kserv_value_is(const struct kserv_value *value, enum kserv_value_type type)
{
	return value && value->type == type;
}

const char *kserv_value_string(const struct kserv_value *map, const char *path)
{
	const struct kserv_value *value = kserv_value_get(map, path);

	return kserv_value_is(value, KSERV_VALUE_STRING) ? value->text : "";
}

int64_t kserv_value_int(const struct kserv_value *map, const char *path, int64_t otherwise)
{
	const struct kserv_value *value = kserv_value_get(map, path);

	return kserv_value_is(value, KSERV_VALUE_INT) ? value->integer : otherwise;
}

bool kserv_value_bool(const struct kserv_value *map, const char *path, bool otherwise)
{
	const struct kserv_value *value = kserv_value_get(map, path);

	return kserv_value_is(value, KSERV_VALUE_BOOL) ? value->boolean : otherwise;
}

static bool lists_equal(const struct kserv_value *a, const struct kserv_value *b)
{
	const struct kserv_value *x, *y;

	for (x = a->first, y = b->first; x; x = x->next, y = y->next)
		if (!kserv_value_equal(x, y))
			return false;
	return true;
}

bool kserv_value_equal(const struct kserv_value *a, const struct kserv_value *b)
{
	const struct kserv_value *member;

	if (a->type != b->type)
		return false;
	if (a->type == KSERV_VALUE_INT)
		return a->integer == b->integer;
	if (a->type == KSERV_VALUE_BOOL)
		return a->boolean == b->boolean;
	if (a->type == KSERV_VALUE_NULL)
		return true;
	if (!has_members(a))
		return !strcmp(a->text, b->text);
	if (a->n != b->n)
		return false;
	if (a->type == KSERV_VALUE_LIST)
		return lists_equal(a, b);
	for (member = a->first; member; member = member->next) {
		const struct kserv_value *other = find_member(b, member->key);

		if (!other || !kserv_value_equal(member, other))
			return false;
	}
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const struct kserv_value *x = *(struct kserv_value *const *)a, *y = *(struct kserv_value *const *)b;

	return strcmp(x->key, y->key);
}

/* The members of a map in the order of their keys; the caller frees the array. */
static struct kserv_value **sorted_members(const struct kserv_value *map)
{
	struct kserv_value **v = kserv_must_alloc(map->n * sizeof(*v)), *member;
	size_t n = 0;

	for (member = map->first; member; member = member->next)
		v[n++] = member;
	qsort(v, n, sizeof(*v), compare_keys);
	return v;
}

void kserv_value_sort(struct kserv_value *value)
{
	struct kserv_value *member, **v;
	size_t i;

	if (!has_members(value) || !value->n)
		return;
	for (member = value->first; member; member = member->next)
		kserv_value_sort(member);
	if (value->type == KSERV_VALUE_LIST)
		return;
	v = sorted_members(value);
	for (i = 0; i < value->n; i++)
		v[i]->next = i + 1 < value->n ? v[i + 1] : NULL;
	value->first = v[0];
	value->last = v[value->n - 1];
	free(v);
}

const struct kserv_value *kserv_value_duplicate_key(const struct kserv_value *map)
{
	const struct kserv_value *found = NULL;
	struct kserv_value **v;
	size_t i;

	if (map->n < 2)
		return NULL;
	v = sorted_members(map);
	for (i = 1; i < map->n && !found; i++)
		if (!strcmp(v[i - 1]->key, v[i]->key))
			found = v[i]->line > v[i - 1]->line ||
				(v[i]->line == v[i - 1]->line && v[i]->column > v[i - 1]->column) ? v[i] : v[i - 1];
	free(v);
	return found;
}

static size_t index_of(const struct kserv_value *value)
{
	const struct kserv_value *member;
	size_t i = 0;

	for (member = value->parent->first; member && member != value; member = member->next)
		i++;
	return i;
}

/* A key that is itself dotted, as those of labels are, stands in brackets. */
static void add_path(struct kserv_text *text, const struct kserv_value *value)
{
	if (!value->parent)
		return;
	add_path(text, value->parent);
	if (!value->key)
		kserv_text_printf(text, "[%zu]", index_of(value));
	else if (strpbrk(value->key, "./[] "))
		kserv_text_printf(text, "[%s]", value->key);
	else
		kserv_text_printf(text, "%s%s", text->len ? "." : "", value->key);
}

char *kserv_value_path(const struct kserv_value *value)
{
	struct kserv_text text = { 0 };

	add_path(&text, value);
	return kserv_text_take(&text);
}
