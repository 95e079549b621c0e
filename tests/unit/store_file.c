// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "source/store.h"
#include "store_file.h"

struct kserv_store *open_store(const char *path)
{
	struct kserv_store *store;
	char *why = NULL;

	if (kserv_store_open(path, true, &store, &why))
		fail_msg("%s", why);
	return store;
}
