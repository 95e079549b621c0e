/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the API server and the controllers write into a Service: IP families, cluster IPs, node ports, load-balancer
 * addresses. In three steps, so that in one apply those who ask for something get it before others get it by chance:
 * settle all, then take what is asked for, then hand out the rest.
 */
#ifndef KSERV_ASSIGN_H
#define KSERV_ASSIGN_H

#include "cluster/cluster.h"
#include "cluster/errors.h"
#include "cluster/tree.h"
#include "source/allocate.h"

/* Annotations on a LoadBalancer Service; those of MetalLB with the same meaning are taken too. */
#define KSERV_ANNOTATION_BALANCER_IPS	"kserv.io/load-balancer-ips"
#define KSERV_ANNOTATION_POOL		"kserv.io/address-pool"
#define KSERV_ANNOTATION_SHARING_KEY	"kserv.io/sharing-key"
/* The loadBalancerClass that is ours; Services of other classes wait for somebody else. */
#define KSERV_BALANCER_CLASS		"kserv.io/l2"

/**
 * struct kserv_assign - one Service being applied
 * @object: its defaults are filled in; changed here
 * @old: as stored before, or NULL for a new one
 * @errors: what was refused, with the place in the manifest
 * @notes: sentences about what was not done but does not stop the apply
 */
struct kserv_assign {
	struct kserv_tree *tree;
	struct kserv_value *object;
	const struct kserv_value *old;
	struct kserv_allocator *allocator;
	struct kserv_errors *errors;
	struct kserv_strings *notes;
};

/* Families and what is kept from @old; errors where it may not change. */
void kserv_assign_settle(const struct kserv_assign *assign);
void kserv_assign_requested(const struct kserv_assign *assign);
void kserv_assign_rest(const struct kserv_assign *assign);

/*
 * Note what a stored Service holds, without a word if something is wrong with it (the configuration may have
 * changed).
 */
void kserv_assign_held(struct kserv_allocator *allocator, const struct kserv_value *object);

#endif
