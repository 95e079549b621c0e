// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/emit.h"
#include "cluster/memory.h"
#include "cluster/yaml.h"

/* A document and what it is in JSON, or the error that it is refused with. */
struct row {
	const char *yaml, *json;
};

/* The document as JSON, or its first error. The caller frees it. */
static char *answer(const char *yaml, size_t len)
{
	struct kserv_errors errors = { 0 };
	struct kserv_text text = { 0 };
	struct kserv_tree tree = { 0 };

	if (!kserv_yaml_read(&tree, yaml, len, 1, &errors)) {
		assert_int_equal(errors.n, 0);
		kserv_emit_json(&text, tree.root, 0);
	} else {
		char *line = kserv_error_format(&errors.v[0]);

		/* Without a file name a line begins with "line ". */
		kserv_text_add(&text, line + strlen("line "));
		free(line);
	}
	kserv_errors_clear(&errors);
	kserv_tree_clear(&tree);
	return kserv_text_take(&text);
}

static void check_rows(const struct row *rows, size_t n)
{
	size_t i;
	char *got;

	for (i = 0; i < n; i++) {
		got = answer(rows[i].yaml, strlen(rows[i].yaml));
		if (strcmp(got, rows[i].json))
			fail_msg("%s\n  is      %s\n  but was %s", rows[i].yaml, rows[i].json, got);
		free(got);
	}
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

static void plain_scalars_have_the_types_of_yaml_1_1(void **state)
{
	static const struct row rows[] = {
		{ "[y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]", "[true,true,true,true,true,true,true,true,true,true,true]" },
		{ "[n, N, no, No, NO, off, Off, OFF, false, False, FALSE]", "[false,false,false,false,false,false,false,false,false,false,false]" },
		{ "[~, null, Null, NULL, ]", "[null,null,null,null]" },
		{ "a:", "{\"a\":null}" },
		{ "[yEs, oN, tRUE, nULL]", "[\"yEs\",\"oN\",\"tRUE\",\"nULL\"]" },
		{ "[0, 1, -1, +1, 12345678901]", "[0,1,-1,1,12345678901]" },
		{ "[0644, 0o644, 0x1F, 0b101, 1_000]", "[420,420,31,5,1000]" },
		{ "[089, 80.0, 1e3, 1.5, -0.5, .5]", "[89,80,1000,1.5,-0.5,0.5]" },
		{ "[1:30, 2001-01-01, 1.2.3, 10.96.0.1, 0x, 1e, --1]",
		  "[\"1:30\",\"2001-01-01\",\"1.2.3\",\"10.96.0.1\",\"0x\",\"1e\",\"--1\"]" },
		{ "[9223372036854775807, -9223372036854775808]", "[9223372036854775807,-9223372036854775808]" },
		{ "[\"yes\", 'no', '80', \"~\"]", "[\"yes\",\"no\",\"80\",\"~\"]" },
		{ "[!!str 80, !!int \"80\", !!bool yes, !!null \"\"]", "[\"80\",80,true,null]" },
		{ "|\n  yes\n", "\"yes\\n\"" },
	};

	(void)state;
	CHECK(rows);
}

static void keys_become_strings(void **state)
{
	static const struct row rows[] = {
		{ "80: a", "{\"80\":\"a\"}" },
		{ "yes: a", "{\"true\":\"a\"}" },
		{ "\"yes\": a", "{\"yes\":\"a\"}" },
		{ "~: a", "1:1: a key that is not a string" },
		{ "[a]: b", "1:1: a list or map as a key" },
	};

	(void)state;
	CHECK(rows);
}

static void a_key_given_twice_is_refused_where_it_stands(void **state)
{
	static const struct row rows[] = {
		{ "a: 1\nb: 2\na: 3\n", "3:4: key \"a\" is given twice in the same map" },
		{ "x:\n  a: 1\n  \"a\": 2\n", "3:8: key \"a\" is given twice in the same map" },
		{ "x: {a: 1}\nz: {a: 1}\n", "{\"x\":{\"a\":1},\"z\":{\"a\":1}}" },
	};

	(void)state;
	CHECK(rows);
}

static void merge_keys_and_aliases_are_expanded(void **state)
{
	static const struct row rows[] = {
		{ "a: &x [1, 2]\nb: *x\n", "{\"a\":[1,2],\"b\":[1,2]}" },
		{ "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"p\":1}}" },
		{ "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n",
		  "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"q\":2},\"c\":{\"p\":1,\"q\":2}}" },
		{ "a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}" },
		{ "{\"<<\": 1}", "{\"<<\":1}" },
		{ "<<: 1", "1:5: << takes a map or a list of maps" },
		{ "a: *x", "1:4: alias *x has no anchor &x before it" },
		{ "a: &x [*x]", "1:8: alias *x stands inside its own anchor" },
	};

	(void)state;
	CHECK(rows);
}

static void a_small_document_does_not_unfold_without_end(void **state)
{
	struct kserv_text text = { 0 };
	char *got;
	int i;

	(void)state;
	kserv_text_add(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (i = 1; i < 9; i++)
		kserv_text_printf(&text, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
				  i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	got = answer(text.s, text.len);
	assert_non_null(strstr(got, "the aliases of this document unfold to more than 100000 values"));
	free(got);
	kserv_text_clear(&text);
}

static void what_is_nested_more_than_64_deep_is_refused(void **state)
{
	char text[200];
	char *got;

	(void)state;
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	text[128] = '\0';
	got = answer(text, 128);
	assert_string_equal(got, text);
	free(got);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	got = answer(text, 130);
	assert_string_equal(got, "1:65: nested more than 64 deep");
	free(got);
}

static void broken_documents_are_refused_with_their_place(void **state)
{
	static const struct row rows[] = {
		{ "", "null" },
		{ "# nothing\n", "null" },
		{ "a: [1\nb: 2\n", "2:2: did not find expected ',' or ']' while parsing a flow sequence" },
		{ "a: \"x\n", "2:1: found unexpected end of stream while scanning a quoted scalar" },
		{ "a: b: c\n", "1:5: mapping values are not allowed in this context" },
		{ "a\n...\nb\n", "3:1: did not find expected <document start>" },
		{ "a: \"\\0\"\n", "1:4: a NUL character in a string" },
		{ "a: !foo b\n", "1:4: tag !foo is not known" },
		{ "a: !!int b\n", "1:4: \"b\" is not of its type !!int" },
		{ "\xff", "1:1: not valid UTF-8 text: invalid leading UTF-8 octet" },
	};

	(void)state;
	CHECK(rows);
}

/* What is printed as YAML is read back as the same values. */
static void printed_yaml_is_read_back(void **state)
{
	static const char *const documents[] = {
		"[yes, no, \"yes\", '080', \"1:30\", 2001-01-01, \"0x1f\", \"~\", '', ' a', 'a ', 'a: b', 'a #b', '- a', '#']",
		"a: {b: [], c: {}, d: [[1, 2], [{e: f}], []]}",
		"a: |\n  two\n  lines\nb: \"x\\n\\ny\"\nc: \"\\ttab \\e \\x85 \\u2028 \\ufeff \\U0001f600\"",
		"{\"key: odd\": 1, '': 2, '123': 3, \"yes\": 4, \"a\\nb\": 5}",
		"[10.96.0.1, fd00::1, '::1', 10.0.0.0/8, 1.5, -3, null, true, .inf]",
		"plain",
		"- a: 1\n  b: |\n    x\n    z\n- - |\n    x\n    z\n",
	};
	struct kserv_errors errors = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		struct kserv_tree tree = { 0 }, again = { 0 };
		struct kserv_text text = { 0 };

		if (kserv_yaml_read(&tree, documents[i], strlen(documents[i]), 1, &errors))
			fail_msg("%s: %s", documents[i], errors.v[0].text);
		kserv_emit_yaml(&text, tree.root);
		if (kserv_yaml_read(&again, text.s, text.len, 1, &errors))
			fail_msg("%s\nwas printed as\n%s\nwhich is no YAML: %s", documents[i], text.s, errors.v[0].text);
		if (!strstr(documents[i], ".inf") && !kserv_value_equal(tree.root, again.root))
			fail_msg("%s\nwas printed as\n%s", documents[i], text.s);
		kserv_text_clear(&text);
		kserv_tree_clear(&tree);
		kserv_tree_clear(&again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_have_the_types_of_yaml_1_1),
		cmocka_unit_test(keys_become_strings),
		cmocka_unit_test(a_key_given_twice_is_refused_where_it_stands),
		cmocka_unit_test(merge_keys_and_aliases_are_expanded),
		cmocka_unit_test(a_small_document_does_not_unfold_without_end),
		cmocka_unit_test(what_is_nested_more_than_64_deep_is_refused),
		cmocka_unit_test(broken_documents_are_refused_with_their_place),
		cmocka_unit_test(printed_yaml_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
