/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of CIDRs. */
#ifndef KSERV_PREFIXES_H
#define KSERV_PREFIXES_H

#include "lib/tables.h"

/* Return: 0 or -ENOMEM. */
int kserv_prefixes_add(struct kserv_prefixes *prefixes, const struct kserv_prefix *prefix);
/* Sort, and leave one of those that are alike. */
void kserv_prefixes_sort(struct kserv_prefixes *prefixes);

#endif
