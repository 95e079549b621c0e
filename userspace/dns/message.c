// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include "dns/message.h"

/* A name in the question: labels only, since there is nothing before it to point to. Return: its length or -EINVAL. */
static int read_question_name(const uint8_t *query, size_t len, struct dns_parsed *ret)
{
	const uint8_t *from = query + DNS_HEADER;
	size_t room = len - DNS_HEADER, at = 0;
	uint8_t *name = ret->question->name, i;

	ret->labels.n = 0;
	for (;;) {
		uint8_t label = at < room ? from[at] : 0xff;

		if (label > KSERV_DNS_LABEL_MAX || at + label + 1u > KSERV_DNS_NAME_MAX || at + label + 1u > room)
			return -EINVAL;
		ret->labels.at[ret->labels.n] = at;
		name[at] = label;
		if (!label)
			return at + 1;
		for (i = 1; i <= label; i++)
			name[at + i] = kserv_dns_lower(from[at + i]);
		at += label + 1;
		ret->labels.n++;
	}
}

static int skip_name(const uint8_t *message, size_t len, size_t offset)
{
	size_t at = offset;

	while (at < len) {
		if ((message[at] & NS_CMPRSFLGS) == NS_CMPRSFLGS)
			return at + 2 <= len ? (int)(at + 2) : -EINVAL;
		if (message[at] & NS_CMPRSFLGS)
			return -EINVAL;
		if (!message[at])
			return at + 1;
		at += message[at] + 1;
	}
	return -EINVAL;
}

int kserv_dns_record_read(const uint8_t *message, size_t len, size_t *offset, uint16_t *ret_type, size_t *ret_data,
			  uint16_t *ret_data_len)
{
	int at = skip_name(message, len, *offset);
	uint16_t data_len;

	if (at < 0 || at + 10u > len)
		return -EINVAL;
	data_len = dns_get16(message + at + 8);
	if (at + 10u + data_len > len)
		return -EINVAL;
	*offset = at + 10 + data_len;
	if (ret_type)
		*ret_type = dns_get16(message + at);
	if (ret_data)
		*ret_data = at + 10;
	if (ret_data_len)
		*ret_data_len = data_len;
	return at;
}

static enum dns_code read_opt(const uint8_t *query, size_t offset, int at, struct kserv_dns_question *question)
{
	uint16_t size = dns_get16(query + at + 2);

	/* The root is its only owner, and there is one at most (RFC 6891). */
	if (question->edns || query[offset])
		return DNS_FORMERR;
	question->edns = true;
	question->dnssec_ok = dns_get16(query + at + 6) & 0x8000;
	if (question->limit < KSERV_DNS_TCP_MAX && size > question->limit)
		question->limit = size < KSERV_DNS_UDP_MAX ? size : KSERV_DNS_UDP_MAX;
	return query[at + 5] ? DNS_BADVERS : DNS_NOERROR;
}

/* What is behind the question: only OPT says anything. */
static enum dns_code read_records(const uint8_t *query, size_t len, struct dns_parsed *ret)
{
	unsigned int others = dns_get16(query + 6) + dns_get16(query + 8), n = others + dns_get16(query + 10), i;
	size_t offset = ret->question_end;
	enum dns_code code = DNS_NOERROR;

	for (i = 0; i < n; i++) {
		size_t before = offset;
		uint16_t type;
		int at = kserv_dns_record_read(query, len, &offset, &type, NULL, NULL);

		if (at < 0)
			return DNS_FORMERR;
		if (type != ns_t_opt)
			continue;
		if (i < others)
			return DNS_FORMERR;
		code = read_opt(query, before, at, ret->question);
		if (code == DNS_FORMERR)
			return code;
	}
	return code;
}

static enum dns_code read_query(const uint8_t *query, size_t len, struct dns_parsed *ret)
{
	struct kserv_dns_question *question = ret->question;
	int name_len;

	if (dns_get16(query + 2) & DNS_OPCODE)
		return DNS_NOTIMP;
	if (dns_get16(query + 4) != 1)
		return DNS_FORMERR;
	name_len = read_question_name(query, len, ret);
	if (name_len < 0 || DNS_HEADER + name_len + 4u > len)
		return DNS_FORMERR;
	question->name_len = name_len;
	question->type = dns_get16(query + DNS_HEADER + name_len);
	question->class = dns_get16(query + DNS_HEADER + name_len + 2);
	ret->question_end = DNS_HEADER + name_len + 4;
	return read_records(query, len, ret);
}

bool kserv_dns_query_parse(const uint8_t *query, size_t len, bool tcp, struct dns_parsed *ret)
{
	struct kserv_dns_question *question = ret->question;
	uint16_t flags;

	ret->question_end = DNS_HEADER;
	if (len < DNS_HEADER)
		return false;
	flags = dns_get16(query + 2);
	if (flags & DNS_QR)
		return false;
	memcpy(&question->id, query, sizeof(question->id));
	question->edns = question->dnssec_ok = false;
	question->limit = tcp ? KSERV_DNS_TCP_MAX : KSERV_DNS_PLAIN_MAX;
	question->recursion_desired = flags & DNS_RD;
	question->checking_disabled = flags & DNS_CD;
	question->name_len = 0;
	ret->code = read_query(query, len, ret);
	return true;
}

void kserv_dns_write(struct dns_writer *w, const void *bytes, size_t len)
{
	if (w->len + len > w->limit) {
		w->full = true;
		return;
	}
	memcpy(w->message + w->len, bytes, len);
	w->len += len;
}

void kserv_dns_write16(struct dns_writer *w, uint16_t value)
{
	uint8_t bytes[2];

	dns_put16(bytes, value);
	kserv_dns_write(w, bytes, sizeof(bytes));
}

void kserv_dns_write32(struct dns_writer *w, uint32_t value)
{
	uint8_t bytes[4];

	dns_put32(bytes, value);
	kserv_dns_write(w, bytes, sizeof(bytes));
}

static void begin_fixed(struct dns_writer *w, uint16_t owner, uint16_t type, uint32_t ttl)
{
	uint8_t bytes[12];

	dns_put16(bytes, DNS_POINTER | owner);
	dns_put16(bytes + 2, type);
	dns_put16(bytes + 4, ns_c_in);
	dns_put32(bytes + 6, ttl);
	dns_put16(bytes + 10, 0);
	kserv_dns_write(w, bytes, sizeof(bytes));
	w->data = w->len;
}

void kserv_dns_begin(struct dns_writer *w, uint16_t owner, uint16_t type, uint32_t ttl)
{
	w->record = w->len;
	w->full = false;
	begin_fixed(w, owner, type, ttl);
}

void kserv_dns_begin_below(struct dns_writer *w, const uint8_t *label, uint16_t owner, uint16_t type, uint32_t ttl)
{
	w->record = w->len;
	w->full = false;
	kserv_dns_write(w, label, label[0] + 1);
	begin_fixed(w, owner, type, ttl);
}

bool kserv_dns_end(struct dns_writer *w, enum dns_section section)
{
	if (w->full) {
		w->len = w->record;
		if (w->domain_at >= w->record)
			w->domain_at = 0;
		return false;
	}
	dns_put16(w->message + w->data - 2, w->len - w->data);
	w->counts[section]++;
	return true;
}
