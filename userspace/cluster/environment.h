/* SPDX-License-Identifier: GPL-2.0 */
/* The environment variables that tell a new pod about services, as kubelet makes them. */
#ifndef KSERV_ENVIRONMENT_H
#define KSERV_ENVIRONMENT_H

#include "cluster/cluster.h"

struct kserv_variable {
	char *name, *value;
};

struct kserv_environment {
	struct kserv_variable *v;
	size_t n;
};

/* Those of a pod in @namespace: of its Services by name, and of default/kubernetes. Pure. */
void kserv_environment_of(const struct kserv_cluster *cluster, const char *namespace, struct kserv_environment *ret);
void kserv_environment_clear(struct kserv_environment *environment);

#endif
