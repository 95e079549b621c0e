// SPDX-License-Identifier: GPL-2.0
/* That planning takes work by the size of what is planned, counted and not timed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "plan_model.h"

/* All comparisons of strings go through here in this program: a walk over the cluster for each service shows. */
static size_t n_compared;

int strcmp(const char *a, const char *b)
{
	n_compared++;
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (int)(unsigned char)*a - (unsigned char)*b;
}

static size_t comparisons_for(unsigned int n_services)
{
	struct kserv_tables planned;
	unsigned int i;
	size_t before;

	model_init(&model.cluster);
	for (i = 0; i < n_services; i++) {
		char name[32];

		snprintf(name, sizeof(name), "service-%u", (i * 7919) % n_services);
		model_add_service(&model.cluster, name, i, 3);
	}
	before = n_compared;
	assert_int_equal(kserv_plan(&model.cluster, &planned, NULL), 0);
	before = n_compared - before;
	assert_int_equal(planned.n_services, n_services);
	kserv_tables_clear(&planned);
	kserv_cluster_clear(&model.cluster);
	return before;
}

static void twice_the_services_take_little_more_than_twice_the_work(void **state)
{
	size_t one, two;

	(void)state;
	kserv_cluster_clear(&model.cluster);
	one = comparisons_for(2000);
	two = comparisons_for(4000);
	assert_true(one > 2000);
	assert_true(two < 3 * one);
	model_init(&model.cluster);
}

static void planning_one_service_takes_no_more_work_in_a_large_cluster(void **state)
{
	struct kserv_service *services;
	struct kserv_here here;
	size_t alone, n;
	unsigned int i;

	(void)state;
	model_add_service(&model.cluster, "web", 0, 3);
	kserv_here_init(&here, &model.cluster);
	n_compared = 0;
	assert_int_equal(kserv_plan_service(&here, model.cluster.services[0], model.cluster.slices, 1, &services, &n, NULL), 0);
	kserv_services_free(services, n);
	alone = n_compared;
	for (i = 1; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "web-%u", i);
		model_add_service(&model.cluster, name, i, 3);
	}
	kserv_here_init(&here, &model.cluster);
	n_compared = 0;
	assert_int_equal(kserv_plan_service(&here, model.cluster.services[0], model.cluster.slices, 1, &services, &n, NULL), 0);
	kserv_services_free(services, n);
	assert_int_equal(n_compared, alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(twice_the_services_take_little_more_than_twice_the_work),
		TEST(planning_one_service_takes_no_more_work_in_a_large_cluster),
	};

	return cmocka_run_group_tests_name("plan cost", tests, NULL, NULL);
}
