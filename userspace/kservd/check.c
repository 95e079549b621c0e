// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservd/check.h"
#include "kservd/health.h"
#include "lib/addr.h"

/* No more listen for one Service, however many addresses accept node ports. */
#define ADDRESSES_MAX	16

struct addresses {
	struct kserv_addr v[ADDRESSES_MAX];
	size_t n;
};

/**
 * struct check - the servers of one Service
 * @name: of its entry, "default/web"; @short_name points into it
 * @at: where they listen, or should; @servers is NULL where that failed
 * @reported: the failure was told
 */
struct check {
	struct checks *checks;
	char *name, *namespace;
	const char *short_name;
	uint16_t port;
	size_t local;
	struct addresses at;
	struct http_server *servers[ADDRESSES_MAX];
	bool reported;
	UT_hash_handle hh;
};

struct checks {
	struct checks_options options;
	struct check *v;
};

struct checks *checks_new(const struct checks_options *options)
{
	struct checks *checks = kserv_must_alloc(sizeof(*checks));

	checks->options = *options;
	return checks;
}

static void add_address(struct addresses *addresses, const struct kserv_addr *addr)
{
	size_t i;

	for (i = 0; i < addresses->n; i++)
		if (kserv_addr_is_equal(&addresses->v[i], addr))
			return;
	if (addresses->n < ADDRESSES_MAX)
		addresses->v[addresses->n++] = *addr;
}

static bool prefix_holds(const struct kserv_prefix *prefix, const struct kserv_addr *addr)
{
	unsigned int bytes = prefix->len / 8, bits = prefix->len % 8;

	if (prefix->addr.family != addr->family || memcmp(&prefix->addr.v6, &addr->v6, bytes))
		return false;
	return !bits || !((prefix->addr.v6.s6_addr[bytes] ^ addr->v6.s6_addr[bytes]) >> (8 - bits));
}

static bool read_sockaddr(const struct sockaddr *address, struct kserv_addr *ret)
{
	*ret = (struct kserv_addr){ 0 };
	if (!address || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
		return false;
	ret->family = address->sa_family;
	if (address->sa_family == AF_INET)
		ret->v4 = ((const struct sockaddr_in *)address)->sin_addr;
	else
		ret->v6 = ((const struct sockaddr_in6 *)address)->sin6_addr;
	return ret->family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&ret->v6);
}

/* This node's addresses in the CIDRs of nodePortAddresses. */
static void find_addresses(const struct kserv_prefixes *prefixes, struct addresses *ret)
{
	struct ifaddrs *list, *one;
	struct kserv_addr addr;
	size_t i;

	if (getifaddrs(&list))
		return;
	for (one = list; one; one = one->ifa_next)
		for (i = 0; read_sockaddr(one->ifa_addr, &addr) && i < prefixes->n; i++)
			if (prefix_holds(&prefixes->v[i], &addr))
				add_address(ret, &addr);
	freeifaddrs(list);
}

/* Where node ports are accepted (rule 9.2); all addresses where that is everywhere, or where nothing is known. */
static void wanted_addresses(const struct model *model, struct addresses *ret)
{
	const struct kserv_settings *settings = &model->cluster.settings;
	const struct kserv_addr all = { 0 };
	struct kserv_here here;
	size_t i;

	ret->n = 0;
	for (i = 0; i < settings->node_port_addresses.n; i++) {
		if (!settings->node_port_addresses.v[i].len) {
			add_address(ret, &all);
			return;
		}
	}
	if (settings->node_port_primary) {
		kserv_here_init(&here, &model->cluster);
		for (i = 0; i < 2; i++)
			if (here.primary[i].family != AF_UNSPEC)
				add_address(ret, &here.primary[i]);
	} else {
		find_addresses(&settings->node_port_addresses, ret);
	}
	if (!ret->n)
		add_address(ret, &all);
}

static void answer(void *context, const struct http_request *request, struct http_answer *ret)
{
	const struct check *check = context;
	const struct checks_options *options = &check->checks->options;

	(void)request;
	health_check_answer(check->namespace, check->short_name, check->local, options->is_healthy(options->context), ret);
}

static void report_failure(struct check *check, const struct kserv_addr *addr, int error)
{
	const struct checks_options *options = &check->checks->options;
	char where[KSERV_ADDR_TEXT], *text;

	if (check->reported)
		return;
	check->reported = true;
	text = kserv_must_printf("the health check of %s cannot listen on %s: %s", check->name,
				 kserv_addr_port_format(addr, check->port, where), strerror(-error));
	options->report(options->context, check->name, "FailedToStartServiceHealthcheck", text);
	free(text);
}

static void listen_where_missing(struct check *check)
{
	const struct http_options options = {
		.body_max = 4096, .connections = 64, .idle_s = 10, .handler = answer, .context = check,
	};
	size_t i;
	int fd;

	for (i = 0; i < check->at.n; i++) {
		if (check->servers[i])
			continue;
		fd = http_listen(&check->at.v[i], check->port);
		if (fd >= 0)
			fd = http_serve(check->checks->options.loop, fd, &options, &check->servers[i]);
		if (fd < 0)
			report_failure(check, &check->at.v[i], fd);
	}
}

static void close_servers(struct check *check)
{
	size_t i;

	for (i = 0; i < check->at.n; i++) {
		http_stop(check->servers[i]);
		check->servers[i] = NULL;
	}
	check->at.n = 0;
}

static void drop(struct checks *checks, struct check *check)
{
	close_servers(check);
	HASH_DEL(checks->v, check);
	free(check->name);
	free(check->namespace);
	free(check);
}

static struct check *add(struct checks *checks, const struct entry *entry)
{
	struct check *check = kserv_must_alloc(sizeof(*check));

	check->checks = checks;
	check->name = kserv_must_strdup(entry->name);
	check->short_name = strchr(check->name, '/') + 1;
	check->namespace = kserv_must_strdup(entry->name);
	*strchr(check->namespace, '/') = '\0';
	HASH_ADD_KEYPTR(hh, checks->v, check->name, strlen(check->name), check);
	return check;
}

static bool needs_check(const struct kserv_k8s_service *service)
{
	return service && service->type == KSERV_SERVICE_LOAD_BALANCER && service->external_policy == KSERV_POLICY_LOCAL &&
	       service->health_check_node_port;
}

static bool addresses_are_equal(const struct addresses *a, const struct addresses *b)
{
	size_t i;

	for (i = 0; a->n == b->n && i < a->n; i++)
		if (!kserv_addr_is_equal(&a->v[i], &b->v[i]))
			return false;
	return a->n == b->n;
}

static void place(struct check *check, uint16_t port)
{
	struct addresses at;

	wanted_addresses(check->checks->options.model, &at);
	if (check->port != port || !addresses_are_equal(&check->at, &at)) {
		close_servers(check);
		check->at = at;
		check->port = port;
		check->reported = false;
	}
	listen_where_missing(check);
}

void checks_update(struct checks *checks, const struct entry *entry)
{
	const char *node = checks->options.model->cluster.settings.node_name;
	struct check *check;

	HASH_FIND_STR(checks->v, entry->name, check);
	if (!needs_check(entry->service)) {
		if (check)
			drop(checks, check);
		return;
	}
	if (!check)
		check = add(checks, entry);
	check->local = health_count_local(entry->service, entry->slices, entry->n_slices, node ? node : "");
	place(check, entry->service->health_check_node_port);
}

void checks_retry(struct checks *checks)
{
	struct check *check;

	for (check = checks->v; check; check = check->hh.next)
		place(check, check->port);
}

size_t checks_count(const struct checks *checks)
{
	return HASH_COUNT(checks->v);
}

size_t checks_failed(const struct checks *checks)
{
	const struct check *check;
	size_t i, n = 0;

	for (check = checks->v; check; check = check->hh.next)
		for (i = 0; i < check->at.n; i++)
			n += !check->servers[i];
	return n;
}

void checks_free(struct checks *checks)
{
	struct check *check, *next;

	if (!checks)
		return;
	HASH_ITER(hh, checks->v, check, next)
		drop(checks, check);
	free(checks);
}
