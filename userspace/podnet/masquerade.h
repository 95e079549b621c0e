/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pods that speak to somebody outside of the cluster do so with their node's address, by the kernel's own NAT: the
 * table "inet kserv" of nftables, which is ours alone. docs/design.md says why it is not the module's.
 */
#ifndef KSERV_MASQUERADE_H
#define KSERV_MASQUERADE_H

#include <stdbool.h>
#include "lib/tables.h"

/**
 * kserv_masquerade_text() - the table, as nft reads it
 * @pods: who is masqueraded, this node's pod CIDRs
 * @inside: towards whom nobody is
 * @node_port_min, @node_port_max: ports that no connection may leave from, since answers to them go to Services
 *
 * Return: text, which the caller frees.
 */
char *kserv_masquerade_text(const struct kserv_prefixes *pods, const struct kserv_prefixes *inside,
			    uint16_t node_port_min, uint16_t node_port_max);

/**
 * struct kserv_masquerade - the table that was made last
 * @wanted: what was asked for; NULL: nothing was made yet
 * @held: how the kernel told it then
 */
struct kserv_masquerade {
	char *wanted, *held;
};

/**
 * kserv_masquerade_apply() - make the kernel hold the table @text, and no other of ours
 * @text: NULL: no table
 * @ret_changed: false if it was so already
 *
 * It is replaced at once and whole. Connections that are there keep the addresses they have.
 * Return: 0, or -errno with a sentence, which the caller frees.
 */
int kserv_masquerade_apply(struct kserv_masquerade *masquerade, const char *text, bool *ret_changed, char **ret_why);

void kserv_masquerade_clear(struct kserv_masquerade *masquerade);

#endif
