/* SPDX-License-Identifier: GPL-2.0 */
/* The messages of a dump kept as they came, to be printed when all of them are there and belong together. */
#ifndef KSERVCTL_COLLECT_H
#define KSERVCTL_COLLECT_H

#include <linux/netlink.h>
#include "kservctl/kservctl.h"

/* @data holds the payloads of one nest type, each behind its own length, which is a multiple of 4. */
struct nests {
	unsigned char *data;
	size_t len, room, n;
};

/**
 * collect() - send @request as a dump and keep the nests of @type that the answers have
 * @request: cleared
 * Complains when that fails.
 */
enum exit_code collect(struct kserv_nl *nl, struct kserv_message *request, unsigned int type, struct nests *ret_nests);
/* Append one; @len is what its attributes have, aligned or not. */
void nests_add(struct nests *nests, const void *payload, size_t len);
void nests_clear(struct nests *nests);

/* The payload of the next nest; *@pos is 0 at first. NULL at the end. */
const struct nlattr *nests_next(const struct nests *nests, size_t *pos, size_t *ret_len);

#endif
