/* SPDX-License-Identifier: GPL-2.0 */
/* Manifests: from the text of a file to the objects in it. */
#ifndef KSERV_MANIFEST_H
#define KSERV_MANIFEST_H

#include "cluster/errors.h"
#include "cluster/kind.h"
#include "cluster/tree.h"

/**
 * struct kserv_manifest - one object of a file
 * @tree: what @value belongs to; shared by the objects of one document
 * @source: name of the file, for errors
 */
struct kserv_manifest {
	const struct kserv_kind *kind;
	struct kserv_tree *tree;
	struct kserv_value *value;
	const char *source;
};

/**
 * struct kserv_manifests - the objects of some files, in order
 * @skip_unknown: pass over kinds that kserv does not know, counting them in @skipped; otherwise they are errors
 */
struct kserv_manifests {
	struct kserv_manifest *v;
	size_t n;
	bool skip_unknown;
	size_t skipped;
	struct kserv_tree **trees;
	char **sources;
	size_t n_trees, n_sources;
};

/**
 * kserv_manifests_read() - add the objects of one file
 * @text: YAML documents between "---" lines, or JSON; members of Lists count one by one
 *
 * Return: 0, or -EINVAL with errors added (the objects that could be read are there all the same).
 */
int kserv_manifests_read(struct kserv_manifests *manifests, const char *source, const char *text, size_t len,
			 struct kserv_errors *errors);

/* Fields and values of one object, after its defaults are filled in. Adds an error for each that Kubernetes refuses. */
void kserv_manifest_check(const struct kserv_manifest *manifest, struct kserv_errors *errors);

void kserv_manifests_clear(struct kserv_manifests *manifests);

#endif
