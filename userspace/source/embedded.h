/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The embedded cluster: objects that were applied, in the store, and what Kubernetes' control plane would do with them.
 * Changes are made inside a transaction of the store: begin, apply and delete, look at the cluster, commit or roll
 * back.
 */
#ifndef KSERV_EMBEDDED_H
#define KSERV_EMBEDDED_H

#include "cluster/cluster.h"
#include "cluster/errors.h"
#include "cluster/manifest.h"
#include "source/config.h"
#include "source/store.h"

/**
 * struct kserv_embedded - an open cluster
 * @store: NULL where nothing was stored yet and it was opened for reading
 */
struct kserv_embedded {
	struct kserv_store *store;
	struct kserv_embedded_config config;
};

enum kserv_verb { KSERV_CREATED, KSERV_CONFIGURED, KSERV_UNCHANGED, KSERV_DELETED };

/**
 * struct kserv_change - what happened to one object
 * @namespace: "" for kinds that are in none
 * @before: JSON, NULL for a new object; @after: NULL for one that was deleted
 */
struct kserv_change {
	enum kserv_verb verb;
	const struct kserv_kind *kind;
	char *namespace, *name;
	char *before, *after;
};

/**
 * struct kserv_changes - what happened in one transaction
 * @notes: sentences that the user should see although all went well
 */
struct kserv_changes {
	struct kserv_change *v;
	size_t n;
	struct kserv_strings notes;
};

/* Objects of one kind; each is a member of the list @tree.root. */
struct kserv_objects {
	struct kserv_tree tree;
};

/**
 * kserv_embedded_open() - open configuration and store
 * @config_path, @store_path: NULL for the usual ones
 * @sets: what goes before the configuration, see kserv_embedded_config_read()
 * @create: make the store if it is not there
 *
 * Return: 0, or -EINVAL or -EIO with errors added.
 */
int kserv_embedded_open(struct kserv_embedded *embedded, const char *config_path, const char *const *sets,
			const char *store_path, bool create, struct kserv_errors *errors);
/* The same for a caller that has read the configuration: @embedded->config is there, and belongs to @embedded. */
int kserv_embedded_open_store(struct kserv_embedded *embedded, const char *path, bool create,
			      struct kserv_errors *errors);
void kserv_embedded_close(struct kserv_embedded *embedded);

/* Transactions; errors added when they do not return 0. */
int kserv_embedded_begin(struct kserv_embedded *embedded, struct kserv_errors *errors);
int kserv_embedded_commit(struct kserv_embedded *embedded, struct kserv_errors *errors);
void kserv_embedded_rollback(struct kserv_embedded *embedded);

/**
 * kserv_embedded_apply() - create or replace objects, allocating what they need
 * @namespace: for objects that name none
 * @changes: appended to
 *
 * Return: 0, or -EINVAL or -EIO with errors added; then the caller rolls back, so that none of them is applied.
 */
int kserv_embedded_apply(struct kserv_embedded *embedded, struct kserv_manifests *manifests, const char *namespace,
			 struct kserv_changes *changes, struct kserv_errors *errors);

/**
 * kserv_embedded_delete() - delete one object; a Namespace with all that is in it
 * Return: 0, -ENOENT, or -EINVAL or -EIO with errors added.
 */
int kserv_embedded_delete(struct kserv_embedded *embedded, const struct kserv_kind *kind, const char *namespace,
			  const char *name, struct kserv_changes *changes, struct kserv_errors *errors);

/* The model as plan needs it, slices made from Pods and Endpoints included. Return: 0 or -EIO with errors added. */
int kserv_embedded_cluster(struct kserv_embedded *embedded, struct kserv_cluster *ret, struct kserv_errors *errors);

/* All objects of a kind, EndpointSlices and Endpoints of Services with a selector included. Return: as above. */
int kserv_embedded_list(struct kserv_embedded *embedded, const struct kserv_kind *kind, struct kserv_objects *ret,
			struct kserv_errors *errors);
void kserv_objects_clear(struct kserv_objects *objects);
void kserv_changes_clear(struct kserv_changes *changes);

#endif
