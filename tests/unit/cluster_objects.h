/* SPDX-License-Identifier: GPL-2.0 */
/* Objects of manifests as parts of a cluster model. */
#ifndef CLUSTER_OBJECTS_H
#define CLUSTER_OBJECTS_H

#include <stdbool.h>
#include "cluster/cluster.h"
#include "cluster/tree.h"

/* Adds the object to the cluster; false if its kind is none of what clusters are made of. */
bool cluster_add(struct kserv_cluster *cluster, const struct kserv_value *object);

#endif
