/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses as sockets take them. */
#ifndef KSERV_DNS_SOCKADDR_H
#define KSERV_DNS_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include "dns/dns.h"

union dns_sockaddr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Return: its length. */
socklen_t kserv_dns_sockaddr(const struct kserv_dns_place *place, union dns_sockaddr *ret);
/* @ret_port: host order; may be NULL. */
void kserv_dns_addr_of(const union dns_sockaddr *from, struct kserv_addr *ret, uint16_t *ret_port);

#endif
