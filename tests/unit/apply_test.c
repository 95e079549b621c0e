// SPDX-License-Identifier: GPL-2.0
/* Applying and deleting objects: what is stored, allocated, kept and refused. */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/memory.h"
#include "source/embedded.h"

static char folder[] = "/tmp/kserv-apply-XXXXXX";
static struct kserv_embedded embedded;

/* Each test has a store of its own. */
static int open_with(const char *text)
{
	char *config = kserv_must_printf("%s/kserv.yaml", folder), *store;
	struct kserv_errors errors = { 0 };
	static int n;
	FILE *file = fopen(config, "w");

	store = kserv_must_printf("%s/%d.db", folder, n++);
	fputs(text, file);
	fclose(file);
	if (kserv_embedded_open(&embedded, config, NULL, store, true, &errors))
		fail_msg("%s", errors.v[0].text);
	free(config);
	free(store);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return open_with("serviceCIDR: 10.96.0.0/16,fd00:10:96::/112\nserviceNodePortRange: 30000-30100\n"
			 "loadBalancer: {pools: [{name: a, addresses: [192.0.2.1-192.0.2.3]}, {name: b, autoAssign: false, addresses: [192.0.2.9, \"2001:db8::9\"]}]}\n");
}

static int setup_pod_network(void **state)
{
	(void)state;
	return open_with("clusterCIDR: 10.244.0.0/22,fd00:10:244::/56\npodNetwork: {mode: auto}\n");
}

static int teardown(void **state)
{
	(void)state;
	kserv_embedded_close(&embedded);
	return 0;
}

static const char *const verbs[] = { "created", "configured", "unchanged", "deleted" };

/* "service/web created" and so on with commas, or the errors, a line each; then the notes. */
static char *outcome(const struct kserv_changes *changes, const struct kserv_errors *errors)
{
	struct kserv_text text = { 0 };
	size_t i;
	char *line;

	for (i = 0; i < errors->n; i++) {
		line = kserv_error_format(&errors->v[i]);
		kserv_text_printf(&text, "%s%s", i ? "\n" : "", line);
		free(line);
	}
	for (i = 0; !errors->n && i < changes->n; i++)
		kserv_text_printf(&text, "%s%s/%s %s", i ? ", " : "", changes->v[i].kind->singular, changes->v[i].name,
				  verbs[changes->v[i].verb]);
	for (i = 0; !errors->n && i < changes->notes.n; i++)
		kserv_text_printf(&text, "\n%s", changes->notes.v[i]);
	return kserv_text_take(&text);
}

/* Applies as kservctl does: committed if it went well, else rolled back. The caller frees the outcome. */
static char *apply(const char *text)
{
	struct kserv_manifests manifests = { 0 };
	struct kserv_changes changes = { 0 };
	struct kserv_errors errors = { 0 };
	char *result;

	kserv_manifests_read(&manifests, "m", text, strlen(text), &errors);
	assert_int_equal(kserv_embedded_begin(&embedded, &errors), 0);
	if (kserv_embedded_apply(&embedded, &manifests, "default", &changes, &errors))
		kserv_embedded_rollback(&embedded);
	else
		assert_int_equal(kserv_embedded_commit(&embedded, &errors), 0);
	result = outcome(&changes, &errors);
	kserv_errors_clear(&errors);
	kserv_changes_clear(&changes);
	kserv_manifests_clear(&manifests);
	return result;
}

static void expect(const char *text, const char *result)
{
	char *got = apply(text);

	if (strcmp(got, result))
		fail_msg("%s\nshould give\n%s\nbut gave\n%s", text, result, got);
	free(got);
}

static char *delete(const char *kind, const char *namespace, const char *name)
{
	struct kserv_changes changes = { 0 };
	struct kserv_errors errors = { 0 };
	char *result;
	int error;

	assert_int_equal(kserv_embedded_begin(&embedded, &errors), 0);
	error = kserv_embedded_delete(&embedded, kserv_kind_lookup(kind), namespace, name, &changes, &errors);
	assert_int_equal(kserv_embedded_commit(&embedded, &errors), 0);
	result = error == -ENOENT ? kserv_must_strdup("not found") : outcome(&changes, &errors);
	kserv_errors_clear(&errors);
	kserv_changes_clear(&changes);
	return result;
}

/* A string or number of a stored object, "" if it is not there. */
static const char *stored(const char *kind, const char *namespace, const char *name, const char *where)
{
	struct kserv_errors errors = { 0 };
	const struct kserv_value *value;
	struct kserv_tree tree = { 0 };
	static char text[128];
	char *json;

	*text = '\0';
	if (kserv_store_find(embedded.store, kind, namespace, name, &json))
		return text;
	assert_int_equal(kserv_json_read(&tree, json, strlen(json), 1, NULL, &errors), 0);
	value = kserv_value_get(tree.root, where);
	if (kserv_value_is(value, KSERV_VALUE_LIST))
		value = value->first;
	if (value && value->type == KSERV_VALUE_MAP)
		value = value->first;
	snprintf(text, sizeof(text), "%s", value ? value->text : "");
	kserv_tree_clear(&tree);
	free(json);
	return text;
}

static const char *service(const char *name, const char *where)
{
	return stored("Service", "default", name, where);
}

static long long node_port(const char *name, int i)
{
	struct kserv_errors errors = { 0 };
	const struct kserv_value *port;
	struct kserv_tree tree = { 0 };
	long long number;
	char *json;

	assert_int_equal(kserv_store_find(embedded.store, "Service", "default", name, &json), 0);
	assert_int_equal(kserv_json_read(&tree, json, strlen(json), 1, NULL, &errors), 0);
	port = kserv_value_first(kserv_value_get(tree.root, "spec.ports"));
	for (; i > 0; i--)
		port = port->next;
	number = kserv_value_int(port, "nodePort", 0);
	kserv_tree_clear(&tree);
	free(json);
	return number;
}

#define SERVICE(name, spec) "apiVersion: v1\nkind: Service\nmetadata: {name: " name "}\nspec: {" spec "}\n"
#define NEXT "---\n"

static void objects_are_created_configured_and_left_unchanged(void **state)
{
	(void)state;
	expect(SERVICE("web", "ports: [{port: 80}]"), "service/web created");
	expect(SERVICE("web", "ports: [{port: 80}]"), "service/web unchanged");
	expect(SERVICE("web", "ports: [{port: 80, protocol: TCP, targetPort: 80}], type: ClusterIP"), "service/web unchanged");
	expect(SERVICE("web", "ports: [{port: 81}]"), "service/web configured");
}

static void what_the_server_writes_is_kept(void **state)
{
	char *uid, *ip, *version;

	(void)state;
	expect(SERVICE("web", "type: NodePort, ports: [{port: 80}]"), "service/web created");
	uid = kserv_must_strdup(service("web", "metadata.uid"));
	ip = kserv_must_strdup(service("web", "spec.clusterIP"));
	version = kserv_must_strdup(service("web", "metadata.resourceVersion"));
	assert_int_equal(strlen(uid), 36);
	assert_true(strlen(service("web", "metadata.creationTimestamp")) == strlen("2026-01-01T00:00:00Z"));
	expect(SERVICE("web", "type: NodePort, ports: [{port: 80}], selector: {a: b}"), "service/web configured");
	assert_string_equal(service("web", "metadata.uid"), uid);
	assert_string_equal(service("web", "spec.clusterIP"), ip);
	assert_string_not_equal(service("web", "metadata.resourceVersion"), version);
	free(uid);
	free(ip);
	free(version);
}

static void an_apply_with_one_mistake_changes_nothing(void **state)
{
	(void)state;
	expect(SERVICE("good", "ports: [{port: 80}]") NEXT SERVICE("bad", "ports: [{port: http}]"),
	       "m:9:23: spec.ports[0].port: expected integer, got \"http\"");
	assert_string_equal(service("good", "metadata.name"), "");
	expect(SERVICE("good", "ports: [{port: 80}]"), "service/good created");
}

static void cluster_ips_asked_for_are_given_or_refused_with_their_holder(void **state)
{
	(void)state;
	expect("apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: kube-system}\nspec: {clusterIP: 10.96.0.10, ports: [{port: 53}]}\n",
	       "service/dns created");
	expect(SERVICE("web", "clusterIP: 10.96.0.10, ports: [{port: 80}]"),
	       "m:4:19: spec.clusterIPs[0]: provided IP 10.96.0.10 is already allocated to Service kube-system/dns");
	expect(SERVICE("web", "clusterIP: 10.97.0.10, ports: [{port: 80}]"),
	       "m:4:19: spec.clusterIPs[0]: provided IP 10.97.0.10 is not in the valid range 10.96.0.0/16");
	expect(SERVICE("a", "clusterIP: 10.96.0.11, ports: [{port: 80}]") NEXT SERVICE("b", "clusterIP: 10.96.0.11, ports: [{port: 80}]"),
	       "m:9:19: spec.clusterIPs[0]: provided IP 10.96.0.11 is already allocated to Service default/a");
	expect(SERVICE("web", "clusterIP: 10.96.0.11, ports: [{port: 80}]"), "service/web created");
	expect(SERVICE("web", "clusterIP: 10.96.0.12, ports: [{port: 80}]"),
	       "m:4:19: spec.clusterIP: field is immutable: the Service has 10.96.0.11; delete it first to change that");
}

static void an_address_that_is_given_up_can_be_taken_in_the_same_apply(void **state)
{
	char *gone;

	(void)state;
	expect(SERVICE("a", "type: NodePort, ports: [{port: 80, nodePort: 30001}]"), "service/a created");
	expect(SERVICE("b", "type: NodePort, ports: [{port: 80, nodePort: 30001}]") NEXT SERVICE("a", "ports: [{port: 80}]"),
	       "service/b created, service/a configured");
	gone = delete("Service", "default", "b");
	assert_string_equal(gone, "service/b deleted");
	free(gone);
	expect(SERVICE("c", "type: NodePort, ports: [{port: 80, nodePort: 30001}]"), "service/c created");
}

static void those_who_ask_come_before_chance(void **state)
{
	struct kserv_text text = { 0 };
	int i;

	(void)state;
	/* 101 node ports, 16 of them kept: as many Services as fit, the last one asking for one that chance may give. */
	for (i = 0; i < 100; i++)
		kserv_text_printf(&text, "apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {type: NodePort, ports: [{port: 80}]}\n---\n", i);
	kserv_text_add(&text, SERVICE("last", "type: NodePort, ports: [{port: 80, nodePort: 30050}]"));
	free(apply(text.s));
	assert_int_equal(node_port("last", 0), 30050);
	expect(SERVICE("more", "type: NodePort, ports: [{port: 80}]"), "m:4:32: spec.ports[0].nodePort: the range of node ports is full");
	kserv_text_clear(&text);
}

static void node_ports_stay_with_their_port_names(void **state)
{
	long long a, b;

	(void)state;
	expect(SERVICE("web", "type: NodePort, ports: [{name: a, port: 80}, {name: b, port: 81}]"), "service/web created");
	a = node_port("web", 0);
	b = node_port("web", 1);
	assert_int_not_equal(a, b);
	expect(SERVICE("web", "type: NodePort, ports: [{name: b, port: 82}, {name: a, port: 80}]"), "service/web configured");
	assert_int_equal(node_port("web", 0), b);
	assert_int_equal(node_port("web", 1), a);
	expect(SERVICE("web", "ports: [{name: b, port: 82}]"), "service/web configured");
	assert_int_equal(node_port("web", 0), 0);
}

static void one_port_number_of_two_protocols_gets_one_node_port(void **state)
{
	(void)state;
	expect(SERVICE("dns", "type: NodePort, ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 53}]"), "service/dns created");
	assert_int_not_equal(node_port("dns", 0), 0);
	assert_int_equal(node_port("dns", 0), node_port("dns", 1));
}

static void node_ports_asked_for_are_given_or_refused(void **state)
{
	(void)state;
	expect(SERVICE("a", "type: NodePort, ports: [{port: 80, nodePort: 29999}]"),
	       "m:4:53: spec.ports[0].nodePort: provided port 29999 is not in the valid range 30000-30100");
	expect(SERVICE("a", "type: NodePort, ports: [{port: 80, nodePort: 30001}]"), "service/a created");
	expect(SERVICE("b", "type: NodePort, ports: [{port: 80, nodePort: 30001}]"),
	       "m:4:53: spec.ports[0].nodePort: provided port 30001 is already allocated to Service default/a");
}

static void families_follow_the_policy(void **state)
{
	static const struct { const char *name, *spec, *families, *policy; bool dual; } rows[] = {
		{ "single", "ports: [{port: 80}]", "IPv4", "SingleStack", false },
		{ "prefer", "ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]", "IPv4", "PreferDualStack", true },
		{ "require", "ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]", "IPv4", "RequireDualStack", true },
		{ "six", "ipFamilies: [IPv6], ports: [{port: 80}]", "IPv6", "SingleStack", false },
		{ "sixfirst", "ipFamilies: [IPv6, IPv4], ports: [{port: 80}]", "IPv6", "RequireDualStack", true },
		{ "byip", "clusterIP: \"fd00:10:96::a\", ports: [{port: 80}]", "IPv6", "SingleStack", false },
		{ "headless", "clusterIP: None, selector: {a: b}", "IPv4", "SingleStack", false },
		{ "bare", "clusterIP: None", "IPv4", "RequireDualStack", true },
	};
	char *text, *got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		text = kserv_must_printf("apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {%s}\n", rows[i].name, rows[i].spec);
		got = apply(text);
		if (!strstr(got, "created"))
			fail_msg("%s: %s", text, got);
		assert_string_equal(service(rows[i].name, "spec.ipFamilies"), rows[i].families);
		assert_string_equal(service(rows[i].name, "spec.ipFamilyPolicy"), rows[i].policy);
		free(got);
		free(text);
	}
	assert_string_equal(service("headless", "spec.clusterIP"), "None");
	assert_string_equal(service("headless", "spec.clusterIPs"), "None");
}

static void families_may_be_added_and_taken_away_but_not_swapped(void **state)
{
	char *first;

	(void)state;
	expect(SERVICE("web", "ports: [{port: 80}]"), "service/web created");
	first = kserv_must_strdup(service("web", "spec.clusterIPs"));
	expect(SERVICE("web", "ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]"), "service/web configured");
	assert_string_equal(service("web", "spec.clusterIPs"), first);
	expect(SERVICE("web", "ports: [{port: 80}]"), "service/web unchanged");
	expect(SERVICE("web", "ipFamilyPolicy: SingleStack, ports: [{port: 80}]"), "service/web configured");
	expect(SERVICE("web", "ipFamilies: [IPv4, IPv6], ports: [{port: 80}]"), "service/web configured");
	assert_string_equal(service("web", "spec.ipFamilyPolicy"), "RequireDualStack");
	assert_string_equal(service("web", "spec.clusterIPs"), first);
	expect(SERVICE("web", "ipFamilies: [IPv6], ports: [{port: 80}]"),
	       "m:4:21: spec.ipFamilies[0]: field is immutable: the Service has IPv4; delete it first to change that");
	free(first);
}

static void load_balancers_get_addresses_from_the_pools(void **state)
{
	(void)state;
	expect(SERVICE("a", "type: LoadBalancer, ports: [{port: 80}]"), "service/a created");
	assert_string_equal(service("a", "status.loadBalancer.ingress"), "192.0.2.1");
	expect(SERVICE("b", "type: LoadBalancer, loadBalancerIP: 192.0.2.1, ports: [{port: 80}]"),
	       "m:4:44: spec.loadBalancerIP: provided IP 192.0.2.1 is already allocated to Service default/a");
	expect(SERVICE("b", "type: LoadBalancer, loadBalancerIP: 192.0.2.3, ports: [{port: 80}]"), "service/b created");
	assert_string_equal(service("b", "status.loadBalancer.ingress"), "192.0.2.3");
	expect(SERVICE("c", "type: LoadBalancer, ports: [{port: 80}]"), "service/c created");
	assert_string_equal(service("c", "status.loadBalancer.ingress"), "192.0.2.2");
	expect(SERVICE("d", "type: LoadBalancer, ports: [{port: 80}]"),
	       "service/d created\nservice/d: the loadBalancer pools have no free IPv4 address, so EXTERNAL-IP stays <pending>");
	assert_string_equal(service("d", "status.loadBalancer.ingress"), "");
	expect(SERVICE("a", "type: LoadBalancer, ports: [{port: 81}]"), "service/a configured");
	assert_string_equal(service("a", "status.loadBalancer.ingress"), "192.0.2.1");
	expect(SERVICE("a", "ports: [{port: 81}]"), "service/a configured");
	assert_string_equal(service("a", "status.loadBalancer.ingress"), "");
	expect(SERVICE("d", "type: LoadBalancer, ports: [{port: 80}]"), "service/d configured");
	assert_string_equal(service("d", "status.loadBalancer.ingress"), "192.0.2.1");
	expect(SERVICE("e", "type: LoadBalancer, loadBalancerIP: 198.51.100.1, ports: [{port: 80}]"),
	       "service/e created\nservice/e: 198.51.100.1 is in no loadBalancer pool of the configuration, so EXTERNAL-IP stays <pending>");
	expect(SERVICE("f", "type: LoadBalancer, loadBalancerClass: example.com/x, ports: [{port: 80}]"), "service/f created");
	assert_string_equal(service("f", "status.loadBalancer.ingress"), "");
}

static void load_balancers_may_name_a_pool_or_addresses_by_annotation(void **state)
{
	(void)state;
	expect("apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {kserv.io/address-pool: b}}\n"
	       "spec: {type: LoadBalancer, ports: [{port: 80}]}\n", "service/a created");
	assert_string_equal(service("a", "status.loadBalancer.ingress"), "192.0.2.9");
	expect("apiVersion: v1\nkind: Service\nmetadata: {name: b, annotations: {metallb.io/loadBalancerIPs: \"192.0.2.2,2001:db8::9\"}}\n"
	       "spec: {type: LoadBalancer, ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}\n", "service/b created");
	assert_string_equal(service("b", "status.loadBalancer.ingress"), "192.0.2.2");
	expect("apiVersion: v1\nkind: Service\nmetadata: {name: c, annotations: {kserv.io/sharing-key: k, kserv.io/load-balancer-ips: 192.0.2.3}}\n"
	       "spec: {type: LoadBalancer, ports: [{port: 80}]}\n---\n"
	       "apiVersion: v1\nkind: Service\nmetadata: {name: d, annotations: {metallb.io/allow-shared-ip: k, kserv.io/load-balancer-ips: 192.0.2.3}}\n"
	       "spec: {type: LoadBalancer, ports: [{port: 81}]}\n", "service/c created, service/d created");
}

static void a_health_check_node_port_comes_and_goes_with_its_policy(void **state)
{
	char *port;

	(void)state;
	expect(SERVICE("a", "type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 80}]"), "service/a created");
	port = kserv_must_strdup(service("a", "spec.healthCheckNodePort"));
	assert_true(atoi(port) >= 30000 && atoi(port) <= 30100);
	expect(SERVICE("a", "type: LoadBalancer, externalTrafficPolicy: Local, ports: [{port: 81}]"), "service/a configured");
	assert_string_equal(service("a", "spec.healthCheckNodePort"), port);
	expect(SERVICE("a", "type: LoadBalancer, ports: [{port: 81}]"), "service/a configured");
	assert_string_equal(service("a", "spec.healthCheckNodePort"), "");
	free(port);
}

static void an_object_read_before_another_change_is_refused(void **state)
{
	char *first = NULL, *edited;

	(void)state;
	expect(SERVICE("web", "ports: [{port: 80}]"), "service/web created");
	assert_int_equal(kserv_store_find(embedded.store, "Service", "default", "web", &first), 0);
	expect(first, "service/web unchanged");
	expect(SERVICE("web", "ports: [{port: 81}]"), "service/web configured");
	edited = apply(first);
	assert_non_null(strstr(edited, "metadata.resourceVersion: the object has been modified since it was read"));
	free(edited);
	free(first);
}

static void objects_exported_from_another_cluster_are_taken(void **state)
{
	static const char text[] = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default, uid: 41447fa3-a099-419c-899e-b3fb839aef9d, "
		"resourceVersion: \"216\", creationTimestamp: \"2026-11-23T09:22:47Z\", managedFields: [{manager: kubectl}]}\n"
		"spec: {ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: 203.0.113.1}]}}\n";

	(void)state;
	expect(text, "service/web created");
	expect(text, "service/web unchanged");
	assert_string_not_equal(service("web", "metadata.uid"), "41447fa3-a099-419c-899e-b3fb839aef9d");
	assert_string_equal(service("web", "metadata.managedFields"), "");
	/* Whatever the type: rule 1.10. */
	assert_string_equal(service("web", "status.loadBalancer.ingress"), "203.0.113.1");
}

static void addresses_of_another_balancer_come_with_the_manifest_and_stay(void **state)
{
#define BALANCED(spec, ingress) "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, " spec "}\n" \
		"status: {loadBalancer: {ingress: [" ingress "]}}\n"
	(void)state;
	expect(BALANCED("loadBalancerIP: 203.0.113.9, ports: [{port: 80}]", "{ip: 203.0.113.1}, {ip: 203.0.113.2, ipMode: Proxy}, {hostname: lb}"),
	       "service/web created");
	assert_string_equal(service("web", "status.loadBalancer.ingress"), "203.0.113.1");
	expect(SERVICE("web", "type: LoadBalancer, loadBalancerIP: 203.0.113.9, ports: [{port: 81}]"), "service/web configured");
	assert_string_equal(service("web", "status.loadBalancer.ingress"), "203.0.113.1");
	expect(SERVICE("web", "ports: [{port: 81}]"), "service/web configured");
	assert_string_equal(service("web", "status.loadBalancer.ingress"), "");
	/* Of our own pool only what is free. */
	expect(BALANCED("ports: [{port: 81}]", "{ip: 192.0.2.9}"), "service/web configured");
	assert_string_equal(service("web", "status.loadBalancer.ingress"), "192.0.2.9");
	expect("apiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {type: LoadBalancer, ports: [{port: 81}]}\n"
	       "status: {loadBalancer: {ingress: [{ip: 192.0.2.9}]}}\n", "service/other created");
	assert_string_equal(service("other", "status.loadBalancer.ingress"), "192.0.2.1");
#undef BALANCED
}

static void fields_that_a_new_type_has_no_use_for_are_dropped(void **state)
{
	(void)state;
	expect(SERVICE("web", "type: NodePort, ports: [{port: 80, nodePort: 30050}]"), "service/web created");
	expect(SERVICE("web", "type: ClusterIP, ports: [{port: 80, nodePort: 30050}]"), "service/web configured");
	assert_int_equal(node_port("web", 0), 0);
	expect(SERVICE("web", "type: ExternalName, externalName: a.b, clusterIP: 10.0.0.9, ports: [{port: 80, nodePort: 30050}]"),
	       "service/web configured");
	assert_string_equal(service("web", "spec.clusterIP"), "");
	assert_int_equal(node_port("web", 0), 0);
	/* Nobody took it away from this one: rule 1.10. */
	expect(SERVICE("new", "type: ClusterIP, ports: [{port: 80, nodePort: 30050}]"), "service/new created");
	assert_int_equal(node_port("new", 0), 30050);
}

static void namespaces_are_made_and_deleted_with_all_in_them(void **state)
{
	char *got;

	(void)state;
	assert_string_equal(stored("Namespace", "", "kube-system", "status.phase"), "Active");
	expect("apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}\n",
	       "namespace/shop created, service/web created");
	got = delete("Namespace", "", "shop");
	assert_string_equal(got, "service/web deleted, namespace/shop deleted");
	free(got);
	got = delete("Namespace", "", "default");
	assert_string_equal(got, "namespace/default may not be deleted");
	free(got);
	got = delete("Service", "shop", "web");
	assert_string_equal(got, "not found");
	free(got);
}

static void an_object_given_twice_is_refused(void **state)
{
	(void)state;
	expect(SERVICE("web", "ports: [{port: 80}]") NEXT SERVICE("web", "ports: [{port: 81}]"),
	       "m:6:1: Service web is given twice; first in m:1");
}

static void a_status_stays_unless_the_manifest_brings_one(void **state)
{
#define POD(more) "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {a: b}}\nspec: {containers: [{name: c, image: d}]}\n" more
	(void)state;
	expect(POD("status: {podIP: 10.0.0.1}\n"), "pod/p created");
	assert_string_equal(stored("Pod", "default", "p", "status.phase"), "Running");
	expect(POD(""), "pod/p unchanged");
	assert_string_equal(stored("Pod", "default", "p", "status.podIP"), "10.0.0.1");
	expect(POD("status: {podIP: 10.0.0.2}\n"), "pod/p configured");
	assert_string_equal(stored("Pod", "default", "p", "status.podIP"), "10.0.0.2");
	expect("apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {kserv.io/pod-ip: 10.0.0.3}}\nspec: {containers: [{name: c, image: d}]}\n",
	       "pod/p configured");
	assert_string_equal(stored("Pod", "default", "p", "status.podIP"), "10.0.0.3");
}

static void workloads_are_stored_with_a_word_about_containers(void **state)
{
	(void)state;
	expect("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {a: b}}, "
	       "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: d}]}}}\n",
	       "deployment/web created\ndeployment/web is stored, but kserv runs no containers: its pods count once they are applied as Pod objects");
}

static void the_cluster_has_what_was_applied(void **state)
{
	struct kserv_errors errors = { 0 };
	struct kserv_cluster cluster;

	(void)state;
	expect(SERVICE("web", "selector: {app: web}, ports: [{port: 80}]") NEXT
	       "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: web}, annotations: {kserv.io/pod-ip: 10.0.0.1}}\nspec: {containers: [{name: c, image: d}]}\n" NEXT
	       "apiVersion: v1\nkind: Node\nmetadata: {name: a}\n" NEXT
	       SERVICE("db", "ports: [{port: 80}]") NEXT
	       "apiVersion: v1\nkind: Endpoints\nmetadata: {name: db}\nsubsets: [{addresses: [{ip: 192.0.2.1}], ports: [{port: 80}]}]\n",
	       "service/web created, pod/p created, node/a created, service/db created, endpoints/db created");
	assert_int_equal(kserv_embedded_cluster(&embedded, &cluster, &errors), 0);
	assert_int_equal(cluster.n_services, 2);
	assert_int_equal(cluster.n_pods, 1);
	assert_int_equal(cluster.n_nodes, 1);
	assert_int_equal(cluster.n_namespaces, 4);
	assert_int_equal(cluster.n_slices, 2);
	assert_int_equal(cluster.settings.node_port_max, 30100);
	kserv_cluster_clear(&cluster);
}

static void the_examples_apply_with_their_configuration(void **state)
{
	struct kserv_manifests manifests = { 0 };
	struct kserv_changes changes = { 0 };
	struct kserv_errors errors = { 0 };
	struct kserv_embedded_config config;
	struct kserv_text text;
	glob_t files;
	char *words;
	size_t i;

	(void)state;
	if (kserv_embedded_config_read(&config, "deploy/kserv.yaml", NULL, &errors))
		fail_msg("deploy/kserv.yaml (run this from the top of the project): %s", errors.v[0].text);
	kserv_embedded_config_clear(&config);
	assert_int_equal(glob("examples/*.yaml", 0, NULL, &files), 0);
	for (i = 0; i < files.gl_pathc; i++) {
		text = (struct kserv_text){ 0 };
		assert_int_equal(kserv_file_read(files.gl_pathv[i], &text), 0);
		kserv_manifests_read(&manifests, files.gl_pathv[i], text.s, text.len, &errors);
		kserv_text_clear(&text);
	}
	assert_int_equal(kserv_embedded_begin(&embedded, &errors), 0);
	/* Its node ports are not in the range of these tests. */
	embedded.config.limits.node_port_max = 32767;
	if (kserv_embedded_apply(&embedded, &manifests, "default", &changes, &errors)) {
		words = kserv_error_format(&errors.v[0]);
		fail_msg("%s", words);
	}
	assert_true(changes.n >= 15);
	kserv_embedded_rollback(&embedded);
	globfree(&files);
	kserv_changes_clear(&changes);
	kserv_manifests_clear(&manifests);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#define NODE(name, spec) "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name "}\n" spec

/* "10.244.1.0/24 fd00:10:244:1::/64" */
static void expect_pod_cidrs(const char *name, const char *expected)
{
	struct kserv_errors errors = { 0 };
	const struct kserv_value *one;
	struct kserv_text text = { 0 };
	struct kserv_tree tree = { 0 };
	char *json, *got;

	assert_int_equal(kserv_store_find(embedded.store, "Node", "", name, &json), 0);
	assert_int_equal(kserv_json_read(&tree, json, strlen(json), 1, NULL, &errors), 0);
	for (one = kserv_value_first(kserv_value_get(tree.root, "spec.podCIDRs")); one; one = one->next)
		kserv_text_printf(&text, "%s%s", text.len ? " " : "", one->text);
	kserv_tree_clear(&tree);
	free(json);
	got = kserv_text_take(&text);
	assert_string_equal(got, expected);
	free(got);
	if (*expected)
		assert_int_equal(strncmp(stored("Node", "", name, "spec.podCIDR"), expected,
					 strlen(stored("Node", "", name, "spec.podCIDR"))), 0);
}

static void nodes_get_pod_cidrs_and_keep_them(void **state)
{
	(void)state;
	/* What one asks for is not given to the one before it. */
	expect(NODE("a", "") NODE("b", "spec: {podCIDRs: [10.244.1.0/24]}\n"), "node/a created, node/b created");
	expect_pod_cidrs("a", "10.244.2.0/24 fd00:10:244:1::/64");
	expect_pod_cidrs("b", "10.244.1.0/24");
	expect(NODE("a", ""), "node/a unchanged");
	expect(NODE("a", "spec: {unschedulable: true}\n") NODE("c", ""), "node/a configured, node/c created");
	expect_pod_cidrs("a", "10.244.2.0/24 fd00:10:244:1::/64");
	expect_pod_cidrs("c", "10.244.3.0/24 fd00:10:244:2::/64");
	expect(NODE("d", ""), "node/d created");
	expect_pod_cidrs("d", "10.244.0.0/24 fd00:10:244:3::/64");
	expect(NODE("e", ""), "m:2:1: there is no CIDR left for its pods: all 4 of length 24 in clusterCIDR 10.244.0.0/22 are taken; "
			      "give it spec.podCIDRs, delete a Node, or take a larger clusterCIDR or nodeCIDRMaskSizeIPv4");
	free(delete("Node", "", "a"));
	expect(NODE("e", ""), "node/e created");
	expect_pod_cidrs("e", "10.244.2.0/24 fd00:10:244:1::/64");
}

static void without_a_pod_network_nodes_get_no_cidrs(void **state)
{
	(void)state;
	expect(NODE("a", ""), "node/a created");
	expect_pod_cidrs("a", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nodes_get_pod_cidrs_and_keep_them, setup_pod_network, teardown),
		TEST(without_a_pod_network_nodes_get_no_cidrs),
		TEST(objects_are_created_configured_and_left_unchanged),
		TEST(what_the_server_writes_is_kept),
		TEST(an_apply_with_one_mistake_changes_nothing),
		TEST(cluster_ips_asked_for_are_given_or_refused_with_their_holder),
		TEST(an_address_that_is_given_up_can_be_taken_in_the_same_apply),
		TEST(those_who_ask_come_before_chance),
		TEST(node_ports_stay_with_their_port_names),
		TEST(one_port_number_of_two_protocols_gets_one_node_port),
		TEST(node_ports_asked_for_are_given_or_refused),
		TEST(families_follow_the_policy),
		TEST(families_may_be_added_and_taken_away_but_not_swapped),
		TEST(load_balancers_get_addresses_from_the_pools),
		TEST(load_balancers_may_name_a_pool_or_addresses_by_annotation),
		TEST(a_health_check_node_port_comes_and_goes_with_its_policy),
		TEST(an_object_read_before_another_change_is_refused),
		TEST(objects_exported_from_another_cluster_are_taken),
		TEST(addresses_of_another_balancer_come_with_the_manifest_and_stay),
		TEST(fields_that_a_new_type_has_no_use_for_are_dropped),
		TEST(namespaces_are_made_and_deleted_with_all_in_them),
		TEST(an_object_given_twice_is_refused),
		TEST(a_status_stays_unless_the_manifest_brings_one),
		TEST(workloads_are_stored_with_a_word_about_containers),
		TEST(the_cluster_has_what_was_applied),
		TEST(the_examples_apply_with_their_configuration),
	};
	char *command;
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	command = kserv_must_printf("rm -rf %s", folder);
	if (system(command))
		failed = 1;
	free(command);
	return failed;
}
