// SPDX-License-Identifier: GPL-2.0
/* What people type to say which objects they mean, and how old those are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "cluster/yaml.h"
#include "kservctl/desired.h"

static void read_object(struct kserv_tree *tree, const char *text)
{
	struct kserv_errors errors = { 0 };

	assert_int_equal(kserv_yaml_read(tree, text, strlen(text), 1, &errors), 0);
}

static void selectors_match_as_those_of_kubectl(void **state)
{
	static const struct { const char *selector; bool matches; } rows[] = {
		{ "app=web", true }, { "app==web", true }, { "app=db", false }, { "app!=db", true }, { "app!=web", false },
		{ "tier!=x", true }, { "app", true }, { "tier", false }, { "!tier", true }, { "!app", false },
		{ "app in (web,db)", true }, { "app in (db)", false }, { "app notin (db, cache)", true },
		{ "app notin (web)", false }, { "tier notin (a)", true }, { "tier in (a)", false },
		{ "app=web,env=test", true }, { "app=web,env=prod", false }, { " app = web , env in ( test , prod ) ", true },
		{ "example.com/a=b", true }, { "empty=", true }, { "empty", true },
	};
	struct kserv_tree tree = { 0 };
	struct selector *selector;
	size_t i;

	(void)state;
	read_object(&tree, "metadata: {labels: {app: web, env: test, example.com/a: b, empty: \"\"}}");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		selector = selector_parse(rows[i].selector);
		assert_non_null(selector);
		if (selector_matches(selector, tree.root) != rows[i].matches)
			fail_msg("-l '%s' %s", rows[i].selector, rows[i].matches ? "should match" : "should not match");
		selector_free(selector);
	}
	kserv_tree_clear(&tree);
}

static void texts_that_are_no_selector_are_refused(void **state)
{
	static const char *const texts[] = {
		"", ",", "a=b,", "=b", "a in", "a in b", "a in (b", "a notin ()x", "!a=b", "a b", "a=b c", "-a=b", "a/b/c=d",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (selector_parse(texts[i]))
			fail_msg("-l '%s' should be refused", texts[i]);
}

/* The words typed and the objects meant, a star for all; NULL if they are refused. */
static void types_and_names_are_read_as_kubectl_reads_them(void **state)
{
	static const struct { const char *words[4]; const char *meant; } rows[] = {
		{ { "svc" }, "Service/* " }, { { "svc", "a", "b" }, "Service/a Service/b " }, { { "svc/a", "po/b" }, "Service/a Pod/b " },
		{ { "svc,ep" }, "Service/* Endpoints/* " }, { { "deployments.apps", "a" }, "Deployment/a " },
		{ { "all" }, "Pod/* Service/* DaemonSet/* Deployment/* ReplicaSet/* StatefulSet/* " },
		{ { NULL }, NULL }, { { "foo" }, NULL }, { { "svc,foo" }, NULL }, { { "svc,ep", "a" }, NULL }, { { "svc/a", "b" }, NULL },
	};
	struct kserv_text text = { 0 };
	struct targets targets;
	size_t i, j;
	int n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (n = 0; n < 4 && rows[i].words[n]; n++)
			;
		text.len = 0;
		kserv_text_add(&text, "");
		if (parse_targets(n, (const char **)rows[i].words, &targets) != (rows[i].meant != NULL))
			fail_msg("%s ... %s", rows[i].words[0], rows[i].meant ? "should be taken" : "should be refused");
		for (j = 0; rows[i].meant && j < targets.n; j++)
			kserv_text_printf(&text, "%s/%s ", targets.v[j].kind->kind, targets.v[j].name ? targets.v[j].name : "*");
		assert_string_equal(text.s, rows[i].meant ? rows[i].meant : "");
		targets_clear(&targets);
	}
	kserv_text_clear(&text);
}

static void ages_are_written_as_kubectl_writes_them(void **state)
{
	static const struct { long seconds; const char *age; } rows[] = {
		{ 45, "45s" }, { 119, "119s" }, { 150, "2m30s" }, { 300, "5m" }, { 3600, "60m" }, { 4 * 3600 + 300, "4h5m" },
		{ 30 * 3600, "30h" }, { 76 * 3600, "3d4h" }, { 50 * 86400, "50d" }, { 800 * 86400, "2y70d" }, { 4000 * 86400L, "10y" },
	};
	char text[128], stamp[32], *age;
	struct kserv_tree tree = { 0 };
	time_t then;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		then = time(NULL) - rows[i].seconds;
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime(&then));
		snprintf(text, sizeof(text), "metadata: {creationTimestamp: \"%s\"}", stamp);
		read_object(&tree, text);
		age = age_of(tree.root);
		/* A second may have passed since. */
		if (rows[i].seconds >= 600)
			assert_string_equal(age, rows[i].age);
		else
			assert_int_equal(strlen(age), strlen(rows[i].age));
		free(age);
		kserv_tree_clear(&tree);
	}
	read_object(&tree, "metadata: {}");
	age = age_of(tree.root);
	assert_string_equal(age, "<unknown>");
	free(age);
	kserv_tree_clear(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_match_as_those_of_kubectl),
		cmocka_unit_test(texts_that_are_no_selector_are_refused),
		cmocka_unit_test(types_and_names_are_read_as_kubectl_reads_them),
		cmocka_unit_test(ages_are_written_as_kubectl_writes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
