/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

struct kserv_store;

/* The store in this file, which is made if it is not there; the test fails where that fails. */
struct kserv_store *open_store(const char *path);

#endif
