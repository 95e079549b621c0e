/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel does with a packet, by the tables that plan made: the division of work between the two, written down once
 * more as plainly as can be, so that tables can be judged without a kernel.
 */
#ifndef RULES_VERDICT_H
#define RULES_VERDICT_H

#include <stdbool.h>
#include "lib/tables.h"

/* @interface: where it came in; NULL: a process of this node sent it. @port: 0 for ICMP. */
struct packet {
	struct kserv_addr source, destination;
	uint16_t port;
	uint8_t protocol;
	const char *interface;
};

/* The addresses of this node, those of loopback aside. */
struct locals {
	struct kserv_addr v[16];
	size_t n;
};

/* @service and @frontend are set where the packet is for one. @local_set: the local set applies. */
struct answer {
	enum kserv_verdict verdict;
	enum kserv_reason reason;
	enum kserv_source_type source;
	const struct kserv_service *service;
	const struct kserv_frontend *frontend;
	bool local_set;
};

struct answer rules_decide(const struct kserv_tables *tables, const struct locals *locals, const struct packet *packet);
/* Why @endpoint may not be chosen; KSERV_REASON_NONE if it may. */
enum kserv_reason rules_excluded(const struct answer *answer, const struct kserv_endpoint *endpoint);
bool rules_masquerades(const struct answer *answer, const struct packet *packet, const struct kserv_endpoint *endpoint);

#endif
