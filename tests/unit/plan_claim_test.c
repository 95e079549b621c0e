// SPDX-License-Identifier: GPL-2.0
/* Frontends that several services claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "plan/claim.h"
#include "plan_model.h"

static const char rivals[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: b, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.2, externalIPs: [203.0.113.1], ports: [{port: 80, nodePort: 30080}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: a, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.1, externalIPs: [203.0.113.1, 203.0.113.2], ports: [{port: 80, nodePort: 30080}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: c, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.3, externalIPs: [10.96.0.1, 203.0.113.2], ports: [{port: 80}]}\n";

static void the_first_by_name_has_what_several_claim_and_the_others_are_told(void **state)
{
	(void)state;
	model_add(&model.cluster, rivals);
	model_plan();
	assert_int_equal(model_find("default/a", AF_INET)->n_frontends, 4);
	assert_int_equal(model_find("default/b", AF_INET)->n_frontends, 1);
	assert_int_equal(model_find("default/c", AF_INET)->n_frontends, 1);
	assert_int_equal(model_count_warnings("Service default/b", "203.0.113.1:80/tcp does not lead to"), 1);
	assert_int_equal(model_count_warnings("Service default/b", "node port *:30080"), 1);
	assert_int_equal(model_count_warnings("Service default/c", "the cluster IP of default/a"), 1);
	assert_int_equal(model_count_warnings("Service default/c", "203.0.113.2:80"), 1);
	assert_int_equal(model.warnings.n, 4);
}

static void a_cluster_ip_goes_before_an_external_ip_of_a_service_with_a_lower_name(void **state)
{
	(void)state;
	model_add(&model.cluster, rivals);
	free(model.cluster.services[2]->meta.name);
	model.cluster.services[2]->meta.name = kserv_must_strdup("0");
	model_plan();
	assert_int_equal(model_find("default/a", AF_INET)->n_frontends, 3);
	model_assert_addr(&model_find("default/a", AF_INET)->frontends[0].addr, "10.96.0.1");
	assert_int_equal(model_find("default/0", AF_INET)->n_frontends, 2);
	model_assert_addr(&model_find("default/0", AF_INET)->frontends[1].addr, "203.0.113.2");
}

static void set_claims(struct kserv_claims *claims, size_t i, bool present, const char *others)
{
	const struct kserv_k8s_service *object = model.cluster.services[i];
	struct kserv_strings names = { 0 };
	struct kserv_service *services;
	struct kserv_text text = { 0 };
	struct kserv_here here;
	char *object_name, *got;
	size_t n, j;

	kserv_here_init(&here, &model.cluster);
	assert_int_equal(kserv_plan_service(&here, object, NULL, 0, &services, &n, NULL), 0);
	object_name = kserv_must_printf("%s/%s", object->meta.namespace, object->meta.name);
	assert_int_equal(kserv_claims_set(claims, object_name, services, present ? n : 0, &names), 0);
	for (j = 0; j < names.n; j++) {
		kserv_text_printf(&text, "%s%s", j ? " " : "", names.v[j]);
		free(names.v[j]);
	}
	free(names.v);
	got = kserv_text_take(&text);
	assert_string_equal(got, others);
	free(got);
	free(object_name);
	kserv_services_free(services, n);
}

static void a_change_of_claims_names_the_others_that_have_to_be_planned_again(void **state)
{
	enum { B, A, C };
	struct kserv_claims *claims = kserv_claims_new();

	(void)state;
	model_add(&model.cluster, rivals);
	set_claims(claims, B, true, "");
	set_claims(claims, C, true, "");
	/* 10.96.0.1 and 203.0.113.2 from c, 203.0.113.1 and the node port from b. */
	set_claims(claims, A, true, "default/c default/b default/c default/b");
	set_claims(claims, A, true, "");
	set_claims(claims, B, true, "");
	set_claims(claims, C, false, "");
	set_claims(claims, A, false, "default/b default/b");
	set_claims(claims, A, false, "");
	set_claims(claims, B, false, "");
	kserv_claims_free(claims);
}

static void one_service_planned_alone_is_what_it_is_in_the_whole(void **state)
{
	struct kserv_service *services;
	struct kserv_tables alone = { 0 };
	struct kserv_here here;
	size_t n;

	(void)state;
	model_add_service(&model.cluster, "web", 1, 250);
	model_plan();
	kserv_here_init(&here, &model.cluster);
	assert_int_equal(kserv_plan_service(&here, model.cluster.services[0], model.cluster.slices, model.cluster.n_slices, &services, &n, NULL), 0);
	alone.services = services;
	alone.n_services = n;
	alone.config = model.tables.config;
	model_assert_equal(&model.tables, &alone);
	kserv_services_free(services, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_by_name_has_what_several_claim_and_the_others_are_told),
		TEST(a_cluster_ip_goes_before_an_external_ip_of_a_service_with_a_lower_name),
		TEST(a_change_of_claims_names_the_others_that_have_to_be_planned_again),
		TEST(one_service_planned_alone_is_what_it_is_in_the_whole),
	};

	return cmocka_run_group_tests_name("plan claims", tests, NULL, NULL);
}
