// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "lib/addr.h"
#include "source/slices.h"

static void set_string(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *s)
{
	if (*s)
		kserv_value_set(map, key, kserv_value_new_string(tree, s));
}

static void set_maybe(struct kserv_tree *tree, struct kserv_value *map, const char *key, enum kserv_maybe maybe)
{
	if (maybe != KSERV_ABSENT)
		kserv_value_set(map, key, kserv_value_new_bool(tree, maybe == KSERV_TRUE));
}

static struct kserv_value *add_list(struct kserv_tree *tree, struct kserv_value *map, const char *key)
{
	struct kserv_value *list = kserv_value_new(tree, KSERV_VALUE_LIST);

	kserv_value_set(map, key, list);
	return list;
}

static struct kserv_value *add_map(struct kserv_tree *tree, struct kserv_value *list)
{
	struct kserv_value *map = kserv_value_new(tree, KSERV_VALUE_MAP);

	kserv_value_append(list, map);
	return map;
}

static void set_labels(struct kserv_tree *tree, struct kserv_value *map, const char *key,
		       const struct kserv_labels *labels)
{
	struct kserv_value *member;
	size_t i;

	if (!labels->n)
		return;
	member = kserv_value_need_map(tree, map, key);
	for (i = 0; i < labels->n; i++)
		kserv_value_set(member, kserv_tree_strdup(tree, labels->v[i].key),
				kserv_value_new_string(tree, labels->v[i].value));
}

static void set_names(struct kserv_tree *tree, struct kserv_value *map, const char *key,
		      const struct kserv_strings *names)
{
	struct kserv_value *list;
	size_t i;

	if (!names->n)
		return;
	list = add_list(tree, map, key);
	for (i = 0; i < names->n; i++)
		set_string(tree, add_map(tree, list), "name", names->v[i]);
}

static void add_endpoint(struct kserv_tree *tree, struct kserv_value *list, const struct kserv_slice_endpoint *endpoint)
{
	struct kserv_value *map = add_map(tree, list), *addresses = add_list(tree, map, "addresses"), *member;
	size_t i;

	for (i = 0; i < endpoint->addresses.n; i++)
		kserv_value_append(addresses, kserv_value_new_string(tree, endpoint->addresses.v[i]));
	member = kserv_value_need_map(tree, map, "conditions");
	set_maybe(tree, member, "ready", endpoint->ready);
	set_maybe(tree, member, "serving", endpoint->serving);
	set_maybe(tree, member, "terminating", endpoint->terminating);
	if (*endpoint->target_name) {
		member = kserv_value_need_map(tree, map, "targetRef");
		set_string(tree, member, "kind", endpoint->target_kind);
		set_string(tree, member, "namespace", endpoint->target_namespace);
		set_string(tree, member, "name", endpoint->target_name);
	}
	set_string(tree, map, "hostname", endpoint->hostname);
	set_string(tree, map, "nodeName", endpoint->node_name);
	set_string(tree, map, "zone", endpoint->zone);
	if (endpoint->hint_zones.n || endpoint->hint_nodes.n) {
		member = kserv_value_need_map(tree, map, "hints");
		set_names(tree, member, "forZones", &endpoint->hint_zones);
		set_names(tree, member, "forNodes", &endpoint->hint_nodes);
	}
}

static void add_port(struct kserv_tree *tree, struct kserv_value *list, const struct kserv_slice_port *port)
{
	struct kserv_value *map = add_map(tree, list);

	if (port->name)
		kserv_value_set(map, "name", kserv_value_new_string(tree, port->name));
	set_string(tree, map, "protocol", port->protocol == IPPROTO_UDP ? "UDP" :
		   port->protocol == IPPROTO_SCTP ? "SCTP" : "TCP");
	if (port->port)
		kserv_value_set(map, "port", kserv_value_new_int(tree, port->port));
}

struct kserv_value *kserv_slice_to_tree(struct kserv_tree *tree, const struct kserv_slice *slice)
{
	static const char *const types[] = {
		[KSERV_ADDRESS_IPV4] = "IPv4", [KSERV_ADDRESS_IPV6] = "IPv6", [KSERV_ADDRESS_FQDN] = "FQDN",
	};
	struct kserv_value *object = kserv_value_new(tree, KSERV_VALUE_MAP), *meta, *list;
	size_t i;

	set_string(tree, object, "apiVersion", "discovery.k8s.io/v1");
	set_string(tree, object, "kind", "EndpointSlice");
	meta = kserv_value_need_map(tree, object, "metadata");
	set_string(tree, meta, "name", slice->meta.name);
	set_string(tree, meta, "namespace", slice->meta.namespace);
	set_string(tree, meta, "uid", slice->meta.uid);
	set_string(tree, meta, "resourceVersion", slice->meta.resource_version);
	set_labels(tree, meta, "labels", &slice->meta.labels);
	set_labels(tree, meta, "annotations", &slice->meta.annotations);
	set_string(tree, object, "addressType", types[slice->address_type]);
	list = add_list(tree, object, "endpoints");
	for (i = 0; i < slice->n_endpoints; i++)
		add_endpoint(tree, list, &slice->endpoints[i]);
	list = add_list(tree, object, "ports");
	for (i = 0; i < slice->n_ports; i++)
		add_port(tree, list, &slice->ports[i]);
	return object;
}
