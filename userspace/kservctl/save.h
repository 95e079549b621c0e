/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KSERVCTL_SAVE_H
#define KSERVCTL_SAVE_H

#include <stdio.h>
#include "lib/tables.h"

/* Writes the tables as lines that restore reads. */
void write_tables(FILE *file, const struct kserv_tables *tables);

#endif
