// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "cluster/fill.h"
#include "cluster/json.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "source/assign.h"
#include "source/config.h"
#include "source/node_cidr.h"
#include "source/embedded.h"
#include "source/object.h"

/**
 * struct item - one object being applied
 * @key: kind, namespace and name
 * @old: as stored, NULL if it is new
 * @wrong: errors were added for it; nothing more is done with it
 */
struct item {
	const struct kserv_manifest *manifest;
	char *key, *old_json;
	const char *namespace, *name;
	struct kserv_tree old_tree;
	const struct kserv_value *old;
	bool wrong;
	UT_hash_handle hh;
};

struct apply {
	struct kserv_embedded *embedded;
	struct item *items;
	size_t n_items;
	struct item *by_key;
	struct kserv_allocator *allocator;
	struct kserv_changes *changes;
	struct kserv_errors *errors;
};

static char *make_key(const char *kind, const char *namespace, const char *name)
{
	return kserv_must_printf("%s\n%s\n%s", kind, namespace, name);
}

static void set_namespace(const struct kserv_manifest *manifest, const char *namespace)
{
	struct kserv_value *meta = kserv_value_find(manifest->value, "metadata");

	if (!kserv_value_is(meta, KSERV_VALUE_MAP))
		return;
	if (!manifest->kind->namespaced)
		return;
	if (!kserv_value_find(meta, "namespace") || !*kserv_value_string(meta, "namespace"))
		kserv_value_set(meta, "namespace", kserv_value_new_string(manifest->tree, namespace));
}

static int load_old(struct apply *apply, struct item *item)
{
	struct kserv_errors damage = { 0 };
	int error = kserv_store_find(apply->embedded->store, item->manifest->kind->kind, item->namespace, item->name,
				     &item->old_json);

	if (error == -ENOENT)
		return 0;
	if (error)
		return kserv_embedded_fail(apply->embedded, apply->errors);
	if (kserv_json_read(&item->old_tree, item->old_json, strlen(item->old_json), 1, NULL, &damage)) {
		kserv_errors_clear(&damage);
		kserv_error_at(apply->errors, item->manifest->value,
			       "the store is damaged: this object in it is not JSON");
		return -EIO;
	}
	item->old = item->old_tree.root;
	return 0;
}

/*
 * The status is not the user's to give, except where nobody else would: a manifest without one leaves it as it was,
 * and a Pod that says its address anew is told by that.
 */
static void keep_status(const struct item *item)
{
	const struct kserv_value *old = kserv_value_find(item->old, "status"), *annotations;
	struct kserv_value *object = item->manifest->value, *copy;

	annotations = kserv_value_get(object, "metadata.annotations");
	if (!old || kserv_value_find(object, "status") || kserv_value_find(annotations, KSERV_ANNOTATION_POD_IP) ||
	    kserv_value_find(annotations, KSERV_ANNOTATION_POD_IPS))
		return;
	copy = kserv_value_copy(item->manifest->tree, old);
	kserv_value_unplace(copy);
	kserv_value_set(object, "status", copy);
}

/* An object read from us, edited and applied must not undo what happened in between. */
static void check_version(struct apply *apply, const struct item *item)
{
	const struct kserv_value *object = item->manifest->value;
	const char *version = kserv_value_string(object, "metadata.resourceVersion");
	const char *uid = kserv_value_string(object, "metadata.uid");

	if (!item->old || !*version || (*uid && strcmp(uid, kserv_value_string(item->old, "metadata.uid"))) ||
	    !strcmp(version, kserv_value_string(item->old, "metadata.resourceVersion")))
		return;
	kserv_error_at(apply->errors, kserv_value_get(object, "metadata.resourceVersion"),
		       "the object has been modified since it was read: it is at %s now, not %s; read it again",
		       kserv_value_string(item->old, "metadata.resourceVersion"), version);
}

static void refuse_twice(struct apply *apply, const struct item *item, const struct item *first)
{
	kserv_error_at(apply->errors, item->manifest->value, "%s %s is given twice; first in %s:%u",
		       item->manifest->kind->kind, item->name, first->manifest->source, first->manifest->value->line);
}

static int prepare(struct apply *apply, struct item *item, const char *namespace)
{
	const struct kserv_manifest *manifest = item->manifest;
	size_t before = apply->errors->n;
	struct item *first;

	apply->errors->source = manifest->source;
	set_namespace(manifest, namespace);
	item->namespace = manifest->kind->namespaced ? kserv_value_string(manifest->value, "metadata.namespace") : "";
	item->name = kserv_value_string(manifest->value, "metadata.name");
	item->key = make_key(manifest->kind->kind, item->namespace, item->name);
	HASH_FIND_STR(apply->by_key, item->key, first);
	if (first && *item->name)
		refuse_twice(apply, item, first);
	else if (!first)
		HASH_ADD_KEYPTR(hh, apply->by_key, item->key, strlen(item->key), item);
	if (load_old(apply, item))
		return -EIO;
	keep_status(item);
	check_version(apply, item);
	kserv_manifest_check(manifest, apply->errors);
	item->wrong = apply->errors->n > before;
	return 0;
}

static bool is_service(const struct item *item)
{
	return !strcmp(item->manifest->kind->kind, "Service");
}

static bool hold(void *context, const struct kserv_stored *stored)
{
	char *key = make_key(stored->kind, stored->namespace, stored->name);
	struct apply *apply = context;
	struct kserv_errors ignored = { 0 };
	struct kserv_tree tree = { 0 };
	struct item *item;

	HASH_FIND_STR(apply->by_key, key, item);
	free(key);
	if (item)
		return true;
	if (!kserv_json_read(&tree, stored->json, strlen(stored->json), 1, NULL, &ignored))
		kserv_assign_held(apply->allocator, tree.root);
	kserv_errors_clear(&ignored);
	kserv_tree_clear(&tree);
	return true;
}

static void each_service(struct apply *apply, void (*step)(const struct kserv_assign *assign))
{
	size_t i, before;

	for (i = 0; i < apply->n_items; i++) {
		struct item *item = &apply->items[i];
		struct kserv_assign assign = {
			.tree = item->manifest->tree,
			.object = item->manifest->value,
			.old = item->old,
			.allocator = apply->allocator,
			.errors = apply->errors,
			.notes = &apply->changes->notes,
		};

		if (item->wrong || !is_service(item))
			continue;
		before = apply->errors->n;
		apply->errors->source = item->manifest->source;
		step(&assign);
		item->wrong = apply->errors->n > before;
	}
}

static void allow_cidrs(struct apply *apply, const struct kserv_value *object)
{
	struct kserv_prefixes cidrs = { 0 };
	size_t i;

	kserv_read_service_cidr(object, &cidrs);
	for (i = 0; i < cidrs.n; i++)
		kserv_allocator_add_cidr(apply->allocator, &cidrs.v[i]);
	free(cidrs.v);
}

static bool allow_stored_cidrs(void *context, const struct kserv_stored *stored)
{
	struct kserv_errors ignored = { 0 };
	struct apply *apply = context;
	struct kserv_tree tree = { 0 };

	if (!kserv_json_read(&tree, stored->json, strlen(stored->json), 1, NULL, &ignored))
		allow_cidrs(apply, tree.root);
	kserv_errors_clear(&ignored);
	kserv_tree_clear(&tree);
	return true;
}

static int allow_service_cidrs(struct apply *apply)
{
	size_t i;

	for (i = 0; i < apply->n_items; i++)
		if (!strcmp(apply->items[i].manifest->kind->kind, "ServiceCIDR"))
			allow_cidrs(apply, apply->items[i].manifest->value);
	return kserv_store_each(apply->embedded->store, "ServiceCIDR", allow_stored_cidrs, apply);
}

static int assign_services(struct apply *apply)
{
	if (allow_service_cidrs(apply))
		return kserv_embedded_fail(apply->embedded, apply->errors);
	if (kserv_store_each(apply->embedded->store, "Service", hold, apply))
		return kserv_embedded_fail(apply->embedded, apply->errors);
	each_service(apply, kserv_assign_settle);
	each_service(apply, kserv_assign_requested);
	each_service(apply, kserv_assign_rest);
	return 0;
}

static bool hold_node(void *context, const struct kserv_stored *stored)
{
	struct kserv_errors ignored = { 0 };
	struct kserv_tree tree = { 0 };

	if (!kserv_json_read(&tree, stored->json, strlen(stored->json), 1, NULL, &ignored))
		kserv_node_cidrs_hold(context, tree.root);
	kserv_errors_clear(&ignored);
	kserv_tree_clear(&tree);
	return true;
}

static bool is_node(const struct item *item)
{
	return !item->wrong && !strcmp(item->manifest->kind->kind, "Node");
}

/* What any Node asks for is taken before others get theirs. */
static int give_node_cidrs(struct apply *apply, struct kserv_node_cidrs *cidrs)
{
	size_t i;

	if (kserv_store_each(apply->embedded->store, "Node", hold_node, cidrs))
		return kserv_embedded_fail(apply->embedded, apply->errors);
	for (i = 0; i < apply->n_items; i++)
		if (is_node(&apply->items[i]))
			kserv_node_cidrs_hold(cidrs, apply->items[i].manifest->value);
	for (i = 0; i < apply->n_items; i++) {
		const struct item *item = &apply->items[i];

		if (!is_node(item))
			continue;
		apply->errors->source = item->manifest->source;
		kserv_node_cidrs_assign(cidrs, item->manifest->tree, item->manifest->value, item->old, apply->errors);
	}
	return 0;
}

static int assign_nodes(struct apply *apply)
{
	const struct kserv_embedded_config *config = &apply->embedded->config;
	struct kserv_errors ignored = { 0 };
	struct kserv_node_cidrs cidrs;
	struct kserv_settings settings;
	bool any = false;
	int error = 0;
	size_t i;

	for (i = 0; i < apply->n_items; i++)
		any |= is_node(&apply->items[i]);
	if (!any)
		return 0;
	kserv_embedded_config_settings(config, &settings);
	/* It was read once and is right. */
	if (kserv_node_cidrs_read(config->tree.root, &settings.cluster_cidrs, &cidrs, &ignored))
		error = give_node_cidrs(apply, &cidrs);
	kserv_node_cidrs_clear(&cidrs);
	kserv_settings_clear(&settings);
	return error;
}

/* Fields of other kinds that may not change. */
static void check_immutable(struct apply *apply, struct item *item)
{
	const struct kserv_value *object = item->manifest->value;
	const char *old = kserv_value_string(item->old, "addressType");
	const char *now = kserv_value_string(object, "addressType");

	if (!item->old || strcmp(item->manifest->kind->kind, "EndpointSlice") || !strcmp(old, now))
		return;
	apply->errors->source = item->manifest->source;
	kserv_error_at(apply->errors, kserv_value_find(object, "addressType"),
		       "field is immutable: the EndpointSlice has %s; delete it first to change that", old);
}

/* A namespace that an object names is made: there is no other way in which the object could do its work. */
static int need_namespace(struct apply *apply, const char *name)
{
	struct kserv_change change = { .verb = KSERV_CREATED, .namespace = (char *)"", .name = (char *)name };
	char *key = make_key("Namespace", "", name), *json = NULL;
	struct item *item;
	int error;

	HASH_FIND_STR(apply->by_key, key, item);
	free(key);
	if (item || !*name)
		return 0;
	error = kserv_store_find(apply->embedded->store, "Namespace", "", name, &json);
	free(json);
	if (error != -ENOENT)
		return error ? kserv_embedded_fail(apply->embedded, apply->errors) : 0;
	if (kserv_object_put_namespace(apply->embedded->store, name, &change.after))
		return kserv_embedded_fail(apply->embedded, apply->errors);
	change.kind = kserv_kind_lookup("Namespace");
	kserv_change_add(apply->changes, &change);
	free(change.after);
	return 0;
}

static int store_item(struct apply *apply, const struct item *item)
{
	const struct kserv_manifest *manifest = item->manifest;
	struct kserv_change change = {
		.verb = item->old ? KSERV_CONFIGURED : KSERV_CREATED,
		.kind = manifest->kind,
		.namespace = (char *)item->namespace,
		.name = (char *)item->name,
		.before = item->old_json,
	};

	kserv_object_stamp(manifest->tree, manifest->value, item->old);
	change.after = kserv_object_json(manifest->value);
	if (item->old && !strcmp(change.after, item->old_json)) {
		change.verb = KSERV_UNCHANGED;
	} else {
		free(change.after);
		if (kserv_object_put(apply->embedded->store, manifest->tree, manifest->value, &change.after))
			return kserv_embedded_fail(apply->embedded, apply->errors);
	}
	kserv_change_add(apply->changes, &change);
	free(change.after);
	return 0;
}

static int store_items(struct apply *apply)
{
	size_t i;

	for (i = 0; i < apply->n_items; i++)
		if (need_namespace(apply, apply->items[i].namespace) || store_item(apply, &apply->items[i]))
			return -EIO;
	return 0;
}

static void note_workloads(struct apply *apply)
{
	char *note;
	size_t i;

	for (i = 0; i < apply->n_items; i++) {
		const struct kserv_kind *kind = apply->items[i].manifest->kind;

		if (!kind->is_workload)
			continue;
		note = kserv_must_printf("%s/%s is stored, but kserv runs no containers: "
					 "its pods count once they are applied as Pod objects",
					 kind->singular, apply->items[i].name);
		kserv_strings_add(&apply->changes->notes, note);
		free(note);
	}
}

static int run(struct apply *apply, const char *namespace)
{
	size_t i;

	for (i = 0; i < apply->n_items; i++)
		if (prepare(apply, &apply->items[i], namespace))
			return -EIO;
	if (assign_services(apply) || assign_nodes(apply))
		return -EIO;
	for (i = 0; i < apply->n_items; i++)
		check_immutable(apply, &apply->items[i]);
	if (apply->errors->n)
		return -EINVAL;
	note_workloads(apply);
	return store_items(apply);
}

int kserv_embedded_apply(struct kserv_embedded *embedded, struct kserv_manifests *manifests, const char *namespace,
			 struct kserv_changes *changes, struct kserv_errors *errors)
{
	struct apply apply = {
		.embedded = embedded,
		.items = kserv_must_alloc(manifests->n * sizeof(*apply.items)),
		.n_items = manifests->n,
		.allocator = kserv_allocator_new(&embedded->config.limits),
		.changes = changes,
		.errors = errors,
	};
	size_t i;
	int error;

	for (i = 0; i < manifests->n; i++)
		apply.items[i].manifest = &manifests->v[i];
	error = run(&apply, namespace);
	HASH_CLEAR(hh, apply.by_key);
	for (i = 0; i < apply.n_items; i++) {
		free(apply.items[i].key);
		free(apply.items[i].old_json);
		kserv_tree_clear(&apply.items[i].old_tree);
	}
	free(apply.items);
	kserv_allocator_free(apply.allocator);
	return error;
}
