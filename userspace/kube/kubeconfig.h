/* SPDX-License-Identifier: GPL-2.0 */
/* kubeconfig files, as kubectl reads them. */
#ifndef KSERV_KUBECONFIG_H
#define KSERV_KUBECONFIG_H

#include "kube/access.h"

struct kserv_kubeconfig_file {
	char *path;
	struct kserv_tree tree;
};

/* Several files count as one: of what has the same name in two of them, the first is taken whole. */
struct kserv_kubeconfig {
	struct kserv_kubeconfig_file *files;
	size_t n;
};

/**
 * kserv_kubeconfig_add() - one more file
 * @path: for errors, and what relative paths in it are relative to
 *
 * Return: 0, or -EINVAL with errors added.
 */
int kserv_kubeconfig_add(struct kserv_kubeconfig *config, const char *path, const char *text, size_t len,
			 struct kserv_errors *errors);
/**
 * kserv_kubeconfig_access() - what a context says
 * @context: "" for the current-context
 * @ret: initialised by kserv_access_init(); to be cleared in any case
 *
 * Return: 0, or -EINVAL with errors added.
 */
int kserv_kubeconfig_access(const struct kserv_kubeconfig *config, const char *context, struct kserv_access *ret,
			    struct kserv_errors *errors);
void kserv_kubeconfig_clear(struct kserv_kubeconfig *config);

#endif
