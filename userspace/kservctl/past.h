/* SPDX-License-Identifier: GPL-2.0 */
/* What goes on in a network namespace, taken from the kernel or a file and put back: flows and remembered clients. */
#ifndef KSERVCTL_PAST_H
#define KSERVCTL_PAST_H

#include <stdbool.h>
#include <stdio.h>
#include "kservctl/collect.h"

/* The nests of flow-get and session-get. */
struct past {
	struct nests flows, sessions;
};

void past_clear(struct past *past);
/* Reads both from the kernel; complains when that fails. */
enum exit_code past_collect(struct kserv_nl *nl, struct past *ret_past);

/* The first words of the lines that stand for one of them. */
#define PAST_FORMAT "format"
#define PAST_FLOW "flow"
#define PAST_SESSION "session"
/* The lines' version, see kservctl(8). */
#define PAST_VERSION 1

/* A line for each. */
void past_write(FILE *file, const struct past *past);
/* Is that the first word of such a line? */
bool past_is_line(const char *word);
/* Adds what a line says, @words[0] being its first word; complains when it says nothing. */
enum exit_code past_read(struct past *past, int n, const char **words);

/**
 * past_restore() - put all of it into the kernel, beside the tables in force
 * @lenient: what the kernel refuses is told and left out, else nothing of a message is put back that has such a thing
 * @ret_refused: how many were left out
 */
enum exit_code past_restore(struct kserv_nl *nl, const struct past *past, bool lenient, size_t *ret_refused);

#endif
