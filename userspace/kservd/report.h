/* SPDX-License-Identifier: GPL-2.0 */
/* What `kservctl status` and `kservctl diff` show: how the daemon and the kernel stand, as JSON. */
#ifndef KSERVD_REPORT_H
#define KSERVD_REPORT_H

#include "cluster/memory.h"

struct daemon;
struct kserv_nl_error;

/* Append an object; "degraded" in it lists what is wrong, each a sentence. */
void report_status(struct daemon *daemon, struct kserv_text *text);

/**
 * report_differences() - where the kernel is not what the objects lead to
 * @text: an object is appended: its "differences" are sentences, "generation" is that of the kernel's tables
 *
 * All is planned anew, without regard to what the daemon has done; nothing is changed.
 * Return: 0; -ENOENT without the module; -errno, maybe with words.
 */
int report_differences(struct daemon *daemon, struct kserv_text *text, struct kserv_nl_error *ret_error);

#endif
