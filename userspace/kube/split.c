// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include "kube/split.h"

/* A buffer that one huge object left behind is not kept for the others. */
#define TEXT_KEPT	(256u << 10)

static int refuse(struct kserv_split *split, const char *why)
{
	split->why = why;
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* One byte of a value. True if the value ends with it. */
static inline bool step(struct kserv_split *split, char c)
{
	if (split->in_string) {
		if (split->escaped)
			split->escaped = false;
		else if (c == '\\')
			split->escaped = true;
		else if (c == '"')
			split->in_string = false;
		return false;
	}
	switch (c) {
	case '"':
		split->in_string = true;
		return false;
	case '{':
	case '[':
		split->depth++;
		return false;
	case '}':
	case ']':
		return --split->depth == 0;
	}
	return false;
}

static int tell(struct kserv_split *split, const char *from, const char *to)
{
	int error;

	if (!split->text.len)
		return split->object(split->context, from, to - from);
	kserv_text_add_bytes(&split->text, from, to - from);
	error = split->object(split->context, split->text.s, split->text.len);
	split->text.len = 0;
	if (split->text.room > TEXT_KEPT)
		kserv_text_clear(&split->text);
	return error;
}

/* Inside an object; *@at is behind what was used. */
static int feed_object(struct kserv_split *split, const char **at, const char *end)
{
	const char *from = *at;

	while (*at < end) {
		if (!step(split, *(*at)++))
			continue;
		if (split->text.len + (*at - from) > KSERV_SPLIT_OBJECT_MAX)
			break;
		split->state = split->is_list ? KSERV_SPLIT_ITEM_END : KSERV_SPLIT_BETWEEN;
		/* The list around the items is one level. */
		split->depth = split->is_list ? 2 : 0;
		return tell(split, from, *at);
	}
	if (split->text.len + (*at - from) > KSERV_SPLIT_OBJECT_MAX) {
		split->why = "an object is larger than 16 MiB";
		return -EMSGSIZE;
	}
	kserv_text_add_bytes(&split->text, from, *at - from);
	return 0;
}

static void begin_object(struct kserv_split *split)
{
	split->state = KSERV_SPLIT_OBJECT;
	split->depth = 0;
}

/* True if the string that just ended is the key or value "items" of the list itself. */
static bool is_items(const struct kserv_split *split)
{
	static const char word[] = "\"items\"";
	size_t len = sizeof(word) - 1;
	const char *begin;

	if (split->depth != 1 || split->rest.len <= len)
		return false;
	begin = split->rest.s + split->rest.len - len;
	return !memcmp(begin, word, len) && begin[-1] != '\\';
}

static int feed_rest(struct kserv_split *split, const char **at, const char *end)
{
	bool was_string;

	while (*at < end) {
		char c = *(*at)++;

		if (split->rest.len >= KSERV_SPLIT_REST_MAX) {
			split->why = "the list has more than 1 MiB beside its items";
			return -EMSGSIZE;
		}
		was_string = split->in_string;
		kserv_text_add_bytes(&split->rest, &c, 1);
		if (step(split, c)) {
			split->state = KSERV_SPLIT_DONE;
			return 0;
		}
		if (was_string && !split->in_string && is_items(split)) {
			split->state = KSERV_SPLIT_KEY_END;
			return 0;
		}
	}
	return 0;
}

/* A single byte of what stands between objects; bytes that stay for the next state are put back by *@at. */
static int feed_between(struct kserv_split *split, const char **at)
{
	char c = **at;

	if (is_blank(c)) {
		(*at)++;
		return 0;
	}
	switch (split->state) {
	case KSERV_SPLIT_BETWEEN:
		if (c != '{')
			return refuse(split, "an object should begin where something else stands");
		if (split->is_list)
			split->state = KSERV_SPLIT_REST;
		else
			begin_object(split);
		return 0;
	case KSERV_SPLIT_KEY_END:
		split->state = KSERV_SPLIT_REST;
		if (c != ':')
			return 0;
		if (split->has_items)
			return refuse(split, "the list has items twice");
		split->has_items = true;
		split->state = KSERV_SPLIT_ITEMS_BEGIN;
		break;
	case KSERV_SPLIT_ITEMS_BEGIN:
		/* A list without items may have null. */
		if (c != '[' && c != 'n')
			return refuse(split, "the items are no list");
		split->state = KSERV_SPLIT_REST;
		if (c == 'n')
			return 0;
		split->state = KSERV_SPLIT_ITEM;
		split->depth++;
		break;
	case KSERV_SPLIT_ITEM:
	case KSERV_SPLIT_ITEM_END:
		if (c == ']') {
			split->state = KSERV_SPLIT_REST;
			return 0;
		}
		if (split->state == KSERV_SPLIT_ITEM_END) {
			if (c != ',')
				return refuse(split, "a comma is missing between items");
			(*at)++;
			split->state = KSERV_SPLIT_ITEM;
			return 0;
		}
		if (c != '{')
			return refuse(split, "an item is no object");
		begin_object(split);
		return 0;
	default:
		return refuse(split, "something follows the list");
	}
	kserv_text_add_bytes(&split->rest, &c, 1);
	(*at)++;
	return 0;
}

int kserv_split_feed(struct kserv_split *split, const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;
	int error = 0;

	while (at < end && !error) {
		if (split->state == KSERV_SPLIT_OBJECT)
			error = feed_object(split, &at, end);
		else if (split->state == KSERV_SPLIT_REST)
			error = feed_rest(split, &at, end);
		else
			error = feed_between(split, &at);
	}
	return error;
}

int kserv_split_end(struct kserv_split *split)
{
	if (!split->is_list)
		return split->state == KSERV_SPLIT_BETWEEN ? 0 : refuse(split, "it ends in the middle of an object");
	if (split->state != KSERV_SPLIT_DONE)
		return refuse(split, "it ends before the list does");
	return split->has_items ? 0 : refuse(split, "it is no list");
}

void kserv_split_clear(struct kserv_split *split)
{
	kserv_text_clear(&split->rest);
	kserv_text_clear(&split->text);
}
