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
	"Connections that its rules have begun to translate go on, by connection tracking: the table kserv-takeover of\n"
	"nftables keeps that at work, and goes at the next takeover after they have ended. Those of ipvs mode end.\n";

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

static enum exit_code keep_connections(struct leftovers *leftovers)
{
	if (!leftovers->translated || leftovers->kept || !leftovers->n)
		return DONE;
	if (!only_say)
		return leftovers_keep(leftovers) ? DONE : REFUSED;
	printf("%zu connections would go on by a table of nftables (dry run)\n  nft -f - <<END\n%sEND\n",
	       leftovers->translated, leftovers_keep_script);
	return DONE;
}

static enum exit_code remove_all(const struct leftovers *leftovers)
{
	enum exit_code code = DONE;
	size_t i;

	for (i = 0; i < leftovers->n; i++) {
		if (only_say) {
			printf("%s would be removed (dry run)\n", leftovers->v[i].what);
			print_command(&leftovers->v[i]);
		} else if (leftover_remove(&leftovers->v[i])) {
			printf("%s removed\n", leftovers->v[i].what);
		} else {
			code = REFUSED;
		}
	}
	return code;
}

enum exit_code cmd_takeover(int argc, const char **argv)
{
	struct leftovers leftovers;
	enum exit_code code;

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
	/* What would be cut is not removed. */
	code = keep_connections(&leftovers);
	if (!code)
		code = remove_all(&leftovers);
	if (leftovers.kept && leftovers.translated)
		printf("%zu connections that kube-proxy translated go on; when they have ended, kservctl takeover removes\n"
		       "the table inet kserv-takeover of nftables, too, which keeps them\n", leftovers.translated);
	leftovers_clear(&leftovers);
	return code;
}
