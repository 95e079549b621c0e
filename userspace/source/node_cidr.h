/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pod CIDRs of Nodes, out of the cluster's: what Kubernetes' controller manager gives, where the embedded store is the
 * cluster and its pod network is ours.
 */
#ifndef KSERV_NODE_CIDR_H
#define KSERV_NODE_CIDR_H

#include "cluster/errors.h"
#include "cluster/tree.h"
#include "lib/tables.h"

/* Of more than so many to choose from, those beyond are never given. */
#define KSERV_NODE_CIDRS_MAX	65536U

/**
 * struct kserv_node_cidrs - where they come from and which are taken
 * @cluster: at most one CIDR of each family; borrowed
 * @mask: length of a Node's, for IPv4 and IPv6
 * @taken: kserv_node_cidrs_clear() frees it
 */
struct kserv_node_cidrs {
	const struct kserv_prefixes *cluster;
	uint8_t mask[2];
	struct kserv_prefixes taken;
};

/**
 * kserv_node_cidrs_read() - what the configuration says
 * @cluster: the cluster's CIDRs; must live as long as @ret
 *
 * Return: whether Nodes are to get any: there is a pod network. Errors are added for each value that is wrong.
 */
bool kserv_node_cidrs_read(const struct kserv_value *root, const struct kserv_prefixes *cluster,
			   struct kserv_node_cidrs *ret, struct kserv_errors *errors);
/* Note what a Node has. */
void kserv_node_cidrs_hold(struct kserv_node_cidrs *cidrs, const struct kserv_value *node);
/**
 * kserv_node_cidrs_assign() - give a Node that asks for none what it had, or else the first free ones
 * @old: as stored before, or NULL for a new one
 */
void kserv_node_cidrs_assign(struct kserv_node_cidrs *cidrs, struct kserv_tree *tree, struct kserv_value *node,
			     const struct kserv_value *old, struct kserv_errors *errors);
void kserv_node_cidrs_clear(struct kserv_node_cidrs *cidrs);

#endif
