// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lb/elect.h"
#include "lib/addr.h"
#include "source/assign.h"

/* FNV-1a, whose weak high bits the finish of splitmix64 mixes. */
uint64_t kserv_lb_draw(const char *name, const struct kserv_addr *addr)
{
	const uint8_t *bytes = (const uint8_t *)&addr->v6;
	size_t i, n = addr->family == AF_INET ? 4 : 16;
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3;
	for (i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
	return hash ^ hash >> 31;
}

bool kserv_lb_is_ours(const struct kserv_k8s_service *service)
{
	const char *class = service->load_balancer_class ? service->load_balancer_class : "";

	return service->type == KSERV_SERVICE_LOAD_BALANCER && (!*class || !strcmp(class, KSERV_BALANCER_CLASS));
}

static int compare_addresses(const struct kserv_addr *a, const struct kserv_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(&a->v6, &b->v6, sizeof(a->v6));
}

bool kserv_lb_in_pools(const struct kserv_pool *pools, size_t n_pools, const struct kserv_addr *addr)
{
	size_t i, j;

	for (i = 0; i < n_pools; i++)
		for (j = 0; j < pools[i].n_spans; j++)
			if (pools[i].spans[j].first.family == addr->family &&
			    compare_addresses(&pools[i].spans[j].first, addr) <= 0 &&
			    compare_addresses(addr, &pools[i].spans[j].last) <= 0)
				return true;
	return false;
}

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct kserv_lb_node *)a)->name, ((const struct kserv_lb_node *)b)->name);
}

void kserv_lb_board_begin(struct kserv_lb_board *board, struct kserv_lb_node *nodes, size_t n_nodes,
			  const struct kserv_pool *pools, size_t n_pools)
{
	if (n_nodes)
		qsort(nodes, n_nodes, sizeof(*nodes), compare_nodes);
	*board = (struct kserv_lb_board){ .nodes = nodes, .n_nodes = n_nodes, .pools = pools, .n_pools = n_pools };
}

static struct kserv_lb_address *need_address(struct kserv_lb_board *board, const struct kserv_addr *addr)
{
	struct kserv_lb_address *address;
	size_t i;

	for (i = 0; i < board->n; i++)
		if (kserv_addr_is_equal(&board->v[i].addr, addr))
			return &board->v[i];
	board->v = kserv_must_grow(board->v, board->n, sizeof(*board->v));
	address = &board->v[board->n++];
	address->addr = *addr;
	address->scores = kserv_must_alloc((board->n_nodes + 1) * sizeof(*address->scores));
	return address;
}

/* Nodes that have a ready endpoint of the family; the caller frees them. */
static bool *find_serving(const struct kserv_lb_board *board, uint8_t family, const struct kserv_slice *const *slices,
			  size_t n_slices)
{
	enum kserv_address_type type = family == AF_INET ? KSERV_ADDRESS_IPV4 : KSERV_ADDRESS_IPV6;
	bool *serving = kserv_must_alloc(board->n_nodes + 1);
	const struct kserv_lb_node *node;
	size_t i, j;

	for (i = 0; i < n_slices; i++) {
		if (slices[i]->address_type != type)
			continue;
		for (j = 0; j < slices[i]->n_endpoints && board->n_nodes; j++) {
			struct kserv_lb_node wanted = { .name = slices[i]->endpoints[j].node_name };

			if (slices[i]->endpoints[j].ready == KSERV_FALSE || !wanted.name)
				continue;
			node = bsearch(&wanted, board->nodes, board->n_nodes, sizeof(wanted), compare_nodes);
			if (node)
				serving[node - board->nodes] = true;
		}
	}
	return serving;
}

static void add_address(struct kserv_lb_board *board, const struct kserv_k8s_service *service, const char *name,
			const struct kserv_addr *addr, const struct kserv_slice *const *slices, size_t n_slices)
{
	struct kserv_lb_address *address = need_address(board, addr);
	bool *serving = NULL;
	size_t i;

	kserv_strings_add(&address->services, name);
	if (service->external_policy == KSERV_POLICY_LOCAL)
		serving = find_serving(board, addr->family, slices, n_slices);
	for (i = 0; i < board->n_nodes; i++)
		address->scores[i] += !serving || serving[i];
	free(serving);
}

void kserv_lb_board_add(struct kserv_lb_board *board, const struct kserv_k8s_service *service,
			const struct kserv_slice *const *slices, size_t n_slices)
{
	struct kserv_addr addr;
	char *name;
	size_t i;

	if (!kserv_lb_is_ours(service))
		return;
	name = kserv_must_printf("%s/%s", service->meta.namespace, service->meta.name);
	for (i = 0; i < service->n_ingress; i++) {
		memset(&addr, 0, sizeof(addr));
		if (!service->ingress[i].proxy && !kserv_addr_parse(service->ingress[i].ip, &addr) &&
		    kserv_lb_in_pools(board->pools, board->n_pools, &addr))
			add_address(board, service, name, &addr, slices, n_slices);
	}
	free(name);
}

/* Of the nodes that serve the most of its Services, the one that has drawn most; the first by name if two have. */
static void elect(const struct kserv_lb_board *board, struct kserv_lb_address *address)
{
	unsigned int best_score = 0;
	uint64_t best = 0, draw;
	bool any = false;
	size_t i;

	for (i = 0; i < board->n_nodes; i++) {
		if (board->nodes[i].why_not)
			continue;
		any = true;
		if (!address->scores[i] || address->scores[i] < best_score)
			continue;
		draw = kserv_lb_draw(board->nodes[i].name, &address->addr);
		if (address->node && address->scores[i] == best_score && draw <= best)
			continue;
		address->node = board->nodes[i].name;
		best_score = address->scores[i];
		best = draw;
	}
	if (!address->node)
		address->why = any ? "externalTrafficPolicy is Local and no node that could announce it has a ready endpoint" :
				     "there is no node that could announce it";
}

static int compare_board(const void *a, const void *b)
{
	return compare_addresses(&((const struct kserv_lb_address *)a)->addr, &((const struct kserv_lb_address *)b)->addr);
}

void kserv_lb_board_end(struct kserv_lb_board *board)
{
	size_t i;

	if (board->n)
		qsort(board->v, board->n, sizeof(*board->v), compare_board);
	for (i = 0; i < board->n; i++)
		elect(board, &board->v[i]);
}

bool kserv_lb_is_served_by(const struct kserv_lb_board *board, const struct kserv_lb_address *address,
			   const char *node)
{
	unsigned int best = 0, score = 0;
	size_t i;

	for (i = 0; i < board->n_nodes; i++) {
		if (board->nodes[i].why_not)
			continue;
		if (address->scores[i] > best)
			best = address->scores[i];
		if (!strcmp(board->nodes[i].name, node))
			score = address->scores[i];
	}
	return score && score == best;
}

void kserv_lb_board_clear(struct kserv_lb_board *board)
{
	size_t i;

	for (i = 0; i < board->n; i++) {
		kserv_strings_clear(&board->v[i].services);
		free(board->v[i].scores);
	}
	free(board->v);
	*board = (struct kserv_lb_board){ 0 };
}
