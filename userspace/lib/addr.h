/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses, ports and CIDRs as text. */
#ifndef KSERV_ADDR_H
#define KSERV_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/tables.h"

/* Room for any address, "[address]:port" or CIDR, with its end. */
#define KSERV_ADDR_TEXT 64

/**
 * kserv_addr_parse() - read an IPv4 or IPv6 address as inet_pton() does
 * Return: 0 or -EINVAL.
 */
int kserv_addr_parse(const char *text, struct kserv_addr *ret_addr);

/**
 * kserv_addr_simplify() - what stands in Kubernetes objects as an address or CIDR, for the parsers of this page
 * @ret_text: @text without the blanks around it and without leading zeros of the numbers of an IPv4 address, which mean
 *	nothing there (rule 1.18)
 *
 * Return: false if it is too long to be one.
 */
bool kserv_addr_simplify(const char *text, char ret_text[KSERV_ADDR_TEXT]);

/**
 * kserv_addr_port_parse() - read "10.0.0.1:80" or "[fd00::1]:80"
 * @ret_port: host order
 * @ret_why: on error the end of a sentence, as "it has no port"; may be NULL
 *
 * Return: 0 or -EINVAL.
 */
int kserv_addr_port_parse(const char *text, struct kserv_addr *ret_addr, uint16_t *ret_port, const char **ret_why);

/**
 * kserv_addr_maybe_port_parse() - the same, but the port may be absent, then 0, and so may the brackets without it
 */
int kserv_addr_maybe_port_parse(const char *text, struct kserv_addr *ret_addr, uint16_t *ret_port,
				const char **ret_why);

/**
 * kserv_prefix_parse() - read "10.0.0.0/8", or an address alone for itself
 * Bits beyond the length become zero, as Kubernetes reads CIDRs.
 * Return: 0 or -EINVAL.
 */
int kserv_prefix_parse(const char *text, struct kserv_prefix *ret_prefix);

/* A number of digits only, up to @max. Return: 0 or -EINVAL. */
int kserv_number_parse(const char *text, uint32_t max, uint32_t *ret_number);

/* The protocol "tcp", "UDP", "sctp"; 0 if it is none of them. */
uint8_t kserv_protocol_parse(const char *text);
/* "tcp"; a number for others, in a buffer that the next call overwrites. */
const char *kserv_protocol_name(uint8_t protocol);

/* Write to @buffer of KSERV_ADDR_TEXT bytes and return it. */
const char *kserv_addr_format(const struct kserv_addr *addr, char *buffer);
/* "10.0.0.1:80", "[fd00::1]:80"; "*:80" for an address of no family. */
const char *kserv_addr_port_format(const struct kserv_addr *addr, uint16_t port, char *buffer);
const char *kserv_prefix_format(const struct kserv_prefix *prefix, char *buffer);

static inline bool kserv_addr_is_equal(const struct kserv_addr *a, const struct kserv_addr *b)
{
	return a->family == b->family && !__builtin_memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

#endif
