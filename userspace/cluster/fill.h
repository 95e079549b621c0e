/* SPDX-License-Identifier: GPL-2.0 */
/* What the API server adds to an object before it checks it: the defaults of each kind, without what is allocated. */
#ifndef KSERV_FILL_H
#define KSERV_FILL_H

#include "cluster/tree.h"

/* Annotations by which a Pod without a status says where it runs; several addresses with commas. */
#define KSERV_ANNOTATION_POD_IP		"kserv.io/pod-ip"
#define KSERV_ANNOTATION_POD_IPS	"kserv.io/pod-ips"

void kserv_fill_service(struct kserv_tree *tree, struct kserv_value *object);
void kserv_fill_slice(struct kserv_tree *tree, struct kserv_value *object);
void kserv_fill_endpoints(struct kserv_tree *tree, struct kserv_value *object);
void kserv_fill_node(struct kserv_tree *tree, struct kserv_value *object);
void kserv_fill_service_cidr(struct kserv_tree *tree, struct kserv_value *object);
void kserv_fill_namespace(struct kserv_tree *tree, struct kserv_value *object);
void kserv_fill_workload(struct kserv_tree *tree, struct kserv_value *object);

/**
 * kserv_fill_pod() - defaults of a Pod
 *
 * No kubelet reports here. So a Pod without phase and conditions that has an address, in its status or in an
 * annotation, is taken for running and ready, and so is one in the network of the node that it names; any other is
 * pending.
 */
void kserv_fill_pod(struct kserv_tree *tree, struct kserv_value *object);

#endif
