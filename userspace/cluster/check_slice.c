// SPDX-License-Identifier: GPL-2.0
/* EndpointSlice and Endpoints. */
#include <string.h>
#include "cluster/check.h"
#include "cluster/format.h"

#define ENDPOINTS_MAX	1000		/* endpoints of one slice; limits of the API server, as the next ones */
#define ADDRESSES_MAX	100
#define HINTS_MAX	8

/* Names of ports: "" at most once, no name twice. */
static void check_port_names(const struct kserv_value *ports, struct kserv_errors *errors)
{
	const struct kserv_value *port, *other, *name;

	for (port = kserv_value_first(ports); port; port = port->next) {
		name = kserv_value_find(port, "name");
		kserv_check_shape(name, kserv_refuse_label, errors);
		for (other = kserv_value_first(ports); other != port; other = other->next) {
			if (strcmp(kserv_value_string(other, "name"), kserv_value_string(port, "name")))
				continue;
			kserv_error_at(errors, name ? name : port, "\"%s\" is the name of another port",
				       kserv_value_string(port, "name"));
			break;
		}
	}
}

static void check_slice_address(const struct kserv_value *value, const char *type, struct kserv_errors *errors)
{
	struct kserv_addr addr;

	if (!strcmp(type, "FQDN")) {
		kserv_check_shape(value, kserv_refuse_subdomain, errors);
	} else if (kserv_check_endpoint_address(value, &addr, errors) &&
		   (addr.family == AF_INET) != !strcmp(type, "IPv4") && *type) {
		kserv_error_at(errors, value, "must be an %s address as addressType says, got \"%s\"", type,
			       value->text);
	}
}

static void check_slice_endpoint(const struct kserv_value *endpoint, const char *type, struct kserv_errors *errors)
{
	const struct kserv_value *addresses = kserv_value_find(endpoint, "addresses"), *value, *zones;

	if (endpoint->type != KSERV_VALUE_MAP)
		return;
	if (!addresses || (addresses->type == KSERV_VALUE_LIST && !addresses->n))
		kserv_error_missing(errors, endpoint, "addresses", "required");
	else if (addresses->type == KSERV_VALUE_LIST && addresses->n > ADDRESSES_MAX)
		kserv_error_at(errors, addresses, "must be at most %d, got %zu", ADDRESSES_MAX, addresses->n);
	for (value = kserv_value_first(addresses); value; value = value->next)
		check_slice_address(value, type, errors);
	kserv_check_shape(kserv_value_find(endpoint, "hostname"), kserv_refuse_label, errors);
	kserv_check_shape(kserv_value_find(endpoint, "nodeName"), kserv_refuse_subdomain, errors);
	zones = kserv_value_get(endpoint, "hints.forZones");
	if (kserv_value_is(zones, KSERV_VALUE_LIST) && zones->n > HINTS_MAX)
		kserv_error_at(errors, zones, "must be at most %d, got %zu", HINTS_MAX, zones->n);
}

void kserv_check_slice(const struct kserv_value *object, struct kserv_errors *errors)
{
	const struct kserv_value *type = kserv_value_find(object, "addressType"), *v;

	kserv_check_meta(object, true, kserv_refuse_subdomain, errors);
	if (!type)
		kserv_error_missing(errors, object, "addressType", "required");
	kserv_check_one_of(type, "IPv4 IPv6 FQDN", errors);
	v = kserv_value_find(object, "endpoints");
	if (kserv_value_is(v, KSERV_VALUE_LIST) && v->n > ENDPOINTS_MAX)
		kserv_error_at(errors, v, "must be at most %d, got %zu", ENDPOINTS_MAX, v->n);
	for (v = kserv_value_first(v); v; v = v->next)
		check_slice_endpoint(v, kserv_value_string(object, "addressType"), errors);
	check_port_names(kserv_value_find(object, "ports"), errors);
	for (v = kserv_value_first(kserv_value_find(object, "ports")); v; v = v->next) {
		/* Port 0 is as good as none: the port is skipped (rule 2.2). */
		if (kserv_value_int(v, "port", 0))
			kserv_check_port(kserv_value_find(v, "port"), errors);
		kserv_check_protocol(v, errors);
		kserv_check_shape(kserv_value_find(v, "appProtocol"), kserv_refuse_qualified_name, errors);
	}
}

static void check_endpoints_addresses(const struct kserv_value *list, struct kserv_errors *errors)
{
	const struct kserv_value *entry;
	struct kserv_addr addr;

	for (entry = kserv_value_first(list); entry; entry = entry->next) {
		if (!kserv_value_find(entry, "ip"))
			kserv_error_missing(errors, entry, "ip", "required");
		kserv_check_endpoint_address(kserv_value_find(entry, "ip"), &addr, errors);
		kserv_check_shape(kserv_value_find(entry, "hostname"), kserv_refuse_label, errors);
		kserv_check_shape(kserv_value_find(entry, "nodeName"), kserv_refuse_subdomain, errors);
	}
}

static void check_subset(const struct kserv_value *subset, struct kserv_errors *errors)
{
	const struct kserv_value *ports = kserv_value_find(subset, "ports"), *port;
	const struct kserv_value *ready = kserv_value_find(subset, "addresses");
	const struct kserv_value *unready = kserv_value_find(subset, "notReadyAddresses");

	if (!kserv_value_first(ready) && !kserv_value_first(unready))
		kserv_error_missing(errors, subset, "addresses",
				    "required: addresses or notReadyAddresses must hold one");
	check_endpoints_addresses(ready, errors);
	check_endpoints_addresses(unready, errors);
	check_port_names(ports, errors);
	for (port = kserv_value_first(ports); port; port = port->next) {
		if (!kserv_value_find(port, "port"))
			kserv_error_missing(errors, port, "port", "required");
		kserv_check_port(kserv_value_find(port, "port"), errors);
		kserv_check_protocol(port, errors);
		if (ports->n > 1 && !*kserv_value_string(port, "name"))
			kserv_error_missing(errors, port, "name", "required where there are several ports");
	}
}

void kserv_check_endpoints(const struct kserv_value *object, struct kserv_errors *errors)
{
	const struct kserv_value *subset;

	kserv_check_meta(object, true, kserv_refuse_subdomain, errors);
	for (subset = kserv_value_first(kserv_value_find(object, "subsets")); subset; subset = subset->next)
		if (subset->type == KSERV_VALUE_MAP)
			check_subset(subset, errors);
}
