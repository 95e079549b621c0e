// SPDX-License-Identifier: GPL-2.0
/* kservctl completion: a script for the shell, made from the command table. */
#include <stdio.h>
#include <string.h>
#include "kservctl/commands.h"

struct poptOption completion_options[] = { POPT_TABLEEND };

const char completion_more[] =
	"  kservctl completion bash > /etc/bash_completion.d/kservctl\n";

static void print_options(const struct poptOption *option)
{
	for (; option && (option->longName || option->shortName || option->arg); option++) {
		if ((option->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE)
			print_options(option->arg);
		else if (option->longName)
			printf(" --%s", option->longName);
	}
}

/* The words that may follow @words[0..len], each once; commands of one group stand together in the table. */
static void print_next_words(const char *words, size_t len)
{
	const struct command *command;
	const char *last = "";
	size_t last_len = 0;

	for (command = commands; command->words; command++) {
		const char *next = command->words + len;
		size_t next_len;

		if (len && (strncmp(command->words, words, len) || *next++ != ' '))
			continue;
		next_len = strcspn(next, " ");
		if (next_len == last_len && !strncmp(next, last, next_len))
			continue;
		printf(" %.*s", (int)next_len, next);
		last = next;
		last_len = next_len;
	}
}

/* A row of the script's case: the words typed so far and what may follow them. */
static void print_case(const char *words, size_t len, const struct poptOption *options)
{
	printf("\t'%.*s') words='", (int)len, words);
	print_next_words(words, len);
	print_options(options);
	printf(" --help' ;;\n");
}

static void print_cases(void)
{
	const struct command *command, *other;
	const char *group = "";
	size_t len;

	print_case("", 0, NULL);
	for (command = commands; command->words; command++) {
		len = strcspn(command->words, " ");
		for (other = commands; other->words; other++)
			if (!strncmp(other->words, command->words, len) && !other->words[len])
				break;
		/* A first word that is no command itself has a row of its own. */
		if (command->words[len] && !other->words && strncmp(group, command->words, len + 1))
			print_case(command->words, len, NULL);
		group = command->words;
		print_case(command->words, strlen(command->words), command->options);
	}
}

enum exit_code cmd_completion(int argc, const char **argv)
{
	if (argc != 1 || strcmp(argv[0], "bash"))
		return usage_error("for which shell? there is bash (zsh reads it after bashcompinit)");
	puts("_kservctl() {\n"
	     "\tlocal typed= word words\n"
	     "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	     "\t\tcase $word in -*) continue ;; esac\n"
	     "\t\ttyped=\"${typed:+$typed }$word\"\n"
	     "\tdone\n"
	     "\twhile :; do\n"
	     "\tcase $typed in");
	print_cases();
	puts("\t*) typed=${typed% *}; continue ;;\n"
	     "\tesac\n"
	     "\tbreak\n"
	     "\tdone\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
	     "\t[ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default\n"
	     "}\n"
	     "complete -F _kservctl kservctl");
	return DONE;
}
