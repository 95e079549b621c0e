// SPDX-License-Identifier: GPL-2.0
/* Slices made from Pods and Endpoints, and the configuration file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/manifest.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lib/addr.h"
#include "source/config.h"
#include "source/slices.h"

/* The cluster of some manifests, with nothing allocated. */
static void make_cluster(struct kserv_cluster *cluster, const char *text)
{
	struct kserv_manifests manifests = { 0 };
	struct kserv_errors errors = { 0 };
	size_t i;

	*cluster = (struct kserv_cluster){ 0 };
	kserv_manifests_read(&manifests, "m", text, strlen(text), &errors);
	if (errors.n)
		fail_msg("%s", errors.v[0].text);
	for (i = 0; i < manifests.n; i++) {
		const char *kind = manifests.v[i].kind->kind;
		const struct kserv_value *value = manifests.v[i].value;

		manifests.v[i].kind->fill(manifests.v[i].tree, manifests.v[i].value);
		if (!strcmp(kind, "Service")) {
			cluster->services = kserv_must_grow(cluster->services, cluster->n_services, sizeof(void *));
			cluster->services[cluster->n_services++] = kserv_read_service(value);
		} else if (!strcmp(kind, "Pod")) {
			cluster->pods = kserv_must_grow(cluster->pods, cluster->n_pods, sizeof(void *));
			cluster->pods[cluster->n_pods++] = kserv_read_pod(value);
		} else if (!strcmp(kind, "Node")) {
			cluster->nodes = kserv_must_grow(cluster->nodes, cluster->n_nodes, sizeof(void *));
			cluster->nodes[cluster->n_nodes++] = kserv_read_node(value);
		} else if (!strcmp(kind, "EndpointSlice")) {
			cluster->slices = kserv_must_grow(cluster->slices, cluster->n_slices, sizeof(void *));
			cluster->slices[cluster->n_slices++] = kserv_read_slice(value);
		}
	}
	for (i = 0; i < manifests.n; i++)
		if (!strcmp(manifests.v[i].kind->kind, "Endpoints"))
			kserv_slices_of_endpoints(cluster, manifests.v[i].value);
	kserv_slices_of_pods(cluster);
	kserv_manifests_clear(&manifests);
}

static const char maybe_letter[] = "?-+";

/* "web IPv4 http:8080/6 | 10.0.0.1 r+s+t- node zone" and so on, a line for each slice and endpoint. */
static char *describe(const struct kserv_cluster *cluster)
{
	static const char *const types[] = { "IPv4", "IPv6", "FQDN" };
	struct kserv_text text = { 0 };
	size_t i, j;

	for (i = 0; i < cluster->n_slices; i++) {
		const struct kserv_slice *slice = cluster->slices[i];

		kserv_text_printf(&text, "%s %s", slice->service, types[slice->address_type]);
		for (j = 0; j < slice->n_ports; j++)
			kserv_text_printf(&text, " %s:%u/%u", slice->ports[j].name, slice->ports[j].port, slice->ports[j].protocol);
		kserv_text_add(&text, "\n");
		for (j = 0; j < slice->n_endpoints; j++) {
			const struct kserv_slice_endpoint *e = &slice->endpoints[j];

			kserv_text_printf(&text, " %s r%cs%ct%c %s%s%s w%u", e->addresses.v[0], maybe_letter[e->ready + 1],
					  maybe_letter[e->serving + 1], maybe_letter[e->terminating + 1], e->node_name,
					  *e->hostname ? "/" : "", e->hostname, e->weight);
			if (e->hint_zones.n)
				kserv_text_printf(&text, " zone %s", e->hint_zones.v[0]);
			if (e->hint_nodes.n)
				kserv_text_printf(&text, " node %s", e->hint_nodes.v[0]);
			kserv_text_add(&text, "\n");
		}
	}
	return kserv_text_take(&text);
}

static void expect_slices(const char *manifests, const char *slices)
{
	struct kserv_cluster cluster;
	char *got;

	make_cluster(&cluster, manifests);
	got = describe(&cluster);
	if (strcmp(got, slices))
		fail_msg("the slices are\n%snot\n%s", got, slices);
	free(got);
	kserv_cluster_clear(&cluster);
}

#define SERVICE(spec) "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\nspec: {ipFamilies: [IPv4], " spec "}\n"
#define POD(name, more, status) "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: default, labels: {app: web}}\nspec: {nodeName: a, " more "}\nstatus: " status "\n"
#define READY(ip) "{phase: Running, podIP: " ip ", conditions: [{type: Ready, status: \"True\"}]}"

static void pods_become_endpoints_by_their_conditions(void **state)
{
	(void)state;
	expect_slices(SERVICE("selector: {app: web}, ports: [{port: 80, targetPort: 8080}]")
		      POD("ready", "", READY("10.0.0.1"))
		      POD("unready", "", "{phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: \"False\"}]}")
		      POD("done", "", "{phase: Succeeded, podIP: 10.0.0.3}")
		      POD("failed", "", "{phase: Failed, podIP: 10.0.0.4}")
		      POD("pending", "", "{phase: Pending}")
		      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: going, namespace: default, labels: {app: web}, "
		      "deletionTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {}\nstatus: " READY("10.0.0.5") "\n"
		      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: other, namespace: shop, labels: {app: web}}\nstatus: " READY("10.0.0.6") "\n"
		      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: default, labels: {app: db}}\nstatus: " READY("10.0.0.7") "\n",
		      "web IPv4 :8080/6\n"
		      " 10.0.0.1 r+s+t- a w100\n"
		      " 10.0.0.2 r-s-t- a w100\n"
		      " 10.0.0.5 r-s+t+  w100\n");
}

static void unready_pods_are_published_where_the_service_says_so(void **state)
{
	(void)state;
	expect_slices(SERVICE("selector: {app: web}, publishNotReadyAddresses: true, ports: [{port: 80}]")
		      POD("unready", "", "{phase: Running, podIP: 10.0.0.2, conditions: [{type: Ready, status: \"False\"}]}"),
		      "web IPv4 :80/6\n"
		      " 10.0.0.2 r+s-t- a w100\n");
}

static void named_target_ports_are_looked_up_in_each_pod(void **state)
{
	(void)state;
	expect_slices(SERVICE("selector: {app: web}, ports: [{name: a, port: 80, targetPort: http}, {name: b, port: 53, protocol: UDP, targetPort: dns}]")
		      POD("p1", "containers: [{ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]}]", READY("10.0.0.1"))
		      POD("p2", "containers: [{ports: [{name: http, containerPort: 9090}, {name: dns, containerPort: 53, protocol: UDP}]}]", READY("10.0.0.2"))
		      POD("p3", "containers: [{ports: [{name: http, containerPort: 8080}]}, {ports: [{name: dns, containerPort: 53, protocol: UDP}]}]", READY("10.0.0.3"))
		      POD("p4", "containers: [{ports: [{name: http, containerPort: 8080}, {name: dns, containerPort: 53}]}]", READY("10.0.0.4")),
		      "web IPv4 a:8080/6 b:53/17\n"
		      " 10.0.0.1 r+s+t- a w100\n"
		      " 10.0.0.3 r+s+t- a w100\n"
		      "web IPv4 a:9090/6 b:53/17\n"
		      " 10.0.0.2 r+s+t- a w100\n"
		      "web IPv4 a:8080/6\n"
		      " 10.0.0.4 r+s+t- a w100\n");
}

static void each_family_has_its_slices(void **state)
{
	(void)state;
	expect_slices("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
		      "spec: {ipFamilies: [IPv6, IPv4], selector: {app: web}, ports: [{port: 80}]}\n"
		      POD("p1", "", "{phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: \"fd00::1\"}], conditions: [{type: Ready, status: \"True\"}]}")
		      POD("p2", "", READY("10.0.0.2")),
		      "web IPv6 :80/6\n"
		      " fd00::1 r+s+t- a w100\n"
		      "web IPv4 :80/6\n"
		      " 10.0.0.1 r+s+t- a w100\n"
		      " 10.0.0.2 r+s+t- a w100\n");
}

static void a_pod_in_the_nodes_network_has_the_nodes_address(void **state)
{
	(void)state;
	expect_slices(SERVICE("selector: {app: web}, ports: [{port: 80}]")
		      "---\napiVersion: v1\nkind: Node\nmetadata: {name: a}\nstatus: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n"
		      POD("p", "hostNetwork: true", "{}"),
		      "web IPv4 :80/6\n"
		      " 192.0.2.1 r+s+t- a w100\n");
}

static void annotations_names_and_wishes_reach_the_endpoints(void **state)
{
	(void)state;
	expect_slices(SERVICE("selector: {app: web}, trafficDistribution: PreferSameNode, ports: [{port: 80}]")
		      "---\napiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {topology.kubernetes.io/zone: z}}\n"
		      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default, labels: {app: web}, "
		      "annotations: {kserv.io/pod-ip: 10.0.0.1, kserv.io/weight: \"50\"}}\nspec: {nodeName: a, hostname: h, subdomain: web}\n",
		      "web IPv4 :80/6\n"
		      " 10.0.0.1 r+s+t- a/h w50 zone z node a\n");
}

static void a_service_without_selector_takes_slices_and_endpoints_as_given(void **state)
{
	(void)state;
	expect_slices(SERVICE("ports: [{name: a, port: 80}]")
		      "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
		      "metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: web}}\n"
		      "addressType: IPv4\nports: [{name: a, port: 8080}]\nendpoints: [{addresses: [192.0.2.1]}]\n"
		      "---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: web, namespace: default}\n"
		      "subsets: [{addresses: [{ip: 192.0.2.2}, {ip: \"fd00::2\"}], notReadyAddresses: [{ip: 192.0.2.3}], ports: [{name: a, port: 8081}]}]\n"
		      "---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: nobody, namespace: default}\nsubsets: [{addresses: [{ip: 192.0.2.4}]}]\n",
		      "web IPv4 a:8080/6\n"
		      " 192.0.2.1 r?s?t?  w100\n"
		      "web IPv4 a:8081/6\n"
		      " 192.0.2.2 r+s?t?  w100\n"
		      " 192.0.2.3 r-s?t?  w100\n"
		      "web IPv6 a:8081/6\n"
		      " fd00::2 r+s?t?  w100\n");
}

static void slices_of_another_clusters_controller_give_way_to_pods(void **state)
{
	static const char slice[] = "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
		"metadata: {name: web-x, namespace: default, labels: {kubernetes.io/service-name: web, "
		"endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}\n"
		"addressType: IPv4\nports: [{name: \"\", port: 80}]\nendpoints: [{addresses: [192.0.2.1]}]\n";
	char *text = kserv_must_printf("%s%s", SERVICE("selector: {app: web}, ports: [{port: 80}]"), slice);

	(void)state;
	expect_slices(text, "web IPv4 :80/6\n 192.0.2.1 r?s?t?  w100\n");
	free(text);
	text = kserv_must_printf("%s%s%s", SERVICE("selector: {app: web}, ports: [{port: 80}]"), slice,
				 POD("p", "", READY("10.0.0.1")));
	expect_slices(text, "web IPv4 :80/6\n 10.0.0.1 r+s+t- a w100\n");
	free(text);
}

static void a_slice_holds_a_hundred_endpoints(void **state)
{
	struct kserv_text text = { 0 };
	struct kserv_cluster cluster;
	int i;

	(void)state;
	kserv_text_add(&text, SERVICE("selector: {app: web}, ports: [{port: 80}]"));
	for (i = 0; i < 250; i++)
		kserv_text_printf(&text, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, namespace: default, labels: {app: web}}\n"
				  "status: {podIP: 10.0.%d.%d}\n", i, i / 200, i % 200 + 1);
	make_cluster(&cluster, text.s);
	assert_int_equal(cluster.n_slices, 3);
	assert_int_equal(cluster.slices[0]->n_endpoints, 100);
	assert_int_equal(cluster.slices[2]->n_endpoints, 50);
	assert_string_not_equal(cluster.slices[0]->meta.name, cluster.slices[1]->meta.name);
	kserv_cluster_clear(&cluster);
	kserv_text_clear(&text);
}

static int parse_config(struct kserv_embedded_config *config, const char *text, char **ret_error)
{
	struct kserv_errors errors = { 0 };
	int error = kserv_embedded_config_parse(config, "k.yaml", text, strlen(text), &errors);

	*ret_error = errors.n ? kserv_error_format(&errors.v[0]) : NULL;
	kserv_errors_clear(&errors);
	return error;
}

static void the_configuration_has_defaults(void **state)
{
	struct kserv_embedded_config config;
	struct kserv_settings settings;
	char text[KSERV_ADDR_TEXT], *error;

	(void)state;
	assert_int_equal(parse_config(&config, "", &error), 0);
	kserv_embedded_config_settings(&config, &settings);
	assert_true(*settings.node_name);
	assert_string_equal(kserv_prefix_format(&config.limits.cluster[0], text), "10.96.0.0/12");
	assert_string_equal(kserv_prefix_format(&config.limits.cluster[1], text), "fd00:10:96::/112");
	assert_string_equal(kserv_prefix_format(&settings.cluster_cidrs.v[0], text), "10.244.0.0/16");
	assert_string_equal(kserv_prefix_format(&settings.cluster_cidrs.v[1], text), "fd00:10:244::/56");
	assert_int_equal(settings.node_port_min, 30000);
	assert_int_equal(settings.node_port_max, 32767);
	assert_int_equal(settings.detect_local, KSERV_DETECT_LOCAL_CIDR);
	assert_true(settings.node_port_primary);
	assert_false(settings.masquerade_all);
	assert_int_equal(config.n_pools, 0);
	kserv_settings_clear(&settings);
	kserv_embedded_config_clear(&config);
}

static void the_configuration_says_how_this_node_serves(void **state)
{
	struct kserv_embedded_config config;
	struct kserv_settings settings;
	char *error;

	(void)state;
	assert_int_equal(parse_config(&config,
		"apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\n"
		"hostnameOverride: Node-A\nserviceCIDR: 10.1.0.0/16\nclusterCIDR: \"\"\nserviceNodePortRange: 20000-20100\n"
		"nodePortAddresses: [192.0.2.0/24, \"fd00::/64\"]\ndetectLocalMode: InterfaceNamePrefix\n"
		"detectLocal: {interfaceNamePrefix: veth}\nnftables: {masqueradeAll: true}\nnodeIPs: [192.0.2.1]\n"
		"conntrack: {tcpEstablishedTimeout: 24h0m0s, udpTimeout: 30s}\nkernel: {udpTimeout: 10s, flowMax: 1000, conntrack: bypass, fastPath: false, masqueradePortRange: 40000-50000}\n"
		"loadBalancer: {pools: [{name: a, autoAssign: false, addresses: [192.0.2.240/28, 192.0.2.7]}]}\n", &error), 0);
	kserv_embedded_config_settings(&config, &settings);
	assert_string_equal(settings.node_name, "node-a");
	assert_int_equal(settings.cluster_cidrs.n, 0);
	assert_int_equal(config.limits.n_cluster, 1);
	assert_int_equal(config.limits.node_port_max, 20100);
	assert_false(settings.node_port_primary);
	assert_int_equal(settings.node_port_addresses.n, 2);
	assert_int_equal(settings.detect_local, KSERV_DETECT_LOCAL_INTERFACE_PREFIX);
	assert_string_equal(settings.pod_interface, "veth");
	assert_true(settings.masquerade_all);
	assert_int_equal(settings.kernel.tcp_established_timeout, 86400);
	assert_int_equal(settings.kernel.udp_timeout, 10);
	assert_int_equal(settings.kernel.flow_max, 1000);
	assert_int_equal(settings.kernel.conntrack, KSERV_CONNTRACK_BYPASS);
	assert_true(settings.kernel.fast_path_set);
	assert_int_equal(settings.kernel.masquerade_port_min, 40000);
	assert_false(config.pools[0].auto_assign);
	assert_int_equal(config.pools[0].n_spans, 2);
	kserv_settings_clear(&settings);
	kserv_embedded_config_clear(&config);
}

static void pods_are_known_by_the_cidrs_of_either_field(void **state)
{
	static const struct { const char *text; const char *cidrs[2]; } rows[] = {
		{ "detectLocal: {clusterCIDRs: [10.1.0.0/16, \"fd01::/48\"]}\n", { "10.1.0.0/16", "fd01::/48" } },
		{ "clusterCIDR: 10.2.0.0/16\ndetectLocal: {clusterCIDRs: [10.1.0.0/16]}\n", { "10.2.0.0/16" } },
		{ "kind: KubeProxyConfiguration\n", { NULL } },
		{ "kind: KubeProxyConfiguration\nclusterCIDR: 10.3.0.0/16\n", { "10.3.0.0/16" } },
		{ "kind: KservConfiguration\n", { "10.244.0.0/16", "fd00:10:244::/56" } },
	};
	struct kserv_embedded_config config;
	struct kserv_settings settings;
	char text[KSERV_ADDR_TEXT], *error;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(parse_config(&config, rows[i].text, &error), 0);
		kserv_embedded_config_settings(&config, &settings);
		for (j = 0; j < 2 && rows[i].cidrs[j]; j++)
			assert_string_equal(kserv_prefix_format(&settings.cluster_cidrs.v[j], text), rows[i].cidrs[j]);
		assert_int_equal(settings.cluster_cidrs.n, j);
		kserv_settings_clear(&settings);
		kserv_embedded_config_clear(&config);
	}
}

static void settings_of_the_command_line_go_before_those_of_the_file(void **state)
{
	static const char *const sets[] = { "hostnameOverride=node-b", "clusterCIDR=", "nodePortAddresses=192.0.2.0/24, fd00::/64",
					    "detectLocalMode=BridgeInterface", "detectLocal.bridgeInterface=cni0", "masqueradeAll=true", NULL };
	static const char *const wrong[] = { "hostnameOverride", "a=[", "clusterCIDR=x", NULL };
	struct kserv_embedded_config config;
	struct kserv_errors errors = { 0 };
	struct kserv_settings settings;
	char *error;

	(void)state;
	assert_int_equal(kserv_embedded_config_read(&config, "deploy/kserv.yaml", sets, &errors), 0);
	kserv_embedded_config_settings(&config, &settings);
	assert_string_equal(settings.node_name, "node-b");
	assert_int_equal(settings.cluster_cidrs.n, 0);
	assert_int_equal(settings.node_port_addresses.n, 2);
	assert_string_equal(settings.pod_interface, "cni0");
	assert_true(settings.masquerade_all);
	kserv_settings_clear(&settings);
	kserv_embedded_config_clear(&config);

	assert_int_not_equal(kserv_embedded_config_read(&config, "deploy/kserv.yaml", wrong, &errors), 0);
	assert_int_equal(errors.n, 3);
	error = kserv_error_format(&errors.v[0]);
	assert_string_equal(error, "--set: \"hostnameOverride\" is not FIELD=VALUE, as hostnameOverride=node1");
	free(error);
	kserv_errors_clear(&errors);
	kserv_embedded_config_clear(&config);
}

static void wrong_configurations_are_refused(void **state)
{
	static const struct { const char *text, *error; } rows[] = {
		{ "clusterCIRD: 10.0.0.0/8\n", "k.yaml:1:14: clusterCIRD: unknown field (did you mean clusterCIDR?)" },
		{ "serviceCIDR: 10.0.0.0\n", "k.yaml:1:14: serviceCIDR: \"10.0.0.0\" is not a CIDR such as 10.0.0.0/8 or fd00::/64" },
		{ "serviceCIDR: 10.0.0.0/8,11.0.0.0/8\n", "k.yaml:1:14: serviceCIDR: must hold at most one CIDR of each family" },
		{ "serviceCIDR: \"\"\n", "k.yaml:1:1: serviceCIDR: must hold at least one CIDR" },
		{ "serviceNodePortRange: 30000\n", "k.yaml:1:23: serviceNodePortRange: expected string, got number 30000; write it in quotes" },
		{ "serviceNodePortRange: 3-2\n", "k.yaml:1:23: serviceNodePortRange: \"3-2\" is not a range of ports such as 30000-32767" },
		{ "detectLocalMode: Cluster\n", "k.yaml:1:18: detectLocalMode: must be one of ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix, got \"Cluster\"" },
		{ "detectLocalMode: BridgeInterface\n", "k.yaml:1:1: detectLocal.bridgeInterface: required when detectLocalMode is BridgeInterface" },
		{ "nodePortAddresses: [primary, 10.0.0.0/8]\n", "k.yaml:1:21: nodePortAddresses[0]: primary must stand alone" },
		{ "kernel: {udpTimeout: 5}\n", "k.yaml:1:22: kernel.udpTimeout: expected string, got number 5; write it in quotes" },
		{ "kernel: {udpTimeout: 5ms}\n", "k.yaml:1:22: kernel.udpTimeout: \"5ms\" is not a time such as 30s, 2m or 24h0m0s of a second or more" },
		{ "loadBalancer: {pools: [{name: a, addresses: [192.0.2.9-192.0.2.1]}]}\n",
		  "k.yaml:1:46: loadBalancer.pools[0].addresses[0]: \"192.0.2.9-192.0.2.1\" is neither an address, a CIDR nor a range such as 192.0.2.10-192.0.2.20" },
		{ "clusterCIDR: 10.0.0.0/24\nnodeCIDRMaskSizeIPv4: 20\n",
		  "k.yaml:2:23: nodeCIDRMaskSizeIPv4: a Node's CIDR cannot be larger than the cluster's, 10.0.0.0/24" },
		{ "nodeCIDRMaskSizeIPv6: 128\n", "k.yaml:1:23: nodeCIDRMaskSizeIPv6: must be between 1 and 126" },
		{ "kind: Foo\n", "k.yaml:1:7: kind: must be one of KservConfiguration, KubeProxyConfiguration, got \"Foo\"" },
		{ "- a\n", "k.yaml:1:1: expected a map of fields, got a list" },
		{ "a: [\n", "k.yaml:2:1: did not find expected node content while parsing a flow node" },
	};
	struct kserv_embedded_config config;
	char *error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_not_equal(parse_config(&config, rows[i].text, &error), 0);
		if (strcmp(error, rows[i].error))
			fail_msg("%s\nis refused with %s\nbut was         %s", rows[i].text, rows[i].error, error);
		free(error);
		kserv_embedded_config_clear(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_become_endpoints_by_their_conditions),
		cmocka_unit_test(unready_pods_are_published_where_the_service_says_so),
		cmocka_unit_test(named_target_ports_are_looked_up_in_each_pod),
		cmocka_unit_test(each_family_has_its_slices),
		cmocka_unit_test(a_pod_in_the_nodes_network_has_the_nodes_address),
		cmocka_unit_test(annotations_names_and_wishes_reach_the_endpoints),
		cmocka_unit_test(a_service_without_selector_takes_slices_and_endpoints_as_given),
		cmocka_unit_test(slices_of_another_clusters_controller_give_way_to_pods),
		cmocka_unit_test(a_slice_holds_a_hundred_endpoints),
		cmocka_unit_test(the_configuration_has_defaults),
		cmocka_unit_test(the_configuration_says_how_this_node_serves),
		cmocka_unit_test(pods_are_known_by_the_cidrs_of_either_field),
		cmocka_unit_test(settings_of_the_command_line_go_before_those_of_the_file),
		cmocka_unit_test(wrong_configurations_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
