/* SPDX-License-Identifier: GPL-2.0 */
/* kservctl: the command table and what commands share. */
#ifndef KSERVCTL_H
#define KSERVCTL_H

#include <cjson/cJSON.h>
#include <popt.h>
#include <stdbool.h>
#include <stddef.h>
#include "lib/log.h"
#include "lib/nl.h"
#include "lib/tables.h"
#include "lib/transaction.h"

/* Exit codes; also printed by --help. */
enum exit_code {
	DONE,			/* done, or nothing to do */
	REFUSED,		/* refused, not found, or (diff) differences */
	USAGE,			/* the command line is wrong */
	NO_MODULE,		/* the kserv module is not loaded */
};

/**
 * struct command - one command; help, usage and completion come from this
 * @words: "service set"
 * @arguments: as they stand in the usage line: "NAME PROTOCOL ADDRESS:PORT..."
 * @help: one line, lower case, no full stop
 * @options: popt table, or NULL; include output_options in it where a list is printed
 * @run: called with the arguments that are no options, NULL at the end; returns an enum exit_code.
 *	A complaint goes to kserv_log_error(), which puts "kservctl: service set: " in front.
 * @build: instead of @run, for commands that change the kernel's tables: appends to @transaction, which the caller
 *	sends (restore: together with that of other lines). Leaves its options as it wants to find them next time.
 * @more: what --help says after the options (examples, words that values may have), or NULL
 */
struct command {
	const char *words;
	const char *arguments;
	const char *help;
	struct poptOption *options;
	enum exit_code (*run)(int argc, const char **argv);
	enum exit_code (*build)(int argc, const char **argv, struct kserv_transaction *transaction);
	const char *more;
};

/* The table, in main.c; ended by a row without words. */
extern const struct command commands[];
/* The row that is running. */
extern const struct command *current_command;

/**
 * build_line() - build a command of the table from words, as restore does for each line of its input
 * @argv: the command's words and arguments, NULL at the end; argv[argc] is NULL
 */
enum exit_code build_line(int argc, const char **argv, struct kserv_transaction *transaction);

/* The command line is wrong: says why and where the help is. Returns USAGE. */
__attribute__((format(printf, 1, 2))) enum exit_code usage_error(const char *format, ...);
/* Opens the socket, or says why not. Returns DONE, REFUSED or NO_MODULE. */
enum exit_code open_kernel(struct kserv_nl **ret_nl);
/* Says why the kernel refused. @error: -errno as returned by the library. Returns REFUSED or NO_MODULE. */
enum exit_code refused(int error, const struct kserv_nl_error *words);
/* The same for an error without words of the kernel. */
enum exit_code failed(int error);
/* There is no memory: says so and exits. */
__attribute__((noreturn)) void no_memory(void);
/* Commits @transaction, or prints it if --dry-run was given, and clears it. */
enum exit_code send_transaction(struct kserv_transaction *transaction);
/* A file of lines is being read: each says all of what it is about, the kernel is not asked. */
extern bool in_batch;
/* --dry-run: print what would be sent instead of sending it. */
extern int dry_run;

/* How results are printed: -o and --no-headers, set by output_options. */
enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME };

extern struct poptOption output_options[];	/* -o json|yaml|wide, --no-headers */
extern bool no_headers;
/* Reads -o; false (and complains) for a format that is not among @allowed, a bit 1 << OUTPUT_* for each. */
bool output_format(unsigned int allowed, enum output_format *ret_format);

/**
 * struct table - rows of text that are printed aligned, columns two blanks apart
 * @headings: upper case, tab between columns
 */
struct table;
struct table *table_new(const char *headings);
/* Cells with a tab in between; numbers are aligned to the right where a column has nothing but numbers. */
__attribute__((format(printf, 2, 3))) void table_row(struct table *table, const char *format, ...);
/* Prints to stdout and frees. */
void table_print(struct table *table);

/* A list of objects too long to be held as one tree: begin, an item each (which is freed), end. */
void print_list_begin(enum output_format format);
void print_list_item(cJSON *tree, enum output_format format);
void print_list_end(enum output_format format);
/* One JSON or YAML document on stdout, as @format says; @tree is freed. */
void print_tree(cJSON *tree, enum output_format format);
/* One JSON object a line, flushed; @tree is freed. */
void print_line(cJSON *tree);

#endif
