/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses as they stand in Kubernetes objects, which hold more than strict parsers take: objects made long ago have
 * leading zeros in IPv4 octets (rule 1.18).
 */
#ifndef KSERV_ADDRESS_H
#define KSERV_ADDRESS_H

#include "lib/addr.h"

/* Where a family stands in arrays of two. */
static inline unsigned int kserv_family_index(uint8_t family)
{
	return family == AF_INET6;
}

/**
 * kserv_address_read() - an IPv4 or IPv6 address
 * @text: blanks around it are skipped; leading zeros of an IPv4 octet mean nothing; an IPv4-mapped IPv6 address is an
 *	IPv4 address, as for Kubernetes
 *
 * Return: false, and nothing in @ret_addr, if it is none.
 */
bool kserv_address_read(const char *text, struct kserv_addr *ret_addr);

/* The same for a CIDR; an address alone is the CIDR of just that address. Bits beyond the length are cleared. */
bool kserv_cidr_read(const char *text, struct kserv_prefix *ret_prefix);

/* The CIDR of one address. */
struct kserv_prefix kserv_cidr_of(const struct kserv_addr *addr);

bool kserv_cidr_contains(const struct kserv_prefix *prefix, const struct kserv_addr *addr);
bool kserv_address_is_loopback(const struct kserv_addr *addr);
bool kserv_address_is_link_local(const struct kserv_addr *addr);
/* Unspecified or multicast: no packet to a service or an endpoint can have it. */
bool kserv_address_is_unusable(const struct kserv_addr *addr);

#endif
