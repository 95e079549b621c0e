// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/addr.h"
#include "source/allocate.h"

/* What "random" is in these tests. */
static uint64_t dice;

static uint64_t roll(void)
{
	return dice;
}

/* Service CIDRs, node ports and pools of a test; text as in the configuration. */
struct world {
	struct kserv_prefix cidrs[2];
	struct kserv_span spans[4];
	struct kserv_pool pools[2];
	struct kserv_allocator_limits limits;
	struct kserv_allocator *allocator;
};

static struct kserv_addr addr(const char *text)
{
	struct kserv_addr ret;

	assert_int_equal(kserv_addr_parse(text, &ret), 0);
	return ret;
}

static void start(struct world *world, const char *cidr4, const char *cidr6)
{
	*world = (struct world){ 0 };
	if (cidr4)
		assert_int_equal(kserv_prefix_parse(cidr4, &world->cidrs[world->limits.n_cluster++]), 0);
	if (cidr6)
		assert_int_equal(kserv_prefix_parse(cidr6, &world->cidrs[world->limits.n_cluster++]), 0);
	world->limits.cluster = world->cidrs;
	world->limits.node_port_min = 30000;
	world->limits.node_port_max = 32767;
	world->limits.pools = world->pools;
	world->limits.random = roll;
	world->allocator = kserv_allocator_new(&world->limits);
}

static void add_pool(struct world *world, const char *name, bool auto_assign, const char *first, const char *last)
{
	struct kserv_span *span = &world->spans[world->limits.n_pools];

	*span = (struct kserv_span){ addr(first), addr(last) };
	world->pools[world->limits.n_pools++] = (struct kserv_pool){ (char *)name, auto_assign, span, 1 };
}

static void stop(struct world *world)
{
	kserv_allocator_free(world->allocator);
}

static const char *next_ip(struct world *world, uint8_t family, const char *holder)
{
	static char text[KSERV_ADDR_TEXT];
	struct kserv_addr ret;
	int error = kserv_allocator_next_ip(world->allocator, family, holder, &ret);

	return error == -ENOSPC ? "full" : error == -ERANGE ? "no range" : kserv_addr_format(&ret, text);
}

static void chance_starts_behind_the_addresses_kept_for_those_who_ask(void **state)
{
	static const struct { const char *cidr4, *cidr6, *first; } rows[] = {
		{ "10.96.0.0/12", NULL, "10.96.1.1" },		/* 256 kept */
		{ "10.96.0.0/22", NULL, "10.96.0.65" },		/* 1024 / 16 = 64 */
		{ "10.96.0.0/24", NULL, "10.96.0.17" },		/* 16 */
		{ "10.96.0.0/28", NULL, "10.96.0.1" },		/* too small to keep any */
		{ NULL, "fd00:10:96::/112", "fd00:10:96::101" },
		{ NULL, "fd00::/64", "fd00::101" },
	};
	struct world world;
	size_t i;

	(void)state;
	dice = 0;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		start(&world, rows[i].cidr4, rows[i].cidr6);
		assert_string_equal(next_ip(&world, rows[i].cidr4 ? AF_INET : AF_INET6, "Service a/a"), rows[i].first);
		stop(&world);
	}
}

static void the_kept_addresses_are_given_when_all_others_are_taken(void **state)
{
	struct world world;
	int i;

	(void)state;
	dice = 7;
	start(&world, "10.0.0.0/27", NULL);		/* 30 usable, the first 16 kept */
	for (i = 0; i < 14; i++)
		assert_true(strcmp(next_ip(&world, AF_INET, "Service a/a"), "10.0.0.16") > 0);
	for (i = 0; i < 16; i++)
		assert_string_not_equal(next_ip(&world, AF_INET, "Service a/a"), "full");
	assert_string_equal(next_ip(&world, AF_INET, "Service a/a"), "full");
	assert_string_equal(next_ip(&world, AF_INET6, "Service a/a"), "no range");
	stop(&world);
}

static void an_address_asked_for_must_be_free_and_in_range(void **state)
{
	static const struct { const char *ip, *holder; int error; } rows[] = {
		{ "10.96.0.10", "Service kube-system/dns", 0 },
		{ "10.96.0.10", "Service kube-system/dns", 0 },
		{ "10.96.0.10", "Service a/b", -EADDRINUSE },
		{ "10.96.0.0", "Service a/b", -ERANGE },
		{ "10.96.255.255", "Service a/b", -ERANGE },
		{ "10.96.255.254", "Service a/b", 0 },
		{ "10.97.0.1", "Service a/b", -ERANGE },
		{ "10.95.255.255", "Service a/b", -ERANGE },
		{ "fd00:10:96::a", "Service a/b", 0 },
		{ "fd00:10:96::ffff", "Service a/b", 0 },
		{ "fd00:10:96::1:0", "Service a/b", -ERANGE },
		{ "fd00:10:97::a", "Service a/b", -ERANGE },
	};
	const char *other = NULL;
	struct kserv_addr ip;
	struct world world;
	size_t i;

	(void)state;
	start(&world, "10.96.0.0/16", "fd00:10:96::/112");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ip = addr(rows[i].ip);
		if (kserv_allocator_take_ip(world.allocator, &ip, rows[i].holder, &other) != rows[i].error)
			fail_msg("%s for %s", rows[i].ip, rows[i].holder);
		if (rows[i].error == -EADDRINUSE)
			assert_string_equal(other, "Service kube-system/dns");
	}
	stop(&world);
}

static void chance_passes_over_what_is_taken(void **state)
{
	struct kserv_addr ip = addr("10.96.1.1");
	const char *other;
	struct world world;

	(void)state;
	dice = 0;
	start(&world, "10.96.0.0/12", NULL);
	assert_int_equal(kserv_allocator_take_ip(world.allocator, &ip, "Service a/a", &other), 0);
	assert_string_equal(next_ip(&world, AF_INET, "Service a/b"), "10.96.1.2");
	assert_string_equal(next_ip(&world, AF_INET, "Service a/c"), "10.96.1.3");
	stop(&world);
}

static void node_ports_are_given_behind_those_kept(void **state)
{
	const char *other;
	struct world world;
	uint16_t port;
	int i;

	(void)state;
	dice = 0;
	start(&world, "10.96.0.0/12", NULL);
	assert_int_equal(kserv_allocator_next_port(world.allocator, "Service a/a", &port), 0);
	assert_int_equal(port, 30086);			/* 2768 / 32 = 86 kept */
	assert_int_equal(kserv_allocator_take_port(world.allocator, 30086, "Service a/b", &other), -EADDRINUSE);
	assert_string_equal(other, "Service a/a");
	assert_int_equal(kserv_allocator_take_port(world.allocator, 30000, "Service a/b", &other), 0);
	assert_int_equal(kserv_allocator_take_port(world.allocator, 29999, "Service a/b", &other), -ERANGE);
	assert_int_equal(kserv_allocator_take_port(world.allocator, 32768, "Service a/b", &other), -ERANGE);
	for (i = 0; i < 2766; i++)
		assert_int_equal(kserv_allocator_next_port(world.allocator, "Service a/c", &port), 0);
	assert_int_equal(kserv_allocator_next_port(world.allocator, "Service a/c", &port), -ENOSPC);
	stop(&world);
}

static const char *next_balancer(struct world *world, uint8_t family, const char *pool, const char *holder)
{
	const struct kserv_balancer_user user = { .holder = holder, .sharing_key = "" };
	static char text[KSERV_ADDR_TEXT];
	struct kserv_addr ret;
	int error = kserv_allocator_next_balancer(world->allocator, family, pool, &user, &ret);

	return error == -ENOSPC ? "full" : error ? "no pool" : kserv_addr_format(&ret, text);
}

static void balancer_addresses_come_in_order_from_pools_that_assign(void **state)
{
	struct world world;

	(void)state;
	start(&world, "10.96.0.0/12", NULL);
	add_pool(&world, "by-hand", false, "192.0.2.10", "192.0.2.10");
	add_pool(&world, "any", true, "192.0.2.254", "192.0.3.0");
	assert_string_equal(next_balancer(&world, AF_INET, "", "Service a/a"), "192.0.2.254");
	assert_string_equal(next_balancer(&world, AF_INET, "", "Service a/b"), "192.0.2.255");
	assert_string_equal(next_balancer(&world, AF_INET, "", "Service a/c"), "192.0.3.0");
	assert_string_equal(next_balancer(&world, AF_INET, "", "Service a/d"), "full");
	assert_string_equal(next_balancer(&world, AF_INET, "by-hand", "Service a/d"), "192.0.2.10");
	assert_string_equal(next_balancer(&world, AF_INET6, "", "Service a/d"), "no pool");
	assert_string_equal(next_balancer(&world, AF_INET, "other", "Service a/d"), "no pool");
	stop(&world);
}

static void services_share_a_balancer_address_with_one_key_and_other_ports(void **state)
{
	static const uint32_t web[] = { 6 << 16 | 80, 6 << 16 | 443 }, dns[] = { 17 << 16 | 53 }, http[] = { 6 << 16 | 80 };
	static const struct {
		struct kserv_balancer_user user;
		int error;
	} rows[] = {
		{ { "Service a/web", "k", web, 2 }, 0 },
		{ { "Service a/dns", "k", dns, 1 }, 0 },
		{ { "Service a/http", "k", http, 1 }, -EADDRINUSE },
		{ { "Service a/other", "l", dns, 1 }, -EADDRINUSE },
		{ { "Service a/alone", "", dns, 1 }, -EADDRINUSE },
	};
	struct kserv_addr ip = addr("192.0.2.10"), outside = addr("192.0.2.9");
	const char *other;
	struct world world;
	size_t i;

	(void)state;
	start(&world, "10.96.0.0/12", NULL);
	add_pool(&world, "any", true, "192.0.2.10", "192.0.2.11");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(kserv_allocator_take_balancer(world.allocator, &ip, &rows[i].user, &other), rows[i].error);
	assert_int_equal(kserv_allocator_take_balancer(world.allocator, &outside, &rows[0].user, &other), -ERANGE);
	stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance_starts_behind_the_addresses_kept_for_those_who_ask),
		cmocka_unit_test(the_kept_addresses_are_given_when_all_others_are_taken),
		cmocka_unit_test(an_address_asked_for_must_be_free_and_in_range),
		cmocka_unit_test(chance_passes_over_what_is_taken),
		cmocka_unit_test(node_ports_are_given_behind_those_kept),
		cmocka_unit_test(balancer_addresses_come_in_order_from_pools_that_assign),
		cmocka_unit_test(services_share_a_balancer_address_with_one_key_and_other_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
