// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "dns/sockaddr.h"

socklen_t kserv_dns_sockaddr(const struct kserv_dns_place *place, union dns_sockaddr *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->any.sa_family = place->addr.family;
	if (place->addr.family == AF_INET) {
		ret->v4.sin_port = htons(place->port);
		ret->v4.sin_addr = place->addr.v4;
		return sizeof(ret->v4);
	}
	ret->v6.sin6_port = htons(place->port);
	ret->v6.sin6_addr = place->addr.v6;
	return sizeof(ret->v6);
}

void kserv_dns_addr_of(const union dns_sockaddr *from, struct kserv_addr *ret, uint16_t *ret_port)
{
	memset(ret, 0, sizeof(*ret));
	ret->family = from->any.sa_family;
	if (ret->family == AF_INET)
		ret->v4 = from->v4.sin_addr;
	else
		ret->v6 = from->v6.sin6_addr;
	if (ret_port)
		*ret_port = ntohs(ret->family == AF_INET ? from->v4.sin_port : from->v6.sin6_port);
}
