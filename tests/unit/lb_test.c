// SPDX-License-Identifier: GPL-2.0
/* Load-balancer addresses: who announces, who is alive, what ARP and neighbour discovery look like, what Services get. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "kservd/balance.h"
#include "lb/elect.h"
#include "lb/lease.h"
#include "lb/status.h"
#include "lb/wire.h"
#include "lib/addr.h"

static struct kserv_addr addr_of(const char *text)
{
	struct kserv_addr addr = { 0 };

	assert_int_equal(kserv_addr_parse(text, &addr), 0);
	return addr;
}

static struct kserv_span spans[3];
static struct kserv_pool pool = { .name = "all", .auto_assign = true, .spans = spans, .n_spans = 3 };

static int make_pool(void **state)
{
	(void)state;
	spans[0] = (struct kserv_span){ addr_of("192.0.2.100"), addr_of("192.0.2.103") };
	spans[1] = (struct kserv_span){ addr_of("2001:db8::f:0"), addr_of("2001:db8::f:ffff") };
	spans[2] = (struct kserv_span){ addr_of("198.51.100.7"), addr_of("198.51.100.7") };
	return 0;
}

static struct kserv_value *parse(struct kserv_tree *tree, const char *json)
{
	struct kserv_errors errors = { 0 };

	*tree = (struct kserv_tree){ 0 };
	assert_int_equal(kserv_json_read(tree, json, strlen(json), 1, NULL, &errors), 0);
	return tree->root;
}

static struct kserv_k8s_service *service_of(const char *json)
{
	struct kserv_k8s_service *service;
	struct kserv_tree tree;

	service = kserv_read_service(parse(&tree, json));
	kserv_tree_clear(&tree);
	return service;
}

static struct kserv_k8s_service *balanced(const char *name, const char *spec, const char *ip)
{
	char *json = kserv_must_printf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"resourceVersion\":\"7\"},"
				       "\"spec\":{\"type\":\"LoadBalancer\",\"ipFamilies\":[\"IPv4\"],"
				       "\"ports\":[{\"port\":80,\"protocol\":\"TCP\"}]%s%s},\"status\":{\"loadBalancer\":{%s%s%s}}}",
				       name, *spec ? "," : "", spec, *ip ? "\"ingress\":[{\"ipMode\":\"VIP\",\"ip\":\"" : "", ip,
				       *ip ? "\"}]" : "");
	struct kserv_k8s_service *service = service_of(json);

	free(json);
	return service;
}

/* A slice with an endpoint of each state on the nodes named in @json. */
static struct kserv_slice *slice_of(const char *json)
{
	struct kserv_slice *slice;
	struct kserv_tree tree;

	slice = kserv_read_slice(parse(&tree, json));
	kserv_tree_clear(&tree);
	return slice;
}

static const char local_slice[] =
	"{\"metadata\":{\"name\":\"s\",\"namespace\":\"default\"},\"addressType\":\"IPv4\",\"ports\":[{\"port\":80}],"
	"\"endpoints\":[{\"addresses\":[\"10.0.0.1\"],\"nodeName\":\"b\",\"conditions\":{\"ready\":false,\"serving\":true}},"
	"{\"addresses\":[\"10.0.0.2\"],\"nodeName\":\"c\",\"conditions\":{}},"
	"{\"addresses\":[\"10.0.0.3\"],\"nodeName\":\"elsewhere\",\"conditions\":{\"ready\":true}},"
	"{\"addresses\":[\"10.0.0.4\"]}]}";

struct election {
	const char *spec, *ip;		/* of the Service */
	const char *sick;		/* nodes that may not */
	const char *winners;		/* one of them announces; "" for nobody, NULL: not on the board */
};

static void the_table_of_elections(void **state)
{
	const struct election rows[] = {
		{ "", "192.0.2.100", "", "abc" },
		{ "", "192.0.2.100", "a", "bc" },
		{ "", "192.0.2.100", "ab", "c" },
		{ "", "192.0.2.100", "abc", "" },
		{ "", "", "", NULL },
		{ "", "192.0.2.99", "", NULL },
		{ "", "192.0.2.104", "", NULL },
		{ "", "198.51.100.7", "", "abc" },
		{ "", "198.51.100.8", "", NULL },
		{ "", "2001:db8::f:1", "", "abc" },
		{ "", "2001:db8::e:1", "", NULL },
		{ "", "no address", "", NULL },
		{ "\"loadBalancerClass\":\"kserv.io/l2\"", "192.0.2.100", "", "abc" },
		{ "\"loadBalancerClass\":\"example.com/other\"", "192.0.2.100", "", NULL },
		{ "\"externalTrafficPolicy\":\"Local\"", "192.0.2.100", "", "c" },
		{ "\"externalTrafficPolicy\":\"Local\"", "192.0.2.100", "c", "" },
		/* The slice is of the other family. */
		{ "\"externalTrafficPolicy\":\"Local\"", "2001:db8::f:1", "", "" },
	};
	struct kserv_slice *slice = slice_of(local_slice);
	const struct kserv_slice *slices[] = { slice };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kserv_lb_node nodes[] = { { "c", NULL }, { "a", NULL }, { "b", NULL } };
		struct kserv_k8s_service *service = balanced("web", rows[i].spec, rows[i].ip);
		struct kserv_lb_board board;
		size_t j;

		for (j = 0; j < 3; j++)
			if (strchr(rows[i].sick, nodes[j].name[0]))
				nodes[j].why_not = "it is sick";
		kserv_lb_board_begin(&board, nodes, 3, &pool, 1);
		kserv_lb_board_add(&board, service, slices, 1);
		kserv_lb_board_end(&board);
		if (!rows[i].winners) {
			assert_int_equal(board.n, 0);
		} else if (!*rows[i].winners) {
			assert_null(board.v[0].node);
			assert_non_null(board.v[0].why);
		} else {
			assert_non_null(board.v[0].node);
			assert_non_null(strchr(rows[i].winners, board.v[0].node[0]));
			assert_string_equal(board.v[0].services.v[0], "default/web");
		}
		kserv_lb_board_clear(&board);
		kserv_k8s_service_free(service);
	}
	kserv_slice_free(slice);
}

static void a_shared_address_goes_where_most_of_its_services_are_served(void **state)
{
	struct kserv_lb_node nodes[] = { { "a", NULL }, { "b", NULL }, { "c", NULL } };
	struct kserv_k8s_service *local = balanced("local", "\"externalTrafficPolicy\":\"Local\"", "192.0.2.100");
	struct kserv_k8s_service *other = balanced("other", "", "192.0.2.100");
	struct kserv_slice *slice = slice_of(local_slice);
	const struct kserv_slice *slices[] = { slice };
	struct kserv_lb_board board;

	(void)state;
	kserv_lb_board_begin(&board, nodes, 3, &pool, 1);
	kserv_lb_board_add(&board, other, NULL, 0);
	kserv_lb_board_add(&board, local, slices, 1);
	kserv_lb_board_end(&board);
	assert_int_equal(board.n, 1);
	assert_int_equal(board.v[0].services.n, 2);
	assert_string_equal(board.v[0].node, "c");
	kserv_lb_board_clear(&board);
	kserv_slice_free(slice);
	kserv_k8s_service_free(local);
	kserv_k8s_service_free(other);
}

static const char *winner(const char *const *names, size_t n, const struct kserv_addr *addr)
{
	const char *best = names[0];
	size_t i;

	for (i = 1; i < n; i++)
		if (kserv_lb_draw(names[i], addr) > kserv_lb_draw(best, addr))
			best = names[i];
	return best;
}

static void addresses_spread_and_only_those_of_a_lost_node_move(void **state)
{
	const char *const names[] = { "node-1", "node-2", "node-3", "node-4", "node-5" };
	struct kserv_addr addr = addr_of("192.0.2.0");
	unsigned int counts[5] = { 0 };
	size_t i, j;

	(void)state;
	for (i = 0; i < 5000; i++) {
		const char *with, *without;

		addr.v4.s_addr = htonl(0xc0000200 + i);
		with = winner(names, 5, &addr);
		without = winner(names, 4, &addr);
		assert_true(with == names[4] || with == without);
		for (j = 0; j < 5; j++)
			counts[j] += with == names[j];
	}
	for (j = 0; j < 5; j++)
		assert_in_range(counts[j], 850, 1150);
}

static bool note(struct kserv_lb_beats *beats, uint64_t now_ms, const char *json)
{
	struct kserv_tree tree;
	bool changed = kserv_lb_beats_note(beats, parse(&tree, json), now_ms * 1000, 3000000);

	kserv_tree_clear(&tree);
	return changed;
}

#define BEAT(node, time)	"{\"spec\":{\"holderIdentity\":\"" node "\",\"renewTime\":\"" time "\"}}"

static void a_node_is_dead_when_its_lease_stands_still_for_the_duration(void **state)
{
	struct kserv_lb_beats beats = { 0 };

	(void)state;
	assert_non_null(kserv_lb_beats_why_not(&beats, "a"));
	assert_true(note(&beats, 1000, "[" BEAT("a", "1") "," BEAT("b", "1") "]"));
	assert_null(kserv_lb_beats_why_not(&beats, "a"));
	assert_non_null(kserv_lb_beats_why_not(&beats, "c"));
	assert_false(note(&beats, 2000, "[" BEAT("a", "2") "," BEAT("b", "1") "]"));
	assert_false(note(&beats, 3000, "[" BEAT("a", "3") "," BEAT("b", "1") "]"));
	assert_true(note(&beats, 4000, "[" BEAT("a", "4") "," BEAT("b", "1") "]"));
	assert_null(kserv_lb_beats_why_not(&beats, "a"));
	assert_non_null(kserv_lb_beats_why_not(&beats, "b"));
	assert_true(note(&beats, 5000, "[" BEAT("a", "5") "," BEAT("b", "2") "]"));
	assert_null(kserv_lb_beats_why_not(&beats, "b"));
	assert_true(note(&beats, 6000, "[" BEAT("a", "6") "]"));
	assert_non_null(kserv_lb_beats_why_not(&beats, "b"));
	kserv_lb_beats_clear(&beats);
}

static void nobody_is_taken_for_dead_while_the_server_did_not_answer(void **state)
{
	struct kserv_lb_beats beats = { 0 };

	(void)state;
	note(&beats, 1000, "[" BEAT("a", "1") "," BEAT("b", "1") "]");
	assert_false(note(&beats, 60000, "[" BEAT("a", "1") "," BEAT("b", "1") "]"));
	assert_false(note(&beats, 61000, "[" BEAT("a", "2") "," BEAT("b", "1") "]"));
	assert_false(note(&beats, 62000, "[" BEAT("a", "3") "," BEAT("b", "1") "]"));
	assert_true(note(&beats, 63000, "[" BEAT("a", "4") "," BEAT("b", "1") "]"));
	kserv_lb_beats_clear(&beats);
}

static const uint8_t request[] = {
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 192, 0, 2, 101,
};
static const uint8_t mac[] = { 2, 0, 0, 0, 0, 1 };

static void an_arp_request_is_read_and_answered(void **state)
{
	const uint8_t reply[] = {
		0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 192, 0, 2, 101, 2, 0, 0, 0, 0, 9, 192, 0, 2, 9,
	};
	uint8_t bytes[KSERV_LB_WIRE_MAX], other[sizeof(request)];
	struct kserv_lb_question question;
	size_t i;

	(void)state;
	assert_true(kserv_lb_read_arp(request, sizeof(request), &question));
	assert_int_equal(kserv_lb_write_arp(bytes, &question.target, mac, &question, true), sizeof(reply));
	assert_memory_equal(bytes, reply, sizeof(reply));
	for (i = 0; i < sizeof(request); i++)
		assert_false(kserv_lb_read_arp(request, i, &question));
	/* Hardware, protocol, lengths and operation must be right. */
	for (i = 0; i < 8; i++) {
		memcpy(other, request, sizeof(other));
		other[i] ^= 0x10;
		assert_false(kserv_lb_read_arp(other, sizeof(other), &question));
	}
	/* What we tell to all is no question to the others. */
	kserv_lb_write_arp(bytes, &question.target, mac, NULL, false);
	assert_false(kserv_lb_read_arp(bytes, sizeof(request), &question));
	memcpy(other, request, sizeof(other));
	memset(other + 14, 0, 4);
	assert_true(kserv_lb_read_arp(other, sizeof(other), &question));
	assert_int_equal(question.source.family, AF_UNSPEC);
}

/* fe80::9 asks for 2001:db8::f:1. */
static const uint8_t solicitation[] = {
	0x60, 0, 0, 0, 0, 24, 58, 255, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x0f, 0, 1,
	135, 0, 0x4c, 0xb8, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0, 1,
};

/* @bytes with the checksum that they need. */
static void make_whole(uint8_t bytes[sizeof(solicitation)])
{
	uint32_t sum = 24 + 58;
	size_t i;

	bytes[42] = bytes[43] = 0;
	for (i = 8; i < sizeof(solicitation); i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	bytes[42] = sum >> 8;
	bytes[43] = sum;
}

static void a_neighbour_solicitation_is_read_and_answered(void **state)
{
	uint8_t bytes[KSERV_LB_WIRE_MAX], asked[sizeof(solicitation)];
	struct kserv_lb_question question;
	struct kserv_addr target = addr_of("2001:db8::f:1");
	size_t i;

	(void)state;
	memcpy(asked, solicitation, sizeof(asked));
	make_whole(asked);
	assert_true(kserv_lb_read_solicitation(asked, sizeof(asked), &question));
	assert_true(kserv_addr_is_equal(&question.target, &target));
	assert_int_equal(kserv_lb_write_advertisement(bytes, &target, mac, &question), KSERV_LB_WIRE_MAX);
	assert_int_equal(bytes[40], 136);
	assert_int_equal(bytes[44], 0x60);
	assert_memory_equal(bytes + 24, asked + 8, 16);
	assert_memory_equal(bytes + 66, mac, 6);
	kserv_lb_write_advertisement(bytes, &target, mac, NULL);
	assert_int_equal(bytes[44], 0x20);
	assert_int_equal(bytes[24], 0xff);
	for (i = 0; i < sizeof(asked); i++) {
		assert_false(kserv_lb_read_solicitation(asked, i, &question));
		/* Version, header and checksum; not the traffic class and the flow label. */
		asked[i] ^= 0x20;
		if (i == 0 || i > 3)
			assert_false(kserv_lb_read_solicitation(asked, sizeof(asked), &question));
		asked[i] ^= 0x20;
	}
}

/* What the kernel's own machine makes of a filter. */
static bool passes(uint8_t family, const void *bytes, size_t len)
{
	struct sock_filter rows[KSERV_LB_FILTER_MAX];
	struct sock_fprog program = { .filter = rows };
	uint8_t buffer[128];
	int fds[2];
	bool passed;

	program.len = kserv_lb_filter(family, &pool, 1, rows);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	assert_int_equal(write(fds[0], bytes, len), len);
	passed = read(fds[1], buffer, sizeof(buffer)) == (ssize_t)len;
	close(fds[0]);
	close(fds[1]);
	return passed;
}

static void the_filter_lets_questions_about_the_pools_pass_and_nothing_else(void **state)
{
	const struct { const char *target; bool passes; } rows[] = {
		{ "192.0.2.99", false }, { "192.0.2.100", true }, { "192.0.2.103", true }, { "192.0.2.104", false },
		{ "198.51.100.6", false }, { "198.51.100.7", true }, { "198.51.100.8", false },
		{ "2001:db8::f:0", true }, { "2001:db8::f:ffff", true }, { "2001:db8::e:ffff", false },
		{ "2001:db8::10:0", false }, { "2001:db9::f:0", false },
	};
	uint8_t bytes[sizeof(solicitation)];
	struct kserv_addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		addr = addr_of(rows[i].target);
		memcpy(bytes, addr.family == AF_INET ? request : solicitation,
		       addr.family == AF_INET ? sizeof(request) : sizeof(solicitation));
		if (addr.family == AF_INET)
			memcpy(bytes + 24, &addr.v4, 4);
		else
			memcpy(bytes + 48, &addr.v6, 16);
		assert_int_equal(passes(addr.family, bytes, addr.family == AF_INET ? sizeof(request) : sizeof(bytes)),
				 rows[i].passes);
		/* A reply, another message. */
		bytes[addr.family == AF_INET ? 7 : 40]++;
		assert_false(passes(addr.family, bytes, addr.family == AF_INET ? sizeof(request) : sizeof(bytes)));
	}
}

static void more_spans_than_fit_let_every_question_pass(void **state)
{
	struct kserv_pool many = { .n_spans = 3000 };
	struct sock_filter rows[KSERV_LB_FILTER_MAX];
	size_t i, n;

	(void)state;
	many.spans = kserv_must_alloc(many.n_spans * sizeof(*many.spans));
	for (i = 0; i < many.n_spans; i++)
		many.spans[i] = spans[0];
	n = kserv_lb_filter(AF_INET, &many, 1, rows);
	assert_in_range(n, 2, 10);
	assert_int_equal(rows[n - 1].k, UINT32_MAX);
	free(many.spans);
}

struct told {
	struct kserv_text patches, notes;
};

static void on_set(void *context, const struct kserv_k8s_service *service, const char *patch, size_t len)
{
	(void)len;
	kserv_text_printf(&((struct told *)context)->patches, "%s %s\n", service->meta.name, patch);
}

static void on_note(void *context, const struct kserv_k8s_service *service, const char *sentence)
{
	kserv_text_printf(&((struct told *)context)->notes, "%s: %s\n", service->meta.name, sentence);
}

static void services_keep_ask_for_and_get_addresses(void **state)
{
	const struct kserv_allocator_limits limits = {
		.node_port_min = 30000, .node_port_max = 32767, .pools = &pool, .n_pools = 1,
	};
	const struct kserv_k8s_service *services[] = {
		balanced("any", "", ""), balanced("asks", "\"loadBalancerIP\":\"192.0.2.102\"", ""),
		balanced("keeps", "", "192.0.2.101"), balanced("twin", "", "192.0.2.101"),
		balanced("foreign", "", "203.0.113.5"), balanced("other", "\"loadBalancerClass\":\"example.com/x\"", ""),
		balanced("wrong", "\"loadBalancerIP\":\"203.0.113.9\"", ""),
	};
	struct told told = { 0 };
	const struct kserv_lb_teller teller = { .set = on_set, .note = on_note, .context = &told };
	size_t i, n = sizeof(services) / sizeof(services[0]);

	(void)state;
	kserv_lb_assign(services, n, &limits, &teller);
#define PATCH(name, ip)	name " {\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"loadBalancer\":{\"ingress\":" \
			"[{\"ip\":\"" ip "\",\"ipMode\":\"VIP\"}]}}}\n"
	assert_string_equal(told.patches.s, PATCH("twin", "192.0.2.100") PATCH("any", "192.0.2.103")
			    PATCH("asks", "192.0.2.102"));
	assert_non_null(strstr(told.notes.s, "wrong: service/wrong: 203.0.113.9 is in no loadBalancer pool"));
	kserv_text_clear(&told.patches);
	kserv_text_clear(&told.notes);
	for (i = 0; i < n; i++)
		kserv_k8s_service_free((struct kserv_k8s_service *)services[i]);
}

static void the_configuration_is_checked(void **state)
{
	const struct { const char *json; size_t errors; bool announce; uint64_t lease_us; } rows[] = {
		{ "{}", 0, false, 3000000 },
		{ "{\"loadBalancer\":{\"pools\":[{}],\"announce\":true}}", 0, true, 3000000 },
		{ "{\"loadBalancer\":{\"pools\":[{}],\"announce\":true,\"leaseDuration\":\"1500ms\"}}", 0, true, 1500000 },
		{ "{\"loadBalancer\":{\"announce\":true}}", 1, true, 3000000 },
		{ "{\"loadBalancer\":{\"leaseDuration\":\"10ms\"}}", 1, false, 10000 },
		{ "{\"loadBalancer\":{\"leaseDuration\":\"2h\"}}", 1, false, 7200000000 },
	};
	struct kserv_errors errors = { 0 };
	struct balance_config config;
	struct kserv_tree tree;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		balance_config_read(parse(&tree, rows[i].json), &config, &errors);
		assert_int_equal(errors.n, rows[i].errors);
		assert_int_equal(config.announce, rows[i].announce);
		assert_int_equal(config.lease_us, rows[i].lease_us);
		kserv_errors_clear(&errors);
		kserv_tree_clear(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_elections),
		cmocka_unit_test(a_shared_address_goes_where_most_of_its_services_are_served),
		cmocka_unit_test(addresses_spread_and_only_those_of_a_lost_node_move),
		cmocka_unit_test(a_node_is_dead_when_its_lease_stands_still_for_the_duration),
		cmocka_unit_test(nobody_is_taken_for_dead_while_the_server_did_not_answer),
		cmocka_unit_test(an_arp_request_is_read_and_answered),
		cmocka_unit_test(a_neighbour_solicitation_is_read_and_answered),
		cmocka_unit_test(the_filter_lets_questions_about_the_pools_pass_and_nothing_else),
		cmocka_unit_test(more_spans_than_fit_let_every_question_pass),
		cmocka_unit_test(services_keep_ask_for_and_get_addresses),
		cmocka_unit_test(the_configuration_is_checked),
	};

	return cmocka_run_group_tests(tests, make_pool, NULL);
}
