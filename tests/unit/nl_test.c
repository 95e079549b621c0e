// SPDX-License-Identifier: GPL-2.0
/* Messages as they are built, read again and named, without a kernel. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/addr.h"
#include "lib/json.h"
#include "lib/place.h"
#include "lib/read.h"
#include "lib/transaction.h"

static void make_endpoint(struct kserv_endpoint *endpoint, uint8_t family, uint32_t number)
{
	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->addr.family = family;
	if (family == AF_INET)
		endpoint->addr.v4.s_addr = htonl(0x0a000000 + number);
	else
		memcpy(&endpoint->addr.v6, &(uint32_t[4]) { htonl(0xfd000000), 0, 0, htonl(number) }, 16);
	endpoint->port = 8080;
	endpoint->weight = number % 1000;
	endpoint->state = number % 4;
	endpoint->flags = number % 16;
	endpoint->cluster_reason = number % 3 ? KSERV_REASON_NONE : KSERV_REASON_TOPOLOGY;
	endpoint->local_reason = KSERV_REASON_NOT_LOCAL;
}

/* A service of @n endpoints; clear it with kserv_service_clear(). */
static void make_service(struct kserv_service *service, uint8_t family, size_t n)
{
	size_t i;

	memset(service, 0, sizeof(*service));
	service->name = strdup("default/web:http");
	service->family = family;
	service->protocol = IPPROTO_TCP;
	service->scheduler = KSERV_SCHEDULER_MAGLEV;
	service->removal = KSERV_REMOVAL_RESET;
	service->flags = KSERV_SERVICE_FLAGS_NO_EJECT;
	service->affinity_timeout = 10800;
	service->removal_grace = 5;
	service->slow_start = 30;
	service->endpoints = calloc(n + 1, sizeof(*service->endpoints));
	service->n_endpoints = n;
	for (i = 0; i < n; i++)
		make_endpoint(&service->endpoints[i], family, i + 1);
}

static void add_frontend(struct kserv_service *service, size_t n_sources)
{
	struct kserv_frontend *frontend;
	size_t i;

	service->frontends = realloc(service->frontends, (service->n_frontends + 1) * sizeof(*frontend));
	frontend = &service->frontends[service->n_frontends];
	memset(frontend, 0, sizeof(*frontend));
	frontend->type = KSERV_FRONTEND_TYPE_LOAD_BALANCER_IP;
	frontend->addr.family = service->family;
	frontend->addr.v4.s_addr = htonl(0x0a600000 + service->n_frontends++);
	frontend->port = 80;
	frontend->flags = KSERV_FRONTEND_FLAGS_LOCAL_SET | KSERV_FRONTEND_FLAGS_DROP_EMPTY;
	frontend->sources.v = calloc(n_sources + 1, sizeof(*frontend->sources.v));
	for (i = 0; i < n_sources; i++) {
		frontend->sources.v[i].addr.family = AF_INET;
		frontend->sources.v[i].addr.v4.s_addr = htonl(i << 8);
		frontend->sources.v[i].len = 24;
	}
	frontend->sources.n = n_sources;
}

/* All of a service, as a new one is sent. */
static int set_all(struct kserv_transaction *transaction, const struct kserv_service *service)
{
	const struct kserv_frontend **frontends = calloc(service->n_frontends + 1, sizeof(*frontends));
	const struct kserv_endpoint **endpoints = calloc(service->n_endpoints + 1, sizeof(*endpoints));
	struct kserv_service_change change = {
		.service = service, .mode = KSERV_SET_MODE_CREATE, .members = KSERV_SET_ALL,
		.endpoint_members = KSERV_SET_ENDPOINT_ALL, .frontends = frontends, .endpoints = endpoints,
		.n_frontends = service->n_frontends, .n_endpoints = service->n_endpoints,
	};
	size_t i;
	int error;

	for (i = 0; i < service->n_frontends; i++)
		frontends[i] = &service->frontends[i];
	for (i = 0; i < service->n_endpoints; i++)
		endpoints[i] = &service->endpoints[i];
	error = kserv_transaction_service_set(transaction, &change);
	free(frontends);
	free(endpoints);
	return error;
}

static const struct nlattr *members(const struct kserv_transaction *transaction)
{
	return (const void *)(transaction->message.data + KSERV_MESSAGE_HEADER);
}

static size_t members_len(const struct kserv_transaction *transaction)
{
	return transaction->message.len - KSERV_MESSAGE_HEADER;
}

/* Reads a service back from however many nests it took; returns how many. */
static size_t read_back(const struct kserv_transaction *transaction, struct kserv_service *service)
{
	const struct nlattr *member;
	size_t n = 0;
	bool more;

	memset(service, 0, sizeof(*service));
	kserv_for_each_attribute(member, members(transaction), members_len(transaction)) {
		assert_int_equal(kserv_attribute_service(member, service, &more), 0);
		n++;
	}
	return n;
}

static void assert_same_service(const struct kserv_service *a, const struct kserv_service *b)
{
	size_t i;

	assert_int_equal(kserv_service_compare(a, b), 0);
	assert_int_equal(a->scheduler, b->scheduler);
	assert_int_equal(a->removal, b->removal);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->affinity_timeout, b->affinity_timeout);
	assert_int_equal(a->removal_grace, b->removal_grace);
	assert_int_equal(a->slow_start, b->slow_start);
	assert_int_equal(a->n_endpoints, b->n_endpoints);
	assert_int_equal(a->n_frontends, b->n_frontends);
	for (i = 0; i < a->n_endpoints; i++)
		assert_memory_equal(&a->endpoints[i], &b->endpoints[i], sizeof(a->endpoints[i]));
	for (i = 0; i < a->n_frontends; i++) {
		assert_int_equal(kserv_frontend_compare(&a->frontends[i], &b->frontends[i]), 0);
		assert_int_equal(a->frontends[i].flags, b->frontends[i].flags);
		assert_int_equal(a->frontends[i].sources.n, b->frontends[i].sources.n);
		if (a->frontends[i].sources.n)
			assert_memory_equal(a->frontends[i].sources.v, b->frontends[i].sources.v,
					    a->frontends[i].sources.n * sizeof(*a->frontends[i].sources.v));
	}
}

static void check_round_trip(uint8_t family, size_t n_endpoints, size_t n_frontends, size_t n_sources)
{
	struct kserv_service sent, received;
	struct kserv_transaction transaction;

	make_service(&sent, family, n_endpoints);
	while (sent.n_frontends < n_frontends)
		add_frontend(&sent, n_sources);
	assert_int_equal(kserv_transaction_init(&transaction), 0);
	assert_int_equal(set_all(&transaction, &sent), 0);
	read_back(&transaction, &received);
	assert_same_service(&sent, &received);
	kserv_service_clear(&received);
	kserv_service_clear(&sent);
	kserv_transaction_clear(&transaction);
}

static void a_service_is_read_as_it_was_written(void **state)
{
	(void)state;
	check_round_trip(AF_INET, 0, 0, 0);
	check_round_trip(AF_INET, 1, 1, 0);
	check_round_trip(AF_INET6, 10, 1, 3);
	check_round_trip(AF_INET, 5000, 40, 100);
	check_round_trip(AF_INET6, 65536, 0, 0);
}

static void a_long_service_goes_on_in_further_nests_that_merge(void **state)
{
	struct kserv_transaction transaction;
	struct kserv_service sent;
	const struct nlattr *member;
	size_t n = 0;

	(void)state;
	make_service(&sent, AF_INET6, 5000);
	assert_int_equal(kserv_transaction_init(&transaction), 0);
	assert_int_equal(set_all(&transaction, &sent), 0);
	kserv_for_each_attribute(member, members(&transaction), members_len(&transaction)) {
		cJSON *tree = kserv_json_nest(&kserv_attributes_service, member);

		assert_int_equal(member->nla_type, KSERV_A_MESSAGE_SERVICE_SET | NLA_F_NESTED);
		assert_string_equal(cJSON_GetObjectItem(tree, "name")->valuestring, "default/web:http");
		assert_string_equal(cJSON_GetObjectItem(tree, "mode")->valuestring, n ? "merge" : "create");
		assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(tree, "endpoint")) > 0);
		cJSON_Delete(tree);
		n++;
	}
	assert_true(n > 3 && n < 10);
	kserv_service_clear(&sent);
	kserv_transaction_clear(&transaction);
}

static void a_message_of_tens_of_megabytes_is_built(void **state)
{
	struct kserv_transaction transaction;
	struct kserv_service service;
	size_t i;

	(void)state;
	make_service(&service, AF_INET6, 1000);
	assert_int_equal(kserv_transaction_init(&transaction), 0);
	for (i = 0; i < 500; i++)
		assert_int_equal(set_all(&transaction, &service), 0);
	assert_true(transaction.message.len > 20 << 20);
	kserv_service_clear(&service);
	kserv_transaction_clear(&transaction);
}

static void one_member_too_long_for_an_attribute_is_refused(void **state)
{
	struct kserv_transaction transaction;
	struct kserv_service service;

	(void)state;
	make_service(&service, AF_INET, 0);
	add_frontend(&service, 10000);
	assert_int_equal(kserv_transaction_init(&transaction), 0);
	assert_int_equal(set_all(&transaction, &service), -E2BIG);
	kserv_service_clear(&service);
	kserv_transaction_clear(&transaction);
}

static void a_service_may_span_messages_of_a_dump(void **state)
{
	struct kserv_message message;
	struct kserv_service service = { };
	size_t nest, endpoint, part;
	bool more;

	(void)state;
	for (part = 0; part < 2; part++) {
		kserv_message_init(&message, KSERV_CMD_SERVICE_GET);
		nest = kserv_message_nest(&message, KSERV_A_MESSAGE_SERVICE);
		kserv_message_put_string(&message, KSERV_A_SERVICE_NAME, "a/b");
		endpoint = kserv_message_nest(&message, KSERV_A_SERVICE_ENDPOINT);
		kserv_message_put_be16(&message, KSERV_A_ENDPOINT_PORT, 100 + part);
		kserv_message_nest_end(&message, endpoint);
		if (!part)
			kserv_message_put_flag(&message, KSERV_A_SERVICE_MORE);
		kserv_message_nest_end(&message, nest);
		assert_int_equal(kserv_attribute_service((void *)(message.data + nest), &service, &more), 0);
		assert_int_equal(more, !part);
		kserv_message_clear(&message);
	}
	assert_string_equal(service.name, "a/b");
	assert_int_equal(service.n_endpoints, 2);
	assert_int_equal(service.endpoints[0].port, 100);
	assert_int_equal(service.endpoints[1].port, 101);
	kserv_service_clear(&service);
}

static void configuration_and_routes_are_read_as_they_were_written(void **state)
{
	struct kserv_prefix cidrs[2], local;
	struct kserv_config sent = {
		.conntrack = KSERV_CONNTRACK_BYPASS, .detect_local = KSERV_DETECT_LOCAL_INTERFACE_PREFIX,
		.fast_path = 1, .fast_path_set = true, .pod_interface = "veth", .pod_cidrs = { cidrs, 2 },
		.service_cidrs = { &local, 1 }, .masquerade_port_min = 40000, .masquerade_port_max = 50000,
		.flow_max = 1, .session_max = 2, .tcp_syn_timeout = 3, .tcp_established_timeout = 4,
		.tcp_close_timeout = 5, .udp_timeout = 6, .udp_stream_timeout = 7, .sctp_timeout = 8,
	}, received;
	struct kserv_transaction transaction;
	struct kserv_route route = { .type = KSERV_ROUTE_TYPE_DIRECT }, read;

	(void)state;
	assert_int_equal(kserv_prefix_parse("10.244.0.0/16", &cidrs[0]), 0);
	assert_int_equal(kserv_prefix_parse("fd00:244::/48", &cidrs[1]), 0);
	assert_int_equal(kserv_prefix_parse("10.96.0.0/12", &local), 0);
	assert_int_equal(kserv_transaction_init(&transaction), 0);
	assert_int_equal(kserv_transaction_config_set(&transaction, &sent), 0);
	assert_int_equal(kserv_attribute_config(members(&transaction), &received), 0);
	assert_memory_equal(received.pod_cidrs.v, cidrs, sizeof(cidrs));
	assert_memory_equal(received.service_cidrs.v, &local, sizeof(local));
	kserv_config_clear(&(struct kserv_config) { .pod_cidrs = received.pod_cidrs,
						    .service_cidrs = received.service_cidrs });
	received.pod_cidrs = sent.pod_cidrs;
	received.service_cidrs = sent.service_cidrs;
	assert_memory_equal(&received, &sent, sizeof(sent));
	kserv_transaction_clear(&transaction);

	memset(&read, 0, sizeof(read));
	route.prefix = cidrs[0];
	assert_int_equal(kserv_addr_parse("192.168.1.2", &route.gateway), 0);
	assert_int_equal(kserv_transaction_init(&transaction), 0);
	assert_int_equal(kserv_transaction_route_set(&transaction, &route), 0);
	kserv_attribute_route(members(&transaction), &read);
	assert_int_equal(read.type, KSERV_ROUTE_TYPE_DIRECT);
	assert_int_equal(kserv_prefix_compare(&read.prefix, &route.prefix), 0);
	assert_true(kserv_addr_is_equal(&read.gateway, &route.gateway));
	kserv_transaction_clear(&transaction);
}

/* Two services of three endpoints, the message in which places are looked for. */
static void make_message(struct kserv_transaction *transaction)
{
	struct kserv_service service;

	make_service(&service, AF_INET, 3);
	assert_int_equal(kserv_transaction_init(transaction), 0);
	kserv_message_put_u32(&transaction->message, KSERV_A_MESSAGE_GENERATION, 7);
	assert_int_equal(set_all(transaction, &service), 0);
	service.name[8] = 'd';
	assert_int_equal(set_all(transaction, &service), 0);
	kserv_service_clear(&service);
}

static const struct nlattr *nth(const struct nlattr *first, size_t len, unsigned int type, unsigned int n)
{
	const struct nlattr *attribute;

	kserv_for_each_attribute(attribute, first, len)
		if ((attribute->nla_type & NLA_TYPE_MASK) == type && !n--)
			return attribute;
	fail();
	return NULL;
}

static const struct nlattr *nth_in(const struct nlattr *nest, unsigned int type, unsigned int n)
{
	return nth(nest + 1, kserv_attribute_len(nest), type, n);
}

static void an_attribute_is_named_by_its_offset(void **state)
{
	struct kserv_transaction transaction;
	const struct kserv_message *message = &transaction.message;
	const struct nlattr *service, *endpoint, *port;
	char place[128];

	(void)state;
	make_message(&transaction);
	service = nth(members(&transaction), members_len(&transaction), KSERV_A_MESSAGE_SERVICE_SET, 1);
	endpoint = nth_in(service, KSERV_A_SERVICE_ENDPOINT, 2);
	port = nth_in(endpoint, KSERV_A_ENDPOINT_PORT, 0);
#define OFFSET(attribute) ((size_t)((const unsigned char *)(attribute) - message->data))
	kserv_place_find(message->data, message->len, OFFSET(port), place, sizeof(place));
	assert_string_equal(place, "service-set[1].endpoint[2].port of default/deb:http");
	kserv_place_find(message->data, message->len, OFFSET(endpoint), place, sizeof(place));
	assert_string_equal(place, "service-set[1].endpoint[2] of default/deb:http");
	kserv_place_find(message->data, message->len, OFFSET(service), place, sizeof(place));
	assert_string_equal(place, "service-set[1] of default/deb:http");
	kserv_place_find(message->data, message->len, KSERV_MESSAGE_HEADER, place, sizeof(place));
	assert_string_equal(place, "generation");
	kserv_place_find(message->data, message->len, message->len, place, sizeof(place));
	assert_string_equal(place, "");
	kserv_place_find(message->data, message->len, 4, place, sizeof(place));
	assert_string_equal(place, "");
	kserv_place_missing(message->data, message->len, OFFSET(endpoint), KSERV_A_ENDPOINT_ADDR4, place,
			    sizeof(place));
	assert_string_equal(place, "service-set[1].endpoint[2].addr4 of default/deb:http");
	kserv_place_missing(message->data, message->len, 0, KSERV_A_MESSAGE_EXPLAIN, place, sizeof(place));
	assert_string_equal(place, "explain");
	kserv_place_find(message->data, message->len, OFFSET(port), place, 20);
	assert_int_equal(strlen(place), 19);
	kserv_transaction_clear(&transaction);
}

static void every_attribute_has_a_name_and_a_number_of_64_bits_stays_exact(void **state)
{
	static const uint64_t big = 18446744073709551615ULL;
	struct kserv_message message;
	cJSON *tree;
	char *text;

	(void)state;
	kserv_message_init(&message, KSERV_CMD_STATS_GET);
	kserv_message_put_string(&message, KSERV_A_FLOW_SERVICE, "a/b");
	kserv_message_put_u8(&message, KSERV_A_FLOW_FAMILY, AF_INET6);
	kserv_message_put_u8(&message, KSERV_A_FLOW_PROTOCOL, IPPROTO_UDP);
	kserv_message_put_u8(&message, KSERV_A_FLOW_STATE, 99);
	kserv_message_put_u32(&message, KSERV_A_FLOW_FLAGS, 5);
	kserv_message_put_be16(&message, KSERV_A_FLOW_CLIENT_PORT, 4000);
	kserv_message_put(&message, KSERV_A_FLOW_BYTES_IN, &big, sizeof(big));
	kserv_message_put_u32(&message, 500, 1);
	tree = kserv_json(&kserv_attributes_flow, (void *)(message.data + KSERV_MESSAGE_HEADER),
			  message.len - KSERV_MESSAGE_HEADER);
	text = cJSON_PrintUnformatted(tree);
	assert_string_equal(text, "{\"service\":\"a/b\",\"family\":\"ipv6\",\"protocol\":\"udp\",\"state\":\"unknown\","
			    "\"flags\":[\"masquerade\",\"from-process\"],\"client-port\":4000,"
			    "\"bytes-in\":18446744073709551615}");
	free(text);
	cJSON_Delete(tree);
	kserv_message_clear(&message);
}

static void what_is_cut_off_is_not_read(void **state)
{
	struct kserv_transaction transaction;
	unsigned char *copy;
	size_t len, n, full = 0;
	const struct nlattr *member;
	struct kserv_service service;
	bool more;

	(void)state;
	make_message(&transaction);
	/* Each shorter length in memory of just that size, so that a look beyond it is noticed by a sanitizer. */
	for (len = members_len(&transaction); len > 0; len--) {
		copy = malloc(len);
		memcpy(copy, members(&transaction), len);
		n = 0;
		kserv_for_each_attribute(member, (const struct nlattr *)copy, len) {
			n++;
			if ((member->nla_type & NLA_TYPE_MASK) != KSERV_A_MESSAGE_SERVICE_SET)
				continue;
			memset(&service, 0, sizeof(service));
			assert_int_equal(kserv_attribute_service(member, &service, &more), 0);
			kserv_service_clear(&service);
		}
		full = full ? full : n;
		assert_true(n <= full);
		free(copy);
	}
	assert_int_equal(full, 3);
	kserv_transaction_clear(&transaction);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_is_read_as_it_was_written),
		cmocka_unit_test(a_long_service_goes_on_in_further_nests_that_merge),
		cmocka_unit_test(a_message_of_tens_of_megabytes_is_built),
		cmocka_unit_test(one_member_too_long_for_an_attribute_is_refused),
		cmocka_unit_test(a_service_may_span_messages_of_a_dump),
		cmocka_unit_test(configuration_and_routes_are_read_as_they_were_written),
		cmocka_unit_test(an_attribute_is_named_by_its_offset),
		cmocka_unit_test(every_attribute_has_a_name_and_a_number_of_64_bits_stays_exact),
		cmocka_unit_test(what_is_cut_off_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
