// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of tests/rules against plan alone: each case is a test. The same tables are run against the kernel in
 * tests/e2e.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "lib/addr.h"
#include "lib/attributes.h"
#include "plan/plan.h"
#include "rules_table.h"

static struct rules_world world;

/* One run of the lines of a case or a step. */
struct run {
	const struct kserv_tables *tables;
	const struct rules_state *state;
	size_t rows, failures;
};

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts and joins; the texts are freed. */
static char *join(char **v, size_t n)
{
	struct kserv_text text = { 0 };
	size_t i;

	if (n)
		qsort(v, n, sizeof(*v), text_compare);
	for (i = 0; i < n; i++) {
		kserv_text_printf(&text, " %s", v[i]);
		free(v[i]);
	}
	free(v);
	return kserv_text_take(&text);
}

/* What there is: the endpoints that may be chosen, or those left out. */
static char *list_endpoints(const struct answer *answer, const struct rules_row *row, bool excluded)
{
	char **v = NULL, text[KSERV_ADDR_TEXT];
	size_t i, n = 0;

	for (i = 0; answer->service && i < answer->service->n_endpoints; i++) {
		const struct kserv_endpoint *endpoint = &answer->service->endpoints[i];
		enum kserv_reason reason = rules_excluded(answer, endpoint);

		if (excluded != (reason != KSERV_REASON_NONE) || (!excluded && answer->verdict != KSERV_VERDICT_TRANSLATE))
			continue;
		kserv_addr_port_format(&endpoint->addr, endpoint->port, text);
		v = kserv_must_grow(v, n, sizeof(*v));
		v[n++] = excluded ? kserv_must_printf("%s %s", text, kserv_word(&kserv_words_reason, reason)) :
			 kserv_must_printf("%s%s", text, rules_masquerades(answer, &row->packet, endpoint) ? "*" : "");
	}
	return join(v, n);
}

static char *list_expected(char *const *texts, size_t n)
{
	struct kserv_text text = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		kserv_text_printf(&text, " %s", texts[i]);
	return kserv_text_take(&text);
}

static bool compare(const struct rules_row *row, const struct answer *answer, const char *what, char *expected,
		    char *actual)
{
	char source[KSERV_ADDR_TEXT];
	bool same = !strcmp(expected, actual);

	if (!same)
		print_error("%s\n  from %s (%s): %s: expected%s, got%s\n", row->text,
			    kserv_addr_format(&row->packet.source, source),
			    kserv_word(&kserv_words_source_type, answer->source), what, expected, actual);
	free(expected);
	free(actual);
	return same;
}

static void check_row(void *context, const struct rules_row *row)
{
	struct run *run = context;
	struct answer answer = rules_decide(run->tables, &run->state->locals, &row->packet);
	bool right;

	right = compare(row, &answer, "verdict",
			kserv_must_printf(" %s %s", kserv_word(&kserv_words_verdict, row->verdict),
					  kserv_word(&kserv_words_reason, row->reason)),
			kserv_must_printf(" %s %s", kserv_word(&kserv_words_verdict, answer.verdict),
					  kserv_word(&kserv_words_reason, answer.reason)));
	right &= compare(row, &answer, "endpoints", list_expected(row->endpoints.v, row->endpoints.n),
			 list_endpoints(&answer, row, false));
	if (row->excluded_given)
		right &= compare(row, &answer, "left out", list_expected(row->excluded.v, row->excluded.n),
				 list_endpoints(&answer, row, true));
	run->rows++;
	run->failures += !right;
}

/* What the kernel would refuse a service for, whatever the packets: members of another family than its own. */
static void check_families(const struct kserv_tables *tables)
{
	size_t i, j, k;

	for (i = 0; i < tables->n_services; i++) {
		const struct kserv_service *service = &tables->services[i];

		for (j = 0; j < service->n_endpoints; j++)
			assert_int_equal(service->endpoints[j].addr.family, service->family);
		for (j = 0; j < service->n_frontends; j++) {
			const struct kserv_frontend *frontend = &service->frontends[j];

			assert_int_equal(frontend->addr.family, frontend->type == KSERV_FRONTEND_TYPE_NODE_PORT ?
					 AF_UNSPEC : service->family);
			for (k = 0; k < frontend->sources.n; k++)
				assert_int_equal(frontend->sources.v[k].addr.family, service->family);
		}
	}
}

/* `expect`: what no packet shows, by the name of the Service. */
static void check_services(const struct kserv_tables *tables, const struct kserv_value *expect)
{
	const struct kserv_value *entry;
	char name[KSERV_NAME_LEN + 1];
	size_t i, found;

	for (entry = expect ? expect->first : NULL; entry; entry = entry->next) {
		snprintf(name, sizeof(name), "default/%s", entry->key);
		for (i = 0, found = 0; i < tables->n_services; i++) {
			if (strncmp(tables->services[i].name, name, strcspn(tables->services[i].name, ":")))
				continue;
			found++;
			assert_int_equal(tables->services[i].affinity_timeout, kserv_value_int(entry, "affinity", 0));
		}
		assert_int_not_equal(found, 0);
	}
}

/* Return: how many rows there were. */
static size_t run_step(const struct rules_state *state, const struct kserv_value *step)
{
	struct run run = { .state = state };
	struct kserv_cluster cluster;
	struct kserv_tables tables;

	rules_cluster(state, &cluster);
	assert_int_equal(kserv_plan(&cluster, &tables, NULL), 0);
	check_families(&tables);
	run.tables = &tables;
	rules_rows(state, kserv_value_string(step, "flows"), check_row, &run);
	check_services(&tables, kserv_value_find(step, "expect"));
	kserv_tables_clear(&tables);
	kserv_cluster_clear(&cluster);
	if (run.failures)
		fail_msg("%zu of %zu flows are not as expected: %s%s", run.failures, run.rows,
			 kserv_value_string(step, "case"), kserv_value_string(step, "step"));
	return run.rows;
}

static void a_case_of_the_tables_holds(void **test_state)
{
	const struct kserv_value *value = *test_state, *step;
	struct rules_state state;
	size_t rows;

	rules_state_init(&state, &world, value);
	rows = run_step(&state, value);
	for (step = kserv_value_first(kserv_value_find(value, "then")); step; step = step->next) {
		rules_state_change(&state, step);
		rows += run_step(&state, step);
	}
	rules_state_clear(&state);
	assert_true(rows || kserv_value_find(value, "expect"));
}

/* A case of the tables that is not one for packets alone becomes a test. */
static struct CMUnitTest *add_tests(struct kserv_tree *tree, struct CMUnitTest *tests, size_t *n)
{
	struct kserv_value *value;

	for (value = kserv_value_first(tree->root); value; value = value->next) {
		if (kserv_value_find(value, "e2e"))
			continue;
		tests = kserv_must_grow(tests, *n, sizeof(*tests));
		tests[(*n)++] = (struct CMUnitTest){
			.name = kserv_value_string(value, "case"),
			.test_func = a_case_of_the_tables_holds,
			.initial_state = value,
		};
	}
	return tests;
}

int main(void)
{
	struct CMUnitTest *tests = NULL;
	struct kserv_tree *trees;
	size_t i, n = 0;
	glob_t files;
	int failed;

	if (glob("tests/rules/[0-9]*.yaml", 0, NULL, &files)) {
		fprintf(stderr, "rules_test: no tables in tests/rules; run this from the top of the project\n");
		return 1;
	}
	rules_read("tests/rules/world.yaml", &world.tree);
	trees = kserv_must_alloc(files.gl_pathc * sizeof(*trees));
	for (i = 0; i < files.gl_pathc; i++) {
		rules_read(files.gl_pathv[i], &trees[i]);
		tests = add_tests(&trees[i], tests, &n);
	}
	failed = _cmocka_run_group_tests("rules", tests, n, NULL, NULL);
	for (i = 0; i < files.gl_pathc; i++)
		kserv_tree_clear(&trees[i]);
	kserv_tree_clear(&world.tree);
	free(trees);
	free(tests);
	globfree(&files);
	return failed;
}
