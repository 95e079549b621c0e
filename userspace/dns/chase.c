// SPDX-License-Identifier: GPL-2.0
/* What an upstream server says about the name that an ExternalName leads to. */
#include "dns/answer.h"

/**
 * struct chase - the walk through the answer section of a message
 * @name, @name_len: whose records are looked for
 * @owner_at: where that name stands in our answer
 */
struct chase {
	struct dns_answering *a;
	uint8_t name[KSERV_DNS_NAME_MAX];
	uint8_t name_len;
	size_t owner_at, first;
	unsigned int n;
};

/* A record of @type whose owner is the chase's name. Return: as kserv_dns_record_read(), negative at the end. */
static int find_record(const struct chase *chase, uint16_t type, unsigned int *i, size_t *offset, size_t *ret_data,
		       uint16_t *ret_len)
{
	const struct dns_answering *a = chase->a;
	uint8_t owner[KSERV_DNS_NAME_MAX], owner_len;
	uint16_t found_type;
	size_t before;
	int at;

	while ((*i)++ < chase->n) {
		before = *offset;
		at = kserv_dns_record_read(a->upstream, a->upstream_len, offset, &found_type, ret_data, ret_len);
		if (at < 0)
			return at;
		if (found_type != type || dns_get16(a->upstream + at + 2) != ns_c_in ||
		    kserv_dns_name_read(a->upstream, a->upstream_len, before, owner, &owner_len) < 0)
			continue;
		if (owner_len == chase->name_len && !memcmp(owner, chase->name, owner_len))
			return at;
	}
	return -1;
}

static bool end(struct dns_answering *a)
{
	a->truncated = !kserv_dns_end(&a->w, DNS_AN);
	return !a->truncated;
}

/* Addresses of the name. Return: how many. */
static unsigned int add_addresses(struct chase *chase)
{
	uint16_t type = chase->a->parsed->question->type, len, wanted = type == ns_t_a ? 4 : 16;
	struct dns_answering *a = chase->a;
	size_t offset = chase->first, data;
	unsigned int i = 0, added = 0;
	int at;

	while ((at = find_record(chase, type, &i, &offset, &data, &len)) >= 0) {
		if (len != wanted)
			continue;
		kserv_dns_begin(&a->w, chase->owner_at, type, dns_get32(a->upstream + at + 4));
		kserv_dns_write(&a->w, a->upstream + data, len);
		added++;
		if (!end(a))
			break;
	}
	return added;
}

/* Follows the name's CNAME. Return: false if it has none. */
static bool add_cname(struct chase *chase)
{
	struct dns_answering *a = chase->a;
	size_t offset = chase->first, data;
	unsigned int i = 0;
	uint16_t len;
	int at = find_record(chase, ns_t_cname, &i, &offset, &data, &len);

	if (at < 0 || kserv_dns_name_read(a->upstream, a->upstream_len, data, chase->name, &chase->name_len) < 0)
		return false;
	kserv_dns_begin(&a->w, chase->owner_at, ns_t_cname, dns_get32(a->upstream + at + 4));
	chase->owner_at = a->w.len;
	kserv_dns_write(&a->w, chase->name, chase->name_len);
	return end(a);
}

static bool find_answers(struct chase *chase)
{
	const struct dns_answering *a = chase->a;
	unsigned int questions, code, i;
	uint8_t name[KSERV_DNS_NAME_MAX], name_len;
	int taken;

	if (a->upstream_len < DNS_HEADER)
		return false;
	questions = dns_get16(a->upstream + 4);
	code = a->upstream[3] & 0xf;
	chase->first = DNS_HEADER;
	chase->n = dns_get16(a->upstream + 6);
	for (i = 0; i < questions; i++) {
		taken = kserv_dns_name_read(a->upstream, a->upstream_len, chase->first, name, &name_len);
		if (taken < 0 || chase->first + taken + 4 > a->upstream_len)
			return false;
		chase->first += taken + 4;
	}
	return code == DNS_NOERROR || code == DNS_NXDOMAIN;
}

void kserv_dns_add_upstream(struct dns_answering *a, const uint8_t *target, uint8_t target_len)
{
	struct chase chase = { .a = a, .name_len = target_len, .owner_at = a->name_at };
	unsigned int i;

	memcpy(chase.name, target, target_len);
	if (!find_answers(&chase)) {
		a->code = DNS_SERVFAIL;
		return;
	}
	for (i = 0; i < DNS_CHAIN_MAX; i++)
		if (add_addresses(&chase) || a->truncated || !add_cname(&chase))
			break;
	a->code = a->upstream[3] & 0xf;
}
