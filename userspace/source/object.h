/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects on their way into the store: what the API server writes into metadata. Shared by the files of the embedded
 * source.
 */
#ifndef KSERV_OBJECT_H
#define KSERV_OBJECT_H

#include "source/embedded.h"

/* Store a Namespace with nothing but its name. The caller frees @ret_json. Return: 0 or -EIO. */
int kserv_object_put_namespace(struct kserv_store *store, const char *name, char **ret_json);

/**
 * kserv_object_stamp() - metadata for an object being applied
 * @old: as stored, or NULL; its uid and creation time are kept, a new object gets its own
 *
 * What only an API server writes (managedFields, selfLink, the resourceVersion of another cluster) is taken out.
 */
void kserv_object_stamp(struct kserv_tree *tree, struct kserv_value *object, const struct kserv_value *old);

/* Sorted, as one line. The caller frees it. */
char *kserv_object_json(struct kserv_value *object);

/**
 * kserv_object_put() - store an object under a new resourceVersion
 * @ret_json: as it is stored; the caller frees it
 *
 * Return: 0 or -EIO.
 */
int kserv_object_put(struct kserv_store *store, struct kserv_tree *tree, struct kserv_value *object, char **ret_json);

/* Namespaces that may not be deleted. */
bool kserv_namespace_is_permanent(const char *name);
/* What went wrong in the store, as an error. Returns -EIO. */
int kserv_embedded_fail(struct kserv_embedded *embedded, struct kserv_errors *errors);
/* Append a copy. */
void kserv_change_add(struct kserv_changes *changes, const struct kserv_change *change);

#endif
