/* SPDX-License-Identifier: GPL-2.0 */
/* Files as a whole. */
#ifndef KSERV_FILE_H
#define KSERV_FILE_H

#include <stdbool.h>
#include "cluster/memory.h"

/* Larger ones are refused with -EFBIG: no manifest is. */
#define KSERV_FILE_MAX	(256UL << 20)

/* Append what is in the file to @text; "-" is standard input. Return: 0 or -errno. */
int kserv_file_read(const char *path, struct kserv_text *text);

/**
 * kserv_file_replace() - let the file hold @text, whole or not at all; folders on the way are made
 * Meanwhile there is PATH.temp beside it. Other programs may read it, whoever runs them.
 * @ret_changed: it held something else, or was not there
 *
 * Return: 0 or -errno; the file is as it was then.
 */
int kserv_file_replace(const char *path, const char *text, bool *ret_changed);

#endif
