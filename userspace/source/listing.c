// SPDX-License-Identifier: GPL-2.0
/*
 * Objects as the API would list them: those of the store, and the slices and Endpoints that its controllers would
 * make.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "source/embedded.h"
#include "source/object.h"
#include "source/slices.h"

/* Slices of the model by a key: for each object to be listed only those are looked at that belong to it. */
struct bucket {
	char *key;
	const struct kserv_slice **slices;
	size_t n;
	UT_hash_handle hh;
};

/**
 * struct listing - what is being put together
 * @by_service: namespace and Service
 * @by_name: namespace and name; those that came from the store
 */
struct listing {
	struct kserv_tree *tree;
	struct kserv_value *list;
	const struct kserv_cluster *cluster;	/* where slices or Endpoints are listed; else NULL */
	struct bucket *by_service, *by_name;
	bool slices, broken;
};

static struct bucket *find_bucket(struct bucket *buckets, const char *namespace, const char *name)
{
	char *key = kserv_must_printf("%s\n%s", namespace, name);
	struct bucket *bucket;

	HASH_FIND_STR(buckets, key, bucket);
	free(key);
	return bucket;
}

static void add_to_bucket(struct bucket **buckets, const char *namespace, const char *name,
			  const struct kserv_slice *slice)
{
	struct bucket *bucket = find_bucket(*buckets, namespace, name);

	if (!bucket) {
		bucket = kserv_must_alloc(sizeof(*bucket));
		bucket->key = kserv_must_printf("%s\n%s", namespace, name);
		HASH_ADD_KEYPTR(hh, *buckets, bucket->key, strlen(bucket->key), bucket);
	}
	bucket->slices = kserv_must_grow(bucket->slices, bucket->n, sizeof(*bucket->slices));
	bucket->slices[bucket->n++] = slice;
}

static void index_slices(struct listing *listing)
{
	const struct kserv_slice *slice;
	size_t i;

	for (i = 0; i < listing->cluster->n_slices; i++) {
		slice = listing->cluster->slices[i];
		add_to_bucket(&listing->by_service, slice->meta.namespace, slice->service, slice);
		if (*slice->meta.uid)
			add_to_bucket(&listing->by_name, slice->meta.namespace, slice->meta.name, slice);
	}
}

static void clear_buckets(struct bucket *buckets)
{
	struct bucket *bucket, *next;

	HASH_ITER(hh, buckets, bucket, next) {
		HASH_DEL(buckets, bucket);
		free(bucket->key);
		free(bucket->slices);
		free(bucket);
	}
}

static bool add_stored(void *context, const struct kserv_stored *stored)
{
	struct listing *listing = context;
	struct kserv_tree *tree = listing->tree;
	struct kserv_value *list = listing->list;
	struct kserv_errors ignored = { 0 };

	/* Slices of another cluster's controller are not in the model once a Pod matches. */
	if (listing->slices && !find_bucket(listing->by_name, stored->namespace, stored->name))
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
static void add_endpoints(const struct listing *listing, const struct kserv_k8s_service *service)
{
	bool v6 = service->ip_families.n && !strcmp(service->ip_families.v[0], "IPv6");
	const struct bucket *bucket = find_bucket(listing->by_service, service->meta.namespace, service->meta.name);
	struct kserv_tree *tree = listing->tree;
	struct kserv_value *object = kserv_value_new(tree, KSERV_VALUE_MAP), *meta;
	size_t i;

	kserv_value_set(object, "apiVersion", kserv_value_new_string(tree, "v1"));
	kserv_value_set(object, "kind", kserv_value_new_string(tree, "Endpoints"));
	meta = kserv_value_need_map(tree, object, "metadata");
	kserv_value_set(meta, "name", kserv_value_new_string(tree, service->meta.name));
	kserv_value_set(meta, "namespace", kserv_value_new_string(tree, service->meta.namespace));
	for (i = 0; bucket && i < bucket->n; i++)
		if (bucket->slices[i]->address_type == (v6 ? KSERV_ADDRESS_IPV6 : KSERV_ADDRESS_IPV4) &&
		    bucket->slices[i]->n_endpoints)
			append_to(tree, object, "subsets", subset_of(tree, bucket->slices[i]));
	kserv_value_append(listing->list, object);
}

/* Endpoints that were applied under the name of a Service with a selector are shown instead of ours. */
static void add_all_endpoints(struct listing *listing)
{
	struct kserv_value *object;
	struct bucket *applied = NULL;
	size_t i;

	for (object = kserv_value_first(listing->list); object; object = object->next)
		add_to_bucket(&applied, kserv_value_string(object, "metadata.namespace"),
			      kserv_value_string(object, "metadata.name"), NULL);
	for (i = 0; i < listing->cluster->n_services; i++) {
		const struct kserv_k8s_service *service = listing->cluster->services[i];

		if (service->selector.n && !find_bucket(applied, service->meta.namespace, service->meta.name))
			add_endpoints(listing, service);
	}
	clear_buckets(applied);
}

static void add_all_slices(struct listing *listing)
{
	size_t i;

	for (i = 0; i < listing->cluster->n_slices; i++)
		if (!*listing->cluster->slices[i]->meta.uid)
			kserv_value_append(listing->list,
					   kserv_slice_to_tree(listing->tree, listing->cluster->slices[i]));
}

static int add_objects(struct kserv_embedded *embedded, const struct kserv_kind *kind, struct listing *listing,
		       struct kserv_errors *errors)
{
	if (kserv_store_each(embedded->store, kind->kind, add_stored, listing))
		return kserv_embedded_fail(embedded, errors);
	if (listing->broken) {
		errors->source = NULL;
		kserv_errors_add(errors, 0, 0, "", "the store is damaged: an object in it is not JSON");
		return -EIO;
	}
	if (listing->slices)
		add_all_slices(listing);
	else if (listing->cluster)
		add_all_endpoints(listing);
	return 0;
}

int kserv_embedded_list(struct kserv_embedded *embedded, const struct kserv_kind *kind, struct kserv_objects *ret,
			struct kserv_errors *errors)
{
	struct listing listing = { .tree = &ret->tree, .slices = !strcmp(kind->kind, "EndpointSlice") };
	struct kserv_cluster cluster = { 0 };
	int error;

	*ret = (struct kserv_objects){ 0 };
	listing.list = kserv_value_new(&ret->tree, KSERV_VALUE_LIST);
	ret->tree.root = listing.list;
	if (!embedded->store)
		return 0;
	if (listing.slices || !strcmp(kind->kind, "Endpoints")) {
		error = kserv_embedded_cluster(embedded, &cluster, errors);
		if (error)
			return error;
		listing.cluster = &cluster;
		index_slices(&listing);
	}
	error = add_objects(embedded, kind, &listing, errors);
	clear_buckets(listing.by_service);
	clear_buckets(listing.by_name);
	kserv_cluster_clear(&cluster);
	return error;
}

void kserv_objects_clear(struct kserv_objects *objects)
{
	kserv_tree_clear(&objects->tree);
}
