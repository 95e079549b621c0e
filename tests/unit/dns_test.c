// SPDX-License-Identifier: GPL-2.0
/*
 * The zone's answers: the table tests/dns/queries.yaml, and what bytes must be like whatever is asked. Queries are made and
 * answers read by ldns, which shares no code with what is tested.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/file.h"
#include "cluster/memory.h"
#include "cluster/yaml.h"
#include "dns/dns.h"
#include "dns_cluster.h"
#include "lib/addr.h"
#include "plan_model.h"
#include "source/slices.h"
/* Behind <stdbool.h>: it has a bool of its own otherwise. */
#include <ldns/ldns.h>

static struct kserv_cluster cluster;

static struct kserv_zone *make_zone(const struct kserv_zone_config *config)
{
	struct kserv_zone *zone;

	assert_int_equal(kserv_zone_new(config, &zone, NULL), 0);
	kserv_zone_load(zone, &cluster);
	return zone;
}

static struct kserv_zone *usual_zone(void)
{
	return make_zone(&(struct kserv_zone_config){ .ttl = 5, .pods = KSERV_DNS_PODS_INSECURE, .seed = 1 });
}

static int read_cluster(void **state)
{
	(void)state;
	dns_cluster_read("tests/dns/cluster", &cluster);
	kserv_slices_of_pods(&cluster);
	return 0;
}

static int clear_cluster(void **state)
{
	(void)state;
	kserv_cluster_clear(&cluster);
	return 0;
}

/* A query with EDNS of @size bytes, or without for 0. Return: its length. */
static size_t make_query(const char *name, ldns_rr_type type, ldns_rr_class class, uint16_t size, uint8_t *query)
{
	ldns_pkt *packet = ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, class, LDNS_RD);
	uint8_t *wire;
	size_t len;

	assert_non_null(packet);
	ldns_pkt_set_id(packet, 0x1234);
	if (size)
		ldns_pkt_set_edns_udp_size(packet, size);
	assert_int_equal(ldns_pkt2wire(&wire, packet, &len), LDNS_STATUS_OK);
	memcpy(query, wire, len);
	free(wire);
	ldns_pkt_free(packet);
	return len;
}

/* Asks the zone; the packet is checked for what holds of every answer. */
static ldns_pkt *ask_bytes(struct kserv_zone *zone, const uint8_t *query, size_t len, bool tcp, size_t *ret_len)
{
	static uint8_t answer[KSERV_DNS_TCP_MAX];
	struct kserv_dns_reply reply;
	ldns_pkt *packet;

	kserv_dns_answer(zone, query, len, tcp, answer, &reply);
	assert_int_equal(reply.verdict, KSERV_DNS_ANSWER);
	assert_int_equal(ldns_wire2pkt(&packet, answer, reply.len), LDNS_STATUS_OK);
	assert_true(ldns_pkt_qr(packet));
	assert_memory_equal(answer, query, 2);
	if (ldns_pkt_qdcount(packet))
		assert_memory_equal(answer + 12, query + 12, strlen((const char *)query + 12) + 5);
	if (ret_len)
		*ret_len = reply.len;
	return packet;
}

static ldns_pkt *ask(struct kserv_zone *zone, const char *name, ldns_rr_type type)
{
	uint8_t query[512];
	size_t len = make_query(name, type, LDNS_RR_CLASS_IN, 1232, query);

	return ask_bytes(zone, query, len, false, NULL);
}

struct lines {
	char *v[256];
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "NAME TTL TYPE DATA" for each record, sorted. */
static void records(const ldns_rr_list *list, struct lines *ret)
{
	char *text, *name, *ttl, *type, *rest;
	size_t i;

	ret->n = 0;
	for (i = 0; i < ldns_rr_list_rr_count(list); i++) {
		text = rest = ldns_rr2str(ldns_rr_list_rr(list, i));
		text[strcspn(text, "\n")] = '\0';
		name = strsep(&rest, "\t");
		ttl = strsep(&rest, "\t");
		strsep(&rest, "\t");
		type = strsep(&rest, "\t");
		if (!strcmp(type, "SOA"))
			rest = "SERIAL";
		ret->v[ret->n++] = kserv_must_printf("%s %s %s %s", name, ttl, type, rest);
		free(text);
	}
	qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
}

static void clear(struct lines *lines)
{
	while (lines->n)
		free(lines->v[--lines->n]);
}

static char *expected_line(const char *text, const char *name, unsigned int ttl)
{
	const char *rest = strchr(text, ' ') + 1;
	bool at = !strncmp(text, "@ ", 2), has_ttl = *rest >= '0' && *rest <= '9';
	char *owner = at ? kserv_must_printf("%s.", name) : kserv_must_printf("%.*s", (int)(rest - text - 1), text);
	char *line = has_ttl ? kserv_must_printf("%s %s", owner, rest) : kserv_must_printf("%s %u %s", owner, ttl, rest);

	free(owner);
	return line;
}

static void expected(const struct kserv_value *list, const char *name, unsigned int ttl, struct lines *ret)
{
	const struct kserv_value *value;

	ret->n = 0;
	for (value = kserv_value_first(list); value; value = value->next)
		ret->v[ret->n++] = expected_line(value->text, name, ttl);
	qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
}

static void compare(const struct kserv_value *row, const char *section, const ldns_rr_list *list,
		    const struct kserv_value *wanted_list, const char *name, unsigned int ttl)
{
	struct lines got, wanted;
	size_t i;

	records(list, &got);
	expected(wanted_list, name, ttl, &wanted);
	for (i = 0; i < got.n || i < wanted.n; i++)
		if (i >= got.n || i >= wanted.n || strcasecmp(got.v[i], wanted.v[i]))
			fail_msg("queries.yaml:%u: %s: %s: got \"%s\", not \"%s\"", row->line,
				 kserv_value_string(row, "ask"), section, i < got.n ? got.v[i] : "nothing",
				 i < wanted.n ? wanted.v[i] : "nothing");
	clear(&got);
	clear(&wanted);
}

static void check_code(const struct kserv_value *row, const ldns_pkt *packet, const char *code)
{
	bool is_ours = !strcmp(code, "NOERROR") || !strcmp(code, "NXDOMAIN");
	char *got = ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet));

	if (strcmp(got, code) || ldns_pkt_aa(packet) != is_ours || ldns_pkt_tc(packet))
		fail_msg("queries.yaml:%u: %s: got %s%s%s, not %s", row->line, kserv_value_string(row, "ask"), got,
			 ldns_pkt_aa(packet) ? " aa" : "", ldns_pkt_tc(packet) ? " tc" : "", code);
	free(got);
}

static void check_authority(const struct kserv_value *row, const ldns_pkt *packet, const char *code)
{
	const char *wanted = kserv_value_string(row, "authority");
	bool negative = !strcmp(code, "NXDOMAIN") || (!strcmp(code, "NOERROR") && !ldns_pkt_ancount(packet));
	bool want_soa = *wanted ? !strcmp(wanted, "soa") : negative;
	const ldns_rr *soa = ldns_rr_list_rr(ldns_pkt_authority(packet), 0);

	if (ldns_pkt_nscount(packet) != want_soa || (soa && ldns_rr_get_type(soa) != LDNS_RR_TYPE_SOA))
		fail_msg("queries.yaml:%u: %s: the authority section is wrong", row->line, kserv_value_string(row, "ask"));
	/* How long nothing is remembered. */
	if (soa)
		assert_int_equal(ldns_rdf2native_int32(ldns_rr_rdf(soa, 6)), ldns_rr_ttl(soa));
}

static struct kserv_zone *zone_of(const struct kserv_value *row, unsigned int *ret_ttl)
{
	const char *pods = kserv_value_string(row, "zone.pods");
	struct kserv_zone_config config = {
		.ttl = kserv_value_int(row, "zone.ttl", 5),
		.pods = !strcmp(pods, "verified") ? KSERV_DNS_PODS_VERIFIED :
			!strcmp(pods, "disabled") ? KSERV_DNS_PODS_DISABLED : KSERV_DNS_PODS_INSECURE,
	};
	struct kserv_zone *zone = make_zone(&config);

	*ret_ttl = config.ttl;
	kserv_zone_set_synced(zone, !kserv_value_bool(row, "zone.unsynced", false));
	return zone;
}

static void check_row(const struct kserv_value *row)
{
	const char *code = *kserv_value_string(row, "code") ? kserv_value_string(row, "code") : "NOERROR";
	char *copy = kserv_must_strdup(kserv_value_string(row, "ask")), *rest = copy;
	const char *name = strsep(&rest, " "), *type = strsep(&rest, " ");
	struct kserv_zone *zone;
	uint8_t query[512];
	ldns_pkt *packet;
	unsigned int ttl;
	size_t len;

	zone = zone_of(row, &ttl);
	len = make_query(name, ldns_get_rr_type_by_name(type), rest ? LDNS_RR_CLASS_CH : LDNS_RR_CLASS_IN, 1232, query);
	packet = ask_bytes(zone, query, len, false, NULL);
	check_code(row, packet, code);
	compare(row, "answer", ldns_pkt_answer(packet), kserv_value_find(row, "answer"), name, ttl);
	compare(row, "additional", ldns_pkt_additional(packet), kserv_value_find(row, "additional"), name, ttl);
	check_authority(row, packet, code);
	ldns_pkt_free(packet);
	kserv_zone_free(zone);
	free(copy);
}

static void every_query_of_the_table_is_answered_right(void **state)
{
	const struct kserv_value *row;
	struct kserv_errors errors = { 0 };
	struct kserv_text text = { 0 };
	struct kserv_tree tree = { 0 };
	size_t n = 0;

	(void)state;
	assert_int_equal(kserv_file_read("tests/dns/queries.yaml", &text), 0);
	if (kserv_yaml_read(&tree, text.s, text.len, 1, &errors))
		fail_msg("%s", kserv_error_format(&errors.v[0]));
	for (row = kserv_value_first(tree.root); row; row = row->next, n++)
		check_row(row);
	assert_true(n > 100);
	kserv_tree_clear(&tree);
	kserv_text_clear(&text);
}

static ldns_pkt_rcode code_of(struct kserv_zone *zone, const char *name)
{
	ldns_pkt *packet = ask(zone, name, LDNS_RR_TYPE_A);
	ldns_pkt_rcode code = ldns_pkt_get_rcode(packet);

	ldns_pkt_free(packet);
	return code;
}

static size_t answers_of(struct kserv_zone *zone, const char *name)
{
	ldns_pkt *packet = ask(zone, name, LDNS_RR_TYPE_A);
	size_t n = ldns_pkt_ancount(packet);

	ldns_pkt_free(packet);
	return n;
}

static struct kserv_slice *make_slice(const char *service, const char *name, size_t n, unsigned int first)
{
	struct kserv_slice *slice = kserv_must_alloc(sizeof(*slice));
	size_t i;

	slice->meta.namespace = kserv_must_strdup("default");
	slice->meta.name = kserv_must_strdup(name);
	slice->service = kserv_must_strdup(service);
	slice->address_type = KSERV_ADDRESS_IPV4;
	slice->ports = kserv_must_alloc(sizeof(*slice->ports));
	slice->ports[0] = (struct kserv_slice_port){ .name = kserv_must_strdup("a"), .protocol = 6, .port = 80 };
	slice->n_ports = 1;
	slice->endpoints = kserv_must_alloc(n * sizeof(*slice->endpoints));
	slice->n_endpoints = n;
	for (i = 0; i < n; i++) {
		struct kserv_slice_endpoint *endpoint = &slice->endpoints[i];

		endpoint->addresses.v = kserv_must_alloc(sizeof(char *));
		endpoint->addresses.v[0] = kserv_must_printf("10.200.%zu.%zu", (first + i) / 256, (first + i) % 256);
		endpoint->addresses.n = 1;
		endpoint->ready = KSERV_TRUE;
		endpoint->hostname = kserv_must_strdup("");
	}
	return slice;
}

static void set_endpoints(struct kserv_zone *zone, const char *service, size_t n)
{
	struct kserv_slice *slice = make_slice(service, service, n, 0);

	kserv_zone_set_slice(zone, slice);
	kserv_slice_free(slice);
}

static void set_headless(struct kserv_zone *zone, const char *name)
{
	struct kserv_k8s_service service = {
		.meta = { .namespace = (char *)"default", .name = (char *)name },
		.cluster_ip = (char *)"None",
		.external_name = (char *)"",
	};

	kserv_zone_set_service(zone, &service);
}

static void a_change_is_in_the_next_answer(void **state)
{
	struct kserv_zone *zone = usual_zone();

	(void)state;
	assert_int_equal(code_of(zone, "new.default.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	set_endpoints(zone, "new", 3);
	assert_int_equal(code_of(zone, "new.default.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	set_headless(zone, "new");
	assert_int_equal(answers_of(zone, "new.default.svc.cluster.local"), 3);
	assert_int_equal(answers_of(zone, "10-200-0-2.new.default.svc.cluster.local"), 1);
	set_endpoints(zone, "new", 2);
	assert_int_equal(answers_of(zone, "new.default.svc.cluster.local"), 2);
	assert_int_equal(code_of(zone, "10-200-0-2.new.default.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	kserv_zone_delete_slice(zone, "default", "new");
	assert_int_equal(code_of(zone, "new.default.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	set_endpoints(zone, "new", 1);
	kserv_zone_delete_service(zone, "default", "new");
	assert_int_equal(code_of(zone, "new.default.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	kserv_zone_free(zone);
}

static void names_of_addresses_go_with_their_endpoints(void **state)
{
	struct kserv_zone *zone = usual_zone();
	struct kserv_slice *slice;
	ldns_pkt *packet;

	(void)state;
	set_headless(zone, "one");
	set_headless(zone, "two");
	set_endpoints(zone, "one", 2);
	set_endpoints(zone, "two", 1);
	packet = ask(zone, "0.0.200.10.in-addr.arpa", LDNS_RR_TYPE_PTR);
	assert_int_equal(ldns_pkt_ancount(packet), 2);
	ldns_pkt_free(packet);
	/* The same from a second slice is the same. */
	slice = make_slice("two", "two-again", 1, 0);
	kserv_zone_set_slice(zone, slice);
	kserv_slice_free(slice);
	packet = ask(zone, "0.0.200.10.in-addr.arpa", LDNS_RR_TYPE_PTR);
	assert_int_equal(ldns_pkt_ancount(packet), 2);
	ldns_pkt_free(packet);
	kserv_zone_delete_slice(zone, "default", "two-again");
	kserv_zone_delete_slice(zone, "default", "two");
	packet = ask(zone, "0.0.200.10.in-addr.arpa", LDNS_RR_TYPE_PTR);
	assert_int_equal(ldns_pkt_ancount(packet), 1);
	ldns_pkt_free(packet);
	kserv_zone_delete_service(zone, "default", "one");
	packet = ask(zone, "0.0.200.10.in-addr.arpa", LDNS_RR_TYPE_PTR);
	assert_int_equal(ldns_pkt_get_rcode(packet), LDNS_RCODE_REFUSED);
	ldns_pkt_free(packet);
	kserv_zone_free(zone);
}

static void a_namespace_exists_with_its_object_or_a_service_in_it(void **state)
{
	struct kserv_zone *zone = usual_zone();

	(void)state;
	assert_int_equal(code_of(zone, "later.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	kserv_zone_set_namespace(zone, "later");
	assert_int_equal(code_of(zone, "later.svc.cluster.local"), LDNS_RCODE_NOERROR);
	kserv_zone_delete_namespace(zone, "later");
	assert_int_equal(code_of(zone, "later.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	kserv_zone_delete_namespace(zone, "shop");
	assert_int_equal(code_of(zone, "shop.svc.cluster.local"), LDNS_RCODE_NOERROR);
	kserv_zone_free(zone);
}

static void a_load_leaves_nothing_of_what_was_there(void **state)
{
	struct kserv_zone *zone = usual_zone();
	struct kserv_cluster empty = { 0 };

	(void)state;
	kserv_zone_load(zone, &empty);
	assert_int_equal(code_of(zone, "web.shop.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	assert_int_equal(code_of(zone, "shop.svc.cluster.local"), LDNS_RCODE_NXDOMAIN);
	assert_int_equal(code_of(zone, "1.1.96.10.in-addr.arpa"), LDNS_RCODE_REFUSED);
	kserv_zone_load(zone, &cluster);
	assert_int_equal(answers_of(zone, "web.shop.svc.cluster.local"), 1);
	kserv_zone_free(zone);
}

static void what_does_not_fit_is_cut_at_whole_records_and_said_so(void **state)
{
	static const struct { uint16_t size; size_t limit; } rows[] = {
		{ 0, 512 }, { 100, 512 }, { 512, 512 }, { 800, 800 }, { 1232, 1232 }, { 4096, 1232 }, { 65535, 1232 },
	};
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512];
	ldns_pkt *packet;
	size_t i, len;

	(void)state;
	set_headless(zone, "many");
	set_endpoints(zone, "many", 300);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		len = make_query("many.default.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, rows[i].size, query);
		packet = ask_bytes(zone, query, len, false, &len);
		assert_true(ldns_pkt_tc(packet));
		assert_in_range(len, rows[i].limit - 15, rows[i].limit);
		assert_int_equal(ldns_pkt_edns(packet), rows[i].size != 0);
		ldns_pkt_free(packet);
	}
	len = make_query("many.default.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 0, query);
	packet = ask_bytes(zone, query, len, true, NULL);
	assert_false(ldns_pkt_tc(packet));
	assert_int_equal(ldns_pkt_ancount(packet), 300);
	ldns_pkt_free(packet);
	kserv_zone_free(zone);
}

/* RFC 2181, 9: a client that has all it asked for need not come again. */
static void additional_records_give_way_without_a_word(void **state)
{
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512];
	ldns_pkt *packet;
	size_t len;

	(void)state;
	set_headless(zone, "some");
	set_endpoints(zone, "some", 7);
	len = make_query("_a._tcp.some.default.svc.cluster.local", LDNS_RR_TYPE_SRV, LDNS_RR_CLASS_IN, 0, query);
	packet = ask_bytes(zone, query, len, false, NULL);
	assert_int_equal(ldns_pkt_ancount(packet), 7);
	assert_in_range(ldns_pkt_arcount(packet), 0, 6);
	assert_false(ldns_pkt_tc(packet));
	ldns_pkt_free(packet);
	set_endpoints(zone, "some", 20);
	packet = ask_bytes(zone, query, len, false, NULL);
	assert_int_equal(ldns_pkt_arcount(packet), 0);
	assert_true(ldns_pkt_tc(packet));
	ldns_pkt_free(packet);
	kserv_zone_free(zone);
}

static void addresses_come_in_a_random_order(void **state)
{
	struct kserv_zone *zone = usual_zone();
	unsigned int first[4] = { 0 };
	ldns_pkt *packet;
	int i;

	(void)state;
	set_headless(zone, "four");
	set_endpoints(zone, "four", 4);
	for (i = 0; i < 4000; i++) {
		packet = ask(zone, "four.default.svc.cluster.local", LDNS_RR_TYPE_A);
		first[ldns_rdf_data(ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(packet), 0), 0))[3]]++;
		ldns_pkt_free(packet);
	}
	/* Each a thousand times; six standard deviations are 165. */
	for (i = 0; i < 4; i++)
		assert_in_range(first[i], 830, 1170);
	kserv_zone_free(zone);
}

static void srv_weights_are_a_share_of_100_and_at_least_1(void **state)
{
	static const struct { size_t n; unsigned int weight; } rows[] = { { 1, 100 }, { 3, 33 }, { 40, 2 }, { 150, 1 } };
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512];
	ldns_pkt *packet;
	size_t i, len;

	(void)state;
	set_headless(zone, "weighed");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_endpoints(zone, "weighed", rows[i].n);
		len = make_query("weighed.default.svc.cluster.local", LDNS_RR_TYPE_SRV, LDNS_RR_CLASS_IN, 0, query);
		packet = ask_bytes(zone, query, len, true, NULL);
		assert_int_equal(ldns_pkt_ancount(packet), rows[i].n);
		assert_int_equal(ldns_rdf2native_int16(ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(packet), 0), 1)),
				 rows[i].weight);
		ldns_pkt_free(packet);
	}
	kserv_zone_free(zone);
}

/* @patch: a byte of the query is changed to @value. */
static void odd_queries_get_the_code_that_says_what_is_odd(void **state)
{
	static const struct { const char *what; int patch; uint8_t value; uint16_t size; ldns_pkt_rcode code; } rows[] = {
		{ "nothing", -1, 0, 1232, LDNS_RCODE_NOERROR },
		{ "opcode NOTIFY", 2, 0x20, 0, LDNS_RCODE_NOTIMPL },
		{ "opcode UPDATE", 2, 0x28, 0, LDNS_RCODE_NOTIMPL },
		{ "no question", 5, 0, 0, LDNS_RCODE_FORMERR },
		{ "two questions", 5, 2, 0, LDNS_RCODE_FORMERR },
		{ "a pointer in the question", 12, 0xc0, 0, LDNS_RCODE_FORMERR },
		{ "an extended label", 12, 0x41, 0, LDNS_RCODE_FORMERR },
		{ "a label beyond the end", 12, 63, 0, LDNS_RCODE_FORMERR },
		{ "an answer that is not there", 7, 1, 0, LDNS_RCODE_FORMERR },
		{ "two OPTs announced, one there", 11, 2, 1232, LDNS_RCODE_FORMERR },
		{ "an OPT that is not at the root", 44, 1, 1232, LDNS_RCODE_FORMERR },
	};
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512];
	ldns_pkt *packet;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		len = make_query("web.shop.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, rows[i].size, query);
		if (rows[i].patch >= 0)
			query[rows[i].patch] = rows[i].value;
		packet = ask_bytes(zone, query, len, false, NULL);
		if (ldns_pkt_get_rcode(packet) != rows[i].code)
			fail_msg("%s: code %d", rows[i].what, ldns_pkt_get_rcode(packet));
		ldns_pkt_free(packet);
	}
	kserv_zone_free(zone);
}

static void edns_is_answered_with_edns_and_a_new_version_with_badvers(void **state)
{
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512];
	ldns_pkt *packet;
	size_t len;

	(void)state;
	len = make_query("web.shop.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 4096, query);
	query[len - 4] |= 0x80;		/* DO */
	packet = ask_bytes(zone, query, len, false, NULL);
	assert_true(ldns_pkt_edns(packet));
	assert_true(ldns_pkt_edns_do(packet));
	assert_int_equal(ldns_pkt_edns_udp_size(packet), 1232);
	ldns_pkt_free(packet);
	query[len - 5] = 1;		/* version */
	packet = ask_bytes(zone, query, len, false, NULL);
	assert_int_equal(ldns_pkt_get_rcode(packet), 0);
	assert_int_equal(ldns_pkt_edns_extended_rcode(packet), 1);
	assert_int_equal(ldns_pkt_edns_version(packet), 0);
	assert_int_equal(ldns_pkt_ancount(packet), 0);
	ldns_pkt_free(packet);
	len = make_query("web.shop.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 0, query);
	packet = ask_bytes(zone, query, len, false, NULL);
	assert_false(ldns_pkt_edns(packet));
	ldns_pkt_free(packet);
	kserv_zone_free(zone);
}

static void what_is_no_query_gets_no_answer(void **state)
{
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512], answer[KSERV_DNS_UDP_MAX];
	struct kserv_dns_reply reply;
	size_t len = make_query("web.shop.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 0, query), i;

	(void)state;
	for (i = 0; i < 12; i++) {
		kserv_dns_answer(zone, query, i, false, answer, &reply);
		assert_int_equal(reply.verdict, KSERV_DNS_SILENCE);
	}
	query[2] |= 0x80;
	kserv_dns_answer(zone, query, len, false, answer, &reply);
	assert_int_equal(reply.verdict, KSERV_DNS_SILENCE);
	kserv_zone_free(zone);
}

static void a_name_outside_is_for_somebody_else_if_there_is_somebody(void **state)
{
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512], answer[KSERV_DNS_UDP_MAX];
	struct kserv_dns_reply reply;
	size_t len;

	(void)state;
	kserv_zone_set_recursive(zone, true);
	len = make_query("WWW.example.com", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 0, query);
	kserv_dns_answer(zone, query, len, false, answer, &reply);
	assert_int_equal(reply.verdict, KSERV_DNS_FORWARD);
	assert_memory_equal(reply.question.name, "\3www\7example\3com", 17);
	len = make_query("9.9.9.9.in-addr.arpa", LDNS_RR_TYPE_PTR, LDNS_RR_CLASS_IN, 0, query);
	kserv_dns_answer(zone, query, len, false, answer, &reply);
	assert_int_equal(reply.verdict, KSERV_DNS_FORWARD);
	len = make_query("nope.shop.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 0, query);
	kserv_dns_answer(zone, query, len, false, answer, &reply);
	assert_int_equal(reply.verdict, KSERV_DNS_ANSWER);
	kserv_zone_free(zone);
}

/* @upstream in zone file lines: what is said about www.example.com; NULL: nothing at all. */
static ldns_pkt *chase(const char *const *lines, ldns_pkt_rcode code)
{
	static uint8_t answer[KSERV_DNS_UDP_MAX];
	struct kserv_zone *zone = usual_zone();
	uint8_t query[512], *upstream = NULL;
	struct kserv_dns_reply reply;
	size_t len, upstream_len = 0;
	ldns_pkt *packet;
	ldns_rr *rr;

	kserv_zone_set_recursive(zone, true);
	len = make_query("outside.shop.svc.cluster.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, 0, query);
	kserv_dns_answer(zone, query, len, false, answer, &reply);
	assert_int_equal(reply.verdict, KSERV_DNS_CHASE);
	assert_memory_equal(reply.target, "\3www\7example\3com", 17);
	if (lines) {
		packet = ldns_pkt_query_new(ldns_dname_new_frm_str("www.example.com"), LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN,
					    LDNS_QR);
		ldns_pkt_set_rcode(packet, code);
		for (; *lines; lines++) {
			assert_int_equal(ldns_rr_new_frm_str(&rr, *lines, 0, NULL, NULL), LDNS_STATUS_OK);
			ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, rr);
		}
		assert_int_equal(ldns_pkt2wire(&upstream, packet, &upstream_len), LDNS_STATUS_OK);
		ldns_pkt_free(packet);
	}
	kserv_dns_finish(zone, query, len, false, upstream, upstream_len, answer, &reply);
	free(upstream);
	kserv_zone_free(zone);
	if (!lines)
		return NULL;
	assert_int_equal(reply.verdict, KSERV_DNS_ANSWER);
	assert_int_equal(ldns_wire2pkt(&packet, answer, reply.len), LDNS_STATUS_OK);
	return packet;
}

static void an_external_name_is_chased_through_what_upstream_says(void **state)
{
	static const char *const good[] = {
		"edge.example.net. 20 IN A 192.0.2.1", "stranger.example. 20 IN A 203.0.113.1",
		"www.example.com. 300 IN CNAME edge.example.net.", "edge.example.net. 20 IN A 192.0.2.2", NULL,
	};
	static const char *const circle[] = { "www.example.com. 300 IN CNAME www.example.com.", NULL };
	static const char *const none[] = { NULL };
	ldns_pkt *packet = chase(good, LDNS_RCODE_NOERROR);
	struct lines lines;

	(void)state;
	records(ldns_pkt_answer(packet), &lines);
	assert_int_equal(lines.n, 4);
	assert_string_equal(lines.v[0], "edge.example.net. 20 A 192.0.2.1");
	assert_string_equal(lines.v[1], "edge.example.net. 20 A 192.0.2.2");
	assert_string_equal(lines.v[2], "outside.shop.svc.cluster.local. 5 CNAME www.example.com.");
	assert_string_equal(lines.v[3], "www.example.com. 300 CNAME edge.example.net.");
	clear(&lines);
	ldns_pkt_free(packet);
	packet = chase(circle, LDNS_RCODE_NOERROR);
	assert_in_range(ldns_pkt_ancount(packet), 1, 11);
	ldns_pkt_free(packet);
	packet = chase(none, LDNS_RCODE_NXDOMAIN);
	assert_int_equal(ldns_pkt_get_rcode(packet), LDNS_RCODE_NXDOMAIN);
	assert_int_equal(ldns_pkt_ancount(packet), 1);
	ldns_pkt_free(packet);
	packet = chase(none, LDNS_RCODE_SERVFAIL);
	assert_int_equal(ldns_pkt_get_rcode(packet), LDNS_RCODE_SERVFAIL);
	assert_int_equal(ldns_pkt_ancount(packet), 0);
	ldns_pkt_free(packet);
	assert_null(chase(NULL, 0));
}

static void a_zone_is_not_made_with_what_it_cannot_be(void **state)
{
	static const struct kserv_zone_config rows[] = {
		{ .domain = "", .ttl = 5 }, { .domain = "a..b", .ttl = 5 }, { .ttl = 3601 },
		{ .domain = "a-name-so-long.that-names-of-endpoints.would-not-fit.in-255-bytes", .ttl = 5 },
		{ .service_name = "", .ttl = 5 },
	};
	struct kserv_zone *zone;
	size_t i;
	char *why;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_not_equal(kserv_zone_new(&rows[i], &zone, &why), 0);
		assert_true(strlen(why) > 20);
		free(why);
	}
}

static void the_cluster_address_leads_to_this_node(void **state)
{
	struct kserv_dns_place here = { .port = 5353 };
	const struct kserv_service *service;
	struct kserv_addr addrs[2] = { };

	(void)state;
	model_start(NULL);
	kserv_addr_parse(KSERV_DNS_ADDRESS, &addrs[0]);
	kserv_addr_parse("fd00:10:96::a", &addrs[1]);
	kserv_addr_parse("192.168.1.1", &here.addr);
	model.cluster.services = kserv_must_alloc(sizeof(*model.cluster.services));
	model.cluster.services[model.cluster.n_services++] = kserv_dns_service_new(addrs, 2);
	model.cluster.slices = kserv_must_alloc(sizeof(*model.cluster.slices));
	model.cluster.slices[model.cluster.n_slices++] = kserv_dns_slice_new(model.cluster.services[0], &here, "node1");
	model_plan();
	service = model_find("kube-system/kube-dns:dns", AF_INET);
	assert_int_equal(service->protocol, IPPROTO_UDP);
	model_assert_addr(&service->frontends[0].addr, "10.96.0.10");
	assert_int_equal(service->frontends[0].port, 53);
	assert_int_equal(service->n_endpoints, 1);
	model_assert_addr(&service->endpoints[0].addr, "192.168.1.1");
	assert_int_equal(service->endpoints[0].port, 5353);
	assert_int_equal(model_find("kube-system/kube-dns:dns-tcp", AF_INET)->protocol, IPPROTO_TCP);
	model_assert_addr(&model_find("kube-system/kube-dns:dns", AF_INET6)->frontends[0].addr, "fd00:10:96::a");
	model_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_query_of_the_table_is_answered_right),
		cmocka_unit_test(a_change_is_in_the_next_answer),
		cmocka_unit_test(names_of_addresses_go_with_their_endpoints),
		cmocka_unit_test(a_namespace_exists_with_its_object_or_a_service_in_it),
		cmocka_unit_test(a_load_leaves_nothing_of_what_was_there),
		cmocka_unit_test(what_does_not_fit_is_cut_at_whole_records_and_said_so),
		cmocka_unit_test(additional_records_give_way_without_a_word),
		cmocka_unit_test(addresses_come_in_a_random_order),
		cmocka_unit_test(srv_weights_are_a_share_of_100_and_at_least_1),
		cmocka_unit_test(odd_queries_get_the_code_that_says_what_is_odd),
		cmocka_unit_test(edns_is_answered_with_edns_and_a_new_version_with_badvers),
		cmocka_unit_test(what_is_no_query_gets_no_answer),
		cmocka_unit_test(a_name_outside_is_for_somebody_else_if_there_is_somebody),
		cmocka_unit_test(an_external_name_is_chased_through_what_upstream_says),
		cmocka_unit_test(a_zone_is_not_made_with_what_it_cannot_be),
		cmocka_unit_test(the_cluster_address_leads_to_this_node),
	};

	return cmocka_run_group_tests(tests, read_cluster, clear_cluster);
}
