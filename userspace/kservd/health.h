/* SPDX-License-Identifier: GPL-2.0 */
/* What the health ports answer, as kube-proxy does. Pure. */
#ifndef KSERVD_HEALTH_H
#define KSERVD_HEALTH_H

#include <time.h>
#include "cluster/cluster.h"
#include "kservd/http.h"

/* A node with this taint is on its way out: balancers should not send it anything new. */
#define HEALTH_TAINT	"ToBeDeletedByClusterAutoscaler"

/**
 * struct health - how it stands
 * @healthy: no change has waited too long for the kernel (rule 10.3)
 * @eligible: the node is known and stays
 * @updated: when the kernel was last in step; @now: when it was asked
 */
struct health {
	bool healthy, eligible;
	struct timespec updated, now;
};

/* @node: NULL if it is not known; @must_be_known: then it is not eligible. */
bool health_node_is_eligible(const struct kserv_node *node, bool must_be_known);

/* /healthz, with @with_node, and /livez. */
void health_answer(const struct health *health, bool with_node, struct http_answer *answer);

/**
 * health_check_answer() - of the port spec.healthCheckNodePort of a Service
 * @local: as health_count_local()
 */
void health_check_answer(const char *namespace, const char *name, size_t local, bool healthy,
			 struct http_answer *answer);

/**
 * health_count_local() - addresses of ready endpoints on node @node_name
 *
 * Distinct ones over all slices (rule 9.5), of the Service's first family: a dual-stack Pod counts once.
 */
size_t health_count_local(const struct kserv_k8s_service *service, struct kserv_slice *const *slices, size_t n_slices,
			  const char *node_name);

#endif
