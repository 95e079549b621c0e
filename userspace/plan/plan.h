/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plan: from the cluster model to the tables the kernel should hold. Pure: no I/O, no clock, no globals; the same model
 * gives the same tables.
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
 * kserv_plan_service() - the same for one Service object, for callers that track changes themselves
 * @service: the Service
 * @slices: its EndpointSlices
 * @ret_services: array of the kernel services it makes, one per port and family; may be none
 */
int kserv_plan_service(const struct kserv_cluster *cluster, const struct kserv_k8s_service *service,
		       struct kserv_slice *const *slices, size_t n_slices,
		       struct kserv_service **ret_services, size_t *ret_n, struct kserv_warnings *warnings);

#endif
