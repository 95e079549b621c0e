/* SPDX-License-Identifier: GPL-2.0 */
/* Messages: taking queries apart, and writing answers record by record. */
#ifndef KSERV_DNS_MESSAGE_H
#define KSERV_DNS_MESSAGE_H

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <string.h>
#include "dns/name.h"
#include "dns/zone.h"

/* Old names of the above, of which this one is kservctl's too. */
#undef REFUSED

#define DNS_HEADER	12
/* An OPT record without options. */
#define DNS_OPT_SIZE	11
/* A pointer to a name is two bytes with these bits. */
#define DNS_POINTER	0xc000

enum dns_code {
	DNS_NOERROR = 0, DNS_FORMERR = 1, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_NOTIMP = 4, DNS_REFUSED = 5,
	DNS_BADVERS = 16,
};

/* Bits of the second 16 bits of a message. */
enum { DNS_QR = 0x8000, DNS_OPCODE = 0x7800, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x0080,
       DNS_CD = 0x0010 };

enum dns_section { DNS_AN = 1, DNS_NS, DNS_AR };

static inline uint16_t dns_get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static inline uint32_t dns_get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static inline void dns_put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static inline void dns_put32(uint8_t *at, uint32_t value)
{
	dns_put16(at, value >> 16);
	dns_put16(at + 2, value);
}

/**
 * struct dns_parsed - a query
 * @labels: of its name
 * @question_end: offset behind the question
 * @code: what is wrong with it: 0, FORMERR, NOTIMP or BADVERS
 */
struct dns_parsed {
	struct kserv_dns_question *question;
	struct kserv_dns_labels labels;
	size_t question_end;
	enum dns_code code;
};

/* False if it is nothing to answer: too short, or an answer itself. @ret->question is filled in. */
bool kserv_dns_query_parse(const uint8_t *query, size_t len, bool tcp, struct dns_parsed *ret);

/**
 * kserv_dns_record_read() - the fixed part of the record at *@offset of a message
 * @ret_type, @ret_data, @ret_data_len: of its data; may be NULL
 *
 * Moves *@offset behind it. Return: offset of its type, or -EINVAL.
 */
int kserv_dns_record_read(const uint8_t *message, size_t len, size_t *offset, uint16_t *ret_type, size_t *ret_data,
			  uint16_t *ret_data_len);

/**
 * struct dns_writer - an answer that is being written
 * @limit: what may be used; the OPT record has room beyond it
 * @record: where the one that is being written begins
 * @domain_at: offset of the zone's name in the message, or 0
 * @full: something did not fit
 */
struct dns_writer {
	uint8_t *message;
	size_t len, limit, record, data;
	size_t domain_at;
	uint16_t counts[4];
	uint16_t flags;
	bool full;
};

/* A record begins: its owner's name is at @owner; dns_end() takes it back if it did not fit. */
void kserv_dns_begin(struct dns_writer *w, uint16_t owner, uint16_t type, uint32_t ttl);
/* The same for an owner that is @label in front of the name at @owner. */
void kserv_dns_begin_below(struct dns_writer *w, const uint8_t *label, uint16_t owner, uint16_t type, uint32_t ttl);
void kserv_dns_write(struct dns_writer *w, const void *bytes, size_t len);
void kserv_dns_write16(struct dns_writer *w, uint16_t value);
void kserv_dns_write32(struct dns_writer *w, uint32_t value);
/* Return: false if it did not fit. */
bool kserv_dns_end(struct dns_writer *w, enum dns_section section);

#endif
