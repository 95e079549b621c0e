/* SPDX-License-Identifier: GPL-2.0 */
/* What `kservctl status` shows: how the daemon stands, as JSON. */
#ifndef KSERVD_REPORT_H
#define KSERVD_REPORT_H

#include "cluster/memory.h"

struct daemon;

/* Append an object; "degraded" in it lists what is wrong, each a sentence. */
void report_status(struct daemon *daemon, struct kserv_text *text);

#endif
