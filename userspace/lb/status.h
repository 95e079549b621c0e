/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Load-balancer addresses for Services of an API server, by the same rules as in the embedded store (source/balancer.h).
 * Nothing is remembered: what Services have is what their status says.
 */
#ifndef KSERV_LB_STATUS_H
#define KSERV_LB_STATUS_H

#include "cluster/cluster.h"
#include "source/allocate.h"

/**
 * struct kserv_lb_teller - what is called with what came out
 * @set: the status of @service is to become another; @patch is the body of a merge patch of it
 * @note: a sentence about why @service has not got what it asks for
 */
struct kserv_lb_teller {
	void (*set)(void *context, const struct kserv_k8s_service *service, const char *patch, size_t len);
	void (*note)(void *context, const struct kserv_k8s_service *service, const char *sentence);
	void *context;
};

/* Services in any order; those that have an address of ours keep it if they may. */
void kserv_lb_assign(const struct kserv_k8s_service *const *services, size_t n,
		     const struct kserv_allocator_limits *limits, const struct kserv_lb_teller *teller);

#endif
