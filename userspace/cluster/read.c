// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/check.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lib/addr.h"

void kserv_strings_add(struct kserv_strings *strings, const char *s)
{
	strings->v = kserv_must_grow(strings->v, strings->n, sizeof(*strings->v));
	strings->v[strings->n++] = kserv_must_strdup(s);
}

void kserv_labels_add(struct kserv_labels *labels, const char *key, const char *value)
{
	labels->v = kserv_must_grow(labels->v, labels->n, sizeof(*labels->v));
	labels->v[labels->n++] = (struct kserv_label){ kserv_must_strdup(key), kserv_must_strdup(value) };
}

void kserv_read_labels(const struct kserv_value *map, struct kserv_labels *ret)
{
	const struct kserv_value *member;

	*ret = (struct kserv_labels){ 0 };
	if (!kserv_value_is(map, KSERV_VALUE_MAP))
		return;
	for (member = map->first; member; member = member->next)
		if (member->type == KSERV_VALUE_STRING)
			kserv_labels_add(ret, member->key, member->text);
}

void kserv_read_strings(const struct kserv_value *list, struct kserv_strings *ret)
{
	const struct kserv_value *member;

	*ret = (struct kserv_strings){ 0 };
	for (member = kserv_value_first(list); member; member = member->next)
		if (member->type == KSERV_VALUE_STRING)
			kserv_strings_add(ret, member->text);
}

char *kserv_read_string(const struct kserv_value *map, const char *path)
{
	return kserv_must_strdup(kserv_value_string(map, path));
}

uint8_t kserv_read_protocol(const struct kserv_value *map)
{
	const char *name = kserv_value_string(map, "protocol");

	return *name ? kserv_protocol_parse(name) : IPPROTO_TCP;
}

uint16_t kserv_read_port(const struct kserv_value *map, const char *key)
{
	int64_t number = kserv_value_int(map, key, 0);

	return number > 0 && number <= UINT16_MAX ? number : 0;
}

void kserv_read_meta(const struct kserv_value *object, struct kserv_meta *ret)
{
	const struct kserv_value *meta = kserv_value_find(object, "metadata");

	ret->namespace = kserv_read_string(meta, "namespace");
	ret->name = kserv_read_string(meta, "name");
	ret->uid = kserv_read_string(meta, "uid");
	ret->resource_version = kserv_read_string(meta, "resourceVersion");
	kserv_read_labels(kserv_value_find(meta, "labels"), &ret->labels);
	kserv_read_labels(kserv_value_find(meta, "annotations"), &ret->annotations);
	ret->deleting = kserv_value_find(meta, "deletionTimestamp") != NULL;
}

uint16_t kserv_read_weight(const struct kserv_meta *meta)
{
	const char *text = kserv_labels_find(&meta->annotations, KSERV_ANNOTATION_WEIGHT);
	uint32_t weight;

	return text && !kserv_number_parse(text, UINT16_MAX, &weight) ? weight : 100;
}

struct kserv_namespace *kserv_read_namespace(const struct kserv_value *object)
{
	struct kserv_namespace *ns = kserv_must_alloc(sizeof(*ns));

	kserv_read_meta(object, &ns->meta);
	return ns;
}

void kserv_read_service_cidr(const struct kserv_value *object, struct kserv_prefixes *ret)
{
	const struct kserv_value *cidr = kserv_value_first(kserv_value_get(object, "spec.cidrs"));
	struct kserv_prefix prefix;

	for (; cidr; cidr = cidr->next) {
		if (!kserv_value_is(cidr, KSERV_VALUE_STRING) || kserv_prefix_parse(cidr->text, &prefix))
			continue;
		ret->v = kserv_must_grow(ret->v, ret->n, sizeof(*ret->v));
		ret->v[ret->n++] = prefix;
	}
}

/* True if the conditions of @status hold @type with status True. */
static bool has_condition(const struct kserv_value *status, const char *type)
{
	const struct kserv_value *condition;

	condition = kserv_value_first(kserv_value_find(status, "conditions"));
	for (; condition; condition = condition->next)
		if (!strcmp(kserv_value_string(condition, "type"), type))
			return !strcmp(kserv_value_string(condition, "status"), "True");
	return false;
}

struct kserv_node *kserv_read_node(const struct kserv_value *object)
{
	const struct kserv_value *status = kserv_value_find(object, "status"), *entry;
	struct kserv_node *node = kserv_must_alloc(sizeof(*node));

	kserv_read_meta(object, &node->meta);
	for (entry = kserv_value_first(kserv_value_find(status, "addresses")); entry; entry = entry->next) {
		const char *type = kserv_value_string(entry, "type"), *address = kserv_value_string(entry, "address");

		if (!strcmp(type, "InternalIP"))
			kserv_strings_add(&node->internal_ips, address);
		else if (!strcmp(type, "ExternalIP"))
			kserv_strings_add(&node->external_ips, address);
	}
	kserv_read_strings(kserv_value_get(object, "spec.podCIDRs"), &node->pod_cidrs);
	if (!node->pod_cidrs.n && *kserv_value_string(object, "spec.podCIDR"))
		kserv_strings_add(&node->pod_cidrs, kserv_value_string(object, "spec.podCIDR"));
	node->ready = has_condition(status, "Ready");
	node->unschedulable = kserv_value_bool(object, "spec.unschedulable", false);
	for (entry = kserv_value_first(kserv_value_get(object, "spec.taints")); entry; entry = entry->next)
		kserv_strings_add(&node->taints, kserv_value_string(entry, "key"));
	return node;
}

static enum kserv_pod_phase read_phase(const char *phase)
{
	static const char *const phases[] = {
		[KSERV_POD_PENDING] = "Pending", [KSERV_POD_RUNNING] = "Running",
		[KSERV_POD_SUCCEEDED] = "Succeeded", [KSERV_POD_FAILED] = "Failed",
	};
	size_t i;

	for (i = 0; i < sizeof(phases) / sizeof(*phases); i++)
		if (!strcmp(phase, phases[i]))
			return i;
	return KSERV_POD_UNKNOWN;
}

static void read_container_ports(const struct kserv_value *containers, bool sidecars_only, struct kserv_pod *pod)
{
	const struct kserv_value *container, *port;

	for (container = kserv_value_first(containers); container; container = container->next) {
		/* An init container that goes on running is a sidecar; the others are over when the pod serves. */
		if (sidecars_only && strcmp(kserv_value_string(container, "restartPolicy"), "Always"))
			continue;
		for (port = kserv_value_first(kserv_value_find(container, "ports")); port; port = port->next) {
			pod->ports = kserv_must_grow(pod->ports, pod->n_ports, sizeof(*pod->ports));
			pod->ports[pod->n_ports++] = (struct kserv_container_port){
				.name = kserv_read_string(port, "name"),
				.protocol = kserv_read_protocol(port),
				.port = kserv_read_port(port, "containerPort"),
			};
		}
	}
}

struct kserv_pod *kserv_read_pod(const struct kserv_value *object)
{
	const struct kserv_value *spec = kserv_value_find(object, "spec"), *status = kserv_value_find(object, "status");
	struct kserv_pod *pod = kserv_must_alloc(sizeof(*pod));
	const struct kserv_value *entry;

	kserv_read_meta(object, &pod->meta);
	pod->node_name = kserv_read_string(spec, "nodeName");
	pod->hostname = kserv_read_string(spec, "hostname");
	pod->subdomain = kserv_read_string(spec, "subdomain");
	pod->host_network = kserv_value_bool(spec, "hostNetwork", false);
	pod->phase = read_phase(kserv_value_string(status, "phase"));
	pod->ready = has_condition(status, "Ready");
	for (entry = kserv_value_first(kserv_value_find(status, "podIPs")); entry; entry = entry->next)
		kserv_strings_add(&pod->ips, kserv_value_string(entry, "ip"));
	if (!pod->ips.n && *kserv_value_string(status, "podIP"))
		kserv_strings_add(&pod->ips, kserv_value_string(status, "podIP"));
	read_container_ports(kserv_value_find(spec, "containers"), false, pod);
	read_container_ports(kserv_value_find(spec, "initContainers"), true, pod);
	return pod;
}
