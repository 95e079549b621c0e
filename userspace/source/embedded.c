// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "source/embedded.h"
#include "source/object.h"
#include "source/slices.h"

int kserv_embedded_fail(struct kserv_embedded *embedded, struct kserv_errors *errors)
{
	errors->source = NULL;
	kserv_errors_add(errors, 0, 0, "", "%s", kserv_store_error(embedded->store));
	return -EIO;
}

/* Namespaces that a Kubernetes cluster is born with. */
static const char *const first_namespaces[] = { "default", "kube-node-lease", "kube-public", "kube-system", NULL };

bool kserv_namespace_is_permanent(const char *name)
{
	const char *const *one;

	for (one = first_namespaces; *one; one++)
		if (!strcmp(*one, name))
			return true;
	return false;
}

static int make_first_namespaces(struct kserv_embedded *embedded, struct kserv_errors *errors)
{
	const char *const *name;
	char *json = NULL;
	int error = kserv_store_find(embedded->store, "Namespace", "", "default", &json);

	free(json);
	if (error != -ENOENT)
		return error ? kserv_embedded_fail(embedded, errors) : 0;
	if (kserv_store_begin(embedded->store))
		return kserv_embedded_fail(embedded, errors);
	for (name = first_namespaces; *name; name++) {
		if (!kserv_object_put_namespace(embedded->store, *name, &json)) {
			free(json);
			continue;
		}
		kserv_embedded_fail(embedded, errors);
		kserv_store_rollback(embedded->store);
		return -EIO;
	}
	return kserv_embedded_commit(embedded, errors);
}

int kserv_embedded_open_store(struct kserv_embedded *embedded, const char *path, bool create, struct kserv_errors *errors)
{
	char *why = NULL;
	int error = kserv_store_open(path ? path : KSERV_STORE_PATH, create, &embedded->store, &why);

	if (error == -EIO) {
		errors->source = NULL;
		kserv_errors_add(errors, 0, 0, "", "%s", why);
	} else if (error) {
		error = 0;
	} else if (create) {
		error = make_first_namespaces(embedded, errors);
	}
	free(why);
	return error;
}

int kserv_embedded_open(struct kserv_embedded *embedded, const char *config_path, const char *const *sets,
			const char *store_path, bool create, struct kserv_errors *errors)
{
	*embedded = (struct kserv_embedded){ 0 };
	if (kserv_embedded_config_read(&embedded->config, config_path, sets, errors))
		return -EINVAL;
	return kserv_embedded_open_store(embedded, store_path, create, errors);
}

void kserv_embedded_close(struct kserv_embedded *embedded)
{
	kserv_store_close(embedded->store);
	kserv_embedded_config_clear(&embedded->config);
	*embedded = (struct kserv_embedded){ 0 };
}

int kserv_embedded_begin(struct kserv_embedded *embedded, struct kserv_errors *errors)
{
	return kserv_store_begin(embedded->store) ? kserv_embedded_fail(embedded, errors) : 0;
}

int kserv_embedded_commit(struct kserv_embedded *embedded, struct kserv_errors *errors)
{
	return kserv_store_commit(embedded->store) ? kserv_embedded_fail(embedded, errors) : 0;
}

void kserv_embedded_rollback(struct kserv_embedded *embedded)
{
	kserv_store_rollback(embedded->store);
}

void kserv_change_add(struct kserv_changes *changes, const struct kserv_change *change)
{
	struct kserv_change *copy;

	changes->v = kserv_must_grow(changes->v, changes->n, sizeof(*changes->v));
	copy = &changes->v[changes->n++];
	*copy = *change;
	copy->namespace = kserv_must_strdup(change->namespace);
	copy->name = kserv_must_strdup(change->name);
	copy->before = change->before ? kserv_must_strdup(change->before) : NULL;
	copy->after = change->after ? kserv_must_strdup(change->after) : NULL;
}

void kserv_changes_clear(struct kserv_changes *changes)
{
	size_t i;

	for (i = 0; i < changes->n; i++) {
		free(changes->v[i].namespace);
		free(changes->v[i].name);
		free(changes->v[i].before);
		free(changes->v[i].after);
	}
	for (i = 0; i < changes->notes.n; i++)
		free(changes->notes.v[i]);
	free(changes->notes.v);
	free(changes->v);
	*changes = (struct kserv_changes){ 0 };
}

/* What is in a namespace. */
struct members {
	const char *namespace;
	struct {
		const struct kserv_kind *kind;
		char *name, *json;
	} *v;
	size_t n;
};

static bool note_member(void *context, const struct kserv_stored *stored)
{
	struct members *members = context;

	if (strcmp(stored->namespace, members->namespace))
		return true;
	members->v = kserv_must_grow(members->v, members->n, sizeof(*members->v));
	members->v[members->n].kind = kserv_kind_lookup(stored->kind);
	members->v[members->n].name = kserv_must_strdup(stored->name);
	members->v[members->n++].json = kserv_must_strdup(stored->json);
	return true;
}

static int delete_one(struct kserv_embedded *embedded, const struct kserv_kind *kind, const char *namespace,
		      const char *name, char *json, struct kserv_changes *changes, struct kserv_errors *errors)
{
	struct kserv_change change = {
		.verb = KSERV_DELETED,
		.kind = kind,
		.namespace = (char *)namespace,
		.name = (char *)name,
		.before = json,
	};

	if (kserv_store_delete(embedded->store, kind->kind, namespace, name))
		return kserv_embedded_fail(embedded, errors);
	kserv_change_add(changes, &change);
	return 0;
}

static int delete_members(struct kserv_embedded *embedded, const char *namespace, struct kserv_changes *changes,
			  struct kserv_errors *errors)
{
	struct members members = { .namespace = namespace };
	int error = 0;
	size_t i;

	if (kserv_store_each(embedded->store, NULL, note_member, &members))
		error = kserv_embedded_fail(embedded, errors);
	for (i = 0; i < members.n; i++) {
		if (!error)
			error = delete_one(embedded, members.v[i].kind, namespace, members.v[i].name,
					   members.v[i].json, changes, errors);
		free(members.v[i].name);
		free(members.v[i].json);
	}
	free(members.v);
	return error;
}

int kserv_embedded_delete(struct kserv_embedded *embedded, const struct kserv_kind *kind, const char *namespace,
			  const char *name, struct kserv_changes *changes, struct kserv_errors *errors)
{
	char *json;
	int error;

	if (!kind->namespaced)
		namespace = "";
	error = kserv_store_find(embedded->store, kind->kind, namespace, name, &json);
	if (error)
		return error == -ENOENT ? error : kserv_embedded_fail(embedded, errors);
	if (!strcmp(kind->kind, "Namespace")) {
		if (kserv_namespace_is_permanent(name)) {
			errors->source = NULL;
			kserv_errors_add(errors, 0, 0, "", "namespace/%s may not be deleted", name);
			error = -EINVAL;
		} else {
			error = delete_members(embedded, name, changes, errors);
		}
	}
	if (!error)
		error = delete_one(embedded, kind, namespace, name, json, changes, errors);
	free(json);
	return error;
}

struct builder {
	struct kserv_cluster *cluster;
	struct kserv_tree *endpoints;	/* one for each Endpoints object: they wait until all Services are known */
	size_t n_endpoints;
	bool broken;
};

static void add_object(struct builder *builder, const char *kind, const struct kserv_value *object)
{
	struct kserv_cluster *cluster = builder->cluster;

	if (!strcmp(kind, "Service")) {
		cluster->services = kserv_must_grow(cluster->services, cluster->n_services, sizeof(*cluster->services));
		cluster->services[cluster->n_services++] = kserv_read_service(object);
	} else if (!strcmp(kind, "EndpointSlice")) {
		cluster->slices = kserv_must_grow(cluster->slices, cluster->n_slices, sizeof(*cluster->slices));
		cluster->slices[cluster->n_slices++] = kserv_read_slice(object);
	} else if (!strcmp(kind, "Node")) {
		cluster->nodes = kserv_must_grow(cluster->nodes, cluster->n_nodes, sizeof(*cluster->nodes));
		cluster->nodes[cluster->n_nodes++] = kserv_read_node(object);
	} else if (!strcmp(kind, "Pod")) {
		cluster->pods = kserv_must_grow(cluster->pods, cluster->n_pods, sizeof(*cluster->pods));
		cluster->pods[cluster->n_pods++] = kserv_read_pod(object);
	} else if (!strcmp(kind, "ServiceCIDR")) {
		kserv_read_service_cidr(object, &cluster->settings.service_cidrs);
	} else if (!strcmp(kind, "Namespace")) {
		cluster->namespaces = kserv_must_grow(cluster->namespaces, cluster->n_namespaces,
						      sizeof(*cluster->namespaces));
		cluster->namespaces[cluster->n_namespaces++] = kserv_read_namespace(object);
	}
}

static bool visit_object(void *context, const struct kserv_stored *stored)
{
	struct kserv_errors ignored = { 0 };
	struct builder *builder = context;
	struct kserv_tree tree = { 0 };

	if (kserv_json_read(&tree, stored->json, strlen(stored->json), 1, NULL, &ignored)) {
		builder->broken = true;
	} else if (!strcmp(stored->kind, "Endpoints")) {
		builder->endpoints = kserv_must_grow(builder->endpoints, builder->n_endpoints, sizeof(tree));
		builder->endpoints[builder->n_endpoints++] = tree;
		return true;
	} else {
		add_object(builder, stored->kind, tree.root);
	}
	kserv_errors_clear(&ignored);
	kserv_tree_clear(&tree);
	return !builder->broken;
}

int kserv_embedded_cluster(struct kserv_embedded *embedded, struct kserv_cluster *ret, struct kserv_errors *errors)
{
	struct builder builder = { .cluster = ret };
	int error = 0;
	size_t i;

	*ret = (struct kserv_cluster){ 0 };
	kserv_embedded_config_settings(&embedded->config, &ret->settings);
	if (embedded->store && kserv_store_each(embedded->store, NULL, visit_object, &builder))
		error = kserv_embedded_fail(embedded, errors);
	if (builder.broken) {
		errors->source = NULL;
		kserv_errors_add(errors, 0, 0, "", "the store is damaged: an object in it is not JSON");
		error = -EIO;
	}
	for (i = 0; i < builder.n_endpoints; i++) {
		if (!error)
			kserv_slices_of_endpoints(ret, builder.endpoints[i].root);
		kserv_tree_clear(&builder.endpoints[i]);
	}
	free(builder.endpoints);
	if (error)
		kserv_cluster_clear(ret);
	else
		kserv_slices_of_pods(ret);
	return error;
}
