// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan/address.h"
#include "plan/endpoint.h"
#include "plan/here.h"
#include "plan/topology.h"
#include "plan/warning.h"

/* An endpoint with where it comes from: the same one may stand in several slices. */
struct candidate {
	struct kserv_addr addr;
	uint16_t port;
	uint8_t state;
	bool local;
	const struct kserv_slice *slice;
	const struct kserv_slice_endpoint *from;
};

/* Absent conditions (rule 2.3). "Ready" is taken as given, also from publishNotReadyAddresses. */
static bool is_ready(const struct kserv_slice_endpoint *from)
{
	return from->ready != KSERV_FALSE;
}

static bool is_serving(const struct kserv_slice_endpoint *from)
{
	return from->serving != KSERV_FALSE;
}

static uint8_t state_of(const struct kserv_slice_endpoint *from)
{
	if (is_ready(from))
		return KSERV_ENDPOINT_STATE_READY;
	if (from->terminating != KSERV_TRUE)
		return KSERV_ENDPOINT_STATE_NOT_READY;
	return is_serving(from) ? KSERV_ENDPOINT_STATE_TERMINATING_SERVING : KSERV_ENDPOINT_STATE_TERMINATING;
}

/* From the most useful state to the least. */
static unsigned int state_rank(uint8_t state)
{
	switch (state) {
	case KSERV_ENDPOINT_STATE_READY:
		return 0;
	case KSERV_ENDPOINT_STATE_TERMINATING_SERVING:
		return 1;
	case KSERV_ENDPOINT_STATE_NOT_READY:
		return 2;
	default:
		return 3;
	}
}

static bool slice_has_family(const struct kserv_slice *slice, uint8_t family)
{
	return slice->address_type == (family == AF_INET ? KSERV_ADDRESS_IPV4 : KSERV_ADDRESS_IPV6);
}

/* Rule 1.4; a Service that carries the label itself passes it on to all its slices. */
static bool is_headless(const struct kserv_labels *labels)
{
	return kserv_labels_find(labels, "service.kubernetes.io/headless");
}

static bool port_matches(const struct kserv_slice_port *port, const struct kserv_service_port *wanted)
{
	return port->name && port->port && port->protocol == wanted->protocol && !strcmp(port->name, wanted->name);
}

static bool read_endpoint_address(const struct kserv_slice *slice, const struct kserv_slice_endpoint *from,
				  struct kserv_addr *ret_addr)
{
	return from->addresses.n && kserv_address_read(from->addresses.v[0], ret_addr) &&
	       slice_has_family(slice, ret_addr->family) && !kserv_address_is_unusable(ret_addr) &&
	       !kserv_address_is_loopback(ret_addr) && !kserv_address_is_link_local(ret_addr);
}

static size_t collect_slice(const struct kserv_endpoint_query *query, const struct kserv_slice *slice,
			    struct candidate *candidates)
{
	size_t i, j, n = 0;

	for (i = 0; i < slice->n_ports; i++) {
		if (!port_matches(&slice->ports[i], query->port))
			continue;
		for (j = 0; j < slice->n_endpoints; j++) {
			const struct kserv_slice_endpoint *from = &slice->endpoints[j];
			struct candidate *candidate = &candidates[n];

			if (!read_endpoint_address(slice, from, &candidate->addr))
				continue;
			candidate->port = slice->ports[i].port;
			candidate->state = state_of(from);
			candidate->local = kserv_here_is_node(query->here, from->node_name);
			candidate->slice = slice;
			candidate->from = from;
			n++;
		}
	}
	return n;
}

static size_t count_slice(const struct kserv_endpoint_query *query, const struct kserv_slice *slice)
{
	size_t i, n = 0;

	if (!slice_has_family(slice, query->family) || is_headless(&slice->meta.labels) ||
	    is_headless(&query->service->meta.labels))
		return 0;
	for (i = 0; i < slice->n_ports; i++)
		n += port_matches(&slice->ports[i], query->port) ? slice->n_endpoints : 0;
	return n;
}

static int compare_places(const struct candidate *x, const struct candidate *y)
{
	int order = strcmp(x->slice->meta.name, y->slice->meta.name);

	if (order)
		return order;
	return x->from < y->from ? -1 : x->from > y->from;
}

/* By address and port; of those alike the one that counts comes first: a local one (rule 2.1), then the readiest. */
static int candidate_compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = memcmp(&x->addr.v6, &y->addr.v6, sizeof(x->addr.v6));

	if (order)
		return order;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	if (x->local != y->local)
		return x->local ? -1 : 1;
	if (x->state != y->state)
		return state_rank(x->state) < state_rank(y->state) ? -1 : 1;
	return compare_places(x, y);
}

static size_t drop_duplicates(struct candidate *candidates, size_t n)
{
	const struct candidate *last = NULL;
	size_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (last && last->port == candidates[i].port && kserv_addr_is_equal(&last->addr, &candidates[i].addr))
			continue;
		candidates[kept] = candidates[i];
		last = &candidates[kept++];
	}
	return kept;
}

/* Return: 0 or -ENOMEM. */
static int collect(const struct kserv_endpoint_query *query, struct candidate **ret_candidates, size_t *ret_n)
{
	struct candidate *candidates;
	size_t i, n = 0;

	for (i = 0; i < query->n_slices; i++)
		n += count_slice(query, query->slices[i]);
	candidates = calloc(n + 1, sizeof(*candidates));
	if (!candidates)
		return -ENOMEM;
	for (i = 0, n = 0; i < query->n_slices; i++)
		if (count_slice(query, query->slices[i]))
			n += collect_slice(query, query->slices[i], candidates + n);
	qsort(candidates, n, sizeof(*candidates), candidate_compare);
	*ret_n = drop_duplicates(candidates, n);
	*ret_candidates = candidates;
	return 0;
}

/* What the endpoints have in common decides about each of them. */
struct census {
	bool ready, local_ready, terminating_serving;
	enum kserv_topology topology;
};

static struct census count(const struct kserv_endpoint_query *query, const struct candidate *candidates, size_t n)
{
	struct kserv_hints hints;
	struct census census = { 0 };
	size_t i;

	kserv_hints_init(&hints, query->here);
	for (i = 0; i < n; i++) {
		census.terminating_serving |= candidates[i].state == KSERV_ENDPOINT_STATE_TERMINATING_SERVING;
		if (candidates[i].state != KSERV_ENDPOINT_STATE_READY)
			continue;
		census.ready = true;
		census.local_ready |= candidates[i].local;
		kserv_hints_add(&hints, candidates[i].from);
	}
	census.topology = kserv_hints_decide(&hints);
	return census;
}

/* Why nobody can use it, wherever it is. */
static enum kserv_reason unusable_reason(const struct candidate *candidate)
{
	switch (candidate->state) {
	case KSERV_ENDPOINT_STATE_NOT_READY:
		return KSERV_REASON_NOT_READY;
	case KSERV_ENDPOINT_STATE_TERMINATING:
		return KSERV_REASON_TERMINATING;
	default:
		return KSERV_REASON_NONE;
	}
}

/* Rules 2.5, 2.7, 2.10-2.12. */
static enum kserv_reason cluster_reason(const struct kserv_here *here, const struct census *census,
					const struct candidate *candidate)
{
	enum kserv_reason reason = unusable_reason(candidate);

	if (reason != KSERV_REASON_NONE)
		return reason;
	if (candidate->state == KSERV_ENDPOINT_STATE_TERMINATING_SERVING)
		return census->ready ? KSERV_REASON_TERMINATING : KSERV_REASON_NONE;
	return kserv_topology_allows(census->topology, here, candidate->from) ? KSERV_REASON_NONE : KSERV_REASON_TOPOLOGY;
}

/* Rules 2.6, 2.7. */
static enum kserv_reason local_reason(const struct census *census, const struct candidate *candidate)
{
	enum kserv_reason reason = unusable_reason(candidate);

	if (reason != KSERV_REASON_NONE)
		return reason;
	if (!candidate->local)
		return KSERV_REASON_NOT_LOCAL;
	if (candidate->state == KSERV_ENDPOINT_STATE_TERMINATING_SERVING && census->local_ready)
		return KSERV_REASON_TERMINATING;
	return KSERV_REASON_NONE;
}

static struct kserv_endpoint judge(const struct kserv_here *here, const struct census *census,
				   const struct candidate *candidate)
{
	struct kserv_endpoint endpoint = {
		.addr = candidate->addr,
		.port = candidate->port,
		.state = candidate->state,
		.cluster_reason = cluster_reason(here, census, candidate),
		.local_reason = local_reason(census, candidate),
		.weight = candidate->from->weight,
	};

	if (candidate->local)
		endpoint.flags |= KSERV_ENDPOINT_FLAGS_LOCAL;
	if (endpoint.cluster_reason == KSERV_REASON_NONE)
		endpoint.flags |= KSERV_ENDPOINT_FLAGS_CLUSTER_SET;
	if (endpoint.local_reason == KSERV_REASON_NONE)
		endpoint.flags |= KSERV_ENDPOINT_FLAGS_LOCAL_SET;
	/* What may be chosen serves by definition; else a UDP flow to it would choose again at each packet. */
	if (is_serving(candidate->from) || is_ready(candidate->from))
		endpoint.flags |= KSERV_ENDPOINT_FLAGS_SERVING;
	return endpoint;
}

int kserv_plan_endpoints(const struct kserv_endpoint_query *query, struct kserv_service *ret_service, bool *ret_usable)
{
	struct kserv_endpoint *endpoints = NULL;
	struct candidate *candidates;
	struct census census;
	size_t i, n;
	int error;

	error = collect(query, &candidates, &n);
	if (error)
		return error;
	if (n) {
		endpoints = calloc(n, sizeof(*endpoints));
		if (!endpoints) {
			free(candidates);
			return -ENOMEM;
		}
	}
	census = count(query, candidates, n);
	for (i = 0; i < n; i++)
		endpoints[i] = judge(query->here, &census, &candidates[i]);
	free(candidates);
	ret_service->endpoints = endpoints;
	ret_service->n_endpoints = n;
	*ret_usable = census.ready || census.terminating_serving;
	return 0;
}

static void warn_of_endpoint(const struct kserv_slice *slice, size_t i, struct kserv_warnings *warnings)
{
	const struct kserv_slice_endpoint *from = &slice->endpoints[i];
	struct kserv_addr addr;

	if (read_endpoint_address(slice, from, &addr))
		return;
	if (!from->addresses.n)
		kserv_warn(warnings, "EndpointSlice", &slice->meta, "endpoints[%zu] has no address and was skipped", i);
	else if (!kserv_address_read(from->addresses.v[0], &addr))
		kserv_warn(warnings, "EndpointSlice", &slice->meta,
			   "endpoints[%zu].addresses[0] \"%s\" is not an address; the endpoint was skipped", i,
			   from->addresses.v[0]);
	else if (!slice_has_family(slice, addr.family))
		kserv_warn(warnings, "EndpointSlice", &slice->meta,
			   "endpoints[%zu].addresses[0] %s is not of the slice's addressType; the endpoint was skipped", i,
			   from->addresses.v[0]);
	else
		kserv_warn(warnings, "EndpointSlice", &slice->meta,
			   "endpoints[%zu].addresses[0] %s cannot be an endpoint: it is a loopback, link-local, multicast or "
			   "unspecified address", i, from->addresses.v[0]);
}

static void warn_of_port(const struct kserv_slice *slice, size_t i, struct kserv_warnings *warnings)
{
	if (!slice->ports[i].name)
		kserv_warn(warnings, "EndpointSlice", &slice->meta, "ports[%zu] has no name and was skipped", i);
	else if (!slice->ports[i].port)
		kserv_warn(warnings, "EndpointSlice", &slice->meta, "ports[%zu] has no number and was skipped", i);
}

void kserv_warn_of_slices(struct kserv_slice *const *slices, size_t n_slices, struct kserv_warnings *warnings)
{
	size_t i, j;

	for (i = 0; warnings && i < n_slices; i++) {
		if (slices[i]->address_type == KSERV_ADDRESS_FQDN || is_headless(&slices[i]->meta.labels))
			continue;
		for (j = 0; j < slices[i]->n_ports; j++)
			warn_of_port(slices[i], j, warnings);
		for (j = 0; j < slices[i]->n_endpoints; j++)
			warn_of_endpoint(slices[i], j, warnings);
	}
}
