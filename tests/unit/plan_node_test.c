// SPDX-License-Identifier: GPL-2.0
/* What plan makes of nodes and settings: configuration and routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lib/addr.h"
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


static void use_node_ports(uint16_t min, uint16_t max)
{
	model.cluster.settings.node_port_min = min;
	model.cluster.settings.node_port_max = max;
}

static void masquerading_keeps_clear_of_the_node_ports(void **state)
{
	static const struct {
		uint16_t node_port_min, node_port_max, min, max;
	} rows[] = {
		{ 0, 0, 1024, 29999 }, { 30000, 32767, 1024, 29999 }, { 60000, 65535, 1024, 32767 },
		{ 1, 1000, 1024, 32767 }, { 1, 40000, 40001, 65535 }, { 40000, 50000, 1024, 32767 }, { 1, 65535, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		use_node_ports(rows[i].node_port_min, rows[i].node_port_max);
		model_plan();
		assert_int_equal(model.tables.config.masquerade_port_min, rows[i].min);
		assert_int_equal(model.tables.config.masquerade_port_max, rows[i].max);
		assert_int_equal(model_count_warnings("settings", "leave no source ports"), !rows[i].min);
	}
}

static void a_node_port_among_the_source_ports_for_masquerading_is_told(void **state)
{
	(void)state;
	model_add(&model.cluster, two_ports);
	model_plan();
	assert_int_equal(model.warnings.n, 0);
	model.cluster.services[0]->ports[2].node_port = 29999;
	model_plan();
	assert_int_equal(model_count_warnings("Service shop/web", "node port 29999"), 1);
	model.cluster.settings.kernel.masquerade_port_min = 40000;
	model.cluster.settings.kernel.masquerade_port_max = 50000;
	model_plan();
	assert_int_equal(model.warnings.n, 0);
	assert_int_equal(model.tables.config.masquerade_port_min, 40000);
	assert_int_equal(model.tables.config.masquerade_port_max, 50000);
}

static const char two_nodes[] =
	"apiVersion: v1\n"
	"kind: Node\n"
	"metadata: {name: node2}\n"
	"spec: {podCIDRs: [10.244.2.0/24, 'fd00:10:244:2::/64']}\n"
	"status: {addresses: [{type: ExternalIP, address: 192.0.2.2}, {type: InternalIP, address: 192.168.50.12}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Node\n"
	"metadata: {name: node1}\n"
	"spec: {podCIDRs: [10.244.1.0/24, 'fd00:10:244:1::/64']}\n"
	"status: {addresses: [{type: InternalIP, address: 192.168.50.11}, {type: InternalIP, address: '::1'}]}\n";

static void routes_lead_to_the_pods_of_each_node(void **state)
{
	(void)state;
	model_add(&model.cluster, two_nodes);
	model_plan();
	assert_int_equal(model.tables.n_routes, 3);
	model_assert_prefix(&model.tables.routes[0].prefix, "10.244.1.0/24");
	assert_int_equal(model.tables.routes[0].type, KSERV_ROUTE_TYPE_LOCAL);
	assert_int_equal(model.tables.routes[0].gateway.family, AF_UNSPEC);
	model_assert_prefix(&model.tables.routes[1].prefix, "10.244.2.0/24");
	assert_int_equal(model.tables.routes[1].type, KSERV_ROUTE_TYPE_DIRECT);
	model_assert_addr(&model.tables.routes[1].gateway, "192.168.50.12");
	model_assert_prefix(&model.tables.routes[2].prefix, "fd00:10:244:1::/64");
	assert_int_equal(model_count_warnings("Node node2", "fd00:10:244:2::/64"), 1);
	assert_int_equal(model.warnings.n, 1);
}

static void a_route_says_that_its_packets_are_wrapped(void **state)
{
	struct kserv_prefix wrapped[1];

	(void)state;
	model_add(&model.cluster, two_nodes);
	assert_int_equal(kserv_prefix_parse("10.244.2.0/24", wrapped), 0);
	model.cluster.wrapped = (struct kserv_prefixes){ .v = wrapped, .n = 1 };
	model_plan();
	model.cluster.wrapped = (struct kserv_prefixes){ 0 };
	assert_int_equal(model.tables.routes[0].type, KSERV_ROUTE_TYPE_LOCAL);
	model_assert_prefix(&model.tables.routes[1].prefix, "10.244.2.0/24");
	assert_int_equal(model.tables.routes[1].type, KSERV_ROUTE_TYPE_VXLAN);
	model_assert_addr(&model.tables.routes[1].gateway, "192.168.50.12");
}

static void a_pod_cidr_of_two_nodes_leads_to_the_first_by_name(void **state)
{
	(void)state;
	model_add(&model.cluster, two_nodes);
	free(model.cluster.nodes[0]->pod_cidrs.v[0]);
	model.cluster.nodes[0]->pod_cidrs.v[0] = kserv_must_strdup("10.244.1.99/24");
	model_plan();
	assert_int_equal(model.tables.n_routes, 2);
	assert_int_equal(model.tables.routes[0].type, KSERV_ROUTE_TYPE_LOCAL);
	assert_int_equal(model_count_warnings("Node node2", "10.244.1.0/24 is also that of node node1"), 1);
}

static void node_port_addresses_primary_are_those_of_the_node_without_loopback(void **state)
{
	(void)state;
	model_add(&model.cluster, two_nodes);
	model_plan();
	assert_int_equal(model.tables.config.node_port_addresses.n, 1);
	model_assert_prefix(&model.tables.config.node_port_addresses.v[0], "192.168.50.11/32");
	kserv_strings_add(&model.cluster.settings.node_ips, "192.168.50.99");
	kserv_strings_add(&model.cluster.settings.node_ips, "fd00:50::99");
	model_plan();
	assert_int_equal(model.tables.config.node_port_addresses.n, 2);
	model_assert_prefix(&model.tables.config.node_port_addresses.v[1], "fd00:50::99/128");
}

static void loopback_among_the_listed_node_port_addresses_is_told(void **state)
{
	struct kserv_prefixes *listed = &model.cluster.settings.node_port_addresses;

	(void)state;
	model.cluster.settings.node_port_primary = false;
	listed->v = kserv_must_grow(NULL, 0, sizeof(*listed->v));
	assert_int_equal(kserv_prefix_parse("127.0.0.0/8", &listed->v[listed->n++]), 0);
	model_plan();
	assert_int_equal(model.tables.config.node_port_addresses.n, 1);
	assert_int_equal(model_count_warnings("settings", "never accepted on loopback"), 1);
}

static void the_detector_is_what_the_settings_say_as_far_as_they_say_it(void **state)
{
	struct kserv_settings *settings = &model.cluster.settings;

	(void)state;
	model_add(&model.cluster, two_nodes);
	model_plan();
	assert_int_equal(model.tables.config.detect_local, KSERV_DETECT_LOCAL_CIDR);
	assert_int_equal(model.tables.config.pod_cidrs.n, 2);
	settings->detect_node_cidr = true;
	model_plan();
	assert_int_equal(model.tables.config.detect_local, KSERV_DETECT_LOCAL_CIDR);
	model_assert_prefix(&model.tables.config.pod_cidrs.v[0], "10.244.1.0/24");
	free(settings->node_name);
	settings->node_name = kserv_must_strdup("node3");
	model_plan();
	assert_int_equal(model.tables.config.detect_local, KSERV_DETECT_LOCAL_NONE);
	assert_int_equal(model_count_warnings("settings", "is not known"), 1);
	settings->detect_node_cidr = false;
	settings->detect_local = KSERV_DETECT_LOCAL_INTERFACE_PREFIX;
	model_plan();
	assert_int_equal(model.tables.config.detect_local, KSERV_DETECT_LOCAL_NONE);
	free(settings->pod_interface);
	settings->pod_interface = kserv_must_strdup("veth");
	model_plan();
	assert_int_equal(model.tables.config.detect_local, KSERV_DETECT_LOCAL_INTERFACE_PREFIX);
	assert_string_equal(model.tables.config.pod_interface, "veth");
	assert_int_equal(model.tables.config.pod_cidrs.n, 0);
}

static void limits_and_timeouts_pass_through(void **state)
{
	(void)state;
	model.cluster.settings.kernel.flow_max = 1000;
	model.cluster.settings.kernel.udp_timeout = 7;
	model.cluster.settings.kernel.conntrack = KSERV_CONNTRACK_BYPASS;
	model_plan();
	assert_int_equal(model.tables.config.flow_max, 1000);
	assert_int_equal(model.tables.config.udp_timeout, 7);
	assert_int_equal(model.tables.config.conntrack, KSERV_CONNTRACK_BYPASS);
	model_assert_prefix(&model.tables.config.service_cidrs.v[0], "10.96.0.0/12");
}

static void a_node_without_a_name_has_nothing_local(void **state)
{
	(void)state;
	model_add_service(&model.cluster, "web", 1, 4);
	*model.cluster.settings.node_name = '\0';
	*model.cluster.slices[0]->endpoints[0].node_name = '\0';
	model_plan();
	assert_false(model_find("default/web", AF_INET)->endpoints[0].flags & KSERV_ENDPOINT_FLAGS_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(masquerading_keeps_clear_of_the_node_ports),
		TEST(a_node_port_among_the_source_ports_for_masquerading_is_told),
		TEST(routes_lead_to_the_pods_of_each_node),
		TEST(a_route_says_that_its_packets_are_wrapped),
		TEST(a_pod_cidr_of_two_nodes_leads_to_the_first_by_name),
		TEST(node_port_addresses_primary_are_those_of_the_node_without_loopback),
		TEST(loopback_among_the_listed_node_port_addresses_is_told),
		TEST(the_detector_is_what_the_settings_say_as_far_as_they_say_it),
		TEST(limits_and_timeouts_pass_through),
		TEST(a_node_without_a_name_has_nothing_local),
	};

	return cmocka_run_group_tests_name("plan nodes", tests, NULL, NULL);
}
