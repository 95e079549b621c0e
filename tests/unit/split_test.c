// SPDX-License-Identifier: GPL-2.0
/* Lists and watches cut into objects, whatever pieces the bytes come in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kube/split.h"

struct seen {
	struct kserv_text text;		/* objects, a line each */
	int answer;
};

static int note(void *context, const char *json, size_t len)
{
	struct seen *seen = context;

	kserv_text_add_bytes(&seen->text, json, len);
	kserv_text_add(&seen->text, "\n");
	return seen->answer;
}

/* Return: the objects, then "| REST" of a list, or "! WHY". The caller frees it. */
static char *split(bool is_list, const char *text, size_t piece)
{
	struct seen seen = { 0 };
	struct kserv_split splitter = { .is_list = is_list, .object = note, .context = &seen };
	size_t len = strlen(text), at, n;
	int error = 0;

	for (at = 0; at < len && !error; at += n) {
		n = len - at < piece ? len - at : piece;
		error = kserv_split_feed(&splitter, text + at, n);
	}
	if (!error)
		error = kserv_split_end(&splitter);
	if (error)
		kserv_text_printf(&seen.text, "! %s", splitter.why);
	else if (is_list)
		kserv_text_printf(&seen.text, "| %s", splitter.rest.s);
	kserv_split_clear(&splitter);
	return kserv_text_take(&seen.text);
}

static void expect(bool is_list, const char *text, const char *result)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 1000 };
	char *got;
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		got = split(is_list, text, pieces[i]);
		if (strcmp(got, result))
			fail_msg("in pieces of %zu, %s\ngives\n%s\nnot\n%s", pieces[i], text, got, result);
		free(got);
	}
}

static void a_list_gives_its_items_and_the_rest(void **state)
{
	(void)state;
	expect(true, "{\"kind\":\"ServiceList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"a\":1},{\"b\":[{}]}]}\n",
	       "{\"a\":1}\n{\"b\":[{}]}\n| {\"kind\":\"ServiceList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}");
	expect(true, " {\n \"items\" : [\n {\"a\": {} } ,\n {}\n ],\n \"metadata\": {} }", "{\"a\": {} }\n{}\n| {\n \"items\":[],\n \"metadata\": {} }");
	expect(true, "{\"items\":[]}", "| {\"items\":[]}");
	expect(true, "{\"items\":null,\"a\":1}", "| {\"items\":null,\"a\":1}");
}

static void strings_may_hold_anything(void **state)
{
	(void)state;
	expect(true, "{\"items\":[{\"a\":\"}]\\\"{\\\\\"},{\"items\":[{}]}]}", "{\"a\":\"}]\\\"{\\\\\"}\n{\"items\":[{}]}\n| {\"items\":[]}");
	expect(false, "{\"a\":\"\\\\\"}\n{\"b\":\"\n{\"}", "{\"a\":\"\\\\\"}\n{\"b\":\"\n{\"}\n");
}

static void only_the_lists_own_items_count(void **state)
{
	(void)state;
	expect(true, "{\"kind\":\"items\",\"metadata\":{\"items\":[{}]},\"items\":[{}]}", "{}\n| {\"kind\":\"items\",\"metadata\":{\"items\":[{}]},\"items\":[]}");
	expect(true, "{\"\\\"items\":[{}]}", "! it is no list");
}

static void what_is_no_list_is_refused(void **state)
{
	(void)state;
	expect(true, "{\"kind\":\"Status\"}", "! it is no list");
	expect(true, "[]", "! an object should begin where something else stands");
	expect(true, "<html>", "! an object should begin where something else stands");
	expect(true, "{\"items\":{}}", "! the items are no list");
	expect(true, "{\"items\":[1]}", "! an item is no object");
	expect(true, "{\"items\":[{}{}]}", "{}\n! a comma is missing between items");
	expect(true, "{\"items\":[],\"items\":[]}", "! the list has items twice");
	expect(true, "{\"items\":[]}{", "! something follows the list");
}

static void what_ends_too_early_is_refused(void **state)
{
	static const char text[] = "{\"metadata\":{},\"items\":[{\"a\":\"b\"},{}]}";
	char part[sizeof(text)];
	size_t len;
	char *got;

	(void)state;
	for (len = 0; len < sizeof(text) - 1; len++) {
		memcpy(part, text, len);
		part[len] = '\0';
		got = split(true, part, 5);
		assert_non_null(strstr(got, "! it ends before the list does"));
		free(got);
	}
	expect(false, "{\"a\":1}\n{\"a\":", "{\"a\":1}\n! it ends in the middle of an object");
}

static void events_come_one_by_one(void **state)
{
	(void)state;
	expect(false, "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n");
	expect(false, "", "");
	expect(false, "{}{}\r\n {}", "{}\n{}\n{}\n");
	expect(false, "{}x", "{}\n! an object should begin where something else stands");
}

static void an_object_that_never_ends_is_refused(void **state)
{
	struct seen seen = { 0 };
	struct kserv_split splitter = { .object = note, .context = &seen };
	char *bytes = kserv_must_alloc(1 << 20);
	int error = kserv_split_feed(&splitter, "{\"", 2), i;

	(void)state;
	memset(bytes, 'x', 1 << 20);
	for (i = 0; i < 16 && !error; i++)
		error = kserv_split_feed(&splitter, bytes, 1 << 20);
	assert_int_equal(error, -EMSGSIZE);
	assert_int_equal(i, 16);
	kserv_split_clear(&splitter);
	splitter = (struct kserv_split){ .is_list = true, .object = note, .context = &seen };
	error = kserv_split_feed(&splitter, "{\"", 2);
	for (i = 0; i < 3 && !error; i++)
		error = kserv_split_feed(&splitter, bytes, 1 << 20);
	assert_int_equal(error, -EMSGSIZE);
	assert_string_equal(splitter.why, "the list has more than 1 MiB beside its items");
	kserv_split_clear(&splitter);
	free(bytes);
}

static void whoever_gets_the_objects_can_end_it(void **state)
{
	struct seen seen = { .answer = -EBUSY };
	struct kserv_split splitter = { .object = note, .context = &seen };

	(void)state;
	assert_int_equal(kserv_split_feed(&splitter, "{}{}", 4), -EBUSY);
	assert_string_equal(seen.text.s, "{}\n");
	kserv_text_clear(&seen.text);
	kserv_split_clear(&splitter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_gives_its_items_and_the_rest),
		cmocka_unit_test(strings_may_hold_anything),
		cmocka_unit_test(only_the_lists_own_items_count),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(what_ends_too_early_is_refused),
		cmocka_unit_test(events_come_one_by_one),
		cmocka_unit_test(an_object_that_never_ends_is_refused),
		cmocka_unit_test(whoever_gets_the_objects_can_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
