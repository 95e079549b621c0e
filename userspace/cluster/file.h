/* SPDX-License-Identifier: GPL-2.0 */
/* Files as a whole. */
#ifndef KSERV_FILE_H
#define KSERV_FILE_H

#include "cluster/memory.h"

/* Larger ones are refused with -EFBIG: no manifest is. */
#define KSERV_FILE_MAX	(256UL << 20)

/* Append what is in the file to @text; "-" is standard input. Return: 0 or -errno. */
int kserv_file_read(const char *path, struct kserv_text *text);

#endif
