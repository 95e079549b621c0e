/* SPDX-License-Identifier: GPL-2.0 */
/* Reading the kernel's tables. */
#ifndef KSERV_DUMP_H
#define KSERV_DUMP_H

#include "lib/message.h"
#include "lib/nl.h"
#include "lib/tables.h"

enum kserv_dump_parts {
	KSERV_DUMP_CONFIG = 1 << 0,
	KSERV_DUMP_SERVICES = 1 << 1,
	KSERV_DUMP_ROUTES = 1 << 2,
	KSERV_DUMP_ALL = (1 << 3) - 1,
};

/* What the kernel says about itself along with the configuration. */
struct kserv_status {
	uint32_t generation, services, frontends, endpoints, routes, flows, sessions;
	char version[32];
};

/**
 * kserv_dump() - read @parts as they are at one moment
 * @only: services of this name, and where it has them, of this family and protocol; NULL for all
 * @ret_tables: sorted; clear with kserv_tables_clear(). Its generation is set whatever @parts are.
 *
 * Begins again when somebody commits meanwhile.
 * Return: 0; -EAGAIN if that happened too often; -errno with the words in @ret_error.
 */
int kserv_dump(struct kserv_nl *nl, unsigned int parts, const struct kserv_service *only,
	       struct kserv_tables *ret_tables, struct kserv_nl_error *ret_error);
/* Append which services a dump is about. */
void kserv_dump_put_only(struct kserv_message *message, const struct kserv_service *only);

/* Configuration, generation and sizes; @ret_config may be NULL and is cleared with kserv_config_clear(). */
int kserv_dump_status(struct kserv_nl *nl, struct kserv_config *ret_config, struct kserv_status *ret_status,
		      struct kserv_nl_error *ret_error);

/* The counters of the namespace, one after the other: @visit gets a name as "packets-rejected". Return: 0 or -errno. */
int kserv_dump_counters(struct kserv_nl *nl, void (*visit)(void *context, const char *name, uint64_t value),
			void *context, struct kserv_nl_error *ret_error);

#endif
