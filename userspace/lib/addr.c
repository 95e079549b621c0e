// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "lib/addr.h"

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{ IPPROTO_TCP, "tcp" }, { IPPROTO_UDP, "udp" }, { IPPROTO_SCTP, "sctp" },
	{ IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "icmpv6" },
};

uint8_t kserv_protocol_parse(const char *text)
{
	size_t i;

	for (i = 0; i < 3; i++)
		if (!strcasecmp(protocols[i].name, text))
			return protocols[i].number;
	return 0;
}

const char *kserv_protocol_name(uint8_t protocol)
{
	static char number[4];
	size_t i;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	snprintf(number, sizeof(number), "%u", protocol);
	return number;
}

int kserv_number_parse(const char *text, uint32_t max, uint32_t *ret_number)
{
	uint64_t number = 0;

	if (!*text || strlen(text) > 10)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = number * 10 + (*text - '0');
	}
	if (number > max)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool kserv_addr_simplify(const char *text, char ret_text[KSERV_ADDR_TEXT])
{
	const char *blanks = " \t\r\n";
	bool dotted = strchr(text, '.');
	bool in_number = false;
	size_t n = 0;

	for (text += strspn(text, blanks); *text && n < KSERV_ADDR_TEXT; text++) {
		if (dotted && !in_number && *text == '0' && is_digit(text[1]))
			continue;
		in_number = is_digit(*text);
		ret_text[n++] = *text;
	}
	while (n && strchr(blanks, ret_text[n - 1]))
		n--;
	if (*text || n == KSERV_ADDR_TEXT)
		return false;
	ret_text[n] = '\0';
	return true;
}

int kserv_addr_parse(const char *text, struct kserv_addr *ret_addr)
{
	struct kserv_addr addr;

	memset(&addr, 0, sizeof(addr));
	if (inet_pton(AF_INET, text, &addr.v4) == 1)
		addr.family = AF_INET;
	else if (inet_pton(AF_INET6, text, &addr.v6) == 1)
		addr.family = AF_INET6;
	else
		return -EINVAL;
	*ret_addr = addr;
	return 0;
}

static int refuse(const char **ret_why, const char *why)
{
	if (ret_why)
		*ret_why = why;
	return -EINVAL;
}

static int port_parse(const char *text, uint16_t *ret_port, const char **ret_why)
{
	uint32_t number;

	if (!*text)
		return refuse(ret_why, "it has no port");
	if (kserv_number_parse(text, 65535, &number) || !number)
		return refuse(ret_why, "its port is not a number from 1 to 65535");
	*ret_port = number;
	return 0;
}

/* Cut "[address]:port", "address:port" or "address" in two; @ret_port points into @text, NULL if there is none. */
static int split(const char *text, char *address, size_t size, const char **ret_port, const char **ret_why)
{
	const char *colon = strrchr(text, ':');
	size_t len = strlen(text);

	*ret_port = NULL;
	if (*text == '[') {
		const char *end = strchr(text, ']');

		if (!end || (end[1] && end[1] != ':'))
			return refuse(ret_why, "an IPv6 address with a port is written [ADDRESS]:PORT");
		text++;
		len = end - text;
		if (!memchr(text, ':', len))
			return refuse(ret_why, "only an IPv6 address is written in brackets");
		if (end[1])
			*ret_port = end + 2;
	} else if (colon && colon == strchr(text, ':')) {
		len = colon - text;
		*ret_port = colon + 1;
	}
	if (len >= size)
		return refuse(ret_why, "it is no IPv4 or IPv6 address");
	memcpy(address, text, len);
	address[len] = '\0';
	return 0;
}

int kserv_addr_maybe_port_parse(const char *text, struct kserv_addr *ret_addr, uint16_t *ret_port,
				const char **ret_why)
{
	char address[INET6_ADDRSTRLEN];
	const char *port_text;
	struct kserv_addr addr;
	uint16_t port = 0;

	if (split(text, address, sizeof(address), &port_text, ret_why))
		return -EINVAL;
	if (kserv_addr_parse(address, &addr))
		return refuse(ret_why, "it is no IPv4 or IPv6 address");
	if (port_text && port_parse(port_text, &port, ret_why))
		return -EINVAL;
	*ret_addr = addr;
	*ret_port = port;
	return 0;
}

int kserv_addr_port_parse(const char *text, struct kserv_addr *ret_addr, uint16_t *ret_port, const char **ret_why)
{
	struct kserv_addr addr;
	uint16_t port;

	if (kserv_addr_maybe_port_parse(text, &addr, &port, ret_why))
		return -EINVAL;
	if (!port && addr.family == AF_INET6 && *text != '[')
		return refuse(ret_why, "an IPv6 address with a port is written [ADDRESS]:PORT");
	if (!port)
		return refuse(ret_why, "it has no port");
	*ret_addr = addr;
	*ret_port = port;
	return 0;
}

static void mask(struct kserv_prefix *prefix)
{
	unsigned char *bytes = prefix->addr.v6.s6_addr;
	unsigned int i;

	for (i = prefix->len / 8; i < sizeof(prefix->addr.v6); i++)
		bytes[i] &= i == prefix->len / 8 ? 0xff00 >> prefix->len % 8 : 0;
}

int kserv_prefix_parse(const char *text, struct kserv_prefix *ret_prefix)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	struct kserv_prefix prefix;
	uint32_t bits, number;

	memset(&prefix, 0, sizeof(prefix));
	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (kserv_addr_parse(address, &prefix.addr))
		return -EINVAL;
	bits = prefix.addr.family == AF_INET ? 32 : 128;
	number = bits;
	if (slash && (kserv_number_parse(slash + 1, bits, &number) || strlen(slash + 1) > 3))
		return -EINVAL;
	prefix.len = number;
	mask(&prefix);
	*ret_prefix = prefix;
	return 0;
}

const char *kserv_addr_format(const struct kserv_addr *addr, char *buffer)
{
	if (addr->family == AF_UNSPEC || !inet_ntop(addr->family, &addr->v6, buffer, KSERV_ADDR_TEXT))
		strcpy(buffer, "*");
	return buffer;
}

const char *kserv_addr_port_format(const struct kserv_addr *addr, uint16_t port, char *buffer)
{
	char text[KSERV_ADDR_TEXT];

	kserv_addr_format(addr, text);
	if (addr->family == AF_INET6)
		snprintf(buffer, KSERV_ADDR_TEXT, "[%.*s]:%u", INET6_ADDRSTRLEN, text, port);
	else
		snprintf(buffer, KSERV_ADDR_TEXT, "%.*s:%u", INET_ADDRSTRLEN, text, port);
	return buffer;
}

const char *kserv_prefix_format(const struct kserv_prefix *prefix, char *buffer)
{
	char text[KSERV_ADDR_TEXT];

	kserv_addr_format(&prefix->addr, text);
	snprintf(buffer, KSERV_ADDR_TEXT, "%.*s/%u", INET6_ADDRSTRLEN, text, prefix->len);
	return buffer;
}
