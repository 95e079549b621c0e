/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of the embedded store that were asked for on the socket: store and kernel change together, or neither. */
#ifndef KSERVD_CHANGE_H
#define KSERVD_CHANGE_H

#include "control/answer.h"

struct daemon;

/* Each fills @answer. */
void change_apply(struct daemon *daemon, struct kserv_control_request *request, struct kserv_control_answer *answer);
void change_delete(struct daemon *daemon, struct kserv_control_request *request, struct kserv_control_answer *answer);
/* The store read anew, and all of it compared with the kernel. */
void change_sync(struct daemon *daemon, struct kserv_control_answer *answer);

#endif
