// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan/address.h"
#include "plan/frontend.h"

#define MASQUERADE_ALL (KSERV_FRONTEND_FLAGS_MASQUERADE_POD | KSERV_FRONTEND_FLAGS_MASQUERADE_NODE | \
			KSERV_FRONTEND_FLAGS_MASQUERADE_OTHER)

/* Cluster IPs: rules 2.16, 3.1, 3.2, 5.1-5.4. */
static uint8_t internal_flags(const struct kserv_here *here, const struct kserv_k8s_service *service, uint8_t family,
			      bool usable)
{
	uint8_t flags = 0;

	if (service->internal_policy == KSERV_POLICY_LOCAL)
		flags |= KSERV_FRONTEND_FLAGS_LOCAL_SET | (usable ? KSERV_FRONTEND_FLAGS_DROP_EMPTY : 0);
	if (here->settings->masquerade_all)
		flags |= MASQUERADE_ALL;
	else if (here->detects_pods[kserv_family_index(family)])
		flags |= KSERV_FRONTEND_FLAGS_MASQUERADE_NODE | KSERV_FRONTEND_FLAGS_MASQUERADE_OTHER;
	return flags;
}

/* Rule 2.17: the policy means something only where traffic can come from outside. */
static bool external_policy_is_local(const struct kserv_k8s_service *service)
{
	if (service->external_policy != KSERV_POLICY_LOCAL)
		return false;
	return service->type == KSERV_SERVICE_LOAD_BALANCER || service->type == KSERV_SERVICE_NODE_PORT ||
	       service->external_ips.n;
}

/*
 * All other frontends: rules 2.17-2.19, 3.1, 3.3, 5.5-5.8. Those that are short-circuited to the cluster set never meet
 * KSERV_FRONTEND_FLAGS_DROP_EMPTY: where some endpoint is usable, the cluster set is not empty.
 */
static uint8_t external_flags(const struct kserv_k8s_service *service, bool usable)
{
	if (!external_policy_is_local(service))
		return MASQUERADE_ALL;
	return KSERV_FRONTEND_FLAGS_LOCAL_SET | KSERV_FRONTEND_FLAGS_SHORT_CIRCUIT |
	       KSERV_FRONTEND_FLAGS_MASQUERADE_NODE | (usable ? KSERV_FRONTEND_FLAGS_DROP_EMPTY : 0);
}

static struct kserv_frontend *add(struct kserv_service *service, uint8_t type, const struct kserv_addr *addr,
				  uint16_t port, uint8_t flags)
{
	struct kserv_frontend *frontend = &service->frontends[service->n_frontends++];

	frontend->type = type;
	if (addr)
		frontend->addr = *addr;
	frontend->port = port;
	frontend->flags = flags;
	return frontend;
}

static int copy_sources(const struct kserv_prefixes *from, struct kserv_prefixes *ret)
{
	if (!from->n)
		return 0;
	ret->v = reallocarray(NULL, from->n, sizeof(*from->v));
	if (!ret->v)
		return -ENOMEM;
	memcpy(ret->v, from->v, from->n * sizeof(*from->v));
	ret->n = from->n;
	return 0;
}

static int add_vips(struct kserv_service *service, const struct kserv_reach *reach, uint16_t port, uint8_t flags)
{
	const struct kserv_prefixes *sources = &reach->sources[kserv_family_index(service->family)];
	struct kserv_frontend *frontend;
	size_t i;
	int error;

	for (i = 0; i < reach->vips.n; i++) {
		if (reach->vips.v[i].family != service->family)
			continue;
		frontend = add(service, KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP, &reach->vips.v[i], port, flags);
		error = copy_sources(sources, &frontend->sources);
		if (error)
			return error;
	}
	return 0;
}

int kserv_plan_frontends(const struct kserv_here *here, const struct kserv_k8s_service *service,
			 const struct kserv_service_port *port, const struct kserv_reach *reach, bool usable,
			 struct kserv_service *ret_service)
{
	uint8_t internal = internal_flags(here, service, ret_service->family, usable);
	uint8_t external = external_flags(service, usable);
	size_t i;
	int error;

	ret_service->frontends = calloc(2 + reach->external.n + reach->vips.n, sizeof(*ret_service->frontends));
	if (!ret_service->frontends)
		return -ENOMEM;
	add(ret_service, KSERV_FRONTEND_TYPE_CLUSTER_IP, &reach->cluster[kserv_family_index(ret_service->family)],
	    port->port, internal);
	for (i = 0; i < reach->external.n; i++)
		if (reach->external.v[i].family == ret_service->family)
			add(ret_service, KSERV_FRONTEND_TYPE_EXTERNAL_IP, &reach->external.v[i], port->port, external);
	error = add_vips(ret_service, reach, port->port, external);
	if (error)
		return error;
	if (port->node_port)
		add(ret_service, KSERV_FRONTEND_TYPE_NODE_PORT, NULL, port->node_port, external);
	qsort(ret_service->frontends, ret_service->n_frontends, sizeof(*ret_service->frontends), kserv_frontend_compare);
	return 0;
}
