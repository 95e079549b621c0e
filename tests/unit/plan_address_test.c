// SPDX-License-Identifier: GPL-2.0
/* Addresses as plan reads them from objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "plan/address.h"

static void addresses_are_read_leniently_and_written_canonically(void **state)
{
	static const char *const rows[][2] = {
		{ "10.0.0.1", "10.0.0.1" }, { "010.000.00.01", "10.0.0.1" }, { "0.0.0.0", "0.0.0.0" },
		{ "\t 10.0.0.1 \n", "10.0.0.1" }, { "0000000010.1.1.1", "10.1.1.1" }, { "FD00:0:0::00AB", "fd00::ab" },
		{ "::ffff:10.0.0.1", "10.0.0.1" }, { "::ffff:010.0.0.01", "10.0.0.1" }, { "::", "::" },
		{ "", NULL }, { " ", NULL }, { "10.0.0", NULL }, { "10.0.0.256", NULL }, { "10.0.0.1.1", NULL },
		{ "10.0.0.-1", NULL }, { "10.0.0.0x1", NULL }, { "10.0.0.1/32", NULL }, { "10. 0.0.1", NULL },
		{ "fe80::1%eth0", NULL }, { "fd00::1::2", NULL }, { "example.org", NULL }, { "None", NULL },
		{ "10.0.0.1                                                                            1", NULL },
	};
	struct kserv_addr addr;
	char text[KSERV_ADDR_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (kserv_address_read(rows[i][0], &addr) != !!rows[i][1])
			fail_msg("\"%s\"", rows[i][0]);
		if (rows[i][1])
			assert_string_equal(kserv_addr_format(&addr, text), rows[i][1]);
	}
}

static void cidrs_are_read_leniently_and_written_canonically(void **state)
{
	static const char *const rows[][2] = {
		{ "10.0.0.0/8", "10.0.0.0/8" }, { " 10.1.2.3/8 ", "10.0.0.0/8" }, { "010.0.0.0/08", "10.0.0.0/8" },
		{ "10.1.2.3", "10.1.2.3/32" }, { "0.0.0.0/0", "0.0.0.0/0" }, { "10.255.255.255/31", "10.255.255.254/31" },
		{ "fd00::1", "fd00::1/128" }, { "fd00:0:0:ff::1/60", "fd00:0:0:f0::/60" }, { "::/0", "::/0" },
		{ "::ffff:10.1.2.3/104", "10.0.0.0/8" }, { "::ffff:10.1.2.3", "10.1.2.3/32" },
		{ "10.0.0.0/33", NULL }, { "10.0.0.0/", NULL }, { "10.0.0.0/a", NULL }, { "10.0.0.0/-1", NULL },
		{ "fd00::/129", NULL }, { "/8", NULL }, { "10.0.0.0/8/8", NULL },
	};
	struct kserv_prefix prefix;
	char text[KSERV_ADDR_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (kserv_cidr_read(rows[i][0], &prefix) != !!rows[i][1])
			fail_msg("\"%s\"", rows[i][0]);
		if (rows[i][1])
			assert_string_equal(kserv_prefix_format(&prefix, text), rows[i][1]);
	}
}

static void a_cidr_contains_what_its_bits_say(void **state)
{
	static const struct {
		const char *cidr, *address;
		bool contains;
	} rows[] = {
		{ "10.244.0.0/16", "10.244.255.255", true }, { "10.244.0.0/16", "10.245.0.0", false },
		{ "192.168.50.240/28", "192.168.50.255", true }, { "192.168.50.240/28", "192.168.50.239", false },
		{ "10.0.0.128/25", "10.0.0.127", false }, { "10.0.0.128/25", "10.0.0.128", true },
		{ "10.0.0.1/32", "10.0.0.1", true }, { "10.0.0.1/32", "10.0.0.0", false }, { "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false }, { "::/0", "1.2.3.4", false }, { "fd00::/7", "fc00::1", true },
		{ "fd00::/9", "fd80::1", false }, { "fd00::1/128", "fd00::1", true }, { "fd00::1/127", "fd00::2", false },
	};
	struct kserv_prefix prefix;
	struct kserv_addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(kserv_cidr_read(rows[i].cidr, &prefix));
		assert_true(kserv_address_read(rows[i].address, &addr));
		if (kserv_cidr_contains(&prefix, &addr) != rows[i].contains)
			fail_msg("%s in %s", rows[i].address, rows[i].cidr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_leniently_and_written_canonically),
		cmocka_unit_test(cidrs_are_read_leniently_and_written_canonically),
		cmocka_unit_test(a_cidr_contains_what_its_bits_say),
	};

	return cmocka_run_group_tests_name("plan addresses", tests, NULL, NULL);
}
