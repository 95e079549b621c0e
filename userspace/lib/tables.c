// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "lib/tables.h"

/* As kserv_config_alloc() in kmod/config.c has them. */
const struct kserv_config kserv_config_defaults = {
	.fast_path = 1, .fast_path_set = true, .masquerade_port_min = 1024, .masquerade_port_max = 29999,
	.flow_max = 262144, .session_max = 65536,
	.tcp_syn_timeout = 60, .tcp_established_timeout = 24 * 3600, .tcp_close_timeout = 20,
	.udp_timeout = 30, .udp_stream_timeout = 120, .sctp_timeout = 210,
};

static int addr_compare(const struct kserv_addr *a, const struct kserv_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

int kserv_service_compare(const void *a, const void *b)
{
	const struct kserv_service *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return (int)x->protocol - y->protocol;
}

int kserv_endpoint_compare(const void *a, const void *b)
{
	const struct kserv_endpoint *x = a, *y = b;
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->port - y->port;
}

int kserv_frontend_compare(const void *a, const void *b)
{
	const struct kserv_frontend *x = a, *y = b;
	int order;

	if (x->type != y->type)
		return (int)x->type - y->type;
	order = addr_compare(&x->addr, &y->addr);
	return order ? order : (int)x->port - y->port;
}

int kserv_prefix_compare(const void *a, const void *b)
{
	const struct kserv_prefix *x = a, *y = b;
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->len - y->len;
}

bool kserv_prefixes_are_equal(const struct kserv_prefixes *a, const struct kserv_prefixes *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (kserv_prefix_compare(&a->v[i], &b->v[i]))
			return false;
	return true;
}

static int route_compare(const void *a, const void *b)
{
	const struct kserv_route *x = a, *y = b;

	return kserv_prefix_compare(&x->prefix, &y->prefix);
}

/* qsort() that looks first: the kernel and plan give most arrays in order. */
static void sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	char *v = array;
	size_t i;

	for (i = 1; i < n; i++) {
		if (compare(v + (i - 1) * size, v + i * size) > 0) {
			qsort(array, n, size, compare);
			return;
		}
	}
}

static void prefixes_sort(struct kserv_prefixes *prefixes)
{
	sort(prefixes->v, prefixes->n, sizeof(*prefixes->v), kserv_prefix_compare);
}

static void service_sort(struct kserv_service *service)
{
	size_t i;

	sort(service->endpoints, service->n_endpoints, sizeof(*service->endpoints), kserv_endpoint_compare);
	sort(service->frontends, service->n_frontends, sizeof(*service->frontends), kserv_frontend_compare);
	for (i = 0; i < service->n_frontends; i++)
		prefixes_sort(&service->frontends[i].sources);
}

void kserv_tables_sort(struct kserv_tables *tables)
{
	size_t i;

	for (i = 0; i < tables->n_services; i++)
		service_sort(&tables->services[i]);
	sort(tables->services, tables->n_services, sizeof(*tables->services), kserv_service_compare);
	sort(tables->routes, tables->n_routes, sizeof(*tables->routes), route_compare);
	prefixes_sort(&tables->config.pod_cidrs);
	prefixes_sort(&tables->config.service_cidrs);
	prefixes_sort(&tables->config.node_port_addresses);
}

void kserv_service_clear(struct kserv_service *service)
{
	size_t i;

	for (i = 0; i < service->n_frontends; i++)
		free(service->frontends[i].sources.v);
	free(service->frontends);
	free(service->endpoints);
	free(service->name);
	memset(service, 0, sizeof(*service));
}

void kserv_config_clear(struct kserv_config *config)
{
	free(config->pod_cidrs.v);
	free(config->service_cidrs.v);
	free(config->node_port_addresses.v);
	memset(config, 0, sizeof(*config));
}

void kserv_tables_clear(struct kserv_tables *tables)
{
	size_t i;

	for (i = 0; i < tables->n_services; i++)
		kserv_service_clear(&tables->services[i]);
	free(tables->services);
	free(tables->routes);
	kserv_config_clear(&tables->config);
	memset(tables, 0, sizeof(*tables));
}
