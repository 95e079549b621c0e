// SPDX-License-Identifier: GPL-2.0
/* The table of commands, and finding and running the one that was typed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/commands.h"
#include "kservctl/kservctl.h"

static enum exit_code cmd_help(int argc, const char **argv);

const struct command commands[] = {
	{ "apply", "-f FILE...", "create or change objects of the embedded cluster from manifests", apply_options, cmd_apply,
	  NULL, apply_more },
	{ "delete", "-f FILE...|TYPE NAME...", "delete objects", delete_options, cmd_delete, NULL, delete_more },
	{ "get", "TYPE [NAME...]", "list objects", get_options, cmd_get, NULL, get_more },
	{ "describe", "TYPE [NAME...]", "show objects with what belongs to them", describe_options, cmd_describe, NULL, NULL },
	{ "diff", "[-f FILE...]", "what apply would change, or how the kernel differs", diff_options, cmd_diff, NULL, diff_more },
	{ "sync", "", "bring the kernel in step with the objects", sync_options, cmd_sync, NULL, NULL },
	{ "env", "", "the environment variables that a new pod gets", env_options, cmd_env, NULL, env_more },

	{ "service list", "[NAME]", "services", service_list_options, cmd_service_list, NULL, NULL },
	{ "service set", "NAME PROTOCOL [ADDRESS:PORT...]", "create or change a service", service_set_options,
	  NULL, build_service_set, service_set_more },
	{ "service del", "NAME PROTOCOL", "remove a service", service_del_options, NULL, build_service_del, NULL },
	{ "frontend list", "[SERVICE]", "addresses and ports that reach services", frontend_list_options,
	  cmd_frontend_list, NULL, NULL },
	{ "frontend set", "SERVICE/PROTOCOL ADDRESS:PORT...", "add or replace frontends", frontend_set_options,
	  NULL, build_frontend_set, frontend_set_more },
	{ "frontend del", "SERVICE/PROTOCOL ADDRESS:PORT...", "remove frontends", frontend_del_options,
	  NULL, build_frontend_del, NULL },
	{ "endpoint list", "[SERVICE]", "endpoints, their state and what they were given", endpoint_list_options,
	  cmd_endpoint_list, NULL, NULL },
	{ "endpoint set", "SERVICE/PROTOCOL ADDRESS:PORT...", "add or change endpoints", endpoint_set_options,
	  NULL, build_endpoint_set, endpoint_set_more },
	{ "endpoint del", "SERVICE/PROTOCOL ADDRESS:PORT...", "remove endpoints", NULL, NULL, build_endpoint_del, NULL },
	{ "route list", "", "pod CIDRs and where they are", route_list_options, cmd_route_list, NULL, NULL },
	{ "route set", "CIDR local|direct|vxlan [GATEWAY]", "add or replace a route", NULL, NULL, build_route_set,
	  route_set_more },
	{ "route del", "CIDR...", "remove routes", NULL, NULL, build_route_del, NULL },
	{ "config show", "", "settings in force", config_show_options, cmd_config_show, NULL, NULL },
	{ "config set", "", "change settings", config_set_options, NULL, build_config_set, config_set_more },
	{ "flush", "", "remove all services and routes", NULL, cmd_flush, NULL, flush_more },
	{ "save", "", "write the tables as commands that restore reads", save_options, cmd_save, NULL, save_more },
	{ "restore", "[FILE]", "make the tables what a file of commands says", restore_options, cmd_restore, NULL,
	  restore_more },
	{ "upgrade", "", "load the module anew while connections go on", upgrade_options, cmd_upgrade, NULL, upgrade_more },
	{ "flows", "", "connections being translated", flows_list_options, cmd_flows_list, NULL, NULL },
	{ "flows list", "", "the same", flows_list_options, cmd_flows_list, NULL, NULL },
	{ "flows del", "", "forget connections", flows_del_options, cmd_flows_del, NULL, flows_del_more },
	{ "sessions", "", "clients remembered for session affinity", sessions_options, cmd_sessions, NULL, NULL },
	{ "stats", "", "counters of this network namespace", stats_options, cmd_stats, NULL, NULL },
	{ "status", "", "how the daemon and the module stand, and what is degraded", status_options, cmd_status, NULL,
	  status_more },
	{ "doctor", "", "what of this machine keeps Services from working", doctor_options, cmd_doctor, NULL, doctor_more },
	{ "takeover", "", "remove what kube-proxy left behind", takeover_options, cmd_takeover, NULL, takeover_more },
	{ "explain", "SRC[:PORT] DST:PORT[/PROTOCOL]", "what the kernel decides for a packet, and why", explain_options,
	  cmd_explain, NULL, explain_more },
	{ "monitor", "[EVENT...]", "show flows, rejected and dropped packets and commits as they happen",
	  monitor_options, cmd_monitor, NULL, monitor_more },

	{ "dns query", "NAME [TYPE]", "ask a DNS server, as a client does", dns_query_options, cmd_dns_query, NULL,
	  dns_query_more },
	{ "lb", "", "who announces which load-balancer address, and why", lb_options, cmd_lb, NULL, lb_more },

	{ "routes", "", "the kernel's routes to other nodes' pods", routes_options, cmd_routes, NULL, routes_more },
	{ "cni write", "[CIDR...]", "write the file for the CNI plugins", cni_write_options, cmd_cni_write, NULL,
	  cni_write_more },
	{ "cni check", "[CIDR...]", "whether that file is as it should be", cni_check_options, cmd_cni_check, NULL,
	  cni_check_more },
	{ "cni remove", "", "remove that file: no new pods", cni_remove_options, cmd_cni_remove, NULL, cni_remove_more },

	{ "help", "[COMMAND]", "what the commands are, or one command's help", NULL, cmd_help, NULL, NULL },
	{ "completion", "bash|zsh|fish", "print a script that completes commands in the shell", NULL, cmd_completion, NULL,
	  completion_more },
	{ }
};

static char prefix[96] = "kservctl";
static int help, version;

static struct poptOption global_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ "dry-run", '\0', POPT_ARG_NONE, &dry_run, 0, "print a change instead of making it", NULL },
	{ "help", 'h', POPT_ARG_NONE, &help, 0, "show this help", NULL },
	{ "version", 'V', POPT_ARG_NONE, &version, 0, "show the version of this program", NULL },
	POPT_TABLEEND
};

static struct poptOption change_options[] = {
	{ "dry-run", '\0', POPT_ARG_NONE, &dry_run, 0, "print the change instead of making it", NULL },
	POPT_TABLEEND
};

static struct poptOption no_options[] = { POPT_TABLEEND };

/* The row with the most words that @words begin with. */
static const struct command *find_command(const char **words, int *ret_n)
{
	const struct command *command, *best = NULL;

	*ret_n = 0;
	for (command = commands; command->words; command++) {
		const char *rest = command->words;
		int n = 0;

		while (*rest && words[n]) {
			size_t len = strcspn(rest, " ");

			if (strlen(words[n]) != len || strncmp(words[n], rest, len))
				break;
			n++;
			rest += len + (rest[len] == ' ');
		}
		if (!*rest && n > *ret_n) {
			best = command;
			*ret_n = n;
		}
	}
	return best;
}

/* Insertions, deletions and replacements that make @a of @b; both shorter than 32. */
static unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[33], i, j, n = strlen(b), diagonal, above;

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (j = 0; j < n; j++) {
			above = row[j + 1];
			diagonal += a[i] != b[j];
			if (above + 1 < diagonal)
				diagonal = above + 1;
			row[j + 1] = row[j] + 1 < diagonal ? row[j] + 1 : diagonal;
			diagonal = above;
		}
	}
	return row[n];
}

/* "kservctl service": the second words there are. */
static enum exit_code say_group(const char *word)
{
	const struct command *command;
	size_t len = strlen(word), used = 0;
	char list[256] = "";

	for (command = commands; command->words; command++)
		if (!strncmp(command->words, word, len) && command->words[len] == ' ' && used < sizeof(list))
			used += snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", command->words);
	return used ? usage_error("'%s' needs one more word; there are %s", word, list) : DONE;
}

static enum exit_code unknown_command(const char **words)
{
	const struct command *command, *nearest = NULL;
	unsigned int distance, least = 4;
	char typed[32];

	if (!words[1] && say_group(words[0]))
		return USAGE;
	for (command = commands; command->words; command++) {
		bool two = strchr(command->words, ' ') && words[1];

		snprintf(typed, sizeof(typed), "%s%s%s", words[0], two ? " " : "", two ? words[1] : "");
		distance = edit_distance(typed, command->words);
		if (distance >= least)
			continue;
		least = distance;
		nearest = command;
	}
	if (nearest)
		return usage_error("there is no command '%s%s%s'; did you mean '%s'?", words[0], words[1] ? " " : "",
				   words[1] ? words[1] : "", nearest->words);
	return usage_error("there is no command '%s'", words[0]);
}

static void print_help(FILE *file)
{
	const struct command *command;

	fprintf(file, "Usage: kservctl [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
	for (command = commands; command->words; command++)
		fprintf(file, "  %-16s %s\n", command->words, command->help);
	fprintf(file, "\nOptions:\n"
		"  -o, --output=FORMAT  how to print: json, yaml or wide, where a command has it\n"
		"      --no-headers     leave out the line of headings\n"
		"      --dry-run        print a change instead of making it\n"
		"  -h, --help           show this help; kservctl COMMAND --help shows that of a command\n"
		"  -V, --version        show the version of this program\n"
		"\n"
		"Exit codes: 0 done, 1 refused or not found, 2 usage, 3 the kserv module is not loaded.\n");
}

/* The options of a command as popt wants them; @table has room for 4. */
static void fill_options(const struct command *command, struct poptOption *table, int *want_help)
{
	const struct poptOption rows[4] = {
		{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, command->options ? command->options : no_options, 0, NULL, NULL },
		{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, command->build ? change_options : no_options, 0, NULL, NULL },
		{ "help", 'h', POPT_ARG_NONE, want_help, 0, "show this help", NULL },
		POPT_TABLEEND
	};

	memcpy(table, rows, sizeof(rows));
}

static void print_command_help(const struct command *command)
{
	struct poptOption table[4];
	const char *argv[] = { prefix, NULL };
	poptContext context;
	int unused;

	fill_options(command, table, &unused);
	snprintf(prefix, sizeof(prefix), "kservctl %s", command->words);
	context = poptGetContext(NULL, 1, argv, table, 0);
	poptSetOtherOptionHelp(context, command->arguments);
	poptPrintHelp(context, stdout, 0);
	poptFreeContext(context);
	if (command->more)
		printf("\n%s", command->more);
}

static enum exit_code run_change(const struct command *command, int argc, const char **argv)
{
	struct kserv_transaction transaction;
	enum exit_code code;

	if (kserv_transaction_init(&transaction))
		no_memory();
	code = command->build(argc, argv, &transaction);
	if (!code)
		return send_transaction(&transaction);
	kserv_transaction_clear(&transaction);
	return code;
}

/* Parses the options behind a command's words, @argv[0] being the last of them, and does it. */
static enum exit_code run_command(const struct command *command, int argc, const char **argv,
				  struct kserv_transaction *transaction)
{
	const char *none[] = { NULL }, **arguments;
	struct poptOption table[4];
	int want_help = 0, code, n = 0;
	poptContext context;

	fill_options(command, table, &want_help);
	context = poptGetContext(NULL, argc, argv, table, 0);
	code = poptGetNextOpt(context);
	arguments = poptGetArgs(context);
	arguments = arguments ? arguments : none;
	while (arguments[n])
		n++;
	if (code < -1)
		code = usage_error("%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(code));
	else if (want_help)
		print_command_help(command), code = DONE;
	else if (transaction)
		code = command->build(n, arguments, transaction);
	else if (command->build)
		code = run_change(command, n, arguments);
	else
		code = command->run(n, arguments);
	poptFreeContext(context);
	return code;
}

enum exit_code build_line(int argc, const char **argv, struct kserv_transaction *transaction)
{
	const struct command *outer = current_command, *command;
	enum exit_code code;
	int n;

	/* A line may be copied from a shell as it is. */
	if (argc > 1 && !strcmp(argv[0], "kservctl")) {
		argc--;
		argv++;
	}
	command = find_command(argv, &n);
	if (!command)
		return unknown_command(argv);
	if (!command->build)
		return usage_error("'%s' changes no tables, so it cannot stand here", command->words);
	current_command = command;
	code = run_command(command, argc - n + 1, argv + n - 1, transaction);
	current_command = outer;
	return code;
}

static enum exit_code cmd_help(int argc, const char **argv)
{
	const struct command *command;
	int n;

	if (!argc) {
		print_help(stdout);
		return DONE;
	}
	command = find_command(argv, &n);
	if (!command) {
		current_command = NULL;
		return unknown_command(argv);
	}
	print_command_help(command);
	return DONE;
}

/* What stands behind the global options. */
static enum exit_code run_words(const char **words)
{
	int n_words, n = 0;

	if (help || version) {
		if (help)
			print_help(stdout);
		else
			printf("kservctl %s\n", KSERV_VERSION);
		return DONE;
	}
	if (!words) {
		print_help(stderr);
		return USAGE;
	}
	current_command = find_command(words, &n_words);
	if (!current_command)
		return unknown_command(words);
	while (words[n])
		n++;
	snprintf(prefix, sizeof(prefix), "kservctl: %s", current_command->words);
	return run_command(current_command, n - n_words + 1, words + n_words - 1, NULL);
}

int main(int argc, const char **argv)
{
	poptContext context = poptGetContext("kservctl", argc, argv, global_options, POPT_CONTEXT_POSIXMEHARDER);
	enum exit_code code;
	int option;

	kserv_log_prefix(prefix);
	option = poptGetNextOpt(context);
	if (option < -1)
		code = usage_error("%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(option));
	else
		code = run_words(poptGetArgs(context));
	if (fflush(stdout) || ferror(stdout)) {
		/* A reader that has seen enough, as head, is no failure. */
		if (errno != EPIPE)
			kserv_log_error("cannot write the output: %s", strerror(errno));
		code = code ? code : REFUSED;
	}
	poptFreeContext(context);
	return code;
}
