/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the EndpointSlice controllers of Kubernetes do: slices from the Pods that a Service selects, and from Endpoints
 * objects. Pure.
 */
#ifndef KSERV_SLICES_H
#define KSERV_SLICES_H

#include "cluster/cluster.h"
#include "cluster/tree.h"

#define KSERV_LABEL_SERVICE_NAME	"kubernetes.io/service-name"
#define KSERV_LABEL_MANAGED_BY		"endpointslice.kubernetes.io/managed-by"

/**
 * kserv_slices_of_pods() - add the slices of all Services with a selector
 * @cluster: its services, pods and nodes are looked at, its slices added to
 *
 * Slices of the same Service that came from another cluster's controller are taken away when a Pod matches: ours
 * replace them, as that controller would. Names depend only on what is in the slice, so the same cluster gives the
 * same slices.
 */
void kserv_slices_of_pods(struct kserv_cluster *cluster);

/**
 * kserv_slices_of_endpoints() - add the slices that mirror one Endpoints object
 * @cluster: its services are sorted by namespace and name, as those of the store are
 * @endpoints: the object
 *
 * Only for a Service without selector, whose Endpoints nobody else turns into slices; Endpoints without a Service and
 * such with the label endpointslice.kubernetes.io/skip-mirror have no slices.
 */
void kserv_slices_of_endpoints(struct kserv_cluster *cluster, const struct kserv_value *endpoints);

/* The object as the API would show it. */
struct kserv_value *kserv_slice_to_tree(struct kserv_tree *tree, const struct kserv_slice *slice);

#endif
