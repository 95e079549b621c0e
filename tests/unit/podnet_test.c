// SPDX-License-Identifier: GPL-2.0
/* What the pod network plans: routes, neighbours, FDB entries, the VXLAN device; and the file for the CNI plugins. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <cjson/cJSON.h>
#include "cluster/memory.h"
#include "cluster/yaml.h"
#include "lib/addr.h"
#include "plan_model.h"
#include "podnet/config.h"
#include "podnet/masquerade.h"

static const char three_nodes[] =
	"apiVersion: v1\n"
	"kind: Node\n"
	"metadata: {name: node3}\n"
	"spec: {podCIDRs: [10.244.3.0/24, 'fd00:10:244:3::/64']}\n"
	"status: {addresses: [{type: InternalIP, address: 198.51.100.3}, {type: InternalIP, address: 'fd00:b::3'}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Node\n"
	"metadata: {name: node1}\n"
	"spec: {podCIDRs: [10.244.1.0/24, 'fd00:10:244:1::/64']}\n"
	"status: {addresses: [{type: InternalIP, address: 192.0.2.1}, {type: InternalIP, address: 'fd00:a::1'}]}\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Node\n"
	"metadata: {name: node2}\n"
	"spec: {podCIDRs: [10.244.2.0/24, 'fd00:10:244:2::/64']}\n"
	"status: {addresses: [{type: InternalIP, address: 192.0.2.2}, {type: InternalIP, address: 'fd00:a::2'}]}\n";

static struct kserv_podnet_way way(const char *prefix, int ifindex, bool has_gateway, uint32_t metric)
{
	struct kserv_podnet_way one = { .ifindex = ifindex, .has_gateway = has_gateway, .metric = metric };

	assert_int_equal(kserv_prefix_parse(prefix, &one.prefix), 0);
	return one;
}

/* One segment, and a router to all else. */
static struct kserv_podnet_way ways[8];
static struct kserv_podnet_view view = { .ways = ways };
static struct kserv_podnet_config config;
static struct kserv_podnet_plan plan;

static int start(void **state)
{
	config = (struct kserv_podnet_config){ .mode = KSERV_PODNET_AUTO, .vni = 117, .port = 8472 };
	view.n_ways = 0;
	ways[view.n_ways++] = way("0.0.0.0/0", 2, true, 0);
	ways[view.n_ways++] = way("192.0.2.0/24", 2, false, 0);
	ways[view.n_ways++] = way("::/0", 2, true, 1024);
	ways[view.n_ways++] = way("fd00:a::/64", 2, false, 256);
	view.mtu[0] = view.mtu[1] = 1500;
	return model_start(state);
}

static int end(void **state)
{
	kserv_podnet_plan_clear(&plan);
	return model_end(state);
}

static void plan_it(void)
{
	struct kserv_here here;

	kserv_podnet_plan_clear(&plan);
	kserv_warnings_clear(&model.warnings);
	kserv_here_init(&here, &model.cluster);
	assert_non_null(here.node);
	kserv_podnet_plan(&config, &here, model.cluster.nodes, model.cluster.n_nodes, &view, &plan, &model.warnings);
}

static void assert_routes(const char *const *expected)
{
	char text[200], prefix[KSERV_ADDR_TEXT], gateway[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < plan.n_routes; i++) {
		snprintf(text, sizeof(text), "%s %s %d", kserv_prefix_format(&plan.routes[i].prefix, prefix),
			 kserv_addr_format(&plan.routes[i].gateway, gateway), plan.routes[i].ifindex);
		assert_non_null(expected[i]);
		assert_string_equal(text, expected[i]);
	}
	assert_null(expected[i]);
}

static void each_mode_has_its_routes(void **state)
{
	static const struct {
		enum kserv_podnet_mode mode;
		const char *routes[5];
		size_t n_fdb, n_neighbours, n_warnings;
		bool has_device;
		uint32_t pod_mtu;
	} rows[] = {
		{ KSERV_PODNET_AUTO, { "10.244.2.0/24 192.0.2.2 2", "10.244.3.0/24 10.244.3.0 0",
				       "fd00:10:244:2::/64 fd00:a::2 2", "fd00:10:244:3::/64 fd00:10:244:3:: 0" },
		  1, 2, 0, true, 1450 },
		{ KSERV_PODNET_VXLAN, { "10.244.2.0/24 10.244.2.0 0", "10.244.3.0/24 10.244.3.0 0",
					"fd00:10:244:2::/64 fd00:10:244:2:: 0", "fd00:10:244:3::/64 fd00:10:244:3:: 0" },
		  2, 4, 0, true, 1450 },
		{ KSERV_PODNET_DIRECT, { "10.244.2.0/24 192.0.2.2 2", "fd00:10:244:2::/64 fd00:a::2 2" }, 0, 0, 2, false, 1500 },
		{ KSERV_PODNET_NONE, { NULL }, 0, 0, 0, false, 1500 },
	};
	size_t i;

	(void)state;
	model_add(&model.cluster, three_nodes);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		config.mode = rows[i].mode;
		plan_it();
		assert_routes(rows[i].routes);
		assert_int_equal(plan.n_fdb, rows[i].n_fdb);
		assert_int_equal(plan.n_neighbours, rows[i].n_neighbours);
		assert_int_equal(model.warnings.n, rows[i].n_warnings);
		assert_int_equal(plan.has_device, rows[i].has_device);
		assert_int_equal(plan.pod_mtu, rows[i].pod_mtu);
		assert_int_equal(plan.pod_cidrs.n, 2);
		assert_int_equal(plan.addresses.n, rows[i].has_device ? 2 : 0);
	}
}

static void entries_of_a_wrapped_node_lead_to_its_address(void **state)
{
	uint8_t mac[KSERV_PODNET_MAC];

	(void)state;
	model_add(&model.cluster, three_nodes);
	plan_it();
	kserv_podnet_mac("node3", mac);
	model_assert_addr(&plan.fdb[0].addr, "198.51.100.3");
	assert_memory_equal(plan.fdb[0].mac, mac, sizeof(mac));
	model_assert_addr(&plan.neighbours[0].addr, "10.244.3.0");
	model_assert_addr(&plan.neighbours[1].addr, "fd00:10:244:3::");
	assert_memory_equal(plan.neighbours[1].mac, mac, sizeof(mac));
	kserv_podnet_mac("node1", mac);
	assert_memory_equal(plan.mac, mac, sizeof(mac));
	model_assert_addr(&plan.local, "192.0.2.1");
	model_assert_prefix(&plan.addresses.v[0], "10.244.1.0/32");
	model_assert_prefix(&plan.addresses.v[1], "fd00:10:244:1::/128");
}

/* Nodes of different versions must agree. */
static void the_mac_address_of_a_name_is_always_the_same(void **state)
{
	uint8_t mac[KSERV_PODNET_MAC];
	uint64_t seen[2000], one;
	char name[16];
	size_t i, j;

	(void)state;
	kserv_podnet_mac("node1", mac);
	assert_int_equal(mac[0], 0x02);
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "node%zu", i);
		kserv_podnet_mac(name, mac);
		one = 0;
		memcpy(&one, mac, sizeof(mac));
		for (j = 0; j < i; j++)
			assert_int_not_equal(seen[j], one);
		seen[i] = one;
	}
}

static void the_longest_route_with_the_least_metric_says_who_is_on_link(void **state)
{
	static const struct { const char *addr; int ifindex; } rows[] = {
		{ "192.0.2.9", 2 }, { "198.51.100.1", 0 }, { "192.0.2.77", 0 }, { "192.0.2.130", 5 },
		{ "fd00:a::9", 2 }, { "fd00:c::1", 0 },
	};
	struct kserv_addr addr;
	int ifindex;
	size_t i;

	(void)state;
	/* A more specific route by a router; and two to one place. */
	ways[view.n_ways++] = way("192.0.2.77/32", 2, true, 0);
	ways[view.n_ways++] = way("192.0.2.128/25", 2, true, 20);
	ways[view.n_ways++] = way("192.0.2.128/25", 5, false, 10);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&addr, 0, sizeof(addr));
		assert_int_equal(kserv_addr_parse(rows[i].addr, &addr), 0);
		assert_int_equal(kserv_podnet_is_on_link(&view, &addr, &ifindex), rows[i].ifindex != 0);
		if (rows[i].ifindex)
			assert_int_equal(ifindex, rows[i].ifindex);
	}
}

static void vxlan_over_ipv6_leaves_less_room(void **state)
{
	(void)state;
	model_add(&model.cluster, three_nodes);
	config.family = AF_INET6;
	plan_it();
	assert_int_equal(plan.device_mtu, 1430);
	model_assert_addr(&plan.local, "fd00:a::1");
	model_assert_addr(&plan.fdb[0].addr, "fd00:b::3");
	config.mtu = 9000;
	plan_it();
	assert_int_equal(plan.pod_mtu, 8930);
	config.mtu = 1280;
	plan_it();
	assert_int_equal(plan.pod_mtu, 1280);
}

static void a_node_without_the_family_is_told(void **state)
{
	(void)state;
	model_add(&model.cluster, three_nodes);
	free(model.cluster.nodes[0]->internal_ips.v[0]);
	model.cluster.nodes[0]->internal_ips.v[0] = kserv_must_strdup("fd00:b::33");
	plan_it();
	assert_int_equal(model_count_warnings("Node node3", "cannot be reached by VXLAN: it has no IPv4 address"), 2);
	assert_routes((const char *const []){ "10.244.2.0/24 192.0.2.2 2", "fd00:10:244:2::/64 fd00:a::2 2", NULL });
}

static void a_cidr_of_two_nodes_leads_to_the_first_by_name(void **state)
{
	(void)state;
	model_add(&model.cluster, three_nodes);
	free(model.cluster.nodes[0]->pod_cidrs.v[0]);
	model.cluster.nodes[0]->pod_cidrs.v[0] = kserv_must_strdup("10.244.2.0/24");
	free(model.cluster.nodes[0]->pod_cidrs.v[1]);
	model.cluster.nodes[0]->pod_cidrs.v[1] = kserv_must_strdup("fd00:10:244:1::/64");
	plan_it();
	assert_routes((const char *const []){ "10.244.2.0/24 192.0.2.2 2", "fd00:10:244:2::/64 fd00:a::2 2", NULL });
	assert_int_equal(plan.n_fdb, 0);
}

static bool read_config(const char *yaml, struct kserv_cni_config *cni, size_t *ret_errors)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	bool is_on;

	assert_int_equal(kserv_yaml_read(&tree, yaml, strlen(yaml), 1, &errors), 0);
	is_on = kserv_podnet_config_read(tree.root, &config, cni, &errors);
	*ret_errors = errors.n;
	kserv_errors_clear(&errors);
	kserv_tree_clear(&tree);
	return is_on;
}

static void the_configuration_is_off_by_default_and_refuses_nonsense(void **state)
{
	static const struct { const char *yaml; bool is_on; size_t n_errors; } rows[] = {
		{ "{}", false, 0 }, { "podNetwork: {mtu: 1400}", false, 0 }, { "podNetwork: {mode: auto}", true, 0 },
		{ "podNetwork: {mode: none}", true, 0 }, { "podNetwork: {mode: bgp}", true, 1 },
		{ "podNetwork: {mode: auto, mtu: 100}", true, 1 },
		{ "podNetwork: {mode: vxlan, vxlan: {id: 16777216, port: 0, family: IPv5, device: name-of-a-device}}", true, 4 },
		{ "podNetwork: {mode: direct, cni: {type: macvlan, path: x, bridge: 'a/b'}}", true, 3 },
		{ "podNetwork: {mode: direct, cni: {type: bridge, path: ''}}", true, 0 },
		{ "podNetwork: {mode: auto, nonMasqueradeCIDRs: [198.51.100.0/24, 'fd00:b::/64']}", true, 0 },
		{ "podNetwork: {mode: auto, masquerade: false, nonMasqueradeCIDRs: [198.51.100.0/33, fd00::/129]}", true, 2 },
	};
	struct kserv_cni_config cni;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_config(rows[i].yaml, &cni, &n), rows[i].is_on);
		assert_int_equal(n, rows[i].n_errors);
		kserv_podnet_config_clear(&config);
		kserv_cni_config_clear(&cni);
	}
	read_config("podNetwork: {mode: auto}", &cni, &n);
	assert_string_equal(config.device, "kserv.vxlan");
	assert_string_equal(cni.path, "/etc/cni/net.d/10-kserv.conflist");
	assert_string_equal(cni.bridge, "");
	kserv_cni_config_clear(&cni);
}

static void add(struct kserv_prefixes *list, const char *text)
{
	list->v = kserv_must_grow(list->v, list->n, sizeof(*list->v));
	assert_int_equal(kserv_prefix_parse(text, &list->v[list->n++]), 0);
}

static void assert_conflist(const char *yaml, uint32_t mtu, const char *expected)
{
	struct kserv_prefixes cidrs = { 0 };
	struct kserv_cni_config cni;
	cJSON *is, *should_be;
	char *text;
	size_t n;

	add(&cidrs, "10.244.1.0/24");
	add(&cidrs, "10.245.1.0/24");
	add(&cidrs, "fd00:10:244:1::/64");
	read_config(yaml, &cni, &n);
	text = kserv_cni_text(&cni, &cidrs, mtu);
	is = cJSON_Parse(text);
	should_be = cJSON_Parse(expected);
	assert_non_null(should_be);
	assert_true(cJSON_Compare(is, should_be, true));
	cJSON_Delete(is);
	cJSON_Delete(should_be);
	free(text);
	free(cidrs.v);
	kserv_cni_config_clear(&cni);
}

#define IPAM "\"ipam\": {\"type\": \"host-local\", \"dataDir\": \"/run/kserv/cni\", \"ranges\": "		\
	"[[{\"subnet\": \"10.244.1.0/24\"}], [{\"subnet\": \"fd00:10:244:1::/64\"}]], "				\
	"\"routes\": [{\"dst\": \"0.0.0.0/0\"}, {\"dst\": \"::/0\"}]}"
#define CONFLIST(plugin) "{\"cniVersion\": \"1.0.0\", \"name\": \"kserv\", \"plugins\": [{" plugin	\
	", \"ipMasq\": false, " IPAM "}, {\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}}]}"

static void the_conflist_is_what_the_plugins_expect(void **state)
{
	(void)state;
	assert_conflist("podNetwork: {mode: auto}", 1450, CONFLIST("\"type\": \"ptp\", \"mtu\": 1450"));
	assert_conflist("podNetwork: {mode: auto}", 0, CONFLIST("\"type\": \"ptp\""));
	assert_conflist("podNetwork: {mode: auto, cni: {type: bridge}}", 1450,
			CONFLIST("\"type\": \"bridge\", \"bridge\": \"cbr0\", \"isGateway\": true, "
				 "\"hairpinMode\": true, \"mtu\": 1450"));
}

static void assert_masquerade(uint16_t node_port_min, uint16_t node_port_max, const char *ports)
{
	struct kserv_prefixes pods = { 0 }, inside = { 0 };
	char *text, *expected;

	add(&pods, "10.244.1.0/24");
	add(&inside, "10.244.0.0/16");
	add(&inside, "198.51.100.0/24");
	text = kserv_masquerade_text(&pods, &inside, node_port_min, node_port_max);
#define SET(name, family, elements) "\tset " name family " {\n\t\ttype ipv" family "_addr\n\t\tflags interval\n"	\
	"\t\tauto-merge\n" elements "\t}\n"
	expected = kserv_must_printf("table inet kserv {\n"
				     SET("pods", "4", "\t\telements = { 10.244.1.0/24 }\n")
				     SET("inside", "4", "\t\telements = { 10.244.0.0/16, 198.51.100.0/24 }\n")
				     SET("pods", "6", "") SET("inside", "6", "")
				     "\tchain leave {\n%s\t\tmasquerade\n\t}\n"
				     "\tchain postrouting {\n"
				     "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
				     "\t\tip saddr @pods4 ip daddr != @inside4 goto leave\n"
				     "\t\tip6 saddr @pods6 ip6 daddr != @inside6 goto leave\n"
				     "\t}\n}\n", ports);
	assert_string_equal(text, expected);
	free(text);
	free(expected);
	free(pods.v);
	free(inside.v);
}

static void what_leaves_the_cluster_is_masqueraded_clear_of_node_ports(void **state)
{
	(void)state;
#define PORTS "\t\tmeta l4proto { tcp, udp, sctp } "
	assert_masquerade(30000, 32767, PORTS "th sport > 32767 masquerade to :32768-65535\n"
					PORTS "masquerade to :1024-29999\n");
	assert_masquerade(1000, 32767, PORTS "masquerade to :32768-65535\n");
	assert_masquerade(30000, 65535, PORTS "masquerade to :1024-29999\n");
	assert_masquerade(1, 65535, "");
}

static void the_file_is_written_whole_checked_and_removed(void **state)
{
	char folder[] = "/tmp/podnet-test.XXXXXX", *path, *why = NULL;
	bool changed;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = kserv_must_printf("%s/net.d/10-kserv.conflist", folder);
	assert_int_equal(kserv_cni_check(path, "one\n", &why), -ENOENT);
	free(why);
	assert_int_equal(kserv_cni_write(path, "one\n", &changed, &why), 0);
	assert_true(changed);
	assert_int_equal(kserv_cni_write(path, "one\n", &changed, &why), 0);
	assert_false(changed);
	assert_int_equal(kserv_cni_check(path, "one\n", &why), 0);
	assert_null(why);
	assert_int_equal(kserv_cni_check(path, "two\n", &why), -ESTALE);
	free(why);
	assert_int_equal(kserv_cni_remove(path, &changed, &why), 0);
	assert_true(changed);
	assert_int_equal(kserv_cni_remove(path, &changed, &why), 0);
	assert_false(changed);
	*strrchr(path, '/') = '\0';
	/* Nothing else was left in it. */
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(folder), 0);
	free(path);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_mode_has_its_routes),
		CASE(entries_of_a_wrapped_node_lead_to_its_address),
		CASE(the_mac_address_of_a_name_is_always_the_same),
		CASE(the_longest_route_with_the_least_metric_says_who_is_on_link),
		CASE(vxlan_over_ipv6_leaves_less_room),
		CASE(a_node_without_the_family_is_told),
		CASE(a_cidr_of_two_nodes_leads_to_the_first_by_name),
		CASE(the_configuration_is_off_by_default_and_refuses_nonsense),
		CASE(the_conflist_is_what_the_plugins_expect),
		CASE(what_leaves_the_cluster_is_masqueraded_clear_of_node_ports),
		CASE(the_file_is_written_whole_checked_and_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
