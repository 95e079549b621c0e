/* SPDX-License-Identifier: GPL-2.0 */
/* Other programs that do a part of the work: those of iptables, nftables, kmod. */
#ifndef KSERVCTL_SPAWN_H
#define KSERVCTL_SPAWN_H

#include "cluster/memory.h"

/**
 * run_program() - run @command, its first word being found in PATH, until it ends
 * @input: its standard input, or NULL
 * @output: what it prints, complaints too, is appended; may be NULL
 *
 * Return: its exit code, or -1 if it is not there.
 */
int run_program(char *const *command, const char *input, struct kserv_text *output);

#endif
