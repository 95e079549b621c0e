/* SPDX-License-Identifier: GPL-2.0 */
/* Reading services from the kernel, for the commands that list them or parts of them. */
#ifndef KSERVCTL_SERVICES_H
#define KSERVCTL_SERVICES_H

#include "kservctl/kservctl.h"
#include "lib/attributes.h"

/* Services sorted; @only as for kserv_dump(). Complains when that fails, or when there is no such one. */
enum exit_code read_services(const struct kserv_service *only, struct kserv_tables *ret_tables);
/* The services called @name; all for NULL. */
enum exit_code read_services_called(const char *name, struct kserv_tables *ret_tables);

/**
 * print_services() - print a list of JSON or YAML, made from the services called @name (all for NULL) by @print
 * @print: called for each service as a tree with the protocol's names; passes items on to print_list_item()
 */
enum exit_code print_services(const char *name, enum output_format format,
			      void (*print)(cJSON *service, enum output_format format));

/* As print_service: an item for each member of the array @key, with the names of its service in front. */
void print_members(cJSON *service, const char *key, enum output_format format);

/* "local+serving", "-" for none. */
const char *format_flags(const struct kserv_words *words, uint32_t flags, char *buffer, size_t size);

#endif
