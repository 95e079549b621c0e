// SPDX-License-Identifier: GPL-2.0
/* A Service and its slices put together, after a change. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "cluster/memory.h"
#include "dns/records.h"
#include "lib/addr.h"

static int compare_addr(const struct kserv_addr *a, const struct kserv_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int by_addr(const void *a, const void *b)
{
	const struct dns_endpoint *x = ((const struct dns_member *)a)->endpoint;
	const struct dns_endpoint *y = ((const struct dns_member *)b)->endpoint;
	int order = compare_addr(&x->addr, &y->addr);

	return order ? order : kserv_records_compare_labels(x->label, y->label);
}

static int by_label(const void *a, const void *b)
{
	const struct dns_endpoint *x = ((const struct dns_member *)a)->endpoint;
	const struct dns_endpoint *y = ((const struct dns_member *)b)->endpoint;
	int order = kserv_records_compare_labels(x->label, y->label);

	return order ? order : compare_addr(&x->addr, &y->addr);
}

static void forget(struct dns_service *service)
{
	free(service->members);
	free(service->by_name);
	free(service->v4.v);
	free(service->v6.v);
	service->members = service->by_name = NULL;
	service->n_members = 0;
	service->v4 = service->v6 = (struct dns_addresses){ 0 };
}

static void gather_members(struct dns_service *service)
{
	struct dns_slice *slice;
	size_t n = 0, i;

	DL_FOREACH(service->slices, slice)
		n += slice->n_endpoints;
	if (!n)
		return;
	service->members = kserv_must_alloc(n * sizeof(*service->members));
	service->by_name = kserv_must_alloc(n * sizeof(*service->by_name));
	DL_FOREACH(service->slices, slice) {
		for (i = 0; i < slice->n_endpoints; i++)
			service->members[service->n_members++] = (struct dns_member){
				.endpoint = &slice->endpoints[i],
				.slice = slice,
			};
	}
	memcpy(service->by_name, service->members, n * sizeof(*service->members));
	qsort(service->members, n, sizeof(*service->members), by_addr);
	qsort(service->by_name, n, sizeof(*service->by_name), by_label);
}

static void add_address(struct dns_service *service, const struct kserv_addr *addr)
{
	struct dns_addresses *addrs = addr->family == AF_INET ? &service->v4 : &service->v6;

	addrs->v = kserv_must_grow(addrs->v, addrs->n, sizeof(*addrs->v));
	addrs->v[addrs->n++] = *addr;
}

static void gather_addresses(struct dns_service *service)
{
	const struct kserv_addr *addr, *before = NULL;
	size_t i;

	if (!service->headless) {
		for (i = 0; i < service->cluster_ips.n; i++)
			add_address(service, &service->cluster_ips.v[i]);
		return;
	}
	for (i = 0; i < service->n_members; i++) {
		addr = &service->members[i].endpoint->addr;
		if (!before || !kserv_addr_is_equal(addr, before))
			add_address(service, addr);
		before = addr;
	}
}

static void settle(struct kserv_zone *zone, struct dns_service *service)
{
	forget(service);
	service->dirty = false;
	if (kserv_records_has_addresses(service)) {
		gather_members(service);
		gather_addresses(service);
	}
	if (service->exists || service->slices || service == zone->own)
		return;
	HASH_DEL(zone->services, service);
	free(service->key);
	free(service);
}

void kserv_records_settle(struct kserv_zone *zone)
{
	struct dns_service *service;

	while ((service = zone->dirty)) {
		zone->dirty = service->next_dirty;
		settle(zone, service);
	}
}
