// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plan/annotation.h"
#include "plan/endpoint.h"
#include "plan/frontend.h"
#include "plan/plan.h"
#include "plan/warning.h"

enum { AFFINITY_DEFAULT = 10800, AFFINITY_MAX = 86400 };

/* One call of kserv_plan_service(). */
struct planner {
	const struct kserv_here *here;
	const struct kserv_k8s_service *service;
	struct kserv_slice *const *slices;
	size_t n_slices;
	struct kserv_reach reach;
	struct kserv_service *services;		/* room for every port in both families */
	size_t n;
	struct kserv_warnings *warnings;
};

/* Rules 1.2 and 1.3. */
static bool is_served(const struct kserv_k8s_service *service)
{
	const char *first = *service->cluster_ip || !service->cluster_ips.n ? service->cluster_ip :
			    service->cluster_ips.v[0];

	if (service->type == KSERV_SERVICE_EXTERNAL_NAME || !*first || !strcmp(first, "None"))
		return false;
	return !kserv_labels_find(&service->meta.labels, "service.kubernetes.io/service-proxy-name");
}

/* Rule 4.3. */
static uint32_t affinity_timeout(const struct planner *planner)
{
	const struct kserv_k8s_service *service = planner->service;

	if (!service->client_ip_affinity)
		return 0;
	if (!service->affinity_timeout)
		return AFFINITY_DEFAULT;
	if (service->affinity_timeout <= AFFINITY_MAX)
		return service->affinity_timeout;
	kserv_warn(planner->warnings, "Service", &service->meta,
		   "spec.sessionAffinityConfig.clientIP.timeoutSeconds %u is more than a day; a day it is",
		   service->affinity_timeout);
	return AFFINITY_MAX;
}

/* Return: false if the name is too long for the kernel or memory is short. */
static int name_port(const struct planner *planner, const struct kserv_service_port *port, char **ret_name)
{
	const struct kserv_meta *meta = &planner->service->meta;

	if (asprintf(ret_name, "%s/%s%s%s", meta->namespace, meta->name, *port->name ? ":" : "", port->name) < 0)
		return -ENOMEM;
	if (strlen(*ret_name) <= KSERV_NAME_LEN)
		return 0;
	kserv_warn(planner->warnings, "Service", meta, "port \"%s\" is not served: the name %s is longer than %d characters",
		   port->name, *ret_name, KSERV_NAME_LEN);
	free(*ret_name);
	return -ENAMETOOLONG;
}

/* The namespace of masquerading source ports is ours to choose, that of node ports is not. */
static void warn_of_node_port(const struct planner *planner, const struct kserv_service_port *port)
{
	const struct kserv_here *here = planner->here;

	if (port->node_port && port->node_port >= here->masquerade_min && port->node_port <= here->masquerade_max)
		kserv_warn(planner->warnings, "Service", &planner->service->meta,
			   "node port %u lies among the source ports for masquerading, %u-%u; tell kserv the cluster's range of node ports",
			   port->node_port, here->masquerade_min, here->masquerade_max);
}

static int plan_port(const struct planner *planner, const struct kserv_service_port *port, uint8_t family,
		     struct kserv_service *service)
{
	struct kserv_endpoint_query query = {
		.here = planner->here,
		.service = planner->service,
		.slices = planner->slices,
		.n_slices = planner->n_slices,
		.port = port,
		.family = family,
	};
	bool usable;
	int error;

	service->family = family;
	service->protocol = port->protocol;
	error = name_port(planner, port, &service->name);
	if (error)
		return error;
	error = kserv_plan_endpoints(&query, service, &usable);
	if (!error)
		error = kserv_plan_frontends(planner->here, planner->service, port, &planner->reach, usable, service);
	if (error)
		kserv_service_clear(service);
	return error;
}

/* Every port in every family that the Service has (rules 1.1 and 1.16). */
static int plan_ports(struct planner *planner)
{
	const struct kserv_k8s_service *service = planner->service;
	struct kserv_service template = { .affinity_timeout = affinity_timeout(planner) };
	unsigned int family;
	size_t i;
	int error;

	kserv_annotations_read(service, &template, planner->warnings);
	for (i = 0; i < service->n_ports; i++) {
		warn_of_node_port(planner, &service->ports[i]);
		for (family = 0; family < 2; family++) {
			if (planner->reach.cluster[family].family == AF_UNSPEC)
				continue;
			planner->services[planner->n] = template;
			error = plan_port(planner, &service->ports[i], family ? AF_INET6 : AF_INET,
					  &planner->services[planner->n]);
			if (error == -ENAMETOOLONG)
				break;
			if (error)
				return error;
			planner->n++;
		}
	}
	return 0;
}

/* The API server refuses two ports of one name; here the one with the lower number wins. */
static int port_compare(const void *a, const void *b)
{
	const struct kserv_service *x = a, *y = b;
	int order = kserv_service_compare(x, y);

	return order ? order : kserv_frontend_compare(x->frontends, y->frontends);
}

static void drop_duplicates(struct planner *planner)
{
	struct kserv_service *services = planner->services;
	size_t i, n = 0;

	qsort(services, planner->n, sizeof(*services), port_compare);
	for (i = 0; i < planner->n; i++) {
		if (n && !kserv_service_compare(&services[n - 1], &services[i])) {
			kserv_warn(planner->warnings, "Service", &planner->service->meta,
				   "port %u is not served: port %u has the same name and protocol",
				   services[i].frontends[0].port, services[n - 1].frontends[0].port);
			kserv_service_clear(&services[i]);
			continue;
		}
		services[n++] = services[i];
	}
	planner->n = n;
}

int kserv_plan_service(const struct kserv_here *here, const struct kserv_k8s_service *service,
		       struct kserv_slice *const *slices, size_t n_slices,
		       struct kserv_service **ret_services, size_t *ret_n, struct kserv_warnings *warnings)
{
	struct planner planner = {
		.here = here, .service = service, .slices = slices, .n_slices = n_slices, .warnings = warnings,
	};
	int error;

	*ret_services = NULL;
	*ret_n = 0;
	if (!is_served(service) || !service->n_ports)
		return 0;
	error = kserv_reach_init(&planner.reach, here, service, warnings);
	if (error)
		return error;
	kserv_warn_of_slices(slices, n_slices, warnings);
	planner.services = calloc(2 * service->n_ports, sizeof(*planner.services));
	error = planner.services ? plan_ports(&planner) : -ENOMEM;
	kserv_reach_clear(&planner.reach);
	if (error) {
		kserv_services_free(planner.services, planner.n);
		return error;
	}
	drop_duplicates(&planner);
	*ret_services = planner.services;
	*ret_n = planner.n;
	return 0;
}

void kserv_services_free(struct kserv_service *services, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		kserv_service_clear(&services[i]);
	free(services);
}
