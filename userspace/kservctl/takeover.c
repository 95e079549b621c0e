// SPDX-License-Identifier: GPL-2.0
/* kservctl takeover: remove what kube-proxy left behind. */
#include <stdio.h>
#include "kservctl/commands.h"
#include "kservctl/leftover.h"

static int only_say;

struct poptOption takeover_options[] = {
	{ "dry-run", '\0', POPT_ARG_NONE, &only_say, 0, "say what would be removed, and remove nothing", NULL },
	POPT_TABLEEND
};

const char takeover_more[] =
	"Stop kube-proxy on this node first: it would put everything back. What is removed are its chains of iptables and\n"
	"ip6tables (those of kubelet stay), its tables of nftables, and in ipvs mode its services, sets and kube-ipvs0.\n"
	"Connections that kube-proxy translated end when kserv has the Service: their next segment belongs to no flow of\n"
	"kserv and is answered by a reset. Do it node by node, drained if connections matter.\n";

static void print_command(const struct leftover *leftover)
{
	size_t i;

	printf("  ");
	for (i = 0; leftover->command[i]; i++)
		printf("%s%s", i ? " " : "", leftover->command[i]);
	printf("%s\n", leftover->input ? " <<END" : "");
	if (leftover->input)
		printf("%sEND\n", leftover->input);
}

enum exit_code cmd_takeover(int argc, const char **argv)
{
	struct leftovers leftovers;
	enum exit_code code = DONE;
	size_t i;

	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	only_say |= dry_run;
	if (!only_say && process_runs("kube-proxy")) {
		kserv_log_error("kube-proxy runs on this node and would put everything back; stop it first");
		return REFUSED;
	}
	leftovers_find(&leftovers);
	if (!leftovers.n)
		puts("kube-proxy left nothing behind");
	for (i = 0; i < leftovers.n; i++) {
		if (only_say) {
			printf("%s would be removed (dry run)\n", leftovers.v[i].what);
			print_command(&leftovers.v[i]);
		} else if (leftover_remove(&leftovers.v[i])) {
			printf("%s removed\n", leftovers.v[i].what);
		} else {
			code = REFUSED;
		}
	}
	leftovers_clear(&leftovers);
	return code;
}
