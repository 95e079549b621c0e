// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lib/addr.h"

/* What a text is read as: @printed is how it is written again, NULL where it is refused, then @why. */
struct row {
	const char *text, *printed, *why;
};

#define NO_PORT "it has no port"
#define BAD_PORT "its port is not a number from 1 to 65535"
#define NO_ADDRESS "it is no IPv4 or IPv6 address"
#define BRACKETS "an IPv6 address with a port is written [ADDRESS]:PORT"
#define ONLY_IPV6 "only an IPv6 address is written in brackets"

static void addresses_with_ports_are_read_as_they_are_written(void **state)
{
	static const struct row rows[] = {
		{ "10.0.0.1:80", "10.0.0.1:80", NULL },
		{ "[fd00::1]:65535", "[fd00::1]:65535", NULL },
		{ "[FD00:0:0::1]:1", "[fd00::1]:1", NULL },
		{ "[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80", NULL },
		{ "10.0.0.1", NULL, NO_PORT },
		{ "10.0.0.1:", NULL, NO_PORT },
		{ "10.0.0.1:0", NULL, BAD_PORT },
		{ "10.0.0.1:65536", NULL, BAD_PORT },
		{ "10.0.0.1:70000", NULL, BAD_PORT },
		{ "10.0.0.1:99999999999", NULL, BAD_PORT },
		{ "10.0.0.1:-1", NULL, BAD_PORT },
		{ "10.0.0.1:http", NULL, BAD_PORT },
		{ "10.0.0.1: 80", NULL, BAD_PORT },
		{ "10.0.0.256:80", NULL, NO_ADDRESS },
		{ "010.0.0.1:80", NULL, NO_ADDRESS },
		{ "10.0.0:80", NULL, NO_ADDRESS },
		{ ":80", NULL, NO_ADDRESS },
		{ "", NULL, NO_ADDRESS },
		{ "web:80", NULL, NO_ADDRESS },
		{ "fd00::1", NULL, BRACKETS },
		{ "fd00::1:80", NULL, BRACKETS },
		{ "[fd00::1]", NULL, NO_PORT },
		{ "[fd00::1]:", NULL, NO_PORT },
		{ "[fd00::1]80", NULL, BRACKETS },
		{ "[fd00::1", NULL, BRACKETS },
		{ "[10.0.0.1]:80", NULL, ONLY_IPV6 },
		{ "[fd00::g]:80", NULL, NO_ADDRESS },
		{ "[fe80::1%eth0]:80", NULL, NO_ADDRESS },
	};
	char printed[KSERV_ADDR_TEXT];
	struct kserv_addr addr;
	uint16_t port;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].text);
		why = "";
		if (rows[i].printed) {
			assert_int_equal(kserv_addr_port_parse(rows[i].text, &addr, &port, &why), 0);
			assert_string_equal(kserv_addr_port_format(&addr, port, printed), rows[i].printed);
		} else {
			assert_int_equal(kserv_addr_port_parse(rows[i].text, &addr, &port, &why), -EINVAL);
			assert_string_equal(why, rows[i].why);
		}
	}
}

static void a_port_may_be_left_out_where_it_may(void **state)
{
	struct kserv_addr addr;
	uint16_t port = 1;
	const char *why;

	(void)state;
	assert_int_equal(kserv_addr_maybe_port_parse("10.0.0.1", &addr, &port, NULL), 0);
	assert_int_equal(port, 0);
	assert_int_equal(kserv_addr_maybe_port_parse("fd00::1", &addr, &port, NULL), 0);
	assert_int_equal(addr.family, AF_INET6);
	assert_int_equal(kserv_addr_maybe_port_parse("[fd00::1]:53", &addr, &port, NULL), 0);
	assert_int_equal(port, 53);
	assert_int_equal(kserv_addr_maybe_port_parse("10.0.0.1:", &addr, &port, &why), -EINVAL);
	assert_string_equal(why, NO_PORT);
}

static void equal_addresses_are_equal_bytes(void **state)
{
	struct kserv_addr a, b;

	(void)state;
	memset(&a, 0xaa, sizeof(a));
	memset(&b, 0x55, sizeof(b));
	assert_int_equal(kserv_addr_parse("10.0.0.1", &a), 0);
	assert_int_equal(kserv_addr_parse("10.0.0.1", &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(kserv_addr_is_equal(&a, &b));
}

static void cidrs_are_read_and_bits_beyond_them_cleared(void **state)
{
	static const struct row rows[] = {
		{ "10.244.0.0/16", "10.244.0.0/16", NULL },
		{ "10.244.1.5/16", "10.244.0.0/16", NULL },
		{ "10.255.255.255/9", "10.128.0.0/9", NULL },
		{ "10.0.0.1", "10.0.0.1/32", NULL },
		{ "0.0.0.0/0", "0.0.0.0/0", NULL },
		{ "255.255.255.255/0", "0.0.0.0/0", NULL },
		{ "fd00::1", "fd00::1/128", NULL },
		{ "fd00:1:2:3::5/64", "fd00:1:2:3::/64", NULL },
		{ "ffff::/3", "e000::/3", NULL },
		{ "10.0.0.0/33", NULL, NULL },
		{ "fd00::/129", NULL, NULL },
		{ "10.0.0.0/", NULL, NULL },
		{ "10.0.0.0/a", NULL, NULL },
		{ "10.0.0.0/0016", NULL, NULL },
		{ "/8", NULL, NULL },
		{ "10.0.0/8", NULL, NULL },
		{ "", NULL, NULL },
	};
	char printed[KSERV_ADDR_TEXT];
	struct kserv_prefix prefix;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].text);
		assert_int_equal(kserv_prefix_parse(rows[i].text, &prefix), rows[i].printed ? 0 : -EINVAL);
		if (rows[i].printed)
			assert_string_equal(kserv_prefix_format(&prefix, printed), rows[i].printed);
	}
}

static void numbers_have_digits_only_and_a_limit(void **state)
{
	uint32_t number;

	(void)state;
	assert_int_equal(kserv_number_parse("4294967295", UINT32_MAX, &number), 0);
	assert_int_equal(number, UINT32_MAX);
	assert_int_equal(kserv_number_parse("4294967296", UINT32_MAX, &number), -EINVAL);
	assert_int_equal(kserv_number_parse("11", 10, &number), -EINVAL);
	assert_int_equal(kserv_number_parse("", 10, &number), -EINVAL);
	assert_int_equal(kserv_number_parse("+1", 10, &number), -EINVAL);
	assert_int_equal(kserv_number_parse("0x1", 10, &number), -EINVAL);
}

static void protocols_are_known_by_name_in_either_case(void **state)
{
	(void)state;
	assert_int_equal(kserv_protocol_parse("tcp"), IPPROTO_TCP);
	assert_int_equal(kserv_protocol_parse("UDP"), IPPROTO_UDP);
	assert_int_equal(kserv_protocol_parse("sctp"), IPPROTO_SCTP);
	assert_int_equal(kserv_protocol_parse("icmp"), 0);
	assert_int_equal(kserv_protocol_parse(""), 0);
	assert_string_equal(kserv_protocol_name(IPPROTO_ICMPV6), "icmpv6");
	assert_string_equal(kserv_protocol_name(200), "200");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_with_ports_are_read_as_they_are_written),
		cmocka_unit_test(a_port_may_be_left_out_where_it_may),
		cmocka_unit_test(equal_addresses_are_equal_bytes),
		cmocka_unit_test(cidrs_are_read_and_bits_beyond_them_cleared),
		cmocka_unit_test(numbers_have_digits_only_and_a_limit),
		cmocka_unit_test(protocols_are_known_by_name_in_either_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
