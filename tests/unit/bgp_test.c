// SPDX-License-Identifier: GPL-2.0
/* The section bgp of the configuration, and what BIRD is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bgp/bird.h"
#include "cluster/yaml.h"
#include "lib/addr.h"

static bool read_config(const char *yaml, struct kserv_bgp_config *ret, size_t *ret_errors)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	bool is_on;

	assert_int_equal(kserv_yaml_read(&tree, yaml, strlen(yaml), 1, &errors), 0);
	is_on = kserv_bgp_config_read(tree.root, ret, &errors);
	*ret_errors = errors.n;
	kserv_errors_clear(&errors);
	kserv_tree_clear(&tree);
	return is_on;
}

static void the_section_is_off_by_default_and_refuses_nonsense(void **state)
{
	static const struct { const char *yaml; bool is_on; size_t n_errors; } rows[] = {
		{ "{}", false, 0 },
		{ "bgp: {asn: 64512, peers: [{address: 192.0.2.1, asn: 64512}]}", true, 0 },
		{ "bgp: {asn: 4294967294, peers: [{address: 'fd00::1', asn: 1, port: 1179, multihop: 255, template: a_1}]}", true, 0 },
		{ "bgp: {}", true, 2 },
		{ "bgp: {asn: 0, peers: [{address: 192.0.2.1, asn: 4294967295}]}", true, 2 },
		{ "bgp: {asn: 1, peers: [{asn: 1}, {address: 192.0.2.1}]}", true, 2 },
		{ "bgp: {asn: 1, peers: [{address: 192.0.2.1, asn: 1}, {address: 192.0.2.1, asn: 2}]}", true, 1 },
		{ "bgp: {asn: 1, peers: [{address: x, asn: 1, port: 0, multihop: 256, template: 'a; }'}]}", true, 4 },
		{ "bgp: {asn: 1, routerID: 'fd00::1', path: x, socket: z, announce: [pods], peers: [{address: 192.0.2.1, asn: 1}]}",
		  true, 4 },
	};
	struct kserv_bgp_config config;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_config(rows[i].yaml, &config, &n), rows[i].is_on);
		assert_int_equal(n, rows[i].n_errors);
		kserv_bgp_config_clear(&config);
	}
	read_config("bgp: {asn: 1, announce: [loadBalancers], peers: [{address: 192.0.2.1, asn: 1}]}", &config, &n);
	assert_true(config.balancers && !config.pods);
	assert_string_equal(config.path, KSERV_BGP_PATH);
	assert_string_equal(config.socket, "/run/bird/bird.ctl");
	kserv_bgp_config_clear(&config);
}

static void bird_is_told_of_peers_and_of_what_is_announced(void **state)
{
	static const char *const prefixes[] = { "10.244.1.0/24", "203.0.113.10/32", "fd00:10:244:1::/64" };
	static const char expected[] =
		"# Made by kservd from its section bgp; what is changed here is lost.\n\n"
		"ipv4 table kserv4;\n\n"
		"protocol static kserv_own4 {\n\tipv4 { table kserv4; };\n"
		"\troute 10.244.1.0/24 unreachable;\n\troute 203.0.113.10/32 unreachable;\n}\n\n"
		"protocol pipe kserv_learned4 {\n\ttable kserv4;\n\tpeer table master4;\n\timport none;\n"
		"\texport where source = RTS_BGP;\n}\n\n"
		"protocol bgp kserv_peer1 from tor {\n\trouter id 192.0.2.1;\n\tlocal as 64601;\n"
		"\tneighbor 192.0.2.254 port 1179 as 64500;\n\tmultihop 2;\n\tipv4 {\n\t\ttable kserv4;\n"
		"\t\timport where ! (net ~ [ 10.244.1.0/24+, 203.0.113.10/32+ ]);\n"
		"\t\texport where source = RTS_STATIC;\n\t\tnext hop self;\n\t};\n}\n\n";
	struct kserv_prefixes own = { 0 };
	struct kserv_prefix list[3];
	struct kserv_addr router_id;
	struct kserv_bgp_config config;
	size_t i, n;
	char *text;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(kserv_prefix_parse(prefixes[i], &list[i]), 0);
	own.v = list;
	own.n = 3;
	kserv_addr_parse("192.0.2.1", &router_id);
	read_config("bgp: {asn: 64601, peers: [{address: 192.0.2.254, asn: 64500, port: 1179, multihop: 2, template: tor}]}",
		    &config, &n);
	text = kserv_bird_text(&config, &router_id, &own);
	assert_string_equal(text, expected);
	free(text);
	own.n = 0;
	router_id.family = AF_UNSPEC;
	text = kserv_bird_text(&config, &router_id, &own);
	assert_non_null(strstr(text, "import all;"));
	assert_null(strstr(text, "router id"));
	free(text);
	kserv_bgp_config_clear(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_section_is_off_by_default_and_refuses_nonsense),
		cmocka_unit_test(bird_is_told_of_peers_and_of_what_is_announced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
