/* SPDX-License-Identifier: GPL-2.0 */
/* By which addresses a Service is reached, and what is done with packets to each (sections 1, 1b, 3 and 5). */
#ifndef KSERV_FRONTEND_H
#define KSERV_FRONTEND_H

#include "plan/plan.h"

struct kserv_addrs {
	struct kserv_addr *v;
	size_t n;
};

/**
 * struct kserv_reach - the addresses of one Service object, parsed once for all its ports and both families
 * @cluster: of each family, IPv4 first; AF_UNSPEC: the Service does not exist for that family (rule 1.16)
 * @external: both families together, without those that are among @vips
 * @vips: of load balancers, ipMode VIP
 * @sources: who may use the VIPs of each family; none allows all
 */
struct kserv_reach {
	struct kserv_addr cluster[2];
	struct kserv_addrs external, vips;
	struct kserv_prefixes sources[2];
};

/* Return: 0 or -ENOMEM. */
int kserv_reach_init(struct kserv_reach *reach, const struct kserv_here *here,
		     const struct kserv_k8s_service *service, struct kserv_warnings *warnings);
void kserv_reach_clear(struct kserv_reach *reach);

/**
 * kserv_plan_frontends() - the frontends of one port and family
 * @usable: some endpoint, here or elsewhere, can take traffic
 * @ret_service: its family is read, its frontends are filled in
 *
 * Return: 0 or -ENOMEM.
 */
int kserv_plan_frontends(const struct kserv_here *here, const struct kserv_k8s_service *service,
			 const struct kserv_service_port *port, const struct kserv_reach *reach, bool usable,
			 struct kserv_service *ret_service);

#endif
