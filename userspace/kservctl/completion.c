// SPDX-License-Identifier: GPL-2.0
/* kservctl completion: a script for a shell, made from the command table. */
#include <stdio.h>
#include <string.h>
#include "kservctl/commands.h"

struct poptOption completion_options[] = { POPT_TABLEEND };

const char completion_more[] =
	"The packages install these; by hand:\n\n"
	"  kservctl completion bash > /etc/bash_completion.d/kservctl\n"
	"  kservctl completion zsh > /usr/local/share/zsh/site-functions/_kservctl\n"
	"  kservctl completion fish > /etc/fish/completions/kservctl.fish\n";

/*
 * What is typed, without options, is looked up among rows of what may follow it; arguments are left away from its end
 * until there is such a row.
 */
struct shell {
	const char *name, *before, *row, *row_words, *row_end, *after;
};

/* What bash and zsh write alike. */
#define TYPED_WITHOUT_OPTIONS				\
	"\t\tcase $word in -*) continue ;; esac\n"	\
	"\t\ttyped=\"${typed:+$typed }$word\"\n"		\
	"\tdone\n"					\
	"\twhile :; do\n"				\
	"\tcase $typed in\n"
#define ONE_WORD_LESS					\
	"\t*' '*) typed=${typed% *}; continue ;;\n"	\
	"\tesac\n"					\
	"\tbreak\n"					\
	"\tdone\n"

static const struct shell shells[] = {
	{
		.name = "bash",
		.before = "_kservctl() {\n"
			  "\tlocal typed= word next=\n"
			  "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
			  TYPED_WITHOUT_OPTIONS,
		.row = "\t'", .row_words = "') next='", .row_end = "' ;;\n",
		.after = ONE_WORD_LESS
			 "\tmapfile -t COMPREPLY < <(compgen -W \"$next\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
			 "\t[ ${#COMPREPLY[@]} -gt 0 ] || compopt -o default\n"
			 "}\n"
			 "complete -F _kservctl kservctl\n",
	},
	{
		.name = "zsh",
		.before = "#compdef kservctl\n"
			  "_kservctl() {\n"
			  "\tlocal typed= word next=\n"
			  "\tfor word in \"${(@)words[2,CURRENT-1]}\"; do\n"
			  TYPED_WITHOUT_OPTIONS,
		.row = "\t'", .row_words = "') next='", .row_end = "' ;;\n",
		.after = ONE_WORD_LESS
			 "\tcompadd -- ${=next} || _files\n"
			 "}\n"
			 /* Read as a function of this name, or by source. */
			 "if [[ $funcstack[1] = _kservctl ]]; then _kservctl; else compdef _kservctl kservctl; fi\n",
	},
	{
		.name = "fish",
		.before = "function __kservctl_next\n"
			  "\tset -l typed (string match -v -- '-*' (commandline -opc)[2..])\n"
			  "\tset -l next\n"
			  "\twhile true\n"
			  "\t\tswitch \"$typed\"\n",
		.row = "\t\tcase '", .row_words = "'\n\t\t\tset next", .row_end = "\n",
		.after = "\t\tcase '* *'\n"
			 "\t\t\tset -e typed[-1]\n"
			 "\t\t\tcontinue\n"
			 "\t\tend\n"
			 "\t\tbreak\n"
			 "\tend\n"
			 "\tprintf '%s\\n' $next\n"
			 "end\n"
			 "complete -c kservctl -f -a '(__kservctl_next)'\n"
			 "complete -c kservctl -s f -l filename -l config -l store -l socket -r -F\n",
	},
};

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

/* The words typed so far and what may follow them. */
static void print_row(const struct shell *shell, const char *words, size_t len, const struct poptOption *options)
{
	printf("%s%.*s%s", shell->row, (int)len, words, shell->row_words);
	print_next_words(words, len);
	print_options(options);
	printf(" --help%s", shell->row_end);
}

static void print_rows(const struct shell *shell)
{
	const struct command *command, *other;
	const char *group = "";
	size_t len;

	print_row(shell, "", 0, NULL);
	for (command = commands; command->words; command++) {
		len = strcspn(command->words, " ");
		for (other = commands; other->words; other++)
			if (!strncmp(other->words, command->words, len) && !other->words[len])
				break;
		/* A first word that is no command itself has a row of its own. */
		if (command->words[len] && !other->words && strncmp(group, command->words, len + 1))
			print_row(shell, command->words, len, NULL);
		group = command->words;
		print_row(shell, command->words, strlen(command->words), command->options);
	}
}

enum exit_code cmd_completion(int argc, const char **argv)
{
	size_t i;

	for (i = 0; argc == 1 && i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(argv[0], shells[i].name))
			continue;
		fputs(shells[i].before, stdout);
		print_rows(&shells[i]);
		fputs(shells[i].after, stdout);
		return DONE;
	}
	return usage_error("for which shell? there are bash, zsh and fish");
}
