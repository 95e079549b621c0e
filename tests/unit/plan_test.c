// SPDX-License-Identifier: GPL-2.0
/* What the tables of tests/rules do not show of planned services: order, names, duplicates, annotations, model.warnings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "plan_model.h"

static const char two_ports[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web, namespace: shop}\n"
	"spec:\n"
	"  ipFamilies: [IPv4, IPv6]\n"
	"  clusterIP: 10.96.0.10\n"
	"  clusterIPs: [10.96.0.10, 'fd00:10:96::10']\n"
	"  externalIPs: [203.0.113.11, 203.0.113.10, 203.0.113.10]\n"
	"  ports: [{name: https, port: 443}, {name: dns, protocol: UDP, port: 53}, {name: http, port: 80, nodePort: 30080}]\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: bare, namespace: shop}\n"
	"spec: {clusterIP: 10.96.0.11, ports: [{port: 80}]}\n";

static void services_are_named_by_namespace_name_and_port_and_sorted(void **state)
{
	static const char *const names[] = {
		"shop/bare", "shop/web:dns", "shop/web:dns", "shop/web:http", "shop/web:http", "shop/web:https",
		"shop/web:https",
	};
	size_t i;

	(void)state;
	model_add(&model.cluster, two_ports);
	model_plan();
	assert_int_equal(model.tables.n_services, 7);
	for (i = 0; i < 7; i++) {
		assert_string_equal(model.tables.services[i].name, names[i]);
		assert_int_equal(model.tables.services[i].family, i && i % 2 == 0 ? AF_INET6 : AF_INET);
	}
	assert_int_equal(model.tables.services[1].protocol, IPPROTO_UDP);
	assert_int_equal(model.warnings.n, 0);
}

static void frontends_are_sorted_and_none_stands_twice(void **state)
{
	const struct kserv_service *service;

	(void)state;
	model_add(&model.cluster, two_ports);
	model_plan();
	service = model_find("shop/web:http", AF_INET);
	assert_int_equal(service->n_frontends, 4);
	assert_int_equal(service->frontends[0].type, KSERV_FRONTEND_TYPE_CLUSTER_IP);
	model_assert_addr(&service->frontends[1].addr, "203.0.113.10");
	model_assert_addr(&service->frontends[2].addr, "203.0.113.11");
	assert_int_equal(service->frontends[3].type, KSERV_FRONTEND_TYPE_NODE_PORT);
	assert_int_equal(service->frontends[3].addr.family, AF_UNSPEC);
	assert_int_equal(service->frontends[3].port, 30080);
}

static void the_order_of_objects_changes_nothing(void **state)
{
	struct kserv_tables other = { 0 };
	size_t i, round;

	(void)state;
	for (i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "web-%zu", i * 7 % 20);
		model_add_service(&model.cluster, name, (unsigned int)(i * 7 % 20), 150 + i);
	}
	model_add(&model.cluster, two_ports);
	model_plan();
	for (round = 1; round < 5; round++) {
		for (i = 0; i < model.cluster.n_services; i++) {
			struct kserv_k8s_service *service = model.cluster.services[i];
			size_t j = (i * 13 + round * 5) % model.cluster.n_services;

			model.cluster.services[i] = model.cluster.services[j];
			model.cluster.services[j] = service;
		}
		for (i = 0; i < model.cluster.n_slices; i++) {
			struct kserv_slice *slice = model.cluster.slices[i];
			size_t j = (i * 17 + round * 3) % model.cluster.n_slices;

			model.cluster.slices[i] = model.cluster.slices[j];
			model.cluster.slices[j] = slice;
		}
		assert_int_equal(kserv_plan(&model.cluster, &other, NULL), 0);
		model_assert_equal(&model.tables, &other);
		kserv_tables_clear(&other);
	}
}

static const char twice[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}\n"
	"---\n"
	"apiVersion: discovery.k8s.io/v1\n"
	"kind: EndpointSlice\n"
	"metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}\n"
	"addressType: IPv4\n"
	"ports: [{name: '', port: 8080}]\n"
	"endpoints:\n"
	"- {addresses: [10.244.1.11], nodeName: node2, conditions: {ready: false, serving: false, terminating: true}}\n"
	"- {addresses: [10.244.1.11], nodeName: node2, conditions: {ready: true}}\n"
	"- {addresses: [10.244.1.12], nodeName: node2, conditions: {ready: true}}\n"
	"- {addresses: [10.244.1.12], nodeName: node1, conditions: {ready: false}}\n";

static void of_two_entries_of_an_endpoint_the_local_then_the_readier_one_counts(void **state)
{
	const struct kserv_service *service;

	(void)state;
	model_add(&model.cluster, twice);
	model_plan();
	service = model_find("default/web", AF_INET);
	assert_int_equal(service->n_endpoints, 2);
	assert_int_equal(service->endpoints[0].state, KSERV_ENDPOINT_STATE_READY);
	assert_int_equal(service->endpoints[1].state, KSERV_ENDPOINT_STATE_NOT_READY);
	assert_true(service->endpoints[1].flags & KSERV_ENDPOINT_FLAGS_LOCAL);
}

static const char states[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web, namespace: default}\n"
	"spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}\n"
	"---\n"
	"apiVersion: discovery.k8s.io/v1\n"
	"kind: EndpointSlice\n"
	"metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}\n"
	"addressType: IPv4\n"
	"ports: [{name: '', port: 8080}]\n"
	"endpoints:\n"
	"- {addresses: [10.244.1.11], conditions: {ready: true}}\n"
	"- {addresses: [10.244.1.12], conditions: {ready: true, serving: false, terminating: true}}\n"
	"- {addresses: [10.244.1.13], conditions: {ready: false, serving: true}}\n"
	"- {addresses: [10.244.1.14], conditions: {ready: false, serving: false}}\n"
	"- {addresses: [10.244.1.15], conditions: {ready: false, serving: true, terminating: true}}\n"
	"- {addresses: [10.244.1.16], conditions: {ready: false, serving: false, terminating: true}}\n";

static void endpoints_that_may_not_be_chosen_are_there_with_state_and_serving(void **state)
{
	static const struct {
		uint8_t state;
		bool serving;
	} expected[] = {
		{ KSERV_ENDPOINT_STATE_READY, true }, { KSERV_ENDPOINT_STATE_READY, true },
		{ KSERV_ENDPOINT_STATE_NOT_READY, true }, { KSERV_ENDPOINT_STATE_NOT_READY, false },
		{ KSERV_ENDPOINT_STATE_TERMINATING_SERVING, true }, { KSERV_ENDPOINT_STATE_TERMINATING, false },
	};
	const struct kserv_service *service;
	size_t i;

	(void)state;
	model_add(&model.cluster, states);
	model_plan();
	service = model_find("default/web", AF_INET);
	assert_int_equal(service->n_endpoints, 6);
	for (i = 0; i < 6; i++) {
		assert_int_equal(service->endpoints[i].state, expected[i].state);
		assert_int_equal(!!(service->endpoints[i].flags & KSERV_ENDPOINT_FLAGS_SERVING), expected[i].serving);
		assert_int_equal(service->endpoints[i].weight, 100);
	}
}

static void weights_pass_through(void **state)
{
	(void)state;
	model_add(&model.cluster, twice);
	model.cluster.slices[0]->endpoints[1].weight = 7;
	model_plan();
	assert_int_equal(model_find("default/web", AF_INET)->endpoints[0].weight, 7);
}

static void annotate(const char *key, const char *value)
{
	kserv_labels_add(&model.cluster.services[0]->meta.annotations, key, value);
}

static void annotations_say_how_a_service_is_balanced(void **state)
{
	const struct kserv_service *service;

	(void)state;
	model_add(&model.cluster, twice);
	annotate("kserv.io/scheduler", "maglev");
	annotate("kserv.io/removal", "reset");
	annotate("kserv.io/removal-grace", "90");
	annotate("kserv.io/slow-start", "5m");
	annotate("kserv.io/syn-retry", "false");
	annotate("kserv.io/eject", "false");
	model_plan();
	service = model_find("default/web", AF_INET);
	assert_int_equal(service->scheduler, KSERV_SCHEDULER_MAGLEV);
	assert_int_equal(service->removal, KSERV_REMOVAL_RESET);
	assert_int_equal(service->removal_grace, 90);
	assert_int_equal(service->slow_start, 300);
	assert_int_equal(service->flags, KSERV_SERVICE_FLAGS_NO_SYN_RETRY | KSERV_SERVICE_FLAGS_NO_EJECT);
	assert_int_equal(model.warnings.n, 0);
}

static void annotations_that_are_not_understood_have_no_effect_and_a_warning(void **state)
{
	static const char *const rows[][2] = {
		{ "kserv.io/scheduler", "Maglev" }, { "kserv.io/removal", "" }, { "kserv.io/removal-grace", "-1" },
		{ "kserv.io/removal-grace", "25h" }, { "kserv.io/slow-start", "1d" }, { "kserv.io/slow-start", "99999999999" },
		{ "kserv.io/slow-start", "5mm" }, { "kserv.io/slow-start", "" }, { "kserv.io/syn-retry", "no" },
		{ "kserv.io/eject", "0" },
	};
	const struct kserv_service *service;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		model_add(&model.cluster, twice);
		annotate(rows[i][0], rows[i][1]);
		model_plan();
		service = model_find("default/web", AF_INET);
		assert_int_equal(service->scheduler, KSERV_SCHEDULER_RANDOM);
		assert_int_equal(service->removal, KSERV_REMOVAL_KEEP);
		assert_int_equal(service->removal_grace + service->slow_start + service->flags, 0);
		assert_int_equal(model.warnings.n, 1);
		assert_int_equal(model_count_warnings("Service default/web", rows[i][0]), 1);
		model_end(state);
		model_start(state);
	}
}

static void times_in_annotations_have_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} rows[] = { { "0", 0 }, { "30", 30 }, { "30s", 30 }, { "2m", 120 }, { "24h", 86400 }, { "1440m", 86400 } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		model_add(&model.cluster, twice);
		annotate("kserv.io/slow-start", rows[i].text);
		model_plan();
		assert_int_equal(model_find("default/web", AF_INET)->slow_start, rows[i].seconds);
		assert_int_equal(model.warnings.n, 0);
		model_end(state);
		model_start(state);
	}
}

static void session_affinity_lasts_three_hours_unless_given_and_a_day_at_most(void **state)
{
	static const struct {
		uint32_t given, planned;
		size_t n_warnings;
	} rows[] = { { 0, 10800, 0 }, { 1, 1, 0 }, { 86400, 86400, 0 }, { 86401, 86400, 1 } };
	size_t i;

	(void)state;
	model_add(&model.cluster, twice);
	model_plan();
	assert_int_equal(model_find("default/web", AF_INET)->affinity_timeout, 0);
	model.cluster.services[0]->client_ip_affinity = true;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		model.cluster.services[0]->affinity_timeout = rows[i].given;
		model_plan();
		assert_int_equal(model_find("default/web", AF_INET)->affinity_timeout, rows[i].planned);
		assert_int_equal(model.warnings.n, rows[i].n_warnings);
	}
}

static const char bad_addresses[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: web, namespace: default}\n"
	"spec:\n"
	"  ipFamilies: [IPv4, IPv6]\n"
	"  clusterIP: 10.96.0.10\n"
	"  clusterIPs: [10.96.0.10, 10.96.0.11]\n"
	"  externalIPs: [203.0.113.256, 127.0.0.1, 0.0.0.0, 224.0.0.1, '::ffff:203.0.113.9', 203.0.113.8]\n"
	"  loadBalancerSourceRanges: [10.0.0.0/33, 10.0.0.0/8]\n"
	"  ports: [{port: 80}]\n"
	"status: {loadBalancer: {ingress: [{ip: '::1'}, {ip: 192.0.2.1}]}}\n"
	"---\n"
	"apiVersion: discovery.k8s.io/v1\n"
	"kind: EndpointSlice\n"
	"metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}\n"
	"addressType: IPv4\n"
	"ports: [{name: '', port: 8080}, {port: 8081}, {name: ''}]\n"
	"endpoints:\n"
	"- {addresses: []}\n"
	"- {addresses: [pod]}\n"
	"- {addresses: ['fd00::1']}\n"
	"- {addresses: [127.0.0.1]}\n"
	"- {addresses: [169.254.1.1]}\n"
	"- {addresses: [10.244.1.11]}\n";

static void bad_addresses_are_skipped_one_by_one_with_a_warning_each(void **state)
{
	const struct kserv_service *service;

	(void)state;
	model_add(&model.cluster, bad_addresses);
	model_plan();
	assert_int_equal(model.tables.n_services, 1);
	service = &model.tables.services[0];
	assert_int_equal(service->n_endpoints, 1);
	assert_int_equal(service->n_frontends, 4);
	model_assert_addr(&service->frontends[1].addr, "203.0.113.8");
	model_assert_addr(&service->frontends[2].addr, "203.0.113.9");
	model_assert_addr(&service->frontends[3].addr, "192.0.2.1");
	assert_int_equal(service->frontends[3].sources.n, 1);
	assert_int_equal(model_count_warnings("Service default/web", "spec.externalIPs"), 4);
	assert_int_equal(model_count_warnings("Service default/web", "spec.clusterIPs[1]"), 1);
	assert_int_equal(model_count_warnings("Service default/web", "status.loadBalancer.ingress[0]"), 1);
	assert_int_equal(model_count_warnings("Service default/web", "loadBalancerSourceRanges[0]"), 1);
	assert_int_equal(model_count_warnings("EndpointSlice default/web-1", "endpoints["), 5);
	assert_int_equal(model_count_warnings("EndpointSlice default/web-1", "ports["), 2);
	assert_int_equal(model.warnings.n, 14);
}

static void what_is_not_served_gives_no_warning(void **state)
{
	(void)state;
	model_add(&model.cluster, twice);
	free(model.cluster.services[0]->cluster_ip);
	model.cluster.services[0]->cluster_ip = kserv_must_strdup("None");
	model_plan();
	assert_int_equal(model.tables.n_services, 0);
	assert_int_equal(model.warnings.n, 0);
}

static void names_and_ports_that_the_kernel_would_refuse_are_left_out(void **state)
{
	(void)state;
	model_add(&model.cluster, two_ports);
	free(model.cluster.services[0]->ports[2].name);
	model.cluster.services[0]->ports[2].name = kserv_must_strdup("https");
	free(model.cluster.services[1]->meta.name);
	model.cluster.services[1]->meta.name = kserv_must_alloc(KSERV_NAME_LEN + 1);
	memset(model.cluster.services[1]->meta.name, 'x', KSERV_NAME_LEN);
	model_plan();
	assert_int_equal(model.tables.n_services, 4);
	assert_int_equal(model_find("shop/web:https", AF_INET)->frontends[0].port, 80);
	assert_int_equal(model_count_warnings("Service shop/web", "port 443 is not served"), 2);
	assert_int_equal(model.warnings.n, 3);
}

static void two_objects_of_one_name_count_once(void **state)
{
	(void)state;
	model_add(&model.cluster, twice);
	model_add(&model.cluster, twice);
	model_plan();
	assert_int_equal(model.tables.n_services, 1);
	assert_int_equal(model.tables.services[0].n_endpoints, 2);
	assert_int_equal(model_count_warnings("Service default/web", "there are two"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(services_are_named_by_namespace_name_and_port_and_sorted),
		TEST(frontends_are_sorted_and_none_stands_twice),
		TEST(the_order_of_objects_changes_nothing),
		TEST(of_two_entries_of_an_endpoint_the_local_then_the_readier_one_counts),
		TEST(endpoints_that_may_not_be_chosen_are_there_with_state_and_serving),
		TEST(weights_pass_through),
		TEST(annotations_say_how_a_service_is_balanced),
		TEST(annotations_that_are_not_understood_have_no_effect_and_a_warning),
		TEST(times_in_annotations_have_units),
		TEST(session_affinity_lasts_three_hours_unless_given_and_a_day_at_most),
		TEST(bad_addresses_are_skipped_one_by_one_with_a_warning_each),
		TEST(what_is_not_served_gives_no_warning),
		TEST(names_and_ports_that_the_kernel_would_refuse_are_left_out),
		TEST(two_objects_of_one_name_count_once),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
