// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/emit.h"
#include "cluster/json.h"
#include "cluster/manifest.h"
#include "cluster/yaml.h"

/* A text and what it is again as JSON, or the error that it is refused with. */
struct row {
	const char *text, *answer;
};

static void read_yaml(struct kserv_tree *tree, const char *text)
{
	struct kserv_errors errors = { 0 };

	assert_int_equal(kserv_yaml_read(tree, text, strlen(text), 1, &errors), 0);
}

static void json_is_read_strictly(void **state)
{
	static const struct row rows[] = {
		{ "{\"a\": [1, -2.5, true, false, null, \"x\"], \"b\": {}}", "{\"a\":[1,-2.5,true,false,null,\"x\"],\"b\":{}}" },
		{ "\"\\u00e9\\ud83d\\ude00\\n\\/\"", "\"\xc3\xa9\xf0\x9f\x98\x80\\n/\"" },
		{ "\"\\ud83dx\"", "\"\xef\xbf\xbdx\"" },
		{ " [ ] ", "[]" },
		{ "12345678901234567890", "12345678901234567890" },
		{ "1e2", "1e2" },
		{ "{\"a\": 1,}", "1:9: expected a string in double quotes" },
		{ "[1,]", "1:4: expected a value" },
		{ "{a: 1}", "1:2: expected a string in double quotes" },
		{ "{\"a\" 1}", "1:6: expected \":\"" },
		{ "[1 2]", "1:4: expected \",\" or \"]\"" },
		{ "[1] x", "1:5: something follows the JSON value" },
		{ "[1", "1:3: the JSON text ends too early" },
		{ "\"abc", "1:5: the JSON text ends too early" },
		{ "{\"a\": 1,\n \"a\": 2}", "2:7: key \"a\" is given twice in the same map" },
		{ "01", "1:2: something follows the JSON value" },
		{ "1.", "1:3: the JSON text ends too early" },
		{ "+1", "1:1: expected a value" },
		{ "tru", "1:1: expected a value" },
		{ "\"\t\"", "1:2: a control character in a string: write it as an escape" },
		{ "\"\\x\"", "1:3: an escape that JSON does not have" },
		{ "\"\\u12g4\"", "1:6: \\u needs four hexadecimal digits" },
		{ "\"\\u0000\"", "1:8: a NUL character in a string" },
		{ "\"\xc0\x80\"", "1:2: not valid UTF-8" },
		{ "\"\xed\xa0\x80\"", "1:2: not valid UTF-8" },
		{ "", "1:1: the JSON text ends too early" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kserv_errors errors = { 0 };
		struct kserv_text text = { 0 };
		struct kserv_tree tree = { 0 };
		char *got;

		if (kserv_json_read(&tree, rows[i].text, strlen(rows[i].text), 1, NULL, &errors)) {
			got = kserv_error_format(&errors.v[0]);
			/* Without a file name a line begins with "line ". */
			memmove(got, got + 5, strlen(got + 5) + 1);
		} else {
			kserv_emit_json(&text, tree.root, 0);
			got = kserv_text_take(&text);
		}
		if (strcmp(got, rows[i].answer))
			fail_msg("%s\n  is      %s\n  but was %s", rows[i].text, rows[i].answer, got);
		free(got);
		kserv_errors_clear(&errors);
		kserv_tree_clear(&tree);
	}
}

static void values_know_their_path_and_place(void **state)
{
	static const char text[] =
		"spec:\n"
		"  ports:\n"
		"  - port: 80\n"
		"  - name: x\n"
		"    port: \"http\"\n"
		"metadata:\n"
		"  labels: {app.kubernetes.io/name: web}\n";
	const struct kserv_value *value;
	struct kserv_tree tree = { 0 };
	char *path;

	(void)state;
	read_yaml(&tree, text);
	value = kserv_value_find(kserv_value_first(kserv_value_get(tree.root, "spec.ports"))->next, "port");
	path = kserv_value_path(value);
	assert_string_equal(path, "spec.ports[1].port");
	assert_int_equal(value->line, 5);
	assert_int_equal(value->column, 11);
	free(path);
	value = kserv_value_find(kserv_value_get(tree.root, "metadata.labels"), "app.kubernetes.io/name");
	path = kserv_value_path(value);
	assert_string_equal(path, "metadata.labels[app.kubernetes.io/name]");
	free(path);
	kserv_tree_clear(&tree);
}

static void null_counts_as_absent(void **state)
{
	struct kserv_tree tree = { 0 };

	(void)state;
	read_yaml(&tree, "{a: null, b: {c: ~, d: x}, e: 5}");
	assert_null(kserv_value_find(tree.root, "a"));
	assert_null(kserv_value_get(tree.root, "b.c"));
	assert_null(kserv_value_get(tree.root, "a.x"));
	assert_null(kserv_value_get(tree.root, "e.x"));
	assert_string_equal(kserv_value_string(tree.root, "b.d"), "x");
	assert_string_equal(kserv_value_string(tree.root, "e"), "");
	assert_int_equal(kserv_value_int(tree.root, "e", 7), 5);
	assert_int_equal(kserv_value_int(tree.root, "b.d", 7), 7);
	kserv_tree_clear(&tree);
}

static void maps_can_be_changed(void **state)
{
	struct kserv_tree tree = { 0 };
	struct kserv_text text = { 0 };

	(void)state;
	read_yaml(&tree, "{c: 1, a: 2, b: {z: 1, x: 2}}");
	kserv_value_set(tree.root, "a", kserv_value_new_string(&tree, "new"));
	kserv_value_set(tree.root, "d", kserv_value_new_bool(&tree, true));
	kserv_value_remove(tree.root, "c");
	kserv_value_remove(tree.root, "nothing");
	kserv_value_set(kserv_value_need_map(&tree, tree.root, "e"), "f", kserv_value_new_int(&tree, -3));
	kserv_value_sort(tree.root);
	kserv_emit_json(&text, tree.root, 0);
	assert_string_equal(text.s, "{\"a\":\"new\",\"b\":{\"x\":2,\"z\":1},\"d\":true,\"e\":{\"f\":-3}}");
	kserv_text_clear(&text);
	kserv_tree_clear(&tree);
}

static void order_and_place_do_not_make_values_different(void **state)
{
	struct kserv_tree a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	read_yaml(&a, "{x: 1, y: [a, {b: c}]}");
	read_yaml(&b, "\n\ny:\n- a\n- {b: c}\nx: 1\n");
	read_yaml(&c, "{x: 1, y: [{b: c}, a]}");
	assert_true(kserv_value_equal(a.root, b.root));
	assert_false(kserv_value_equal(a.root, c.root));
	kserv_tree_clear(&a);
	kserv_tree_clear(&b);
	kserv_tree_clear(&c);
}

static void files_are_cut_into_documents(void **state)
{
	static const struct {
		const char *text;
		size_t objects;
		const char *error;
	} rows[] = {
		{ "", 0, NULL },
		{ "# only a comment\n---\n\n---\n", 0, NULL },
		{ "apiVersion: v1\nkind: Namespace\n---\napiVersion: v1\nkind: Namespace\n", 2, NULL },
		{ "--- # first\napiVersion: v1\nkind: Namespace\n---   \n---\napiVersion: v1\nkind: Pod\n", 2, NULL },
		{ "\xef\xbb\xbf" "apiVersion: v1\nkind: Namespace\n", 1, NULL },
		{ "%YAML 1.1\n---\napiVersion: v1\nkind: Namespace\n", 1, NULL },
		{ "apiVersion: v1\r\nkind: Namespace\r\n---\r\napiVersion: v1\r\nkind: Pod\r\n", 2, NULL },
		{ "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}", 1, NULL },
		{ "{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}\n{\"apiVersion\": \"v1\", \"kind\": \"Node\"}", 2, NULL },
		{ "{apiVersion: v1, kind: Pod}", 1, NULL },
		{ "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod}\n- {apiVersion: v1, kind: Node}\n", 2, NULL },
		{ "apiVersion: v1\nkind: ServiceList\nitems: [{metadata: {name: a}}, {metadata: {name: b}}]\n", 2, NULL },
		{ "apiVersion: v1\nkind: List\nitems: []\n", 0, NULL },
		{ "apiVersion: v1\nkind: Pod\n--- foo\n", 1, "f.yaml:3:5: only a comment may follow \"---\"; begin the document on the next line" },
		{ "kind: Pod\n", 0, "f.yaml:1:1: apiVersion: required" },
		{ "apiVersion: v1\n", 0, "f.yaml:1:1: kind: required" },
		{ "- a\n", 0, "f.yaml:1:1: expected an object with apiVersion and kind" },
		{ "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Secret\n", 1,
		  "f.yaml:5:7: kind: v1 Secret is not a kind that kserv knows; --ignore-unknown-kinds passes over it" },
		{ "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\n", 0,
		  "f.yaml:1:13: apiVersion: EndpointSlice is read as discovery.k8s.io/v1, not \"discovery.k8s.io/v1beta1\"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kserv_manifests manifests = { 0 };
		struct kserv_errors errors = { 0 };
		char *got = NULL;

		kserv_manifests_read(&manifests, "f.yaml", rows[i].text, strlen(rows[i].text), &errors);
		if (errors.n)
			got = kserv_error_format(&errors.v[0]);
		if (manifests.n != rows[i].objects)
			fail_msg("%s\nholds %zu objects, not %zu", rows[i].text, rows[i].objects, manifests.n);
		if (!got != !rows[i].error || (got && strcmp(got, rows[i].error)))
			fail_msg("%s\n  is refused with %s\n  but was         %s", rows[i].text, rows[i].error, got);
		free(got);
		kserv_errors_clear(&errors);
		kserv_manifests_clear(&manifests);
	}
}

static void unknown_kinds_can_be_passed_over(void **state)
{
	static const char text[] = "apiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: Pod\n";
	struct kserv_manifests manifests = { .skip_unknown = true };
	struct kserv_errors errors = { 0 };

	(void)state;
	assert_int_equal(kserv_manifests_read(&manifests, "f.yaml", text, strlen(text), &errors), 0);
	assert_int_equal(manifests.n, 1);
	assert_int_equal(manifests.skipped, 1);
	kserv_manifests_clear(&manifests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_read_strictly),
		cmocka_unit_test(values_know_their_path_and_place),
		cmocka_unit_test(null_counts_as_absent),
		cmocka_unit_test(maps_can_be_changed),
		cmocka_unit_test(order_and_place_do_not_make_values_different),
		cmocka_unit_test(files_are_cut_into_documents),
		cmocka_unit_test(unknown_kinds_can_be_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
