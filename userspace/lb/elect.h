/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which node announces which load-balancer address. Pure: nodes that see the same cluster decide alike, and when a node
 * comes or goes only the addresses that it wins or had move.
 *
 * kserv_lb_board_begin(), kserv_lb_board_add() for each Service, kserv_lb_board_end(); then the addresses can be read.
 */
#ifndef KSERV_LB_ELECT_H
#define KSERV_LB_ELECT_H

#include "cluster/cluster.h"
#include "source/allocate.h"

/* Nodes with this label, whatever its value, announce nothing. */
#define KSERV_LB_EXCLUDE	"node.kubernetes.io/exclude-from-external-load-balancers"

/**
 * struct kserv_lb_node - a node that may announce
 * @why_not: why it does not announce anything, or NULL
 */
struct kserv_lb_node {
	const char *name, *why_not;
};

/**
 * struct kserv_lb_address - an address and who announces it
 * @services: names of those that have it, "default/web"
 * @node: the node that announces it, or NULL; then @why says why nobody does
 * @scores: of each node of the board: how many of the Services it can serve
 */
struct kserv_lb_address {
	struct kserv_addr addr;
	struct kserv_strings services;
	const char *node, *why;
	unsigned int *scores;
};

/**
 * struct kserv_lb_board - all of them, in the order of their addresses once it is complete
 * @nodes: borrowed, sorted by name
 * @pools: borrowed; addresses outside of them are somebody else's
 */
struct kserv_lb_board {
	const struct kserv_lb_node *nodes;
	size_t n_nodes;
	const struct kserv_pool *pools;
	size_t n_pools;
	struct kserv_lb_address *v;
	size_t n;
};

/* Sorts @nodes, which must live as long as the board. */
void kserv_lb_board_begin(struct kserv_lb_board *board, struct kserv_lb_node *nodes, size_t n_nodes,
			  const struct kserv_pool *pools, size_t n_pools);
/* A Service that is none of ours is passed over. */
void kserv_lb_board_add(struct kserv_lb_board *board, const struct kserv_k8s_service *service,
			const struct kserv_slice *const *slices, size_t n_slices);
void kserv_lb_board_end(struct kserv_lb_board *board);
/*
 * Can @node serve the address, as well as any that may announce it? Where several may lead to it, as with BGP, all of
 * those do.
 */
bool kserv_lb_is_served_by(const struct kserv_lb_board *board, const struct kserv_lb_address *address,
			   const char *node);
void kserv_lb_board_clear(struct kserv_lb_board *board);

/* What @name has drawn for an address: of those that can, who has drawn most announces it. */
uint64_t kserv_lb_draw(const char *name, const struct kserv_addr *addr);

/* Is it of type LoadBalancer, and of no class or of ours? */
bool kserv_lb_is_ours(const struct kserv_k8s_service *service);
bool kserv_lb_in_pools(const struct kserv_pool *pools, size_t n_pools, const struct kserv_addr *addr);

#endif
