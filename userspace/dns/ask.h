/* SPDX-License-Identifier: GPL-2.0 */
/* Asking a DNS server and waiting for its answer, as a client does. */
#ifndef KSERV_DNS_ASK_H
#define KSERV_DNS_ASK_H

#include "dns/dns.h"

/**
 * kserv_dns_ask() - one question
 * @name: as people write it
 * @tcp: not over UDP first; set if the answer came over TCP, as it does when it is cut off over UDP
 * @answer: KSERV_DNS_TCP_MAX bytes
 * @ret_why: on error a sentence, which the caller frees
 *
 * Waits two seconds, twice. Return: length of the answer, or -errno.
 */
int kserv_dns_ask(const struct kserv_dns_place *server, const char *name, uint16_t type, bool *tcp, uint8_t *answer,
		  char **ret_why);

#endif
