// SPDX-License-Identifier: GPL-2.0
/* Both sides are sorted, so every comparison here walks two arrays side by side. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/addr.h"
#include "sync/sync.h"

/**
 * struct differ - a comparison in progress
 * @pointers: scratch for the lists of one service, in this order: frontends to remove, to set, endpoints to remove,
 *	to set; @room members
 */
struct differ {
	struct kserv_transaction *transaction;
	struct kserv_sync_counts counts;
	const void **pointers;
	size_t room;
};

static const struct kserv_service nothing;

static bool endpoint_is_same(const struct kserv_endpoint *a, const struct kserv_endpoint *b)
{
	return a->state == b->state && a->flags == b->flags && a->weight == b->weight &&
	       a->cluster_reason == b->cluster_reason && a->local_reason == b->local_reason;
}

static bool frontend_is_same(const struct kserv_frontend *a, const struct kserv_frontend *b)
{
	return a->flags == b->flags && kserv_prefixes_are_equal(&a->sources, &b->sources);
}

/* Order of the next members of two sorted arrays; one that has ended comes last. */
static int next_order(const void *a, bool a_ended, const void *b, bool b_ended, int (*compare)(const void *, const void *))
{
	if (a_ended || b_ended)
		return (int)a_ended - (int)b_ended;
	return compare(a, b);
}

/* Lists frontends of @after to set (to @set) or frontends of @before to remove (to @del); either may be NULL. */
static void diff_frontends(const struct kserv_service *before, const struct kserv_service *after,
			   const struct kserv_frontend **set, size_t *n_set, const struct kserv_frontend **del,
			   size_t *n_del)
{
	const struct kserv_frontend *a = after->frontends, *b = before->frontends;
	const struct kserv_frontend *a_end = a + after->n_frontends, *b_end = b + before->n_frontends;

	while (a < a_end || b < b_end) {
		int order = next_order(a, a == a_end, b, b == b_end, kserv_frontend_compare);

		if (set && (order < 0 || (!order && !frontend_is_same(a, b))))
			set[(*n_set)++] = a;
		if (del && order > 0)
			del[(*n_del)++] = b;
		a += order <= 0;
		b += order >= 0;
	}
}

static void diff_endpoints(const struct kserv_service *before, const struct kserv_service *after,
			   const struct kserv_endpoint **set, size_t *n_set, const struct kserv_endpoint **del,
			   size_t *n_del)
{
	const struct kserv_endpoint *a = after->endpoints, *b = before->endpoints;
	const struct kserv_endpoint *a_end = a + after->n_endpoints, *b_end = b + before->n_endpoints;

	while (a < a_end || b < b_end) {
		int order = next_order(a, a == a_end, b, b == b_end, kserv_endpoint_compare);

		if (order < 0 || (!order && !endpoint_is_same(a, b)))
			set[(*n_set)++] = a;
		else if (order > 0)
			del[(*n_del)++] = b;
		a += order <= 0;
		b += order >= 0;
	}
}

static bool members_are_same(const struct kserv_service *a, const struct kserv_service *b)
{
	return a->scheduler == b->scheduler && a->affinity_timeout == b->affinity_timeout && a->flags == b->flags &&
	       a->removal == b->removal && a->removal_grace == b->removal_grace && a->slow_start == b->slow_start;
}

/* Scratch for @n pointers. */
static int make_room(struct differ *differ, size_t n)
{
	const void **pointers;

	if (n <= differ->room)
		return 0;
	pointers = realloc(differ->pointers, n * 2 * sizeof(*pointers));
	if (!pointers)
		return -ENOMEM;
	differ->pointers = pointers;
	differ->room = n * 2;
	return 0;
}

/* First pass: what @before has and @after lacks is removed, so that another service can take the frontends. */
static int remove_from_service(struct differ *differ, const struct kserv_service *before,
			       const struct kserv_service *after)
{
	struct kserv_service_change change = {
		.service = after, .members = KSERV_SET_ALL, .endpoint_members = KSERV_SET_ENDPOINT_ALL,
	};
	const struct kserv_frontend **del;
	int error;

	if (!after) {
		differ->counts.services_removed++;
		differ->counts.frontends_removed += before->n_frontends;
		differ->counts.endpoints_removed += before->n_endpoints;
		return kserv_transaction_service_del(differ->transaction, before);
	}
	if (!before || !before->n_frontends)
		return 0;
	error = make_room(differ, before->n_frontends);
	if (error)
		return error;
	del = (const struct kserv_frontend **)differ->pointers;
	diff_frontends(before, after, NULL, NULL, del, &change.n_frontends_del);
	if (!change.n_frontends_del)
		return 0;
	differ->counts.frontends_removed += change.n_frontends_del;
	change.frontends_del = del;
	return kserv_transaction_service_set(differ->transaction, &change);
}

/* Second pass: all that is new or different in @after; endpoints that are gone. */
static int add_to_service(struct differ *differ, const struct kserv_service *before, const struct kserv_service *after)
{
	struct kserv_service_change change = {
		.service = after, .members = KSERV_SET_ALL, .endpoint_members = KSERV_SET_ENDPOINT_ALL,
	};
	const struct kserv_endpoint **endpoints, **endpoints_del;
	const struct kserv_frontend **frontends;
	bool same = before && after && members_are_same(before, after);
	int error;

	if (!after)
		return 0;
	before = before ? before : &nothing;
	error = make_room(differ, after->n_frontends + after->n_endpoints + before->n_endpoints);
	if (error)
		return error;
	frontends = (const struct kserv_frontend **)differ->pointers;
	endpoints = (const struct kserv_endpoint **)differ->pointers + after->n_frontends;
	endpoints_del = endpoints + after->n_endpoints;
	diff_frontends(before, after, frontends, &change.n_frontends, NULL, NULL);
	diff_endpoints(before, after, endpoints, &change.n_endpoints, endpoints_del, &change.n_endpoints_del);
	if (same && !change.n_frontends && !change.n_endpoints && !change.n_endpoints_del)
		return 0;
	differ->counts.services_set++;
	differ->counts.frontends_set += change.n_frontends;
	differ->counts.endpoints_set += change.n_endpoints;
	differ->counts.endpoints_removed += change.n_endpoints_del;
	change.frontends = frontends;
	change.endpoints = endpoints;
	change.endpoints_del = endpoints_del;
	return kserv_transaction_service_set(differ->transaction, &change);
}

/* One pass over all services of both sides. */
static int walk_services(struct differ *differ, const struct kserv_tables *before, const struct kserv_tables *after,
			 int (*visit)(struct differ *, const struct kserv_service *, const struct kserv_service *))
{
	const struct kserv_service *a = after->services, *b = before->services;
	const struct kserv_service *a_end = a + after->n_services, *b_end = b + before->n_services;
	int error = 0;

	while (!error && (a < a_end || b < b_end)) {
		int order = next_order(a, a == a_end, b, b == b_end, kserv_service_compare);

		error = visit(differ, order >= 0 ? b : NULL, order <= 0 ? a : NULL);
		a += order <= 0;
		b += order >= 0;
	}
	return error;
}

static int route_order(const void *a, const void *b)
{
	const struct kserv_route *x = a, *y = b;

	return kserv_prefix_compare(&x->prefix, &y->prefix);
}

static int diff_routes(struct differ *differ, const struct kserv_tables *before, const struct kserv_tables *after)
{
	const struct kserv_route *a = after->routes, *b = before->routes;
	const struct kserv_route *a_end = a + after->n_routes, *b_end = b + before->n_routes;
	int error = 0;

	while (!error && (a < a_end || b < b_end)) {
		int order = next_order(a, a == a_end, b, b == b_end, route_order);

		if (order < 0 || (!order && (a->type != b->type || !kserv_addr_is_equal(&a->gateway, &b->gateway)))) {
			differ->counts.routes_set++;
			error = kserv_transaction_route_set(differ->transaction, a);
		} else if (order > 0) {
			differ->counts.routes_removed++;
			error = kserv_transaction_route_del(differ->transaction, b);
		}
		a += order <= 0;
		b += order >= 0;
	}
	return error;
}

/* A number of the configuration with what stands for 0. */
static uint32_t or_default(uint32_t number, uint32_t otherwise)
{
	return number ? number : otherwise;
}

/* @config with every number in it, as it is compared and sent. Lists are those of @config. */
static struct kserv_config completed(const struct kserv_config *config)
{
	const struct kserv_config *d = &kserv_config_defaults;
	struct kserv_config c = *config;

	c.fast_path = c.fast_path_set ? c.fast_path : d->fast_path;
	c.fast_path_set = true;
	c.masquerade_port_min = or_default(c.masquerade_port_min, d->masquerade_port_min);
	c.masquerade_port_max = or_default(c.masquerade_port_max, d->masquerade_port_max);
	c.flow_max = or_default(c.flow_max, d->flow_max);
	c.session_max = or_default(c.session_max, d->session_max);
	c.tcp_syn_timeout = or_default(c.tcp_syn_timeout, d->tcp_syn_timeout);
	c.tcp_established_timeout = or_default(c.tcp_established_timeout, d->tcp_established_timeout);
	c.tcp_close_timeout = or_default(c.tcp_close_timeout, d->tcp_close_timeout);
	c.udp_timeout = or_default(c.udp_timeout, d->udp_timeout);
	c.udp_stream_timeout = or_default(c.udp_stream_timeout, d->udp_stream_timeout);
	c.sctp_timeout = or_default(c.sctp_timeout, d->sctp_timeout);
	return c;
}

static bool config_is_same(const struct kserv_config *a, const struct kserv_config *b)
{
	return a->conntrack == b->conntrack && a->detect_local == b->detect_local && a->fast_path == b->fast_path &&
	       !strcmp(a->pod_interface, b->pod_interface) && kserv_prefixes_are_equal(&a->pod_cidrs, &b->pod_cidrs) &&
	       kserv_prefixes_are_equal(&a->service_cidrs, &b->service_cidrs) &&
	       kserv_prefixes_are_equal(&a->node_port_addresses, &b->node_port_addresses) &&
	       a->masquerade_port_min == b->masquerade_port_min && a->masquerade_port_max == b->masquerade_port_max &&
	       a->flow_max == b->flow_max && a->session_max == b->session_max &&
	       a->tcp_syn_timeout == b->tcp_syn_timeout && a->tcp_close_timeout == b->tcp_close_timeout &&
	       a->tcp_established_timeout == b->tcp_established_timeout && a->udp_timeout == b->udp_timeout &&
	       a->udp_stream_timeout == b->udp_stream_timeout && a->sctp_timeout == b->sctp_timeout;
}

static int diff_config(struct differ *differ, const struct kserv_config *desired, const struct kserv_config *have)
{
	struct kserv_config want = completed(desired);

	if (config_is_same(&want, have))
		return 0;
	differ->counts.config_set = true;
	return kserv_transaction_config_set(differ->transaction, &want);
}

int kserv_sync_diff(const struct kserv_tables *desired, const struct kserv_tables *actual,
		    struct kserv_transaction *transaction, struct kserv_sync_counts *ret_counts)
{
	struct differ differ = { .transaction = transaction };
	int error;

	error = diff_config(&differ, &desired->config, &actual->config);
	if (!error)
		error = diff_routes(&differ, actual, desired);
	if (!error)
		error = walk_services(&differ, actual, desired, remove_from_service);
	if (!error)
		error = walk_services(&differ, actual, desired, add_to_service);
	free(differ.pointers);
	if (!error && ret_counts)
		*ret_counts = differ.counts;
	return error;
}
