/* SPDX-License-Identifier: GPL-2.0 */
/* What kube-proxy leaves behind in a node: chains of iptables, tables of nftables, services of ipvs, sets of ipset. */
#ifndef KSERVCTL_LEFTOVER_H
#define KSERVCTL_LEFTOVER_H

#include <stdbool.h>
#include <stddef.h>
#include "cluster/memory.h"

/**
 * struct leftover - one thing that is there, and how it goes
 * @what: "12 chains and 30 rules of iptables-nft"
 * @command: program and arguments; NULL if it cannot be removed, then @what says why
 * @input: its standard input, or NULL
 */
struct leftover {
	char *what;
	char *command[8];
	char *input;
};

/**
 * struct leftovers - all of them
 * @translated: connections that connection tracking goes on translating for it
 * @kept: the table of nftables is there that sees to it, see leftovers_keep()
 */
struct leftovers {
	struct leftover *v;
	size_t n, translated;
	bool kept;
};

/**
 * leftover_script() - input for iptables-restore --noflush that removes kube-proxy's part
 * @saved: what iptables-save printed
 * @ret_chains, @ret_rules: of kube-proxy; its rules in the chains of others count alone
 *
 * Pure. kubelet's own chains stay. Return: the script, which the caller frees; NULL if there is nothing to remove.
 */
char *leftover_script(const char *saved, size_t *ret_chains, size_t *ret_rules);

/* Look for all of them; in the order in which they are to be removed. */
void leftovers_find(struct leftovers *ret);
/**
 * leftovers_keep() - let connections go on that are translated, whatever rules are removed
 * The kernel's translation works as long as there are rules that need it. A table of ours has one that does nothing;
 * leftovers_find() finds it when these connections have ended.
 * Return: true, or false after saying why not.
 */
bool leftovers_keep(struct leftovers *leftovers);
/* How that is done, for people. */
extern const char leftovers_keep_script[];
/* Remove one. Return: true, or false after saying why not. */
bool leftover_remove(const struct leftover *leftover);
void leftovers_clear(struct leftovers *leftovers);

/* A process of this name runs; kernel threads and zombies do not count. */
bool process_runs(const char *name);
/* The first line of a small file, as those of /proc and /sys, without its newline; false if it cannot be read. */
bool read_line(const char *path, char *buffer, size_t size);

#endif
