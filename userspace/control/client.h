/* SPDX-License-Identifier: GPL-2.0 */
/* The other end of the daemon's socket. */
#ifndef KSERV_CONTROL_CLIENT_H
#define KSERV_CONTROL_CLIENT_H

#include <stdbool.h>
#include "cluster/memory.h"

/* Somebody listens there. */
bool kserv_control_is_there(const char *path);

/**
 * kserv_control_call() - one request
 * @url: path and what is behind the question mark
 * @body: NULL for none
 * @ret_status: of HTTP
 * @ret_body: appended to
 *
 * Return: 0, or -errno if no answer came: -ENOENT and -ECONNREFUSED if nobody listens, -EACCES if we may not ask.
 */
int kserv_control_call(const char *path, const char *method, const char *url, const struct kserv_text *body,
		       unsigned int *ret_status, struct kserv_text *ret_body);

#endif
