// SPDX-License-Identifier: GPL-2.0
/*
 * DNS messages of any bytes, by the first one: as a query, as what upstream says about the target of an ExternalName, or as
 * what is to be kept and printed. Every answer must be a message to ldns, and answer the question that ldns reads in the
 * query, in no more bytes than the client takes.
 *
 * tests/dns/dns_hostile.c throws packets at it without libFuzzer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../unit/dns_cluster.h"
#include "dns/server.h"
#include "dns/text.h"
/* Behind <stdbool.h>: it has a bool of its own otherwise. */
#include <ldns/ldns.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct kserv_zone *zone;

static void make_zone(void)
{
	struct kserv_zone_config config = { .ttl = 5, .pods = KSERV_DNS_PODS_INSECURE };
	struct kserv_cluster cluster = { 0 };

	dns_cluster_read("tests/dns/cluster", &cluster);
	if (kserv_zone_new(&config, &zone, NULL))
		abort();
	kserv_zone_load(zone, &cluster);
	kserv_cluster_clear(&cluster);
}

static void wrong(const char *what, const uint8_t *query, size_t query_len, const uint8_t *answer, size_t len)
{
	size_t i;

	fprintf(stderr, "%s\nquery:", what);
	for (i = 0; i < query_len; i++)
		fprintf(stderr, " %02x", query[i]);
	fprintf(stderr, "\nanswer:");
	for (i = 0; i < len; i++)
		fprintf(stderr, " %02x", answer[i]);
	fprintf(stderr, "\n");
	abort();
}

/* The question is the one that ldns reads; NULL if not. */
static const char *compare_questions(ldns_pkt *query, ldns_pkt *answer)
{
	const ldns_rr *asked = ldns_rr_list_rr(ldns_pkt_question(query), 0);
	const ldns_rr *told = ldns_rr_list_rr(ldns_pkt_question(answer), 0);

	if (!told || ldns_rr_get_type(asked) != ldns_rr_get_type(told) ||
	    ldns_rr_get_class(asked) != ldns_rr_get_class(told) ||
	    ldns_dname_compare(ldns_rr_owner(asked), ldns_rr_owner(told)))
		return "the answer is to another question";
	return NULL;
}

/* A name that is written in full: ldns also reads one that points elsewhere. */
static bool is_plain_question(const uint8_t *query, size_t len)
{
	size_t at = 12;

	while (at < len && query[at] && query[at] < 64)
		at += query[at] + 1;
	return at < len && !query[at];
}

static void check_answer(const uint8_t *query, size_t query_len, bool tcp, const uint8_t *answer, size_t len)
{
	ldns_pkt *asked = NULL, *told = NULL;
	const char *what = NULL;

	if (ldns_wire2pkt(&told, answer, len) != LDNS_STATUS_OK)
		wrong("the answer is no message", query, query_len, answer, len);
	if (memcmp(query, answer, 2) || !ldns_pkt_qr(told) || ldns_pkt_get_opcode(told) != (query[2] >> 3 & 0xf))
		what = "the answer is to another query";
	if (!tcp && len > KSERV_DNS_UDP_MAX)
		what = "the answer is too long";
	if (!what && ldns_wire2pkt(&asked, query, query_len) == LDNS_STATUS_OK && ldns_pkt_qdcount(asked) == 1 &&
	    ldns_pkt_get_opcode(asked) == LDNS_PACKET_QUERY && is_plain_question(query, query_len)) {
		if (ldns_pkt_get_rcode(told) != LDNS_RCODE_FORMERR)
			what = compare_questions(asked, told);
		if (!tcp && !ldns_pkt_edns(asked) && len > KSERV_DNS_PLAIN_MAX)
			what = "the answer is too long for a client without EDNS";
	}
	if (what)
		wrong(what, query, query_len, answer, len);
	ldns_pkt_free(asked);
	ldns_pkt_free(told);
}

static void as_query(const uint8_t *data, size_t size, bool tcp)
{
	static uint8_t answer[KSERV_DNS_TCP_MAX];
	struct kserv_dns_reply reply;
	size_t len;

	kserv_dns_answer(zone, data, size, tcp, answer, &reply);
	if (reply.verdict == KSERV_DNS_ANSWER)
		check_answer(data, size, tcp, answer, reply.len);
	else if (reply.verdict == KSERV_DNS_SILENCE && size >= 12 && !(data[2] & 0x80))
		wrong("a query gets no answer", data, size, answer, 0);
	len = kserv_dns_error(data, size, LDNS_RCODE_REFUSED, answer);
	/* What those get who may not ask makes nothing bigger, but for an OPT as short as can be. */
	if (len > size && len > 12)
		wrong("a refusal is longer than its query", data, size, answer, len);
}

static void as_upstream(const uint8_t *data, size_t size, bool tcp)
{
	static const uint8_t query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\7outside\4shop\3svc\7cluster\5local\0\0\1\0\1";
	static uint8_t answer[KSERV_DNS_TCP_MAX];
	struct kserv_dns_reply reply;

	kserv_dns_finish(zone, query, sizeof(query) - 1, tcp, data, size, answer, &reply);
	if (reply.verdict == KSERV_DNS_ANSWER)
		check_answer(query, sizeof(query) - 1, tcp, answer, reply.len);
}

static void as_message(const uint8_t *data, size_t size)
{
	struct dns_cache *cache = kserv_dns_cache_new(1);
	struct dns_wanted wanted = { .type = 1 };
	struct kserv_dns_record record;
	uint8_t message[DNS_CACHED_MAX];
	size_t offset;
	int i;

	kserv_dns_cache_add(cache, &wanted, 1, data, size);
	kserv_dns_cache_find(cache, &wanted, DNS_SECOND, message);
	kserv_dns_cache_free(cache);
	if (kserv_dns_records_begin(data, size, &offset))
		return;
	for (i = 0; i < 100 && !kserv_dns_record_format(data, size, &offset, &record); i++)
		kserv_dns_record_clear(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!zone)
		make_zone();
	if (!size)
		return 0;
	kserv_zone_set_recursive(zone, data[0] & 4);
	switch (data[0] & 3) {
	case 0:
	case 1:
		as_query(data + 1, size - 1, data[0] & 1);
		break;
	case 2:
		as_upstream(data + 1, size - 1, data[0] & 8);
		break;
	case 3:
		as_message(data + 1, size - 1);
		break;
	}
	return 0;
}
