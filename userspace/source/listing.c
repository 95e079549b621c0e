// SPDX-License-Identifier: GPL-2.0
/* Objects as the API would list them: those of the store, and the slices and Endpoints that its controllers would make. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "source/embedded.h"
#include "source/object.h"
#include "source/slices.h"

struct listing {
	struct kserv_tree *tree;
	struct kserv_value *list;
	const struct kserv_cluster *cluster;	/* for slices: what of the store is in force; else NULL */
	bool broken;
};

/* Slices of another cluster's controller are not in the model once a Pod matches. */
static bool is_in_force(const struct kserv_cluster *cluster, const struct kserv_stored *stored)
{
	size_t i;

	for (i = 0; i < cluster->n_slices; i++)
		if (*cluster->slices[i]->meta.uid && !strcmp(cluster->slices[i]->meta.name, stored->name) &&
		    !strcmp(cluster->slices[i]->meta.namespace, stored->namespace))
			return true;
	return false;
}

static bool add_stored(void *context, const struct kserv_stored *stored)
{
	struct listing *listing = context;
	struct kserv_tree *tree = listing->tree;
	struct kserv_value *list = listing->list;
	struct kserv_errors ignored = { 0 };

	if (listing->cluster && !is_in_force(listing->cluster, stored))
		return true;
	listing->broken = kserv_json_read(tree, stored->json, strlen(stored->json), 1, NULL, &ignored);
	kserv_errors_clear(&ignored);
	if (!listing->broken)
		kserv_value_append(list, tree->root);
	tree->root = list;
	return !listing->broken;
}

static struct kserv_value *endpoints_entry(struct kserv_tree *tree, const struct kserv_value *endpoint)
{
	struct kserv_value *entry = kserv_value_new(tree, KSERV_VALUE_MAP);
	static const char *const keys[] = { "hostname", "nodeName", "targetRef" };
	const struct kserv_value *value = kserv_value_first(kserv_value_find(endpoint, "addresses"));
	size_t i;

	kserv_value_set(entry, "ip", kserv_value_copy(tree, value));
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		value = kserv_value_find(endpoint, keys[i]);
		if (value)
			kserv_value_set(entry, keys[i], kserv_value_copy(tree, value));
	}
	return entry;
}

static void append_to(struct kserv_tree *tree, struct kserv_value *map, const char *key, struct kserv_value *member)
{
	struct kserv_value *list = kserv_value_find(map, key);

	if (!list) {
		list = kserv_value_new(tree, KSERV_VALUE_LIST);
		kserv_value_set(map, key, list);
	}
	kserv_value_append(list, member);
}

static struct kserv_value *subset_of(struct kserv_tree *tree, const struct kserv_slice *slice)
{
	struct kserv_value *object = kserv_slice_to_tree(tree, slice), *endpoint, *port;
	struct kserv_value *subset = kserv_value_new(tree, KSERV_VALUE_MAP);

	for (endpoint = kserv_value_first(kserv_value_find(object, "endpoints")); endpoint; endpoint = endpoint->next)
		append_to(tree, subset, kserv_value_bool(endpoint, "conditions.ready", true) ? "addresses" :
			  "notReadyAddresses", endpoints_entry(tree, endpoint));
	for (port = kserv_value_first(kserv_value_find(object, "ports")); port; port = port->next) {
		struct kserv_value *copy = kserv_value_copy(tree, port);

		if (!*kserv_value_string(copy, "name"))
			kserv_value_remove(copy, "name");
		append_to(tree, subset, "ports", copy);
	}
	return subset;
}

/* Endpoints of a Service as its controller makes them, of the Service's first family only. */
static void add_endpoints(struct kserv_tree *tree, struct kserv_value *list, const struct kserv_cluster *cluster,
			  const struct kserv_k8s_service *service)
{
	struct kserv_value *object = kserv_value_new(tree, KSERV_VALUE_MAP), *meta;
	bool v6 = service->ip_families.n && !strcmp(service->ip_families.v[0], "IPv6");
	size_t i;

	kserv_value_set(object, "apiVersion", kserv_value_new_string(tree, "v1"));
	kserv_value_set(object, "kind", kserv_value_new_string(tree, "Endpoints"));
	meta = kserv_value_need_map(tree, object, "metadata");
	kserv_value_set(meta, "name", kserv_value_new_string(tree, service->meta.name));
	kserv_value_set(meta, "namespace", kserv_value_new_string(tree, service->meta.namespace));
	for (i = 0; i < cluster->n_slices; i++) {
		const struct kserv_slice *slice = cluster->slices[i];

		if (strcmp(slice->service, service->meta.name) || strcmp(slice->meta.namespace, service->meta.namespace) ||
		    slice->address_type != (v6 ? KSERV_ADDRESS_IPV6 : KSERV_ADDRESS_IPV4) || !slice->n_endpoints)
			continue;
		append_to(tree, object, "subsets", subset_of(tree, slice));
	}
	kserv_value_append(list, object);
}

static bool has_object(const struct kserv_value *list, const struct kserv_meta *meta)
{
	const struct kserv_value *object;

	for (object = kserv_value_first(list); object; object = object->next)
		if (!strcmp(kserv_value_string(object, "metadata.name"), meta->name) &&
		    !strcmp(kserv_value_string(object, "metadata.namespace"), meta->namespace))
			return true;
	return false;
}

static void add_made(struct kserv_tree *tree, struct kserv_value *list, const struct kserv_cluster *cluster, bool slices)
{
	size_t i;

	for (i = 0; slices && i < cluster->n_slices; i++)
		if (!*cluster->slices[i]->meta.uid)
			kserv_value_append(list, kserv_slice_to_tree(tree, cluster->slices[i]));
	for (i = 0; !slices && i < cluster->n_services; i++)
		if (cluster->services[i]->selector.n && !has_object(list, &cluster->services[i]->meta))
			add_endpoints(tree, list, cluster, cluster->services[i]);
}

int kserv_embedded_list(struct kserv_embedded *embedded, const struct kserv_kind *kind, struct kserv_objects *ret,
			struct kserv_errors *errors)
{
	bool slices = !strcmp(kind->kind, "EndpointSlice"), made = slices || !strcmp(kind->kind, "Endpoints");
	struct listing listing = { .tree = &ret->tree };
	struct kserv_cluster cluster = { 0 };
	int error = 0;

	*ret = (struct kserv_objects){ 0 };
	listing.list = kserv_value_new(&ret->tree, KSERV_VALUE_LIST);
	ret->tree.root = listing.list;
	if (!embedded->store)
		return 0;
	if (made)
		error = kserv_embedded_cluster(embedded, &cluster, errors);
	if (error)
		return error;
	listing.cluster = slices ? &cluster : NULL;
	if (kserv_store_each(embedded->store, kind->kind, add_stored, &listing)) {
		error = kserv_embedded_fail(embedded, errors);
	} else if (listing.broken) {
		errors->source = NULL;
		kserv_errors_add(errors, 0, 0, "", "the store is damaged: an object in it is not JSON");
		error = -EIO;
	} else if (made) {
		add_made(&ret->tree, listing.list, &cluster, slices);
	}
	kserv_cluster_clear(&cluster);
	return error;
}

void kserv_objects_clear(struct kserv_objects *objects)
{
	kserv_tree_clear(&objects->tree);
}
