/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who has which address and port: cluster IPs, node ports and load-balancer addresses, handed out as Kubernetes'
 * allocators (and MetalLB) do. Kept in memory only: it is filled from the Services of the store each time.
 */
#ifndef KSERV_ALLOCATE_H
#define KSERV_ALLOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/tables.h"

/* Addresses from @first to @last of one family. */
struct kserv_span {
	struct kserv_addr first, last;
};

/**
 * struct kserv_pool - addresses for LoadBalancer Services
 * @auto_assign: also for Services that do not ask for it
 */
struct kserv_pool {
	char *name;
	bool auto_assign;
	struct kserv_span *spans;
	size_t n_spans;
};

/**
 * struct kserv_allocator_limits - what there is to hand out; borrowed by the allocator
 * @cluster: service CIDRs, at most one of each family
 * @random: 64 random bits; NULL for the kernel's
 */
struct kserv_allocator_limits {
	const struct kserv_prefix *cluster;
	size_t n_cluster;
	uint16_t node_port_min, node_port_max;
	const struct kserv_pool *pools;
	size_t n_pools;
	uint64_t (*random)(void);
};

struct kserv_allocator;

struct kserv_allocator *kserv_allocator_new(const struct kserv_allocator_limits *limits);
void kserv_allocator_free(struct kserv_allocator *allocator);

/**
 * kserv_allocator_take_ip() - a cluster IP that somebody asks for
 * @holder: "Service default/web"
 * @ret_holder: who has it, on -EADDRINUSE
 *
 * Return: 0 (also if @holder has it already), -ERANGE outside of the service CIDRs, -EADDRINUSE.
 */
int kserv_allocator_take_ip(struct kserv_allocator *allocator, const struct kserv_addr *addr, const char *holder,
			    const char **ret_holder);

/* One more CIDR that cluster IPs may be asked for from, as of a ServiceCIDR object; those of the limits go on. */
void kserv_allocator_add_cidr(struct kserv_allocator *allocator, const struct kserv_prefix *cidr);

/**
 * kserv_allocator_next_ip() - any cluster IP
 * The first min(max(16, size / 16), 256) addresses of the range are given only when all others are taken: they are for
 * those who ask.
 *
 * Return: 0, -ERANGE without a CIDR of the family, -ENOSPC.
 */
int kserv_allocator_next_ip(struct kserv_allocator *allocator, uint8_t family, const char *holder,
			    struct kserv_addr *ret_addr);
const struct kserv_allocator_limits *kserv_allocator_limits(const struct kserv_allocator *allocator);
/* The service CIDR of a family, or NULL. */
const struct kserv_prefix *kserv_allocator_cidr(const struct kserv_allocator *allocator, uint8_t family);

/* The same for node ports, whatever their protocol; the first min(max(16, n / 32), 128) are for those who ask. */
int kserv_allocator_take_port(struct kserv_allocator *allocator, uint16_t port, const char *holder,
			      const char **ret_holder);
int kserv_allocator_next_port(struct kserv_allocator *allocator, const char *holder, uint16_t *ret_port);

/**
 * struct kserv_balancer_user - what a Service does with a load-balancer address
 * @sharing_key: those with the same key that is not "" may share an address if their ports differ
 * @ports: protocol << 16 | port
 */
struct kserv_balancer_user {
	const char *holder, *sharing_key;
	const uint32_t *ports;
	size_t n_ports;
};

/* Is it an address of one of the pools? */
bool kserv_allocator_has_balancer(const struct kserv_allocator *allocator, const struct kserv_addr *addr);
/* Return: 0, -ERANGE in no pool, -EADDRINUSE. */
int kserv_allocator_take_balancer(struct kserv_allocator *allocator, const struct kserv_addr *addr,
				  const struct kserv_balancer_user *user, const char **ret_holder);
/**
 * kserv_allocator_next_balancer() - the first free address
 * @pool: name of the pool asked for, or "" for any that assigns by itself
 *
 * Return: 0, -ENOENT without such a pool or without addresses of the family in it, -ENOSPC.
 */
int kserv_allocator_next_balancer(struct kserv_allocator *allocator, uint8_t family, const char *pool,
				  const struct kserv_balancer_user *user, struct kserv_addr *ret_addr);

#endif
