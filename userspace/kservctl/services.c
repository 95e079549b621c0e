// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "kservctl/collect.h"
#include "kservctl/services.h"
#include "lib/dump.h"
#include "lib/json.h"
#include "lib/place.h"
#include "lib/read.h"

const char *format_flags(const struct kserv_words *words, uint32_t flags, char *buffer, size_t size)
{
	size_t used = 0;
	unsigned int i;

	snprintf(buffer, size, "-");
	for (i = 0; i < words->n && used < size; i++)
		if (flags & 1U << i)
			used += snprintf(buffer + used, size - used, "%s%s", used ? "+" : "", words->v[i]);
	return buffer;
}

static enum exit_code not_found(const char *name)
{
	kserv_log_error("there is no service called %s", name);
	return REFUSED;
}

enum exit_code read_services(const struct kserv_service *only, struct kserv_tables *ret_tables)
{
	struct kserv_nl_error words;
	enum exit_code code;
	struct kserv_nl *nl;
	int error;

	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_dump(nl, KSERV_DUMP_SERVICES, only, ret_tables, &words);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	if (!only || ret_tables->n_services)
		return DONE;
	kserv_tables_clear(ret_tables);
	return not_found(only->name);
}

enum exit_code read_services_called(const char *name, struct kserv_tables *ret_tables)
{
	const struct kserv_service only = { .name = (char *)name };

	return read_services(name ? &only : NULL, ret_tables);
}

/* A nest of the dump, in the order in which services are printed. */
struct part {
	char name[KSERV_NAME_LEN + 1];
	uint8_t family, protocol;
	size_t index;
	const struct nlattr *first;
	size_t len;
};

static void read_part(struct part *part)
{
	const struct nlattr *attribute;

	kserv_for_each_attribute(attribute, part->first, part->len) {
		unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

		if (type == KSERV_A_SERVICE_NAME)
			snprintf(part->name, sizeof(part->name), "%.*s", (int)kserv_attribute_len(attribute),
				 (const char *)kserv_attribute_data(attribute));
		else if (type == KSERV_A_SERVICE_FAMILY)
			part->family = kserv_attribute_u8(attribute);
		else if (type == KSERV_A_SERVICE_PROTOCOL)
			part->protocol = kserv_attribute_u8(attribute);
	}
}

static int key_order(const struct part *a, const struct part *b)
{
	int order = strcmp(a->name, b->name);

	if (!order)
		order = (int)a->family - b->family;
	return order ? order : (int)a->protocol - b->protocol;
}

static int part_order(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int order = key_order(x, y);

	return order ? order : (x->index < y->index ? -1 : 1);
}

static struct part *sorted_parts(const struct nests *nests)
{
	struct part *parts = calloc(nests->n + 1, sizeof(*parts));
	size_t pos = 0, i;

	if (!parts)
		no_memory();
	for (i = 0; i < nests->n; i++) {
		parts[i].index = i;
		parts[i].first = nests_next(nests, &pos, &parts[i].len);
		read_part(&parts[i]);
	}
	qsort(parts, nests->n, sizeof(*parts), part_order);
	return parts;
}

/* Moves the members of an array of @more to that of @service. */
static void move_array(cJSON *service, cJSON *more, const char *key)
{
	cJSON *to = cJSON_GetObjectItemCaseSensitive(service, key), *from = cJSON_DetachItemFromObjectCaseSensitive(more, key);
	cJSON *item;

	if (!from)
		return;
	if (!to) {
		cJSON_AddItemToObject(service, key, from);
		return;
	}
	while ((item = cJSON_DetachItemFromArray(from, 0)))
		cJSON_AddItemToArray(to, item);
	cJSON_Delete(from);
}

/* A service of one or more parts as one tree; *@i is moved behind them. */
static cJSON *join_parts(const struct part *parts, size_t n, size_t *i)
{
	const struct part *head = &parts[*i];
	cJSON *service = kserv_json(&kserv_attributes_service, head->first, head->len), *more;

	while (++*i < n && !key_order(head, &parts[*i])) {
		more = kserv_json(&kserv_attributes_service, parts[*i].first, parts[*i].len);
		move_array(service, more, "frontend");
		move_array(service, more, "endpoint");
		cJSON_Delete(more);
	}
	if (!service)
		no_memory();
	cJSON_DeleteItemFromObjectCaseSensitive(service, "more");
	return service;
}

static void print_nests(const struct nests *nests, enum output_format format,
			void (*print)(cJSON *service, enum output_format format))
{
	struct part *parts = sorted_parts(nests);
	size_t i = 0;

	print_list_begin(format);
	while (i < nests->n)
		print(join_parts(parts, nests->n, &i), format);
	print_list_end(format);
	free(parts);
}

enum exit_code print_services(const char *name, enum output_format format,
			      void (*print)(cJSON *service, enum output_format format))
{
	const struct kserv_service only = { .name = (char *)name };
	struct kserv_message request;
	struct nests nests;
	enum exit_code code;
	struct kserv_nl *nl;

	code = open_kernel(&nl);
	if (code)
		return code;
	kserv_message_init(&request, KSERV_CMD_SERVICE_GET);
	kserv_dump_put_only(&request, name ? &only : NULL);
	code = collect(nl, &request, KSERV_A_MESSAGE_SERVICE, &nests);
	kserv_nl_close(nl);
	if (code)
		return code;
	if (name && !nests.n)
		code = not_found(name);
	else
		print_nests(&nests, format, print);
	nests_clear(&nests);
	return code;
}

void print_members(cJSON *service, const char *key, enum output_format format)
{
	cJSON *array = cJSON_DetachItemFromObjectCaseSensitive(service, key);
	static const char *const names[] = { "family", "protocol" };
	cJSON *item, *object, *member;
	size_t i;

	while (array && (item = cJSON_DetachItemFromArray(array, 0))) {
		object = cJSON_CreateObject();
		cJSON_AddItemToObject(object, "service",
				      cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(service, "name"), true));
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			cJSON_AddItemToObject(object, names[i],
					      cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(service, names[i]), true));
		while (item->child) {
			member = cJSON_DetachItemViaPointer(item, item->child);
			cJSON_AddItemToObject(object, member->string, member);
		}
		cJSON_Delete(item);
		print_list_item(object, format);
	}
	cJSON_Delete(array);
	cJSON_Delete(service);
}
