// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <utlist.h>
#include "dns/lookup.h"

static bool namespace_exists(const struct kserv_zone *zone, const uint8_t *label)
{
	struct dns_namespace *ns;

	HASH_FIND(hh, zone->namespaces, label, label[0] + 1u, ns);
	return ns;
}

/* "_tcp", or "tcp": what stands in a label for a protocol; 0 for anything else. */
static uint8_t protocol_of(const uint8_t *label)
{
	uint8_t skip = label[0] && label[1] == '_', len = label[0] - skip;
	const uint8_t *text = label + 1 + skip;

	if (len == 3 && !memcmp(text, "tcp", 3))
		return IPPROTO_TCP;
	if (len == 3 && !memcmp(text, "udp", 3))
		return IPPROTO_UDP;
	return len == 4 && !memcmp(text, "sctp", 4) ? IPPROTO_SCTP : 0;
}

bool kserv_dns_port_matches(const struct dns_found *found, const struct dns_port *port)
{
	if (found->kind != DNS_PORT)
		return true;
	if (port->protocol != found->protocol || !port->name)
		return false;
	/* With no name asked for, any named port of the protocol: this is how "_tcp.web" is known to exist. */
	return !found->port_name || kserv_dns_label_is(port->name, (const char *)found->port_name, found->port_name_len);
}

static bool has_port(const struct dns_found *found, const struct dns_ports *ports)
{
	size_t i;

	for (i = 0; i < ports->n; i++)
		if (kserv_dns_port_matches(found, &ports->v[i]))
			return true;
	return false;
}

static bool service_has_port(const struct dns_found *found)
{
	const struct dns_slice *slice;

	if (!found->service->headless)
		return has_port(found, &found->service->ports);
	DL_FOREACH(found->service->slices, slice)
		if (slice->n_endpoints && has_port(found, &slice->ports))
			return true;
	return false;
}

/* The first of the Service's members whose label is not before (or, for @after, behind) @label. */
static size_t find_member(const struct dns_service *service, const uint8_t *label, bool after)
{
	size_t low = 0, high = service->n_members, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (kserv_records_compare_labels(service->by_name[middle].endpoint->label, label) < after)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void lookup_endpoint(const uint8_t *label, struct dns_found *ret)
{
	ret->first = find_member(ret->service, label, false);
	ret->n = find_member(ret->service, label, true) - ret->first;
	if (ret->n) {
		ret->kind = DNS_ENDPOINT;
		return;
	}
	ret->protocol = protocol_of(label);
	ret->kind = DNS_PORT;
	ret->kind = ret->protocol && service_has_port(ret) ? DNS_EMPTY : DNS_NOTHING;
}

static void lookup_port(const uint8_t *name, const uint8_t *protocol, struct dns_found *ret)
{
	uint8_t skip = name[1] == '_';

	ret->port_name = name + 1 + skip;
	ret->port_name_len = name[0] - skip;
	ret->protocol = protocol_of(protocol);
	ret->kind = DNS_PORT;
	if (!ret->protocol || !service_has_port(ret))
		ret->kind = DNS_NOTHING;
}

/* @n labels stand before the namespace. */
static void lookup_service(const struct kserv_zone *zone, const uint8_t *name, const struct kserv_dns_labels *labels,
			   unsigned int n, struct dns_found *ret)
{
	struct dns_service *service;
	size_t key_len;

	ret->kind = DNS_NOTHING;
	if (!n) {
		if (namespace_exists(zone, name + labels->at[0]))
			ret->kind = DNS_EMPTY;
		return;
	}
	ret->service_at = labels->at[n - 1];
	key_len = labels->at[n + 1] - labels->at[n - 1];
	HASH_FIND(hh, zone->services, name + ret->service_at, key_len, service);
	if (n > 3 || !service || !service->exists || service->refused)
		return;
	ret->service = service;
	if (service->target)
		ret->kind = n == 1 ? DNS_EXTERNAL : DNS_NOTHING;
	else if (n == 1)
		ret->kind = service->headless && !service->n_members ? DNS_NOTHING : DNS_SERVICE;
	else if (n == 2)
		lookup_endpoint(name + labels->at[0], ret);
	else
		lookup_port(name + labels->at[0], name + labels->at[1], ret);
}

static void lookup_pod(const struct kserv_zone *zone, const uint8_t *name, const struct kserv_dns_labels *labels,
		       unsigned int n, struct dns_found *ret)
{
	const uint8_t *ns = name + labels->at[n];
	struct dns_pod_address *entry;
	struct dns_pod_place place;

	ret->kind = DNS_NOTHING;
	if (zone->pod_names == KSERV_DNS_PODS_DISABLED || n > 1 || !namespace_exists(zone, ns))
		return;
	if (!n) {
		ret->kind = DNS_EMPTY;
		return;
	}
	memset(&ret->addr, 0, sizeof(ret->addr));
	if (kserv_dns_dashed_parse(name + labels->at[0], &ret->addr))
		return;
	if (zone->pod_names == KSERV_DNS_PODS_VERIFIED) {
		memset(&place, 0, sizeof(place));
		place.addr = ret->addr;
		memcpy(place.namespace, ns, ns[0] + 1);
		HASH_FIND(hh, zone->pod_addresses, &place, sizeof(place), entry);
		if (!entry)
			return;
	}
	ret->kind = DNS_POD;
}

/* "dns.<domain>" and what is below it. */
static void lookup_dns(const struct kserv_zone *zone, const uint8_t *name, const struct kserv_dns_labels *labels,
		       unsigned int n, struct dns_found *ret)
{
	ret->kind = n ? DNS_NOTHING : DNS_EMPTY;
	if (n != 1 || !kserv_dns_label_is(name + labels->at[0], "ns", 2))
		return;
	ret->kind = zone->own->exists ? DNS_SERVICE : DNS_EMPTY;
	ret->service = zone->own;
	ret->no_srv = true;
}

/* @n labels stand before the zone's name. */
static void lookup_inside(const struct kserv_zone *zone, const uint8_t *name, const struct kserv_dns_labels *labels,
			  unsigned int n, struct dns_found *ret)
{
	const uint8_t *top = name + labels->at[n ? n - 1 : 0];

	ret->kind = DNS_NOTHING;
	if (!n)
		ret->kind = DNS_APEX;
	else if (n == 1 && kserv_dns_label_is(top, "dns-version", 11))
		ret->kind = DNS_VERSION;
	else if (kserv_dns_label_is(top, "dns", 3))
		lookup_dns(zone, name, labels, n - 1, ret);
	else if (n == 1)
		ret->kind = kserv_dns_label_is(top, "svc", 3) || kserv_dns_label_is(top, "pod", 3) ? DNS_EMPTY : DNS_NOTHING;
	else if (kserv_dns_label_is(top, "svc", 3))
		lookup_service(zone, name, labels, n - 2, ret);
	else if (kserv_dns_label_is(top, "pod", 3))
		lookup_pod(zone, name, labels, n - 2, ret);
}

static void lookup_reverse(const struct kserv_zone *zone, const uint8_t *name, const struct kserv_dns_labels *labels,
			   struct dns_found *ret)
{
	struct kserv_addr addr;
	uint8_t top;

	if (kserv_dns_reverse_parse(name, labels, &addr, &top))
		return;
	HASH_FIND(hh, zone->addresses, &addr, sizeof(addr), ret->address);
	ret->domain_at = labels->at[top];
	/* Who it belongs to is not known before the objects are. */
	if ((ret->address && kserv_pointers_any(ret->address)) || !zone->synced)
		ret->kind = DNS_REVERSE;
}

void kserv_zone_lookup(const struct kserv_zone *zone, const uint8_t *name, uint8_t name_len,
		       const struct kserv_dns_labels *labels, struct dns_found *ret)
{
	unsigned int n;

	memset(ret, 0, sizeof(*ret));
	ret->kind = DNS_OUTSIDE;
	if (labels->n >= zone->n_labels) {
		n = labels->n - zone->n_labels;
		ret->domain_at = labels->at[n];
		if (name_len - ret->domain_at == zone->name_len &&
		    !memcmp(name + ret->domain_at, zone->name, zone->name_len)) {
			lookup_inside(zone, name, labels, n, ret);
			return;
		}
	}
	lookup_reverse(zone, name, labels, ret);
}
