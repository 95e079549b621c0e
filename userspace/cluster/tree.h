/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tree of values, read from YAML or JSON, with the place in the document where each one stands. Everything in it
 * belongs to its struct kserv_tree and is freed with it, never alone.
 */
#ifndef KSERV_TREE_H
#define KSERV_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lists and maps deeper than this are refused by the readers. */
#define KSERV_TREE_DEPTH	64

enum kserv_value_type {
	KSERV_VALUE_NULL, KSERV_VALUE_BOOL, KSERV_VALUE_INT, KSERV_VALUE_FLOAT, KSERV_VALUE_STRING,
	KSERV_VALUE_LIST, KSERV_VALUE_MAP,
};

/**
 * struct kserv_value - a scalar, a list or a map
 * @line: from 1; 0 for a value that no document holds, such as a default
 * @column: from 1, in characters
 * @key: in a map; NULL elsewhere
 * @text: scalars: as written, without quotes
 * @first: lists and maps: the members in order, linked by @next
 */
struct kserv_value {
	enum kserv_value_type type;
	uint32_t line, column;
	const char *key;
	struct kserv_value *parent, *next;
	const char *text;
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct {
			struct kserv_value *first, *last;
			size_t n;
		};
	};
};

struct kserv_tree {
	struct kserv_value *root;
	struct kserv_tree_chunk *chunks;
};

void kserv_tree_clear(struct kserv_tree *tree);
char *kserv_tree_strndup(struct kserv_tree *tree, const char *s, size_t len);
char *kserv_tree_strdup(struct kserv_tree *tree, const char *s);

struct kserv_value *kserv_value_new(struct kserv_tree *tree, enum kserv_value_type type);
struct kserv_value *kserv_value_new_string(struct kserv_tree *tree, const char *s);
struct kserv_value *kserv_value_new_int(struct kserv_tree *tree, int64_t i);
struct kserv_value *kserv_value_new_bool(struct kserv_tree *tree, bool b);
/* A copy with all below it, positions included; not in any list or map yet. */
struct kserv_value *kserv_value_copy(struct kserv_tree *tree, const struct kserv_value *value);

/* Forget where it stood, with all below it: for what is copied from another document. */
void kserv_value_unplace(struct kserv_value *value);

void kserv_value_append(struct kserv_value *list, struct kserv_value *value);
/* Put @value under @key, in the place of what was there before. @key must live as long as the tree. */
void kserv_value_set(struct kserv_value *map, const char *key, struct kserv_value *value);
void kserv_value_remove(struct kserv_value *map, const char *key);
/* The map under @key, made if it is not there. */
struct kserv_value *kserv_value_need_map(struct kserv_tree *tree, struct kserv_value *map, const char *key);

/**
 * kserv_value_find() - a member of a map
 * @map: may be NULL or no map at all: it has no members
 *
 * Return: the member, or NULL if there is none or it is null: Kubernetes makes no difference between the two.
 */
struct kserv_value *kserv_value_find(const struct kserv_value *map, const char *key);
/* The same down a path of keys, as "spec.type". */
struct kserv_value *kserv_value_get(const struct kserv_value *map, const char *path);
/* Members of a list; NULL for anything else. Written for (v = kserv_value_first(list); v; v = v->next). */
struct kserv_value *kserv_value_first(const struct kserv_value *list);

/* What is under a path, or the given answer if it is absent or of another type. */
const char *kserv_value_string(const struct kserv_value *map, const char *path);	/* "" */
int64_t kserv_value_int(const struct kserv_value *map, const char *path, int64_t otherwise);
bool kserv_value_bool(const struct kserv_value *map, const char *path, bool otherwise);

bool kserv_value_is(const struct kserv_value *value, enum kserv_value_type type);
/* The same content; order within maps and positions do not count. */
bool kserv_value_equal(const struct kserv_value *a, const struct kserv_value *b);
/* Sort all maps by key. */
void kserv_value_sort(struct kserv_value *value);
/* The first member whose key another member has too, or NULL. */
const struct kserv_value *kserv_value_duplicate_key(const struct kserv_value *map);
/* "spec.ports[0].port"; the caller frees it. "" for the root. */
char *kserv_value_path(const struct kserv_value *value);

#endif
