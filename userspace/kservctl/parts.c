// SPDX-License-Identifier: GPL-2.0
/* From what a command line says about a service to members of a transaction, one for each family. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/kservctl.h"

bool parts_init(struct service_parts *parts, int *argc, const char ***argv, const char *family)
{
	struct service_ref ref;

	memset(parts, 0, sizeof(*parts));
	if (!parse_service(argc, argv, &ref) || !parse_family(family, &parts->family))
		return false;
	parts->service.name = strdup(ref.name);
	if (!parts->service.name)
		no_memory();
	parts->service.protocol = ref.protocol;
	return true;
}

static void free_frontends(struct kserv_frontend *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(v[i].sources.v);
	free(v);
}

void parts_clear(struct service_parts *parts)
{
	free(parts->service.name);
	free_frontends(parts->frontends, parts->n_frontends);
	free_frontends(parts->frontends_del, parts->n_frontends_del);
	free(parts->endpoints);
	free(parts->endpoints_del);
	free(parts->endpoint_given);
	memset(parts, 0, sizeof(*parts));
}

/* The array with room for one more member behind its @n. Its size is the next power of two, so that it need not be kept. */
static void *room(void *array, size_t n, size_t size)
{
	if (n & (n - 1) || n == 1)
		return array;
	array = realloc(array, (n ? n * 2 : 2) * size);
	if (!array)
		no_memory();
	return array;
}

bool parts_add_frontend(struct service_parts *parts, uint8_t type, const char *text, bool del)
{
	struct kserv_frontend **list = del ? &parts->frontends_del : &parts->frontends;
	size_t *n = del ? &parts->n_frontends_del : &parts->n_frontends;
	struct kserv_frontend *v = room(*list, *n, sizeof(*v));

	*list = v;
	if (!parse_frontend(type, text, &v[*n]))
		return false;
	(*n)++;
	return true;
}

bool parts_add_endpoint(struct service_parts *parts, const char *text, bool del)
{
	struct kserv_endpoint **list = del ? &parts->endpoints_del : &parts->endpoints;
	size_t *n = del ? &parts->n_endpoints_del : &parts->n_endpoints;
	struct kserv_endpoint *v = room(*list, *n, sizeof(*v));
	unsigned int members = 0;

	*list = v;
	if (!parse_endpoint(text, &v[*n], &members))
		return false;
	if (!del) {
		parts->endpoint_given = room(parts->endpoint_given, *n, sizeof(*parts->endpoint_given));
		parts->endpoint_given[*n] = members;
		parts->endpoint_members |= members;
	}
	(*n)++;
	return true;
}

/* What of a list belongs to one family, as pointers. Node ports belong to both. */
static size_t frontends_of(uint8_t family, const struct kserv_frontend *v, size_t n, const struct kserv_frontend **to)
{
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		if (v[i].addr.family == family || v[i].addr.family == AF_UNSPEC)
			to[count++] = &v[i];
	return count;
}

static size_t endpoints_of(uint8_t family, const struct kserv_endpoint *v, size_t n, const struct kserv_endpoint **to)
{
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		if (v[i].addr.family == family)
			to[count++] = &v[i];
	return count;
}

static int build_family(const struct service_parts *parts, uint8_t family, struct kserv_transaction *transaction)
{
	size_t n = parts->n_frontends + parts->n_frontends_del + parts->n_endpoints + parts->n_endpoints_del;
	const void **lists = calloc(n + 1, sizeof(*lists));
	struct kserv_service service = parts->service;
	struct kserv_service_change change = {
		.service = &service, .mode = parts->mode, .members = parts->members,
		.endpoint_members = parts->endpoint_members,
	};
	const struct kserv_frontend **frontends = (const struct kserv_frontend **)lists;
	const struct kserv_frontend **frontends_del = frontends + parts->n_frontends;
	const struct kserv_endpoint **endpoints = (const struct kserv_endpoint **)(frontends_del + parts->n_frontends_del);
	const struct kserv_endpoint **endpoints_del = endpoints + parts->n_endpoints;
	int error;

	if (!lists)
		return -ENOMEM;
	service.family = family;
	change.n_frontends = frontends_of(family, parts->frontends, parts->n_frontends, frontends);
	change.n_frontends_del = frontends_of(family, parts->frontends_del, parts->n_frontends_del, frontends_del);
	change.n_endpoints = endpoints_of(family, parts->endpoints, parts->n_endpoints, endpoints);
	change.n_endpoints_del = endpoints_of(family, parts->endpoints_del, parts->n_endpoints_del, endpoints_del);
	change.frontends = frontends;
	change.frontends_del = frontends_del;
	change.endpoints = endpoints;
	change.endpoints_del = endpoints_del;
	error = kserv_transaction_service_set(transaction, &change);
	free(lists);
	return error;
}

/* True if some address of the parts is of @family. */
static bool speaks_of(const struct service_parts *parts, uint8_t family)
{
	size_t i;

	for (i = 0; i < parts->n_frontends; i++)
		if (parts->frontends[i].addr.family == family)
			return true;
	for (i = 0; i < parts->n_frontends_del; i++)
		if (parts->frontends_del[i].addr.family == family)
			return true;
	for (i = 0; i < parts->n_endpoints; i++)
		if (parts->endpoints[i].addr.family == family)
			return true;
	for (i = 0; i < parts->n_endpoints_del; i++)
		if (parts->endpoints_del[i].addr.family == family)
			return true;
	return false;
}

enum exit_code parts_build(const struct service_parts *parts, struct kserv_transaction *transaction)
{
	bool v4 = speaks_of(parts, AF_INET), v6 = speaks_of(parts, AF_INET6);
	int error = 0;

	if (parts->family == AF_INET && v6)
		return usage_error("--family ipv4 is given, but also an IPv6 address");
	if (parts->family == AF_INET6 && v4)
		return usage_error("--family ipv6 is given, but also an IPv4 address");
	if (parts->family == AF_UNSPEC && !v4 && !v6)
		return usage_error("no address tells whether this is for IPv4 or IPv6; say --family ipv4 or --family ipv6");
	if (v4 || parts->family == AF_INET)
		error = build_family(parts, AF_INET, transaction);
	if (!error && (v6 || parts->family == AF_INET6))
		error = build_family(parts, AF_INET6, transaction);
	return error ? failed(error) : DONE;
}
