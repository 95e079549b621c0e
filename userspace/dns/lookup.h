/* SPDX-License-Identifier: GPL-2.0 */
/* What a name stands for in a zone. */
#ifndef KSERV_DNS_LOOKUP_H
#define KSERV_DNS_LOOKUP_H

#include "dns/records.h"

enum dns_found_kind {
	DNS_OUTSIDE,			/* not a name of ours */
	DNS_NOTHING,			/* NXDOMAIN */
	DNS_EMPTY,			/* exists, without records: something is below it */
	DNS_APEX, DNS_VERSION,
	DNS_SERVICE,			/* also ns.dns.<domain>, as the DNS service */
	DNS_PORT,			/* _port._protocol in front of a Service */
	DNS_ENDPOINT, DNS_EXTERNAL, DNS_POD, DNS_REVERSE,
};

/**
 * struct dns_found - the same with what it is about
 * @domain_at: offset of the zone's name in the name; of in-addr.arpa or ip6.arpa for DNS_REVERSE
 * @service_at: offset of the Service's name in it
 * @name, @protocol: of DNS_PORT
 * @first, @n: of DNS_ENDPOINT, among by_name of @service
 * @no_srv: ns.dns.<domain>, which has addresses only
 */
struct dns_found {
	enum dns_found_kind kind;
	uint8_t domain_at, service_at;
	struct dns_service *service;
	const uint8_t *port_name;	/* without its underscore, and without a length */
	uint8_t port_name_len, protocol;
	size_t first, n;
	struct kserv_addr addr;
	const struct dns_address *address;
	bool no_srv;
};

void kserv_zone_lookup(const struct kserv_zone *zone, const uint8_t *name, uint8_t name_len,
		       const struct kserv_dns_labels *labels, struct dns_found *ret);
/* The port is one that @found asks for: by name and protocol for DNS_PORT, any otherwise. */
bool kserv_dns_port_matches(const struct dns_found *found, const struct dns_port *port);

#endif
