/* SPDX-License-Identifier: GPL-2.0 */
/* Parts of messages as people write them. */
#ifndef KSERV_DNS_TEXT_H
#define KSERV_DNS_TEXT_H

#include "cluster/memory.h"
#include "dns/zone.h"

/* "A", "srv", "TYPE65"; 0 if it is none. */
uint16_t kserv_dns_type_parse(const char *text);
/* "A"; "TYPE65" in a buffer that the next call overwrites. */
const char *kserv_dns_type_name(uint16_t type);
/* "NXDOMAIN"; NULL for one without a name. */
const char *kserv_dns_code_name(unsigned int code);
/* "1.0.96.10.in-addr.arpa"; the caller frees it. */
char *kserv_dns_reverse_name(const struct kserv_addr *addr);

/**
 * struct kserv_dns_record - one record of a message
 * @owner, @data: as in a zone file; kserv_dns_record_clear() frees them
 */
struct kserv_dns_record {
	char *owner, *data;
	uint16_t type;
	uint32_t ttl;
};

/* Behind the question; -EINVAL if the message is none. */
int kserv_dns_records_begin(const uint8_t *message, size_t len, size_t *ret_offset);
/* The record at *@offset, which moves behind it. Return: 0 or -EINVAL. */
int kserv_dns_record_format(const uint8_t *message, size_t len, size_t *offset, struct kserv_dns_record *ret);
void kserv_dns_record_clear(struct kserv_dns_record *record);

#endif
