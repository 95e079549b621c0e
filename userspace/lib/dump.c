// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/dump.h"
#include "lib/message.h"
#include "lib/place.h"
#include "lib/read.h"

/* Commits of others that a reader puts up with. */
#define ATTEMPTS 100

/**
 * struct reader - a dump in progress
 * @more: the service read last goes on in the next message
 * @services_room, @routes_room: allocated members of the arrays
 */
struct reader {
	struct kserv_tables *tables;
	bool more;
	size_t services_room, routes_room;
};

/* The array with room for one more member behind its @n, doubling when it is full; NULL without memory. */
static void *grow(void *array, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;

	if (n < *room)
		return array;
	array = realloc(array, more * size);
	if (array)
		*room = more;
	return array;
}

static struct kserv_service *next_service(struct reader *reader)
{
	struct kserv_tables *tables = reader->tables;
	struct kserv_service *v;

	if (reader->more && tables->n_services)
		return &tables->services[tables->n_services - 1];
	v = grow(tables->services, tables->n_services, &reader->services_room, sizeof(*v));
	if (!v)
		return NULL;
	tables->services = v;
	v += tables->n_services++;
	memset(v, 0, sizeof(*v));
	return v;
}

static int receive_service(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	struct reader *reader = context;
	struct kserv_service *service;

	(void)first;
	(void)len;
	if (!attributes[KSERV_A_MESSAGE_SERVICE])
		return 0;
	service = next_service(reader);
	if (!service)
		return -ENOMEM;
	return kserv_attribute_service(attributes[KSERV_A_MESSAGE_SERVICE], service, &reader->more);
}

static int receive_route(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	struct reader *reader = context;
	struct kserv_tables *tables = reader->tables;
	struct kserv_route *v;

	(void)first;
	(void)len;
	if (!attributes[KSERV_A_MESSAGE_ROUTE])
		return 0;
	v = grow(tables->routes, tables->n_routes, &reader->routes_room, sizeof(*v));
	if (!v)
		return -ENOMEM;
	tables->routes = v;
	kserv_attribute_route(attributes[KSERV_A_MESSAGE_ROUTE], &v[tables->n_routes++]);
	return 0;
}

void kserv_dump_put_only(struct kserv_message *message, const struct kserv_service *only)
{
	size_t nest;

	if (!only)
		return;
	nest = kserv_message_nest(message, KSERV_A_MESSAGE_SERVICE);
	kserv_message_put_string(message, KSERV_A_SERVICE_NAME, only->name);
	if (only->family)
		kserv_message_put_u8(message, KSERV_A_SERVICE_FAMILY, only->family);
	if (only->protocol)
		kserv_message_put_u8(message, KSERV_A_SERVICE_PROTOCOL, only->protocol);
	kserv_message_nest_end(message, nest);
}

static int dump_services(struct kserv_nl *nl, const struct kserv_service *only, struct reader *reader,
			 struct kserv_nl_error *ret_error)
{
	struct kserv_message message;
	int error;

	kserv_message_init(&message, KSERV_CMD_SERVICE_GET);
	kserv_dump_put_only(&message, only);
	error = kserv_nl_dump(nl, &message, receive_service, reader, ret_error);
	kserv_message_clear(&message);
	return error;
}

static int dump_routes(struct kserv_nl *nl, struct reader *reader, struct kserv_nl_error *ret_error)
{
	struct kserv_message message;
	int error;

	kserv_message_init(&message, KSERV_CMD_ROUTE_GET);
	error = kserv_nl_dump(nl, &message, receive_route, reader, ret_error);
	kserv_message_clear(&message);
	return error;
}

/* Where an answer to config-get goes. */
struct answer {
	struct kserv_config *config;
	struct kserv_status *status;
};

static void read_status(const struct nlattr *nest, struct kserv_status *status)
{
	static const struct {
		unsigned int type;
		size_t offset;
	} numbers[] = {
		{ KSERV_A_CONFIG_GENERATION, offsetof(struct kserv_status, generation) },
		{ KSERV_A_CONFIG_SERVICES, offsetof(struct kserv_status, services) },
		{ KSERV_A_CONFIG_FRONTENDS, offsetof(struct kserv_status, frontends) },
		{ KSERV_A_CONFIG_ENDPOINTS, offsetof(struct kserv_status, endpoints) },
		{ KSERV_A_CONFIG_ROUTES, offsetof(struct kserv_status, routes) },
		{ KSERV_A_CONFIG_FLOWS, offsetof(struct kserv_status, flows) },
		{ KSERV_A_CONFIG_SESSIONS, offsetof(struct kserv_status, sessions) },
	};
	const struct nlattr *attribute;
	size_t i;

	kserv_for_each_attribute(attribute, nest + 1, kserv_attribute_len(nest)) {
		unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

		if (type == KSERV_A_CONFIG_VERSION)
			snprintf(status->version, sizeof(status->version), "%.*s",
				 (int)kserv_attribute_len(attribute), (const char *)kserv_attribute_data(attribute));
		for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (numbers[i].type == type)
				*(uint32_t *)((char *)status + numbers[i].offset) = kserv_attribute_u32(attribute);
	}
}

static int receive_config(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *nest = attributes[KSERV_A_MESSAGE_CONFIG];
	struct answer *answer = context;

	(void)first;
	(void)len;
	if (!nest)
		return 0;
	read_status(nest, answer->status);
	return answer->config ? kserv_attribute_config(nest, answer->config) : 0;
}

int kserv_dump_status(struct kserv_nl *nl, struct kserv_config *ret_config, struct kserv_status *ret_status,
		      struct kserv_nl_error *ret_error)
{
	struct kserv_status status = { };
	struct answer answer = { ret_config, &status };
	struct kserv_message message;
	int error;

	if (ret_config)
		memset(ret_config, 0, sizeof(*ret_config));
	kserv_message_init(&message, KSERV_CMD_CONFIG_GET);
	error = kserv_nl_request(nl, &message, receive_config, &answer, ret_error);
	kserv_message_clear(&message);
	if (!error)
		*ret_status = status;
	else if (ret_config)
		kserv_config_clear(ret_config);
	return error;
}

/* Return: -EINTR if somebody committed meanwhile. */
static int dump_once(struct kserv_nl *nl, unsigned int parts, const struct kserv_service *only,
		     struct kserv_tables *tables, struct kserv_nl_error *ret_error)
{
	struct reader reader = { .tables = tables };
	struct kserv_status before, after;
	int error;

	error = kserv_dump_status(nl, parts & KSERV_DUMP_CONFIG ? &tables->config : NULL, &before, ret_error);
	if (!error && parts & KSERV_DUMP_SERVICES)
		error = dump_services(nl, only, &reader, ret_error);
	if (!error && parts & KSERV_DUMP_ROUTES)
		error = dump_routes(nl, &reader, ret_error);
	if (!error)
		error = kserv_dump_status(nl, NULL, &after, ret_error);
	if (error)
		return error;
	tables->generation = before.generation;
	return before.generation == after.generation ? 0 : -EINTR;
}

int kserv_dump(struct kserv_nl *nl, unsigned int parts, const struct kserv_service *only,
	       struct kserv_tables *ret_tables, struct kserv_nl_error *ret_error)
{
	struct kserv_tables tables;
	int error, i;

	for (i = 0; i < ATTEMPTS; i++) {
		memset(&tables, 0, sizeof(tables));
		error = dump_once(nl, parts, only, &tables, ret_error);
		if (!error) {
			kserv_tables_sort(&tables);
			*ret_tables = tables;
			return 0;
		}
		kserv_tables_clear(&tables);
		if (error != -EINTR)
			return error;
	}
	if (ret_error) {
		memset(ret_error, 0, sizeof(*ret_error));
		ret_error->error = EAGAIN;
		snprintf(ret_error->text, sizeof(ret_error->text),
			 "the tables changed during each of %d attempts to read them; try again", ATTEMPTS);
	}
	return -EAGAIN;
}

struct counter_visit {
	void (*visit)(void *context, const char *name, uint64_t value);
	void *context;
};

static void visit_counter(const struct counter_visit *visit, const struct nlattr *nest)
{
	const struct nlattr *attribute;
	uint64_t value = 0;
	char name[64] = "";

	kserv_for_each_attribute(attribute, (const struct nlattr *)kserv_attribute_data(nest), kserv_attribute_len(nest)) {
		unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

		if (type == KSERV_A_COUNTER_NAME)
			snprintf(name, sizeof(name), "%.*s", (int)kserv_attribute_len(attribute),
				 (const char *)kserv_attribute_data(attribute));
		else if (type == KSERV_A_COUNTER_VALUE)
			value = kserv_attribute_u64(attribute);
	}
	visit->visit(visit->context, name, value);
}

static int receive_counters(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *attribute;

	(void)attributes;
	kserv_for_each_attribute(attribute, first, len)
		if ((attribute->nla_type & NLA_TYPE_MASK) == KSERV_A_MESSAGE_COUNTER)
			visit_counter(context, attribute);
	return 0;
}

int kserv_dump_counters(struct kserv_nl *nl, void (*visit)(void *context, const char *name, uint64_t value),
			void *context, struct kserv_nl_error *ret_error)
{
	struct counter_visit to = { visit, context };
	struct kserv_message request;
	int error;

	kserv_message_init(&request, KSERV_CMD_STATS_GET);
	error = kserv_nl_request(nl, &request, receive_counters, &to, ret_error);
	kserv_message_clear(&request);
	return error;
}
