/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plan: from the cluster model to the tables the kernel should hold. Pure: no I/O, no clock, no globals; the same model
 * gives the same tables, in whatever order its objects come.
 *
 * What depends on the packet is left to the kernel: whether a source is a pod, this node or another; whether it may use
 * a load-balancer address; hairpin; session affinity; the choice among the endpoints of the set that applies.
 */
#ifndef KSERV_PLAN_H
#define KSERV_PLAN_H

#include "cluster/cluster.h"
#include "lib/tables.h"

/* Something about an object that the operator should know: a bad address that was skipped, a frontend two services claim. */
struct kserv_warning {
	char *object;			/* "Service default/web" */
	char *text;			/* a sentence */
};

struct kserv_warnings {
	struct kserv_warning *v;
	size_t n;
};

void kserv_warnings_clear(struct kserv_warnings *warnings);

/**
 * kserv_plan() - what the kernel should hold for this cluster on this node
 * @cluster: the model
 * @ret_tables: filled and sorted; clear with kserv_tables_clear()
 * @warnings: appended to; may be NULL
 *
 * Return: 0 or -ENOMEM.
 */
int kserv_plan(const struct kserv_cluster *cluster, struct kserv_tables *ret_tables, struct kserv_warnings *warnings);

/**
 * struct kserv_here - what plan needs of the node it plans for
 * @settings: borrowed, as is all that follows
 * @node: NULL if the model does not hold it
 * @wrapped: see struct kserv_cluster
 * @zone: label topology.kubernetes.io/zone, or NULL
 * @primary: its primary address of each family, IPv4 first; AF_UNSPEC if it has none
 * @detects_pods: the local detector works for that family; a CIDR detector only where there is a CIDR
 * @masquerade_min: range of source ports for masquerading that holds no node port; 0 if the node ports leave none
 */
struct kserv_here {
	const struct kserv_settings *settings;
	const struct kserv_node *node;
	const struct kserv_prefixes *wrapped;
	const char *zone;
	struct kserv_addr primary[2];
	bool detects_pods[2];
	uint16_t masquerade_min, masquerade_max;
};

/* Valid until the nodes or the settings of @cluster change. */
void kserv_here_init(struct kserv_here *here, const struct kserv_cluster *cluster);

/**
 * kserv_plan_config() - the configuration alone
 * @ret_config: its prefixes belong to the caller
 *
 * Return: 0 or -ENOMEM.
 */
int kserv_plan_config(const struct kserv_here *here, struct kserv_config *ret_config,
		      struct kserv_warnings *warnings);

/**
 * kserv_plan_routes() - the pod CIDRs of all nodes
 * @ret_routes: sorted
 *
 * Return: 0 or -ENOMEM.
 */
int kserv_plan_routes(const struct kserv_here *here, struct kserv_node *const *nodes, size_t n_nodes,
		      struct kserv_route **ret_routes, size_t *ret_n, struct kserv_warnings *warnings);

/**
 * kserv_plan_service() - what one Service object makes, for callers that track changes themselves
 * @service: the Service
 * @slices: its EndpointSlices, in any order
 * @ret_services: the kernel services it makes, one for each port and family, sorted; NULL if there are none. Other
 *	Services may claim the same frontends: see claim.h.
 *
 * Takes time by the size of @service and @slices alone.
 * Return: 0 or -ENOMEM.
 */
int kserv_plan_service(const struct kserv_here *here, const struct kserv_k8s_service *service,
		       struct kserv_slice *const *slices, size_t n_slices,
		       struct kserv_service **ret_services, size_t *ret_n, struct kserv_warnings *warnings);

/* Frees an array that kserv_plan_service() made. */
void kserv_services_free(struct kserv_service *services, size_t n);

#endif
