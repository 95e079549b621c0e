// SPDX-License-Identifier: GPL-2.0
/* What kservctl takeover gives to iptables-restore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kservctl/leftover.h"

static const struct {
	const char *saved, *script;
	size_t chains, rules;
} rows[] = {
	{ "", NULL, 0, 0 },
	{ "*nat\n:PREROUTING ACCEPT [1:2]\n-A PREROUTING -j MINE\nCOMMIT\n", NULL, 0, 0 },
	/* Its chains are emptied, the rules that lead to them deleted, then the chains. */
	{ "# by hand\n*nat\n:PREROUTING ACCEPT [1:2]\n:KUBE-SERVICES - [0:0]\n"
	  "-A PREROUTING -m comment --comment \"service portals\" -j KUBE-SERVICES\n-A KUBE-SERVICES -j RETURN\nCOMMIT\n",
	  "*nat\n:KUBE-SERVICES - [0:0]\n-D PREROUTING -m comment --comment \"service portals\" -j KUBE-SERVICES\n"
	  "-X KUBE-SERVICES\nCOMMIT\n", 1, 1 },
	/* kubelet's stay, and what leads to them. */
	{ "*filter\n:KUBE-FIREWALL - [0:0]\n-A INPUT -j KUBE-FIREWALL\nCOMMIT\n*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n",
	  NULL, 0, 0 },
	/* Tables without anything of it are left out; goto counts as jump. */
	{ "*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n:KUBE-FORWARD - [0:0]\n-A FORWARD -g KUBE-FORWARD\nCOMMIT\n",
	  "*filter\n:KUBE-FORWARD - [0:0]\n-D FORWARD -g KUBE-FORWARD\n-X KUBE-FORWARD\nCOMMIT\n", 1, 1 },
	/* A comment that speaks of a jump is none. */
	{ "*nat\n:KUBE-X - [0:0]\n-A OUTPUT -m comment --comment \"a \\\" -j KUBE-X\" -j MINE\n"
	  "-A OUTPUT -m comment --comment \"or -j MINE\" -j KUBE-X\nCOMMIT\n",
	  "*nat\n:KUBE-X - [0:0]\n-D OUTPUT -m comment --comment \"or -j MINE\" -j KUBE-X\n-X KUBE-X\nCOMMIT\n", 1, 1 },
	{ "*nat\n-A OUTPUT -j MINE\n:KUBE-X - [0:0]\n", "*nat\n:KUBE-X - [0:0]\n-X KUBE-X\nCOMMIT\n", 1, 0 },
	/* No end of line, rules without target, chains without a name. */
	{ "*nat\n:KUBE- - [0:0]\n-A OUTPUT -p tcp\n-A ", NULL, 0, 0 },
};

static void only_what_is_kube_proxys_is_removed(void **state)
{
	size_t i, chains, rules;
	char *script;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		script = leftover_script(rows[i].saved, &chains, &rules);
		if (!rows[i].script)
			assert_null(script);
		else
			assert_string_equal(script ? script : "", rows[i].script);
		assert_int_equal(chains, rows[i].chains);
		assert_int_equal(rules, rows[i].rules);
		free(script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_kube_proxys_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
