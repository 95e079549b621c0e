// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/environment.h"
#include "cluster/memory.h"
#include "lib/addr.h"

static void add(struct kserv_environment *environment, char *name, char *value)
{
	environment->v = kserv_must_grow(environment->v, environment->n, sizeof(*environment->v));
	environment->v[environment->n++] = (struct kserv_variable){ .name = name, .value = value };
}

/* "my-app" is MY_APP. */
static char *variable_name(const char *name)
{
	char *text = kserv_must_strdup(name), *c;

	for (c = text; *c; c++)
		*c = *c == '-' ? '_' : toupper((unsigned char)*c);
	return text;
}

static char *lower(const char *text)
{
	char *copy = kserv_must_strdup(text), *c;

	for (c = copy; *c; c++)
		*c = tolower((unsigned char)*c);
	return copy;
}

/* The variables that links between containers had. */
static void add_link(struct kserv_environment *environment, const char *prefix, const char *ip,
		     const struct kserv_service_port *port, bool first)
{
	char *protocol = lower(kserv_protocol_name(port->protocol)), *upper = variable_name(protocol), *name;
	bool is_v6 = strchr(ip, ':');

	if (first)
		add(environment, kserv_must_printf("%s_PORT", prefix),
		    kserv_must_printf(is_v6 ? "%s://[%s]:%u" : "%s://%s:%u", protocol, ip, port->port));
	name = kserv_must_printf("%s_PORT_%u_%s", prefix, port->port, upper);
	add(environment, kserv_must_strdup(name),
	    kserv_must_printf(is_v6 ? "%s://[%s]:%u" : "%s://%s:%u", protocol, ip, port->port));
	add(environment, kserv_must_printf("%s_PROTO", name), kserv_must_strdup(protocol));
	add(environment, kserv_must_printf("%s_PORT", name), kserv_must_printf("%u", port->port));
	add(environment, kserv_must_printf("%s_ADDR", name), kserv_must_strdup(ip));
	free(protocol);
	free(upper);
	free(name);
}

static const char *first_ip(const struct kserv_k8s_service *service)
{
	const char *ip = *service->cluster_ip || !service->cluster_ips.n ? service->cluster_ip : service->cluster_ips.v[0];

	return strcmp(ip, "None") ? ip : "";
}

static void add_service(struct kserv_environment *environment, const struct kserv_k8s_service *service)
{
	char *prefix = variable_name(service->meta.name), *port_name;
	const char *ip = first_ip(service);
	size_t i;

	add(environment, kserv_must_printf("%s_SERVICE_HOST", prefix), kserv_must_strdup(ip));
	add(environment, kserv_must_printf("%s_SERVICE_PORT", prefix), kserv_must_printf("%u", service->ports[0].port));
	for (i = 0; i < service->n_ports; i++) {
		if (!*service->ports[i].name)
			continue;
		port_name = variable_name(service->ports[i].name);
		add(environment, kserv_must_printf("%s_SERVICE_PORT_%s", prefix, port_name),
		    kserv_must_printf("%u", service->ports[i].port));
		free(port_name);
	}
	for (i = 0; i < service->n_ports; i++)
		add_link(environment, prefix, ip, &service->ports[i], !i);
	free(prefix);
}

static bool is_wanted(const struct kserv_k8s_service *service, const char *namespace)
{
	if (service->type == KSERV_SERVICE_EXTERNAL_NAME || !*first_ip(service) || !service->n_ports)
		return false;
	return !strcmp(service->meta.namespace, namespace) ||
	       (!strcmp(service->meta.namespace, "default") && !strcmp(service->meta.name, "kubernetes"));
}

static int by_name(const void *a, const void *b)
{
	const struct kserv_k8s_service *x = *(struct kserv_k8s_service *const *)a;
	const struct kserv_k8s_service *y = *(struct kserv_k8s_service *const *)b;

	return strcmp(x->meta.name, y->meta.name);
}

void kserv_environment_of(const struct kserv_cluster *cluster, const char *namespace, struct kserv_environment *ret)
{
	struct kserv_k8s_service **wanted = kserv_must_alloc((cluster->n_services + 1) * sizeof(*wanted)), *service;
	bool own_kubernetes = false;
	size_t n = 0, i;

	*ret = (struct kserv_environment){ 0 };
	for (i = 0; i < cluster->n_services; i++) {
		service = cluster->services[i];
		if (!is_wanted(service, namespace))
			continue;
		wanted[n++] = service;
		own_kubernetes |= !strcmp(service->meta.namespace, namespace) &&
				  !strcmp(service->meta.name, "kubernetes");
	}
	qsort(wanted, n, sizeof(*wanted), by_name);
	/* A namespace's own Service of that name comes before the one of default. */
	for (i = 0; i < n; i++)
		if (!own_kubernetes || !strcmp(wanted[i]->meta.namespace, namespace))
			add_service(ret, wanted[i]);
	free(wanted);
}

void kserv_environment_clear(struct kserv_environment *environment)
{
	size_t i;

	for (i = 0; i < environment->n; i++) {
		free(environment->v[i].name);
		free(environment->v[i].value);
	}
	free(environment->v);
	*environment = (struct kserv_environment){ 0 };
}
