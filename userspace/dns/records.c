// SPDX-License-Identifier: GPL-2.0
/* Objects come, change and go. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "cluster/memory.h"
#include "dns/records.h"
#include "lib/addr.h"

static void ports_clear(struct dns_ports *ports)
{
	size_t i;

	for (i = 0; i < ports->n; i++)
		free(ports->v[i].name);
	free(ports->v);
	*ports = (struct dns_ports){ 0 };
}

static void add_port(struct dns_ports *ports, const char *name, uint8_t protocol, uint16_t port)
{
	ports->v = kserv_must_grow(ports->v, ports->n, sizeof(*ports->v));
	ports->v[ports->n++] = (struct dns_port){
		.name = name ? kserv_dns_label_new(name) : NULL,
		.protocol = protocol,
		.port = port,
	};
}

static int by_number(const void *a, const void *b)
{
	const struct dns_port *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

static void add_address(struct dns_addresses *addrs, const char *text)
{
	struct kserv_addr addr = { 0 };

	if (kserv_addr_parse(text, &addr))
		return;
	addrs->v = kserv_must_grow(addrs->v, addrs->n, sizeof(*addrs->v));
	addrs->v[addrs->n++] = addr;
}

static void addresses_clear(struct dns_addresses *addrs)
{
	free(addrs->v);
	*addrs = (struct dns_addresses){ 0 };
}

static struct dns_namespace *need_namespace(struct kserv_zone *zone, const uint8_t *label)
{
	struct dns_namespace *ns;

	HASH_FIND(hh, zone->namespaces, label, label[0] + 1u, ns);
	if (ns)
		return ns;
	ns = kserv_must_alloc(sizeof(*ns));
	ns->label = kserv_must_alloc(label[0] + 1);
	memcpy(ns->label, label, label[0] + 1);
	HASH_ADD_KEYPTR(hh, zone->namespaces, ns->label, label[0] + 1u, ns);
	return ns;
}

static void drop_namespace(struct kserv_zone *zone, struct dns_namespace *ns)
{
	if (ns->exists || ns->n_services)
		return;
	HASH_DEL(zone->namespaces, ns);
	free(ns->label);
	free(ns);
}

/* Two labels, of the name and of the namespace, in @key of 2 * (KSERV_DNS_LABEL_MAX + 1) bytes; 0 if they are none. */
static size_t make_key(const char *namespace, const char *name, uint8_t *key)
{
	uint8_t *first = kserv_dns_label_new(name), *second = kserv_dns_label_new(namespace);
	size_t len = 0;

	if (first && second) {
		memcpy(key, first, first[0] + 1);
		memcpy(key + first[0] + 1, second, second[0] + 1);
		len = first[0] + second[0] + 2;
	}
	free(first);
	free(second);
	return len;
}

static struct dns_service *find_service(struct kserv_zone *zone, const char *namespace, const char *name)
{
	uint8_t key[2 * (KSERV_DNS_LABEL_MAX + 1)];
	struct dns_service *service = NULL;
	size_t len = make_key(namespace, name, key);

	if (len)
		HASH_FIND(hh, zone->services, key, len, service);
	return service;
}

struct dns_service *kserv_records_need_service(struct kserv_zone *zone, const char *namespace, const char *name)
{
	struct dns_service *service = find_service(zone, namespace, name);
	uint8_t key[2 * (KSERV_DNS_LABEL_MAX + 1)];
	size_t len;

	if (service)
		return service;
	len = make_key(namespace, name, key);
	if (!len)
		return NULL;
	service = kserv_must_alloc(sizeof(*service));
	service->key = kserv_must_alloc(len);
	memcpy(service->key, key, len);
	service->key_len = len;
	HASH_ADD_KEYPTR(hh, zone->services, service->key, len, service);
	return service;
}

static void touch(struct kserv_zone *zone, struct dns_service *service)
{
	zone->serial++;
	if (service->dirty)
		return;
	service->dirty = true;
	service->next_dirty = zone->dirty;
	zone->dirty = service;
}

/* What came from the Service object; its slices stay. */
static void forget_service(struct kserv_zone *zone, struct dns_service *service)
{
	size_t i;

	for (i = 0; i < service->cluster_ips.n; i++)
		kserv_pointers_remove(zone, &service->cluster_ips.v[i], service, NULL);
	ports_clear(&service->ports);
	addresses_clear(&service->cluster_ips);
	free(service->target);
	service->target = NULL;
	service->headless = service->refused = false;
	if (service->exists) {
		service->namespace->n_services--;
		drop_namespace(zone, service->namespace);
	}
	service->exists = false;
	service->namespace = NULL;
}

static void set_target(struct dns_service *service, const char *text)
{
	uint8_t name[KSERV_DNS_NAME_MAX];
	struct kserv_addr addr;
	int len = kserv_dns_name_parse(text, name);

	service->refused = len <= 1 || !kserv_addr_parse(text, &addr);
	if (service->refused)
		return;
	service->target = kserv_must_alloc(len);
	memcpy(service->target, name, len);
}

static void set_cluster_ips(struct dns_service *service, const struct kserv_k8s_service *object)
{
	size_t i;

	service->headless = !strcmp(object->cluster_ip, "None") ||
			    (object->cluster_ips.n && !strcmp(object->cluster_ips.v[0], "None"));
	if (service->headless)
		return;
	for (i = 0; i < object->cluster_ips.n; i++)
		add_address(&service->cluster_ips, object->cluster_ips.v[i]);
	if (!object->cluster_ips.n)
		add_address(&service->cluster_ips, object->cluster_ip);
}

void kserv_zone_set_service(struct kserv_zone *zone, const struct kserv_k8s_service *object)
{
	struct dns_service *service = kserv_records_need_service(zone, object->meta.namespace, object->meta.name);
	struct dns_namespace *ns;
	size_t i;

	if (!service)
		return;
	ns = need_namespace(zone, service->key + service->key[0] + 1);
	ns->n_services++;
	forget_service(zone, service);
	service->namespace = ns;
	service->exists = true;
	if (object->type == KSERV_SERVICE_EXTERNAL_NAME)
		set_target(service, object->external_name);
	else
		set_cluster_ips(service, object);
	for (i = 0; i < service->cluster_ips.n; i++)
		kserv_pointers_add(zone, &service->cluster_ips.v[i], service, NULL);
	for (i = 0; i < object->n_ports; i++)
		add_port(&service->ports, object->ports[i].name, object->ports[i].protocol, object->ports[i].port);
	if (service->ports.n)
		qsort(service->ports.v, service->ports.n, sizeof(*service->ports.v), by_number);
	touch(zone, service);
}

void kserv_zone_delete_service(struct kserv_zone *zone, const char *namespace, const char *name)
{
	struct dns_service *service = find_service(zone, namespace, name);

	if (!service)
		return;
	forget_service(zone, service);
	touch(zone, service);
}

static struct dns_slice *find_slice(struct kserv_zone *zone, const char *namespace, const char *name)
{
	char *key = kserv_must_printf("%s/%s", namespace, name);
	struct dns_slice *slice;

	HASH_FIND_STR(zone->slices, key, slice);
	free(key);
	return slice;
}

static void free_slice(struct kserv_zone *zone, struct dns_slice *slice)
{
	size_t i;

	DL_DELETE(slice->service->slices, slice);
	HASH_DEL(zone->slices, slice);
	ports_clear(&slice->ports);
	for (i = 0; i < slice->n_endpoints; i++) {
		kserv_pointers_remove(zone, &slice->endpoints[i].addr, slice->service, slice->endpoints[i].label);
		free(slice->endpoints[i].label);
	}
	free(slice->endpoints);
	free(slice->key);
	free(slice);
}

static void add_endpoint(struct dns_slice *slice, const struct kserv_slice_endpoint *object, uint8_t family)
{
	char dashed[KSERV_ADDR_TEXT];
	struct kserv_addr addr = { 0 };
	uint8_t *label;

	/* Ready unless it says otherwise; terminating endpoints are said not to be, unless the Service publishes all. */
	if (object->ready == KSERV_FALSE || !object->addresses.n)
		return;
	if (kserv_addr_parse(object->addresses.v[0], &addr) || addr.family != family)
		return;
	kserv_dns_dashed_format(&addr, dashed);
	label = kserv_dns_label_new(*object->hostname ? object->hostname : dashed);
	if (!label)
		return;
	slice->endpoints = kserv_must_grow(slice->endpoints, slice->n_endpoints, sizeof(*slice->endpoints));
	slice->endpoints[slice->n_endpoints++] = (struct dns_endpoint){ .addr = addr, .label = label };
}

void kserv_zone_set_slice(struct kserv_zone *zone, const struct kserv_slice *object)
{
	struct dns_service *service;
	struct dns_slice *slice;
	size_t i;

	kserv_zone_delete_slice(zone, object->meta.namespace, object->meta.name);
	if (object->address_type == KSERV_ADDRESS_FQDN)
		return;
	service = kserv_records_need_service(zone, object->meta.namespace, object->service);
	if (!service)
		return;
	slice = kserv_must_alloc(sizeof(*slice));
	slice->key = kserv_must_printf("%s/%s", object->meta.namespace, object->meta.name);
	slice->service = service;
	/* A port without a number stands for all of them, so there is none to tell. */
	for (i = 0; i < object->n_ports; i++)
		if (object->ports[i].port)
			add_port(&slice->ports, object->ports[i].name, object->ports[i].protocol, object->ports[i].port);
	for (i = 0; i < object->n_endpoints; i++)
		add_endpoint(slice, &object->endpoints[i],
			     object->address_type == KSERV_ADDRESS_IPV4 ? AF_INET : AF_INET6);
	for (i = 0; i < slice->n_endpoints; i++)
		kserv_pointers_add(zone, &slice->endpoints[i].addr, service, slice->endpoints[i].label);
	HASH_ADD_KEYPTR(hh, zone->slices, slice->key, strlen(slice->key), slice);
	DL_APPEND(service->slices, slice);
	touch(zone, service);
}

void kserv_zone_delete_slice(struct kserv_zone *zone, const char *namespace, const char *name)
{
	struct dns_slice *slice = find_slice(zone, namespace, name);

	if (!slice)
		return;
	touch(zone, slice->service);
	free_slice(zone, slice);
}

void kserv_zone_set_namespace(struct kserv_zone *zone, const char *name)
{
	uint8_t *label = kserv_dns_label_new(name);

	if (label)
		need_namespace(zone, label)->exists = true;
	free(label);
	zone->serial++;
}

void kserv_zone_delete_namespace(struct kserv_zone *zone, const char *name)
{
	uint8_t *label = kserv_dns_label_new(name);
	struct dns_namespace *ns;

	if (!label)
		return;
	ns = need_namespace(zone, label);
	ns->exists = false;
	drop_namespace(zone, ns);
	free(label);
	zone->serial++;
}

static bool pod_place(const char *namespace, const struct kserv_addr *addr, struct dns_pod_place *ret)
{
	uint8_t *label = kserv_dns_label_new(namespace);

	memset(ret, 0, sizeof(*ret));
	ret->addr = *addr;
	if (label)
		memcpy(ret->namespace, label, label[0] + 1);
	free(label);
	return ret->namespace[0];
}

static void count_pod(struct kserv_zone *zone, const char *namespace, const struct kserv_addr *addr, int by)
{
	struct dns_pod_address *entry;
	struct dns_pod_place place;

	if (!pod_place(namespace, addr, &place))
		return;
	HASH_FIND(hh, zone->pod_addresses, &place, sizeof(place), entry);
	if (!entry) {
		entry = kserv_must_alloc(sizeof(*entry));
		entry->place = place;
		HASH_ADD(hh, zone->pod_addresses, place, sizeof(place), entry);
	}
	entry->n += by;
	if (entry->n)
		return;
	HASH_DEL(zone->pod_addresses, entry);
	free(entry);
}

void kserv_zone_delete_pod(struct kserv_zone *zone, const char *namespace, const char *name)
{
	char *key = kserv_must_printf("%s/%s", namespace, name);
	struct dns_pod *pod;
	size_t i;

	HASH_FIND_STR(zone->pods, key, pod);
	free(key);
	if (!pod)
		return;
	for (i = 0; i < pod->addrs.n; i++)
		count_pod(zone, namespace, &pod->addrs.v[i], -1);
	HASH_DEL(zone->pods, pod);
	addresses_clear(&pod->addrs);
	free(pod->key);
	free(pod);
	zone->serial++;
}

void kserv_zone_set_pod(struct kserv_zone *zone, const struct kserv_pod *object)
{
	struct dns_pod *pod;
	size_t i;

	kserv_zone_delete_pod(zone, object->meta.namespace, object->meta.name);
	if (zone->pod_names != KSERV_DNS_PODS_VERIFIED || object->meta.deleting || !object->ips.n ||
	    object->phase == KSERV_POD_SUCCEEDED || object->phase == KSERV_POD_FAILED)
		return;
	pod = kserv_must_alloc(sizeof(*pod));
	pod->key = kserv_must_printf("%s/%s", object->meta.namespace, object->meta.name);
	for (i = 0; i < object->ips.n; i++)
		add_address(&pod->addrs, object->ips.v[i]);
	for (i = 0; i < pod->addrs.n; i++)
		count_pod(zone, object->meta.namespace, &pod->addrs.v[i], 1);
	HASH_ADD_KEYPTR(hh, zone->pods, pod->key, strlen(pod->key), pod);
	zone->serial++;
}

void kserv_records_clear(struct kserv_zone *zone)
{
	struct dns_service *service, *next_service;
	struct dns_slice *slice, *next_slice;
	struct dns_namespace *ns, *next_ns;
	struct dns_pod *pod, *next_pod;

	HASH_ITER(hh, zone->slices, slice, next_slice) {
		touch(zone, slice->service);
		free_slice(zone, slice);
	}
	HASH_ITER(hh, zone->services, service, next_service) {
		forget_service(zone, service);
		touch(zone, service);
	}
	kserv_records_settle(zone);
	HASH_ITER(hh, zone->namespaces, ns, next_ns) {
		ns->exists = false;
		drop_namespace(zone, ns);
	}
	HASH_ITER(hh, zone->pods, pod, next_pod) {
		char *slash = strchr(pod->key, '/'), *name = kserv_must_strdup(slash + 1);
		char *namespace = kserv_must_printf("%.*s", (int)(slash - pod->key), pod->key);

		kserv_zone_delete_pod(zone, namespace, name);
		free(namespace);
		free(name);
	}
}
