// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdlib.h>
#include "cluster/memory.h"
#include "dns/name.h"
#include "dns/zone.h"
#include "lib/addr.h"

int kserv_dns_name_parse(const char *text, uint8_t *name)
{
	size_t used = 0;

	while (*text) {
		size_t len = strcspn(text, "."), i;

		if (!len || len > KSERV_DNS_LABEL_MAX || used + len + 2 > KSERV_DNS_NAME_MAX)
			return -EINVAL;
		name[used++] = len;
		for (i = 0; i < len; i++)
			name[used++] = kserv_dns_lower(text[i]);
		text += len + (text[len] == '.');
	}
	name[used++] = 0;
	return used;
}

uint8_t *kserv_dns_label_new(const char *text)
{
	size_t len = strlen(text), i;
	uint8_t *label;

	if (!len || len > KSERV_DNS_LABEL_MAX)
		return NULL;
	label = kserv_must_alloc(len + 1);
	label[0] = len;
	for (i = 0; i < len; i++)
		label[i + 1] = kserv_dns_lower(text[i]);
	return label;
}

void kserv_dns_labels_find(const uint8_t *name, struct kserv_dns_labels *ret)
{
	uint8_t at = 0;

	for (ret->n = 0; name[at]; ret->n++) {
		ret->at[ret->n] = at;
		at += name[at] + 1;
	}
	ret->at[ret->n] = at;
}

int kserv_dns_name_read(const uint8_t *message, size_t len, size_t offset, uint8_t *name, uint8_t *ret_len)
{
	int taken = ns_name_unpack(message, message + len, message + offset, name, KSERV_DNS_NAME_MAX);
	unsigned int i, at;

	if (taken < 0)
		return -EINVAL;
	for (at = 0; name[at]; at += name[at] + 1)
		for (i = 1; i <= name[at]; i++)
			name[at + i] = kserv_dns_lower(name[at + i]);
	*ret_len = at + 1;
	return taken;
}

void kserv_dns_dashed_format(const struct kserv_addr *addr, char *text)
{
	char *c;

	kserv_addr_format(addr, text);
	for (c = text; *c; c++)
		if (*c == ':' || *c == '.')
			*c = '-';
	/* A label does not end in a dash. */
	if (c > text && c[-1] == '-')
		strcpy(c, "0");
}

int kserv_dns_dashed_parse(const uint8_t *label, struct kserv_addr *ret_addr)
{
	char text[KSERV_DNS_LABEL_MAX + 1];
	unsigned int i, dashes = 0;
	bool is_v4;

	for (i = 0; i < label[0]; i++)
		dashes += label[i + 1] == '-';
	/* Four parts, none of them empty. */
	is_v4 = dashes == 3 && !memmem(label + 1, label[0], "--", 2);
	for (i = 0; i < label[0]; i++) {
		uint8_t c = label[i + 1];

		if (c != '-' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return -EINVAL;
		text[i] = c != '-' ? c : is_v4 ? '.' : ':';
	}
	text[i] = '\0';
	return kserv_addr_parse(text, ret_addr);
}

/* A decimal label from 0 to 255, as it is written; -1 for any other. */
static int parse_byte(const uint8_t *label)
{
	int value = 0;
	uint8_t i;

	if (!label[0] || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return -1;
	for (i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return -1;
		value = 10 * value + label[i] - '0';
	}
	return value > 255 ? -1 : value;
}

static int parse_nibble(const uint8_t *label)
{
	if (label[0] != 1)
		return -1;
	if (label[1] >= '0' && label[1] <= '9')
		return label[1] - '0';
	return label[1] >= 'a' && label[1] <= 'f' ? label[1] - 'a' + 10 : -1;
}

static bool is_below(const uint8_t *name, const struct kserv_dns_labels *labels, uint8_t n, const char *top)
{
	return labels->n >= 2 && labels->n == n + 2 && kserv_dns_label_is(name + labels->at[n], top, strlen(top)) &&
	       kserv_dns_label_is(name + labels->at[n + 1], "arpa", 4);
}

int kserv_dns_reverse_parse(const uint8_t *name, const struct kserv_dns_labels *labels, struct kserv_addr *ret_addr,
			    uint8_t *ret_top)
{
	uint8_t *bytes = (uint8_t *)&ret_addr->v6;
	int i, value;

	memset(ret_addr, 0, sizeof(*ret_addr));
	if (is_below(name, labels, 4, "in-addr")) {
		ret_addr->family = AF_INET;
		for (i = 0; i < 4; i++) {
			value = parse_byte(name + labels->at[i]);
			if (value < 0)
				return -EINVAL;
			bytes[3 - i] = value;
		}
		*ret_top = 4;
		return 0;
	}
	if (!is_below(name, labels, 32, "ip6"))
		return -EINVAL;
	ret_addr->family = AF_INET6;
	for (i = 0; i < 32; i++) {
		value = parse_nibble(name + labels->at[i]);
		if (value < 0)
			return -EINVAL;
		bytes[15 - i / 2] |= value << (i % 2 ? 4 : 0);
	}
	*ret_top = 32;
	return 0;
}
