/* SPDX-License-Identifier: GPL-2.0 */
/* Names as DNS sends them: labels, each behind its length, up to an empty one. Ours are in lower case. */
#ifndef KSERV_DNS_NAME_H
#define KSERV_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lib/tables.h"

#define KSERV_DNS_LABEL_MAX	63
/* A name of 255 bytes has no more labels than this. */
#define KSERV_DNS_LABELS_MAX	127

/**
 * struct kserv_dns_labels - where the labels of a name begin
 * @at: offsets of their length bytes; at[n] is that of the empty label
 */
struct kserv_dns_labels {
	uint8_t at[KSERV_DNS_LABELS_MAX + 1];
	uint8_t n;
};

static inline uint8_t kserv_dns_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* A label's bytes with its length in front: what @name has at an offset. */
static inline bool kserv_dns_label_is(const uint8_t *label, const char *text, size_t len)
{
	return *label == len && !memcmp(label + 1, text, len);
}

/**
 * kserv_dns_name_parse() - a name such as "web.shop.svc", with or without a dot at its end
 * @name: KSERV_DNS_NAME_MAX bytes
 *
 * Return: its length with the empty label, or -EINVAL if it is none.
 */
int kserv_dns_name_parse(const char *text, uint8_t *name);
/* One label in front of its text; NULL if it is empty or too long. The caller frees it. */
uint8_t *kserv_dns_label_new(const char *text);

/* Find the labels of a whole name. */
void kserv_dns_labels_find(const uint8_t *name, struct kserv_dns_labels *ret);

/**
 * kserv_dns_name_read() - the name at @offset of a message, in lower case and without pointers
 * @name: KSERV_DNS_NAME_MAX bytes
 *
 * Return: bytes that it takes in the message, or -EINVAL. @ret_len: of the name.
 */
int kserv_dns_name_read(const uint8_t *message, size_t len, size_t offset, uint8_t *name, uint8_t *ret_len);

/* The name of an endpoint without a host name: "10-1-2-3", "fd00--5". @text: KSERV_ADDR_TEXT bytes. */
void kserv_dns_dashed_format(const struct kserv_addr *addr, char *text);
/* The address in a label of that form. Return: 0 or -EINVAL. */
int kserv_dns_dashed_parse(const uint8_t *label, struct kserv_addr *ret_addr);

/**
 * kserv_dns_reverse_parse() - the address that a name below in-addr.arpa or ip6.arpa stands for
 * @ret_top: the number of the label at which the top of that tree begins
 *
 * Return: 0, or -EINVAL for any other name, also for one of a part of an address.
 */
int kserv_dns_reverse_parse(const uint8_t *name, const struct kserv_dns_labels *labels, struct kserv_addr *ret_addr,
			    uint8_t *ret_top);

#endif
