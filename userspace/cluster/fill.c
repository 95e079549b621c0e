// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "cluster/fill.h"
#include "cluster/memory.h"
#include "lib/addr.h"

static void set_string(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *s)
{
	if (!kserv_value_find(map, key))
		kserv_value_set(map, key, kserv_value_new_string(tree, s));
}

static void set_bool(struct kserv_tree *tree, struct kserv_value *map, const char *key, bool b)
{
	if (!kserv_value_find(map, key))
		kserv_value_set(map, key, kserv_value_new_bool(tree, b));
}

static void set_int(struct kserv_tree *tree, struct kserv_value *map, const char *key, int64_t i)
{
	if (!kserv_value_find(map, key))
		kserv_value_set(map, key, kserv_value_new_int(tree, i));
}

/* Addresses and CIDRs are read leniently and kept as they are written nowadays (rule 1.18). */
static void simplify(struct kserv_tree *tree, struct kserv_value *value)
{
	char simple[KSERV_ADDR_TEXT];
	struct kserv_prefix prefix;

	if (kserv_value_is(value, KSERV_VALUE_STRING) && kserv_addr_simplify(value->text, simple) &&
	    strcmp(simple, value->text) && !kserv_prefix_parse(simple, &prefix))
		value->text = kserv_tree_strndup(tree, simple, strlen(simple));
}

static void simplify_all(struct kserv_tree *tree, struct kserv_value *list)
{
	struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next)
		simplify(tree, value);
}

static void simplify_members(struct kserv_tree *tree, struct kserv_value *list, const char *key)
{
	struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next)
		simplify(tree, kserv_value_find(value, key));
}

static void fill_service_addresses(struct kserv_tree *tree, struct kserv_value *object)
{
	simplify(tree, kserv_value_get(object, "spec.clusterIP"));
	simplify_all(tree, kserv_value_get(object, "spec.clusterIPs"));
	simplify_all(tree, kserv_value_get(object, "spec.externalIPs"));
	simplify_all(tree, kserv_value_get(object, "spec.loadBalancerSourceRanges"));
	simplify(tree, kserv_value_get(object, "spec.loadBalancerIP"));
	simplify_members(tree, kserv_value_get(object, "status.loadBalancer.ingress"), "ip");
}

static void fill_service_ports(struct kserv_tree *tree, struct kserv_value *spec)
{
	struct kserv_value *port, *number, *target;

	for (port = kserv_value_first(kserv_value_find(spec, "ports")); port; port = port->next) {
		if (port->type != KSERV_VALUE_MAP)
			continue;
		set_string(tree, port, "protocol", "TCP");
		number = kserv_value_find(port, "port");
		target = kserv_value_find(port, "targetPort");
		if (kserv_value_is(target, KSERV_VALUE_INT) && !target->integer)
			target = NULL;
		if (kserv_value_is(target, KSERV_VALUE_STRING) && !*target->text)
			target = NULL;
		if (!target && kserv_value_is(number, KSERV_VALUE_INT) && number->integer > 0 &&
		    number->integer <= UINT16_MAX)
			kserv_value_set(port, "targetPort", kserv_value_new_int(tree, number->integer));
	}
}

static void fill_affinity(struct kserv_tree *tree, struct kserv_value *spec)
{
	struct kserv_value *config, *client;

	set_string(tree, spec, "sessionAffinity", "None");
	if (!strcmp(kserv_value_string(spec, "sessionAffinity"), "None")) {
		kserv_value_remove(spec, "sessionAffinityConfig");
	} else if (!strcmp(kserv_value_string(spec, "sessionAffinity"), "ClientIP")) {
		config = kserv_value_need_map(tree, spec, "sessionAffinityConfig");
		client = kserv_value_need_map(tree, config, "clientIP");
		set_int(tree, client, "timeoutSeconds", 10800);
	}
}

void kserv_fill_service(struct kserv_tree *tree, struct kserv_value *object)
{
	struct kserv_value *spec = kserv_value_need_map(tree, object, "spec"), *status, *external_ips;
	const char *type;

	set_string(tree, spec, "type", "ClusterIP");
	type = kserv_value_string(spec, "type");
	external_ips = kserv_value_find(spec, "externalIPs");
	fill_affinity(tree, spec);
	fill_service_ports(tree, spec);
	fill_service_addresses(tree, object);
	if (strcmp(type, "ExternalName"))
		set_string(tree, spec, "internalTrafficPolicy", "Cluster");
	if (!strcmp(type, "NodePort") || !strcmp(type, "LoadBalancer") ||
	    (!strcmp(type, "ClusterIP") && kserv_value_first(external_ips)))
		set_string(tree, spec, "externalTrafficPolicy", "Cluster");
	if (!strcmp(type, "LoadBalancer"))
		set_bool(tree, spec, "allocateLoadBalancerNodePorts", true);
	status = kserv_value_need_map(tree, object, "status");
	kserv_value_need_map(tree, status, "loadBalancer");
}

static void fill_protocols(struct kserv_tree *tree, struct kserv_value *ports)
{
	struct kserv_value *port;

	for (port = kserv_value_first(ports); port; port = port->next)
		if (port->type == KSERV_VALUE_MAP)
			set_string(tree, port, "protocol", "TCP");
}

void kserv_fill_slice(struct kserv_tree *tree, struct kserv_value *object)
{
	struct kserv_value *endpoint, *port;

	for (endpoint = kserv_value_first(kserv_value_find(object, "endpoints")); endpoint; endpoint = endpoint->next)
		simplify_all(tree, kserv_value_find(endpoint, "addresses"));
	fill_protocols(tree, kserv_value_find(object, "ports"));
	for (port = kserv_value_first(kserv_value_find(object, "ports")); port; port = port->next)
		if (port->type == KSERV_VALUE_MAP)
			set_string(tree, port, "name", "");
}

void kserv_fill_endpoints(struct kserv_tree *tree, struct kserv_value *object)
{
	struct kserv_value *subset;

	for (subset = kserv_value_first(kserv_value_find(object, "subsets")); subset; subset = subset->next) {
		fill_protocols(tree, kserv_value_find(subset, "ports"));
		simplify_members(tree, kserv_value_find(subset, "addresses"), "ip");
		simplify_members(tree, kserv_value_find(subset, "notReadyAddresses"), "ip");
	}
}

/* podCIDR and podCIDRs each stand for the other. */
void kserv_fill_node(struct kserv_tree *tree, struct kserv_value *object)
{
	struct kserv_value *spec = kserv_value_need_map(tree, object, "spec"), *list;
	struct kserv_value *one = kserv_value_find(spec, "podCIDR"), *many = kserv_value_find(spec, "podCIDRs");
	struct kserv_value *first = kserv_value_first(many);

	simplify(tree, one);
	simplify_all(tree, many);
	simplify_members(tree, kserv_value_get(object, "status.addresses"), "address");
	if (!one && kserv_value_is(first, KSERV_VALUE_STRING)) {
		set_string(tree, spec, "podCIDR", first->text);
	} else if (!first && kserv_value_is(one, KSERV_VALUE_STRING) && *one->text) {
		list = kserv_value_new(tree, KSERV_VALUE_LIST);
		kserv_value_append(list, kserv_value_new_string(tree, one->text));
		kserv_value_set(spec, "podCIDRs", list);
	}
	kserv_value_need_map(tree, object, "status");
}

void kserv_fill_service_cidr(struct kserv_tree *tree, struct kserv_value *object)
{
	simplify_all(tree, kserv_value_find(kserv_value_need_map(tree, object, "spec"), "cidrs"));
	kserv_value_need_map(tree, object, "status");
}

void kserv_fill_namespace(struct kserv_tree *tree, struct kserv_value *object)
{
	struct kserv_value *spec = kserv_value_need_map(tree, object, "spec"), *status, *finalizers;

	if (!kserv_value_find(spec, "finalizers")) {
		finalizers = kserv_value_new(tree, KSERV_VALUE_LIST);
		kserv_value_append(finalizers, kserv_value_new_string(tree, "kubernetes"));
		kserv_value_set(spec, "finalizers", finalizers);
	}
	status = kserv_value_need_map(tree, object, "status");
	set_string(tree, status, "phase", "Active");
}

static void fill_container_ports(struct kserv_tree *tree, struct kserv_value *containers)
{
	struct kserv_value *container;

	for (container = kserv_value_first(containers); container; container = container->next)
		fill_protocols(tree, kserv_value_find(container, "ports"));
}

static void fill_pod_spec(struct kserv_tree *tree, struct kserv_value *spec)
{
	fill_container_ports(tree, kserv_value_find(spec, "initContainers"));
	fill_container_ports(tree, kserv_value_find(spec, "containers"));
}

static void append_ip(struct kserv_tree *tree, struct kserv_value *list, const char *ip, size_t len)
{
	struct kserv_value *entry = kserv_value_new(tree, KSERV_VALUE_MAP);

	kserv_value_set(entry, "ip", kserv_value_new_string(tree, kserv_tree_strndup(tree, ip, len)));
	kserv_value_append(list, entry);
}

static void split_ips(struct kserv_tree *tree, struct kserv_value *list, const char *text)
{
	size_t len;

	for (; *text; text += strspn(text, ", ")) {
		len = strcspn(text, ", ");
		if (len)
			append_ip(tree, list, text, len);
		text += len;
	}
}

/* podIP and podIPs each stand for the other, and the annotations for both. */
static void fill_pod_ips(struct kserv_tree *tree, struct kserv_value *object, struct kserv_value *status)
{
	const struct kserv_value *annotations = kserv_value_get(object, "metadata.annotations");
	const struct kserv_value *given = kserv_value_find(annotations, KSERV_ANNOTATION_POD_IPS);
	const char *ip = kserv_value_string(status, "podIP");
	struct kserv_value *list;

	if (!given)
		given = kserv_value_find(annotations, KSERV_ANNOTATION_POD_IP);
	if (!kserv_value_first(kserv_value_find(status, "podIPs"))) {
		list = kserv_value_new(tree, KSERV_VALUE_LIST);
		if (*ip)
			append_ip(tree, list, ip, strlen(ip));
		else if (kserv_value_is(given, KSERV_VALUE_STRING))
			split_ips(tree, list, given->text);
		if (list->n)
			kserv_value_set(status, "podIPs", list);
	}
	list = kserv_value_first(kserv_value_find(status, "podIPs"));
	if (!*ip && list && *kserv_value_string(list, "ip"))
		set_string(tree, status, "podIP", kserv_value_string(list, "ip"));
}

void kserv_fill_pod(struct kserv_tree *tree, struct kserv_value *object)
{
	struct kserv_value *status, *condition, *conditions;
	bool on_node;

	fill_pod_spec(tree, kserv_value_need_map(tree, object, "spec"));
	status = kserv_value_need_map(tree, object, "status");
	fill_pod_ips(tree, object, status);
	if (kserv_value_find(status, "phase") || kserv_value_first(kserv_value_find(status, "conditions")))
		return;
	on_node = kserv_value_bool(object, "spec.hostNetwork", false) && *kserv_value_string(object, "spec.nodeName");
	if (!kserv_value_find(status, "podIP") && !on_node) {
		set_string(tree, status, "phase", "Pending");
		return;
	}
	set_string(tree, status, "phase", "Running");
	condition = kserv_value_new(tree, KSERV_VALUE_MAP);
	set_string(tree, condition, "type", "Ready");
	set_string(tree, condition, "status", "True");
	conditions = kserv_value_new(tree, KSERV_VALUE_LIST);
	kserv_value_append(conditions, condition);
	kserv_value_set(status, "conditions", conditions);
}

void kserv_fill_workload(struct kserv_tree *tree, struct kserv_value *object)
{
	struct kserv_value *spec = kserv_value_need_map(tree, object, "spec");
	const char *kind = kserv_value_string(object, "kind");

	if (strcmp(kind, "DaemonSet"))
		set_int(tree, spec, "replicas", 1);
	fill_pod_spec(tree, kserv_value_get(spec, "template.spec"));
	kserv_value_need_map(tree, object, "status");
}
