// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <string.h>
#include "plan/address.h"

/* Makes an IPv4-mapped IPv6 address the IPv4 address it stands for. */
static bool unmap(struct kserv_addr *addr)
{
	struct kserv_addr v4 = { .family = AF_INET };

	if (addr->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&addr->v6))
		return false;
	memcpy(&v4.v4, addr->v6.s6_addr + 12, sizeof(v4.v4));
	*addr = v4;
	return true;
}

bool kserv_address_read(const char *text, struct kserv_addr *ret_addr)
{
	char simple[KSERV_ADDR_TEXT];

	if (!kserv_addr_simplify(text, simple) || kserv_addr_parse(simple, ret_addr))
		return false;
	unmap(ret_addr);
	return true;
}

bool kserv_cidr_read(const char *text, struct kserv_prefix *ret_prefix)
{
	char simple[KSERV_ADDR_TEXT];

	if (!kserv_addr_simplify(text, simple) || kserv_prefix_parse(simple, ret_prefix))
		return false;
	if (ret_prefix->len >= 96 && unmap(&ret_prefix->addr))
		ret_prefix->len -= 96;
	return true;
}

struct kserv_prefix kserv_cidr_of(const struct kserv_addr *addr)
{
	return (struct kserv_prefix){ *addr, addr->family == AF_INET ? 32 : 128 };
}

bool kserv_cidr_contains(const struct kserv_prefix *prefix, const struct kserv_addr *addr)
{
	const uint8_t *p = prefix->addr.v6.s6_addr, *a = addr->v6.s6_addr;
	unsigned int whole = prefix->len / 8, rest = prefix->len % 8;

	if (prefix->addr.family != addr->family || memcmp(p, a, whole))
		return false;
	return !rest || !((p[whole] ^ a[whole]) >> (8 - rest));
}

bool kserv_address_is_loopback(const struct kserv_addr *addr)
{
	if (addr->family == AF_INET)
		return ntohl(addr->v4.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&addr->v6);
}

bool kserv_address_is_link_local(const struct kserv_addr *addr)
{
	if (addr->family == AF_INET)
		return ntohl(addr->v4.s_addr) >> 16 == 0xa9fe;
	return IN6_IS_ADDR_LINKLOCAL(&addr->v6);
}

bool kserv_address_is_unusable(const struct kserv_addr *addr)
{
	if (addr->family == AF_INET)
		return !addr->v4.s_addr || ntohl(addr->v4.s_addr) >> 28 >= 14;
	return IN6_IS_ADDR_UNSPECIFIED(&addr->v6) || IN6_IS_ADDR_MULTICAST(&addr->v6);
}
