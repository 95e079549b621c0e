/* SPDX-License-Identifier: GPL-2.0 */
/* Which endpoints a service port has, and in which sets they are (behaviour table, section 2). */
#ifndef KSERV_ENDPOINT_H
#define KSERV_ENDPOINT_H

#include "plan/plan.h"

/**
 * struct kserv_endpoint_query - whose endpoints are wanted
 * @slices: of the Service, in any order
 * @port: of the Service; endpoints belong to it by port name and protocol
 * @family: AF_INET or AF_INET6
 */
struct kserv_endpoint_query {
	const struct kserv_here *here;
	const struct kserv_k8s_service *service;
	struct kserv_slice *const *slices;
	size_t n_slices;
	const struct kserv_service_port *port;
	uint8_t family;
};

/**
 * kserv_plan_endpoints() - merge the slices and decide which endpoints may be chosen
 * @ret_service: its endpoints are filled in, sorted, those that may not be chosen too
 * @ret_usable: some endpoint, here or elsewhere, can take traffic (rule 2.8)
 *
 * Return: 0 or -ENOMEM.
 */
int kserv_plan_endpoints(const struct kserv_endpoint_query *query, struct kserv_service *ret_service, bool *ret_usable);

/**
 * kserv_warn_of_slices() - say what of a Service's slices is skipped
 *
 * Apart from planning, since that looks at the slices once for every port.
 */
void kserv_warn_of_slices(struct kserv_slice *const *slices, size_t n_slices, struct kserv_warnings *warnings);

#endif
