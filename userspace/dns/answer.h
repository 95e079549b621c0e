/* SPDX-License-Identifier: GPL-2.0 */
/* An answer in the making, and the records that go into it. */
#ifndef KSERV_DNS_ANSWER_H
#define KSERV_DNS_ANSWER_H

#include "dns/lookup.h"
#include "dns/message.h"

/* CNAMEs of ours in one answer; more are a circle. */
#define DNS_CHAIN_MAX	10

/**
 * struct dns_answering - one answer
 * @name_at: where the name that is being looked up stands in the message: in the question, or behind a CNAME
 * @found: what it stands for
 * @upstream: what somebody else said about the target of a chain; NULL: nobody was asked yet
 * @truncated: a record of the answer did not fit
 */
struct dns_answering {
	struct kserv_zone *zone;
	const struct dns_parsed *parsed;
	struct dns_writer w;
	size_t name_at;
	struct dns_found found;
	const uint8_t *upstream;
	size_t upstream_len;
	enum dns_code code;
	bool truncated;
};

/* Each adds what there is of the type asked for; nothing, if there is nothing. */
void kserv_dns_add_addresses(struct dns_answering *a);
void kserv_dns_add_srv(struct dns_answering *a);
void kserv_dns_add_pointers(struct dns_answering *a);
void kserv_dns_add_pod(struct dns_answering *a);
void kserv_dns_add_version(struct dns_answering *a);
void kserv_dns_add_ns(struct dns_answering *a);
void kserv_dns_add_soa(struct dns_answering *a, enum dns_section section);
/* CNAME, address and other CNAME records for @target that upstream told; its code becomes ours. */
void kserv_dns_add_upstream(struct dns_answering *a, const uint8_t *target, uint8_t target_len);

#endif
