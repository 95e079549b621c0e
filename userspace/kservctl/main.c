// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/kservctl.h"

#ifndef KSERV_VERSION
#define KSERV_VERSION "unknown"
#endif

const struct command commands[] = {
	{ }
};

const struct command *current_command;

static char prefix[64] = "kservctl";

enum exit_code usage_error(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kserv_log_error("%s; see kservctl %s%s--help", text, current_command ? current_command->words : "",
			current_command ? " " : "");
	return USAGE;
}

enum exit_code failed(int error)
{
	kserv_log_error("%s (%s)", strerror(-error), strerrorname_np(-error));
	return REFUSED;
}

/* The longest row whose words begin @args; @ret_n says how many words that are. */
static const struct command *find_command(const char **args, int *ret_n)
{
	const struct command *command, *best = NULL;

	*ret_n = 0;
	for (command = commands; command->words; command++) {
		const char *rest = command->words;
		int n = 0;

		while (*rest && args[n]) {
			size_t len = strcspn(rest, " ");

			if (strlen(args[n]) != len || strncmp(args[n], rest, len))
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

static void print_help(FILE *file)
{
	const struct command *command;

	fprintf(file, "Usage: kservctl [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
	for (command = commands; command->words; command++)
		fprintf(file, "  %-16s %s\n", command->words, command->help);
	fprintf(file, "\nkservctl COMMAND --help says more about one.\n"
		"Exit codes: 0 done, 1 refused or not found, 2 usage, 3 the kserv module is not loaded.\n");
}

static enum exit_code run_command(const struct command *command, int argc, const char **argv)
{
	struct poptOption no_options[] = { POPT_TABLEEND };
	int help = 0;
	struct poptOption table[] = {
		{ NULL, 0, POPT_ARG_INCLUDE_TABLE, command->options ? command->options : no_options, 0, NULL, NULL },
		{ "help", 'h', POPT_ARG_NONE, &help, 0, "show this help", NULL },
		POPT_TABLEEND
	};
	const char **rest, *none[] = { NULL };
	poptContext context;
	int code, n = 0;

	snprintf(prefix, sizeof(prefix), "kservctl %s", command->words);
	argv[0] = prefix;
	context = poptGetContext(NULL, argc, argv, table, 0);
	poptSetOtherOptionHelp(context, command->arguments);
	code = poptGetNextOpt(context);
	snprintf(prefix, sizeof(prefix), "kservctl: %s", command->words);
	if (code < -1) {
		code = usage_error("%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(code));
	} else if (help) {
		snprintf(prefix, sizeof(prefix), "kservctl %s", command->words);
		poptPrintHelp(context, stdout, 0);
		if (command->more)
			printf("\n%s", command->more);
		code = DONE;
	} else {
		rest = poptGetArgs(context);
		if (!rest)
			rest = none;
		while (rest[n])
			n++;
		code = command->run(n, rest);
	}
	poptFreeContext(context);
	return code;
}

int main(int argc, const char **argv)
{
	int help = 0, version = 0, code, n_words, n = 0;
	struct poptOption options[] = {
		{ "help", 'h', POPT_ARG_NONE, &help, 0, NULL, NULL },
		{ "version", 'V', POPT_ARG_NONE, &version, 0, NULL, NULL },
		POPT_TABLEEND
	};
	poptContext context = poptGetContext("kservctl", argc, argv, options, POPT_CONTEXT_POSIXMEHARDER);
	const char **words;

	kserv_log_prefix(prefix);
	code = poptGetNextOpt(context);
	if (code < -1)
		return usage_error("%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(code));
	words = poptGetArgs(context);
	if (help) {
		print_help(stdout);
		return DONE;
	}
	if (version) {
		printf("kservctl %s\n", KSERV_VERSION);
		return DONE;
	}
	if (!words) {
		print_help(stderr);
		return USAGE;
	}
	current_command = find_command(words, &n_words);
	if (!current_command)
		return usage_error("there is no command '%s'", words[0]);
	while (words[n])
		n++;
	code = run_command(current_command, n - n_words + 1, words + n_words - 1);
	if (fflush(stdout) || ferror(stdout)) {
		kserv_log_error("cannot write the output: %s", strerror(errno));
		code = REFUSED;
	}
	poptFreeContext(context);
	return code;
}
