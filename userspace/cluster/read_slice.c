// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "cluster/memory.h"
#include "cluster/read.h"

#define SERVICE_NAME_LABEL	"kubernetes.io/service-name"

static enum kserv_maybe read_maybe(const struct kserv_value *map, const char *path)
{
	const struct kserv_value *value = kserv_value_get(map, path);

	if (!kserv_value_is(value, KSERV_VALUE_BOOL))
		return KSERV_ABSENT;
	return value->boolean ? KSERV_TRUE : KSERV_FALSE;
}

static void read_names(const struct kserv_value *list, struct kserv_strings *ret)
{
	const struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next)
		kserv_strings_add(ret, kserv_value_string(value, "name"));
}

static void read_endpoint(const struct kserv_value *value, uint16_t weight, struct kserv_slice_endpoint *endpoint)
{
	kserv_read_strings(kserv_value_find(value, "addresses"), &endpoint->addresses);
	endpoint->ready = read_maybe(value, "conditions.ready");
	endpoint->serving = read_maybe(value, "conditions.serving");
	endpoint->terminating = read_maybe(value, "conditions.terminating");
	endpoint->hostname = kserv_read_string(value, "hostname");
	endpoint->node_name = kserv_read_string(value, "nodeName");
	endpoint->zone = kserv_read_string(value, "zone");
	endpoint->target_kind = kserv_read_string(value, "targetRef.kind");
	endpoint->target_namespace = kserv_read_string(value, "targetRef.namespace");
	endpoint->target_name = kserv_read_string(value, "targetRef.name");
	read_names(kserv_value_get(value, "hints.forZones"), &endpoint->hint_zones);
	read_names(kserv_value_get(value, "hints.forNodes"), &endpoint->hint_nodes);
	endpoint->weight = weight;
}

static void read_port(const struct kserv_value *value, struct kserv_slice_port *port)
{
	const struct kserv_value *name = kserv_value_find(value, "name");

	port->name = kserv_value_is(name, KSERV_VALUE_STRING) ? kserv_must_strdup(name->text) : NULL;
	port->protocol = kserv_read_protocol(value);
	port->port = kserv_read_port(value, "port");
}

static enum kserv_address_type read_address_type(const char *type)
{
	return !strcmp(type, "IPv4") ? KSERV_ADDRESS_IPV4 :
		!strcmp(type, "IPv6") ? KSERV_ADDRESS_IPV6 : KSERV_ADDRESS_FQDN;
}

struct kserv_slice *kserv_read_slice(const struct kserv_value *object)
{
	struct kserv_slice *slice = kserv_must_alloc(sizeof(*slice));
	const struct kserv_value *value;
	const char *service;
	uint16_t weight;

	kserv_read_meta(object, &slice->meta);
	service = kserv_labels_find(&slice->meta.labels, SERVICE_NAME_LABEL);
	weight = kserv_read_weight(&slice->meta);
	slice->service = kserv_must_strdup(service ? service : "");
	slice->address_type = read_address_type(kserv_value_string(object, "addressType"));
	for (value = kserv_value_first(kserv_value_find(object, "endpoints")); value; value = value->next) {
		slice->endpoints = kserv_must_grow(slice->endpoints, slice->n_endpoints, sizeof(*slice->endpoints));
		read_endpoint(value, weight, &slice->endpoints[slice->n_endpoints++]);
	}
	for (value = kserv_value_first(kserv_value_find(object, "ports")); value; value = value->next) {
		slice->ports = kserv_must_grow(slice->ports, slice->n_ports, sizeof(*slice->ports));
		read_port(value, &slice->ports[slice->n_ports++]);
	}
	return slice;
}
