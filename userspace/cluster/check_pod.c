// SPDX-License-Identifier: GPL-2.0
/* Of Pods only what decides about services is checked by value; schema_pod.c knows the types of all the rest. */
#include <string.h>
#include "cluster/check.h"
#include "cluster/format.h"

static void check_container_ports(const struct kserv_value *ports, struct kserv_errors *errors)
{
	const struct kserv_value *port, *other, *name;

	for (port = kserv_value_first(ports); port; port = port->next) {
		if (!kserv_value_find(port, "containerPort"))
			kserv_error_missing(errors, port, "containerPort", "required");
		kserv_check_port(kserv_value_find(port, "containerPort"), errors);
		kserv_check_port(kserv_value_find(port, "hostPort"), errors);
		kserv_check_protocol(port, errors);
		name = kserv_value_find(port, "name");
		kserv_check_shape(name, kserv_refuse_port_name, errors);
		for (other = kserv_value_first(ports); name && other != port; other = other->next) {
			if (name->type != KSERV_VALUE_STRING || !*name->text ||
			    strcmp(kserv_value_string(other, "name"), name->text))
				continue;
			kserv_error_at(errors, name, "\"%s\" is the name of another port of this container",
				       name->text);
			break;
		}
	}
}

static void check_container(const struct kserv_value *container, bool needs_image, struct kserv_errors *errors)
{
	const char *name = kserv_check_text(container, "name"), *image = kserv_check_text(container, "image");

	if (!kserv_value_find(container, "name") || (name && !*name))
		kserv_error_missing(errors, container, "name", "required");
	kserv_check_shape(kserv_value_find(container, "name"), kserv_refuse_label, errors);
	if (needs_image && (!kserv_value_find(container, "image") || (image && !*image)))
		kserv_error_missing(errors, container, "image", "required");
	check_container_ports(kserv_value_find(container, "ports"), errors);
}

static void check_containers(const struct kserv_value *containers, struct kserv_errors *errors)
{
	const struct kserv_value *container, *other;
	const char *name;

	for (container = kserv_value_first(containers); container; container = container->next) {
		check_container(container, true, errors);
		name = kserv_value_string(container, "name");
		for (other = containers->first; *name && other != container; other = other->next) {
			if (strcmp(kserv_value_string(other, "name"), name))
				continue;
			kserv_error_at(errors, kserv_value_find(container, "name"),
				       "\"%s\" is the name of another container", name);
			break;
		}
	}
}

static void check_pod_spec(const struct kserv_value *parent, struct kserv_errors *errors)
{
	const struct kserv_value *spec = kserv_value_find(parent, "spec"), *containers;

	if (spec && spec->type != KSERV_VALUE_MAP)
		return;
	containers = kserv_value_find(spec, "containers");
	if (!containers || (containers->type == KSERV_VALUE_LIST && !containers->n))
		kserv_error_missing(errors, spec ? spec : parent, spec ? "containers" : "spec.containers", "required");
	check_containers(containers, errors);
	check_containers(kserv_value_find(spec, "initContainers"), errors);
	kserv_check_shape(kserv_value_find(spec, "nodeName"), kserv_refuse_subdomain, errors);
	kserv_check_shape(kserv_value_find(spec, "hostname"), kserv_refuse_label, errors);
	kserv_check_shape(kserv_value_find(spec, "subdomain"), kserv_refuse_label, errors);
	kserv_check_one_of(kserv_value_find(spec, "restartPolicy"), "Always OnFailure Never", errors);
	kserv_check_one_of(kserv_value_find(spec, "dnsPolicy"), "ClusterFirstWithHostNet ClusterFirst Default None",
			   errors);
	kserv_check_labels(kserv_value_find(spec, "nodeSelector"), errors);
}

static void check_pod_status(const struct kserv_value *status, struct kserv_errors *errors)
{
	const struct kserv_value *list = kserv_value_find(status, "podIPs"), *entry, *ip;
	const char *first = NULL;
	struct kserv_addr addr;

	kserv_check_one_of(kserv_value_find(status, "phase"), "Pending Running Succeeded Failed Unknown", errors);
	ip = kserv_value_find(status, "podIP");
	for (entry = kserv_value_first(list); entry; entry = entry->next) {
		kserv_check_endpoint_address(kserv_value_find(entry, "ip"), &addr, errors);
		if (!first)
			first = kserv_value_string(entry, "ip");
	}
	if (kserv_value_is(ip, KSERV_VALUE_STRING) && *ip->text && (!first || strcmp(first, ip->text)))
		kserv_error_at(errors, ip, "must be the first of podIPs, %s, got \"%s\"",
			       first ? first : "of which there are none",
			       ip->text);
}

void kserv_check_pod(const struct kserv_value *object, struct kserv_errors *errors)
{
	kserv_check_meta(object, true, kserv_refuse_subdomain, errors);
	check_pod_spec(object, errors);
	check_pod_status(kserv_value_find(object, "status"), errors);
}

static bool has_labels(const struct kserv_value *labels, const struct kserv_value *wanted)
{
	const struct kserv_value *label, *own;

	for (label = wanted->first; label; label = label->next) {
		own = kserv_value_find(labels, label->key);
		if (!own || strcmp(own->text, label->text))
			return false;
	}
	return true;
}

void kserv_check_workload(const struct kserv_value *object, struct kserv_errors *errors)
{
	const struct kserv_value *spec = kserv_value_find(object, "spec"), *wanted, *selector, *template, *replicas;

	kserv_check_meta(object, true, kserv_refuse_subdomain, errors);
	if (!kserv_value_is(spec, KSERV_VALUE_MAP))
		return;
	replicas = kserv_value_find(spec, "replicas");
	if (kserv_value_is(replicas, KSERV_VALUE_INT) && replicas->integer < 0)
		kserv_error_at(errors, replicas, "must be 0 or more, got %s", replicas->text);
	selector = kserv_value_find(spec, "selector");
	if (!selector)
		kserv_error_missing(errors, spec, "selector", "required");
	wanted = kserv_value_find(selector, "matchLabels");
	kserv_check_labels(wanted, errors);
	template = kserv_value_find(spec, "template");
	if (!template) {
		kserv_error_missing(errors, spec, "template", "required");
		return;
	}
	kserv_check_labels(kserv_value_get(template, "metadata.labels"), errors);
	if (kserv_value_is(wanted, KSERV_VALUE_MAP) &&
	    !has_labels(kserv_value_get(template, "metadata.labels"), wanted))
		kserv_error_at(errors, template, "metadata.labels do not match spec.selector.matchLabels");
	check_pod_spec(template, errors);
}
