/* SPDX-License-Identifier: GPL-2.0 */
/* What a sync would change, in sentences. */
#ifndef KSERV_COMPARE_H
#define KSERV_COMPARE_H

#include "lib/tables.h"

/**
 * kserv_sync_compare() - where the kernel is not as it should be
 * @desired: sorted
 * @actual: as the kernel holds it, sorted
 * @visit: called for the configuration, the routes and each service that differ: "service default/web:http, tcp, IPv4: it
 *	is not in the kernel"
 *
 * Return: 0 or -errno (-ENOMEM, -E2BIG for a name that is too long).
 */
int kserv_sync_compare(const struct kserv_tables *desired, const struct kserv_tables *actual,
		       void (*visit)(void *context, const char *sentence), void *context);

#endif
