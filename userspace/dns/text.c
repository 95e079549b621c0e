// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "dns/message.h"
#include "dns/text.h"
#include "lib/addr.h"

static const struct {
	const char *name;
	uint16_t type;
} types[] = {
	{ "A", ns_t_a }, { "AAAA", ns_t_aaaa }, { "ANY", ns_t_any }, { "CNAME", ns_t_cname }, { "HTTPS", 65 },
	{ "MX", ns_t_mx }, { "NS", ns_t_ns }, { "OPT", ns_t_opt }, { "PTR", ns_t_ptr }, { "SOA", ns_t_soa },
	{ "SRV", ns_t_srv }, { "SVCB", 64 }, { "TXT", ns_t_txt },
};

static const char *const codes[] = {
	[DNS_NOERROR] = "NOERROR", [DNS_FORMERR] = "FORMERR", [DNS_SERVFAIL] = "SERVFAIL", [DNS_NXDOMAIN] = "NXDOMAIN",
	[DNS_NOTIMP] = "NOTIMP", [DNS_REFUSED] = "REFUSED", [DNS_BADVERS] = "BADVERS",
};

uint16_t kserv_dns_type_parse(const char *text)
{
	uint32_t number;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcasecmp(text, types[i].name))
			return types[i].type;
	if (!strncasecmp(text, "TYPE", 4) && !kserv_number_parse(text + 4, UINT16_MAX, &number))
		return number;
	return 0;
}

const char *kserv_dns_type_name(uint16_t type)
{
	static char number[16];
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (type == types[i].type)
			return types[i].name;
	snprintf(number, sizeof(number), "TYPE%u", type);
	return number;
}

const char *kserv_dns_code_name(unsigned int code)
{
	return code < sizeof(codes) / sizeof(*codes) ? codes[code] : NULL;
}

char *kserv_dns_reverse_name(const struct kserv_addr *addr)
{
	const uint8_t *bytes = (const uint8_t *)&addr->v6;
	struct kserv_text text = { 0 };
	int i;

	if (addr->family == AF_INET)
		return kserv_must_printf("%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
	for (i = 15; i >= 0; i--)
		kserv_text_printf(&text, "%x.%x.", bytes[i] & 0xf, bytes[i] >> 4);
	kserv_text_add(&text, "ip6.arpa");
	return kserv_text_take(&text);
}

/* The name at @offset, with its dot at the end. Return: bytes that it takes, or -EINVAL. */
static int add_name(struct kserv_text *text, const uint8_t *message, size_t len, size_t offset)
{
	char name[NS_MAXDNAME];
	int taken;

	if (offset >= len)
		return -EINVAL;
	taken = ns_name_uncompress(message, message + len, message + offset, name, sizeof(name));
	if (taken < 0)
		return -EINVAL;
	kserv_text_printf(text, "%s.", strcmp(name, ".") ? name : "");
	return taken;
}

static int add_strings(struct kserv_text *text, const uint8_t *data, size_t len)
{
	size_t at = 0, i;

	while (at < len) {
		size_t n = data[at++];

		if (at + n > len)
			return -EINVAL;
		kserv_text_add(text, text->len ? " \"" : "\"");
		for (i = 0; i < n; i++) {
			uint8_t c = data[at + i];

			if (c < ' ' || c > '~')
				kserv_text_printf(text, "\\%03u", c);
			else
				kserv_text_printf(text, c == '"' || c == '\\' ? "\\%c" : "%c", c);
		}
		kserv_text_add(text, "\"");
		at += n;
	}
	return 0;
}

static int add_soa(struct kserv_text *text, const uint8_t *message, size_t len, size_t data)
{
	int first = add_name(text, message, len, data), second, i;

	if (first < 0)
		return first;
	kserv_text_add(text, " ");
	second = add_name(text, message, len, data + first);
	if (second < 0 || data + first + second + 20 > len)
		return -EINVAL;
	for (i = 0; i < 5; i++)
		kserv_text_printf(text, " %u", dns_get32(message + data + first + second + 4 * i));
	return 0;
}

/* As RFC 3597 has it for types that nobody knows. */
static void add_unknown(struct kserv_text *text, const uint8_t *data, size_t len)
{
	size_t i;

	kserv_text_printf(text, "\\# %zu%s", len, len ? " " : "");
	for (i = 0; i < len; i++)
		kserv_text_printf(text, "%02x", data[i]);
}

static int add_addr(struct kserv_text *text, uint8_t family, const uint8_t *data)
{
	struct kserv_addr addr = { .family = family };
	char buffer[KSERV_ADDR_TEXT];

	memcpy(&addr.v6, data, family == AF_INET ? 4 : 16);
	kserv_text_add(text, kserv_addr_format(&addr, buffer));
	return 0;
}

static int add_data(struct kserv_text *text, const uint8_t *message, size_t len, uint16_t type, size_t data, size_t n)
{
	const uint8_t *bytes = message + data;

	if (type == ns_t_a && n == 4)
		return add_addr(text, AF_INET, bytes);
	if (type == ns_t_aaaa && n == 16)
		return add_addr(text, AF_INET6, bytes);
	if (type == ns_t_cname || type == ns_t_ns || type == ns_t_ptr)
		return add_name(text, message, len, data);
	if (type == ns_t_soa)
		return add_soa(text, message, len, data);
	if (type == ns_t_txt)
		return add_strings(text, bytes, n);
	if (type == ns_t_mx && n > 2) {
		kserv_text_printf(text, "%u ", dns_get16(bytes));
		return add_name(text, message, len, data + 2);
	}
	if (type == ns_t_srv && n > 6) {
		kserv_text_printf(text, "%u %u %u ", dns_get16(bytes), dns_get16(bytes + 2), dns_get16(bytes + 4));
		return add_name(text, message, len, data + 6);
	}
	add_unknown(text, bytes, n);
	return 0;
}

int kserv_dns_records_begin(const uint8_t *message, size_t len, size_t *ret_offset)
{
	unsigned int n, i;

	if (len < DNS_HEADER)
		return -EINVAL;
	n = dns_get16(message + 4);
	*ret_offset = DNS_HEADER;
	for (i = 0; i < n; i++) {
		int taken = *ret_offset < len ? dn_skipname(message + *ret_offset, message + len) : -1;

		if (taken < 0 || *ret_offset + taken + 4 > len)
			return -EINVAL;
		*ret_offset += taken + 4;
	}
	return 0;
}

int kserv_dns_record_format(const uint8_t *message, size_t len, size_t *offset, struct kserv_dns_record *ret)
{
	struct kserv_text owner = { 0 }, text = { 0 };
	size_t before = *offset, data;
	uint16_t data_len;
	int at;

	*ret = (struct kserv_dns_record){ 0 };
	at = kserv_dns_record_read(message, len, offset, &ret->type, &data, &data_len);
	if (at < 0 || add_name(&owner, message, len, before) < 0 ||
	    add_data(&text, message, len, ret->type, data, data_len) < 0) {
		kserv_text_clear(&owner);
		kserv_text_clear(&text);
		return -EINVAL;
	}
	ret->ttl = dns_get32(message + at + 4);
	ret->owner = kserv_text_take(&owner);
	ret->data = kserv_text_take(&text);
	return 0;
}

void kserv_dns_record_clear(struct kserv_dns_record *record)
{
	free(record->owner);
	free(record->data);
}
