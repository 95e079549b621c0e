/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a zone holds: the parts of the model that names are made of. Kept by the objects they come from; a Service and
 * its slices are put together when the first answer after a change is asked for, so a burst of changes costs once.
 */
#ifndef KSERV_DNS_RECORDS_H
#define KSERV_DNS_RECORDS_H

#include <uthash.h>
#include "dns/name.h"
#include "dns/zone.h"

struct dns_port {
	uint8_t *name;			/* a label; NULL: it has none */
	uint8_t protocol;		/* IPPROTO_* */
	uint16_t port;
};

struct dns_ports {
	struct dns_port *v;
	size_t n;
};

/* A ready endpoint of a slice. @label: its host name, or its address with dashes. */
struct dns_endpoint {
	struct kserv_addr addr;
	uint8_t *label;
};

/**
 * struct dns_slice - an EndpointSlice
 * @key: "namespace/name"
 * @service: which it belongs to, through @next
 * @endpoints: the ready ones only
 */
struct dns_slice {
	char *key;
	struct dns_service *service;
	struct dns_slice *prev, *next;
	struct dns_ports ports;
	struct dns_endpoint *endpoints;
	size_t n_endpoints;
	UT_hash_handle hh;
};

/* An endpoint as the Service has it; borrowed from the slice. */
struct dns_member {
	const struct dns_endpoint *endpoint;
	const struct dns_slice *slice;
};

struct dns_addresses {
	struct kserv_addr *v;
	size_t n;
};

/**
 * struct dns_service - a Service, or slices that wait for theirs
 * @key: its name and namespace as labels, without an end; the first members of its names
 * @exists: the Service is there
 * @target: of an ExternalName, as a name; NULL otherwise
 * @refused: an ExternalName that is no name, but an address: nothing is there
 * @ports: of the Service, in the order of their numbers
 * @cluster_ips: of a Service that is not headless
 * @dirty: @members and what follows is to be made anew; then it is on the zone's list by @next_dirty
 * @members: ready endpoints, by address and then by label
 * @by_name: the same by label and then by address
 * @v4, @v6: what the Service's own name leads to, without duplicates, in any order: each answer shuffles them
 */
struct dns_service {
	uint8_t *key;
	uint8_t key_len;
	bool exists, headless, refused, dirty;
	struct dns_namespace *namespace;
	uint8_t *target;
	struct dns_ports ports;
	struct dns_addresses cluster_ips;
	struct dns_slice *slices;
	struct dns_service *next_dirty;
	struct dns_member *members, *by_name;
	size_t n_members;
	struct dns_addresses v4, v6;
	UT_hash_handle hh;
};

/* A name that an address leads back to. @label: the endpoint's, or NULL for a Service's own name, by its cluster IP. */
struct dns_pointer {
	struct dns_service *service;
	const uint8_t *label;
};

/**
 * struct dns_address - what an address leads back to
 * @v: by Service and then by label, so that those from several slices that say the same are side by side; also of
 *	slices whose Service is not there
 */
struct dns_address {
	struct kserv_addr addr;
	struct dns_pointer *v;
	size_t n;
	UT_hash_handle hh;
};

/* Exists if its object does, or a Service in it. */
struct dns_namespace {
	uint8_t *label;
	bool exists;
	size_t n_services;
	UT_hash_handle hh;
};

/* A Pod and the addresses it has; @key: "namespace/name" */
struct dns_pod {
	char *key;
	struct dns_addresses addrs;
	UT_hash_handle hh;
};

/* How many Pods of a namespace have an address. */
struct dns_pod_address {
	struct dns_pod_place {
		struct kserv_addr addr;
		uint8_t namespace[KSERV_DNS_LABEL_MAX + 1];
	} place;
	size_t n;
	UT_hash_handle hh;
};

/**
 * struct kserv_zone - all of it
 * @name, @name_len, @n_labels: the domain
 * @own: the Service whose addresses ns.dns.<domain> has; always there
 */
struct kserv_zone {
	uint8_t name[KSERV_DNS_NAME_MAX];
	uint8_t name_len, n_labels;
	uint32_t ttl, serial;
	enum kserv_dns_pods pod_names;
	bool recursive, synced;
	uint64_t random;
	struct dns_service *services, *dirty, *own;
	struct dns_slice *slices;
	struct dns_address *addresses;
	struct dns_namespace *namespaces;
	struct dns_pod *pods;
	struct dns_pod_address *pod_addresses;
};

/* The Service of @key, two labels, made if it is not there; NULL if the names are no labels. */
struct dns_service *kserv_records_need_service(struct kserv_zone *zone, const char *namespace, const char *name);
/* It is there and no ExternalName. */
static inline bool kserv_records_has_addresses(const struct dns_service *service)
{
	return service->exists && !service->target && !service->refused;
}

static inline int kserv_records_compare_labels(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, (a[0] < b[0] ? a[0] : b[0]) + 1u);
}

/* @label is kept as it is, and told again to remove it. */
void kserv_pointers_add(struct kserv_zone *zone, const struct kserv_addr *addr, struct dns_service *service,
			const uint8_t *label);
void kserv_pointers_remove(struct kserv_zone *zone, const struct kserv_addr *addr, struct dns_service *service,
			   const uint8_t *label);
/* The pointer counts: its Service is there, and no other before it says the same. */
bool kserv_pointer_counts(const struct dns_address *address, size_t i);
bool kserv_pointers_any(const struct dns_address *address);

/* Puts together what changed. */
void kserv_records_settle(struct kserv_zone *zone);
/* Forgets all of it but the zone's own settings. */
void kserv_records_clear(struct kserv_zone *zone);

/* Below @upper; good enough for an order of addresses. */
static inline uint32_t kserv_zone_random(struct kserv_zone *zone, uint32_t upper)
{
	zone->random ^= zone->random << 13;
	zone->random ^= zone->random >> 7;
	zone->random ^= zone->random << 17;
	return ((zone->random >> 32) * upper) >> 32;
}

#endif
