// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/format.h"
#include "cluster/memory.h"
#include "cluster/schema.h"

/* A type as written in a row, up to the blank. */
struct type {
	const char *s;
	size_t len;
};

static void check_type(struct type type, const struct kserv_value *value, struct kserv_errors *errors);

const struct kserv_schema *kserv_schema_lookup(const char *name)
{
	static const struct kserv_schema *const tables[] = {
		kserv_schema_objects, kserv_schema_pod_spec, kserv_schema_config,
	};
	const struct kserv_schema *row;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (row = tables[i]; row->name; row++)
			if (!strcmp(row->name, name))
				return row;
	return NULL;
}

static const struct kserv_schema *lookup_type(struct type type)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)type.len, type.s);
	return kserv_schema_lookup(name);
}

static bool type_is(struct type type, const char *name)
{
	return strlen(name) == type.len && !memcmp(type.s, name, type.len);
}

/* Calls @visit for each field of a row, those taken in included, until it returns true. */
static bool each_field(const struct kserv_schema *schema,
		       bool (*visit)(void *context, struct type name, struct type type),
		       void *context)
{
	const char *s = schema->fields, *end, *colon;

	for (; *s; s = *end ? end + 1 : end) {
		end = strchrnul(s, ' ');
		if (*s == '@') {
			if (each_field(lookup_type((struct type){ s + 1, end - s - 1 }), visit, context))
				return true;
			continue;
		}
		colon = memchr(s, ':', end - s);
		if (visit(context, (struct type){ s, colon - s }, (struct type){ colon + 1, end - colon - 1 }))
			return true;
	}
	return false;
}

struct search {
	const char *key;
	struct type found, nearest;
	size_t distance;
};

static bool is_field(void *context, struct type name, struct type type)
{
	struct search *search = context;

	if (!type_is(name, search->key))
		return false;
	search->found = type;
	return true;
}

/* Edits that lead from one word to another, case apart; words of more than 40 letters are far from everything. */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t row[41], above, left, i, j;

	if (n > 40 || m > 40)
		return 100;
	for (j = 0; j <= m; j++)
		row[j] = j;
	for (i = 1; i <= n; i++) {
		above = row[0];
		row[0] = i;
		for (j = 1; j <= m; j++) {
			left = above + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
			above = row[j];
			left = left < row[j] + 1 ? left : row[j] + 1;
			row[j] = left < row[j - 1] + 1 ? left : row[j - 1] + 1;
		}
	}
	return row[m];
}

static bool note_nearest(void *context, struct type name, struct type type)
{
	struct search *search = context;
	size_t distance = edit_distance(search->key, strlen(search->key), name.s, name.len);

	(void)type;
	if (distance < search->distance) {
		search->distance = distance;
		search->nearest = name;
	}
	return false;
}

static void refuse_unknown(const struct kserv_schema *schema, const struct kserv_value *member,
			   struct kserv_errors *errors)
{
	struct search search = { .key = member->key, .distance = 3 };

	each_field(schema, note_nearest, &search);
	if (search.nearest.s && search.distance < strlen(member->key))
		kserv_error_at(errors, member, "unknown field (did you mean %.*s?)", (int)search.nearest.len,
			       search.nearest.s);
	else
		kserv_error_at(errors, member, "unknown field");
}

static void refuse_type(const char *expected, const struct kserv_value *value, struct kserv_errors *errors)
{
	char *got = kserv_format_value(value);
	bool quote = !strcmp(expected, "string") &&
		(value->type == KSERV_VALUE_BOOL || value->type == KSERV_VALUE_INT || value->type == KSERV_VALUE_FLOAT);

	kserv_error_at(errors, value, "expected %s, got %s%s", expected, got, quote ? "; write it in quotes" : "");
	free(got);
}

static void check_object(const struct kserv_schema *schema, const struct kserv_value *value,
			 struct kserv_errors *errors)
{
	const struct kserv_value *member;

	if (value->type != KSERV_VALUE_MAP) {
		refuse_type("a map of fields", value, errors);
		return;
	}
	for (member = value->first; member; member = member->next) {
		struct search search = { .key = member->key };

		if (each_field(schema, is_field, &search))
			check_type(search.found, member, errors);
		else
			refuse_unknown(schema, member, errors);
	}
}

static bool is_scalar_of(struct type type, const struct kserv_value *value, const char **ret_expected)
{
	bool string = value->type == KSERV_VALUE_STRING, integer = value->type == KSERV_VALUE_INT;

	if (type_is(type, "string")) {
		*ret_expected = "string";
		return string;
	}
	if (type_is(type, "bool")) {
		*ret_expected = "true or false";
		return value->type == KSERV_VALUE_BOOL;
	}
	if (type_is(type, "int32") || type_is(type, "int64")) {
		*ret_expected = "integer";
		if (!integer || type_is(type, "int64"))
			return integer;
		*ret_expected = "integer from -2147483648 to 2147483647";
		return value->integer >= INT32_MIN && value->integer <= INT32_MAX;
	}
	if (type_is(type, "number")) {
		*ret_expected = "number";
		return integer || value->type == KSERV_VALUE_FLOAT;
	}
	if (type_is(type, "intstr")) {
		*ret_expected = "integer or string";
		return string || integer;
	}
	if (type_is(type, "quantity")) {
		*ret_expected = "quantity such as 500m or 1Gi";
		return (string || integer || value->type == KSERV_VALUE_FLOAT) && kserv_is_quantity(value->text);
	}
	*ret_expected = "time such as 2026-01-31T12:00:00Z";
	return string && kserv_is_time(value->text);
}

static void check_type(struct type type, const struct kserv_value *value, struct kserv_errors *errors)
{
	struct type below = { type.s + 2, type.len - 2 };
	const struct kserv_schema *schema;
	const struct kserv_value *member;
	const char *expected;
	bool list;

	if (value->type == KSERV_VALUE_NULL || type_is(type, "any"))
		return;
	if (*type.s == '[' || *type.s == '{') {
		list = *type.s == '[';
		if (value->type != (list ? KSERV_VALUE_LIST : KSERV_VALUE_MAP)) {
			refuse_type(list ? "a list" : "a map", value, errors);
			return;
		}
		for (member = value->first; member; member = member->next)
			check_type(below, member, errors);
		return;
	}
	schema = isupper((unsigned char)*type.s) ? lookup_type(type) : NULL;
	if (schema)
		check_object(schema, value, errors);
	else if (!is_scalar_of(type, value, &expected))
		refuse_type(expected, value, errors);
}

void kserv_schema_check(const char *name, const struct kserv_value *value, struct kserv_errors *errors)
{
	check_object(kserv_schema_lookup(name), value, errors);
}
