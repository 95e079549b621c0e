/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cuts what the API server sends into objects while the bytes come in: the items of a list or the events of a watch.
 * No more than one object is kept at a time, however long the list is. What is inside an object is not looked at: that
 * is for the reader that gets it.
 */
#ifndef KSERV_SPLIT_H
#define KSERV_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include "cluster/memory.h"

/* Larger objects are refused. The server takes requests up to 3 MiB, and its storage up to 1.5 MiB. */
#define KSERV_SPLIT_OBJECT_MAX	(16u << 20)
/* All of a list but its items. */
#define KSERV_SPLIT_REST_MAX	(1u << 20)

enum kserv_split_state {
	KSERV_SPLIT_BETWEEN,		/* before an object of a watch, or before the list */
	KSERV_SPLIT_REST,		/* in the list, outside of its items */
	KSERV_SPLIT_KEY_END,		/* behind "items", which is a key if a colon follows */
	KSERV_SPLIT_ITEMS_BEGIN,	/* behind that colon */
	KSERV_SPLIT_ITEM,		/* before an item */
	KSERV_SPLIT_ITEM_END,		/* behind one */
	KSERV_SPLIT_OBJECT,
	KSERV_SPLIT_DONE,
};

/**
 * struct kserv_split - zeroed to begin with, but for the first three
 * @is_list: one list; otherwise objects with blanks between them
 * @object: gets each object, which is valid during the call; anything but 0 ends the splitting with that
 * @rest: of a list: all but its items, which are left away: a small JSON text once the list is whole
 * @why: the end of a sentence once feeding or ending has failed with -EINVAL or -EMSGSIZE
 */
struct kserv_split {
	bool is_list;
	int (*object)(void *context, const char *json, size_t len);
	void *context;

	struct kserv_text rest;
	const char *why;

	enum kserv_split_state state;
	struct kserv_text text;		/* of an object that began in earlier bytes */
	unsigned int depth;
	bool in_string, escaped, has_items;
};

/* Return: 0, -EINVAL, -EMSGSIZE, or what @object returned. */
int kserv_split_feed(struct kserv_split *split, const char *bytes, size_t len);
/* No more bytes come. Return: 0, or -EINVAL if something is missing. */
int kserv_split_end(struct kserv_split *split);
void kserv_split_clear(struct kserv_split *split);

#endif
