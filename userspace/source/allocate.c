// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uthash.h>
#include "cluster/memory.h"
#include "lib/addr.h"
#include "source/allocate.h"

/* An address or a port, as text, and who has it. */
struct holding {
	char *key, *holder;
	UT_hash_handle hh;
};

/* One user of a load-balancer address. */
struct sharer {
	char *holder, *sharing_key;
	uint32_t *ports;
	size_t n_ports;
	struct sharer *next;
};

struct balancer {
	char *key;
	struct sharer *sharers;
	UT_hash_handle hh;
};

struct kserv_allocator {
	const struct kserv_allocator_limits *limits;
	struct kserv_prefixes more;
	struct holding *ips, *ports;
	struct balancer *balancers;
};

static uint64_t kernel_random(void)
{
	uint64_t bits = 0;

	while (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		;
	return bits;
}

struct kserv_allocator *kserv_allocator_new(const struct kserv_allocator_limits *limits)
{
	struct kserv_allocator *allocator = kserv_must_alloc(sizeof(*allocator));

	allocator->limits = limits;
	return allocator;
}

static void free_holdings(struct holding *holdings)
{
	struct holding *holding, *next;

	HASH_ITER(hh, holdings, holding, next) {
		HASH_DEL(holdings, holding);
		free(holding->key);
		free(holding->holder);
		free(holding);
	}
}

static void free_balancer(struct balancer *balancer)
{
	struct sharer *sharer, *next;

	for (sharer = balancer->sharers; sharer; sharer = next) {
		next = sharer->next;
		free(sharer->holder);
		free(sharer->sharing_key);
		free(sharer->ports);
		free(sharer);
	}
	free(balancer->key);
	free(balancer);
}

void kserv_allocator_free(struct kserv_allocator *allocator)
{
	struct balancer *balancer, *next;

	if (!allocator)
		return;
	free_holdings(allocator->ips);
	free_holdings(allocator->ports);
	HASH_ITER(hh, allocator->balancers, balancer, next) {
		HASH_DEL(allocator->balancers, balancer);
		free_balancer(balancer);
	}
	free(allocator->more.v);
	free(allocator);
}

static int take(struct holding **holdings, const char *key, const char *holder, const char **ret_holder)
{
	struct holding *holding;

	HASH_FIND_STR(*holdings, key, holding);
	if (holding) {
		*ret_holder = holding->holder;
		return strcmp(holding->holder, holder) ? -EADDRINUSE : 0;
	}
	holding = kserv_must_alloc(sizeof(*holding));
	holding->key = kserv_must_strdup(key);
	holding->holder = kserv_must_strdup(holder);
	HASH_ADD_KEYPTR(hh, *holdings, holding->key, strlen(holding->key), holding);
	return 0;
}

static uint64_t half(const struct kserv_addr *addr, int i)
{
	uint64_t part;

	memcpy(&part, addr->v6.s6_addr + 8 * i, sizeof(part));
	return be64toh(part);
}

static struct kserv_addr add(const struct kserv_addr *addr, uint64_t n)
{
	struct kserv_addr sum = *addr;
	uint64_t parts[2] = { half(addr, 0), half(addr, 1) };

	if (addr->family == AF_INET) {
		sum.v4.s_addr = htonl(ntohl(addr->v4.s_addr) + (uint32_t)n);
		return sum;
	}
	parts[0] += parts[1] + n < parts[1];
	parts[1] += n;
	parts[0] = htobe64(parts[0]);
	parts[1] = htobe64(parts[1]);
	memcpy(&sum.v6, parts, sizeof(parts));
	return sum;
}

/* Addresses from @from to @to, UINT64_MAX for more than fit in it or if @to is before @from or of another family. */
static uint64_t distance(const struct kserv_addr *from, const struct kserv_addr *to)
{
	if (from->family != to->family)
		return UINT64_MAX;
	if (from->family == AF_INET)
		return ntohl(to->v4.s_addr) < ntohl(from->v4.s_addr) ? UINT64_MAX :
			ntohl(to->v4.s_addr) - ntohl(from->v4.s_addr);
	if (half(to, 0) - half(from, 0) != (half(to, 1) < half(from, 1)))
		return UINT64_MAX;
	return half(to, 1) - half(from, 1);
}

/* All addresses of a CIDR, but at most 2^62: nobody gets to the end of more. */
static uint64_t cidr_size(const struct kserv_prefix *cidr)
{
	unsigned int bits = (cidr->addr.family == AF_INET ? 32 : 128) - cidr->len;

	return 1ULL << (bits < 62 ? bits : 62);
}

/* The network's own address and, in IPv4, its broadcast address are nobody's. */
static uint64_t usable(const struct kserv_prefix *cidr)
{
	uint64_t size = cidr_size(cidr), lost = cidr->addr.family == AF_INET ? 2 : 1;

	return size > lost ? size - lost : 0;
}

static uint64_t clamp(uint64_t n, uint64_t min, uint64_t max)
{
	return n < min ? min : n > max ? max : n;
}

/* How many of the first addresses are kept for those who ask. */
static uint64_t kept_addresses(const struct kserv_prefix *cidr)
{
	uint64_t size = cidr_size(cidr);

	return size <= 16 ? 0 : clamp(size / 16, 16, 256);
}

const struct kserv_allocator_limits *kserv_allocator_limits(const struct kserv_allocator *allocator)
{
	return allocator->limits;
}

const struct kserv_prefix *kserv_allocator_cidr(const struct kserv_allocator *allocator, uint8_t family)
{
	size_t i;

	for (i = 0; i < allocator->limits->n_cluster; i++)
		if (allocator->limits->cluster[i].addr.family == family)
			return &allocator->limits->cluster[i];
	return NULL;
}

void kserv_allocator_add_cidr(struct kserv_allocator *allocator, const struct kserv_prefix *cidr)
{
	allocator->more.v = kserv_must_grow(allocator->more.v, allocator->more.n, sizeof(*allocator->more.v));
	allocator->more.v[allocator->more.n++] = *cidr;
}

static bool holds(const struct kserv_prefix *cidr, const struct kserv_addr *addr)
{
	uint64_t offset = distance(&cidr->addr, addr);

	return offset && offset <= usable(cidr);
}

int kserv_allocator_take_ip(struct kserv_allocator *allocator, const struct kserv_addr *addr, const char *holder,
			    const char **ret_holder)
{
	const struct kserv_prefix *cidr = kserv_allocator_cidr(allocator, addr->family);
	bool there = cidr && holds(cidr, addr);
	char key[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < allocator->more.n && !there; i++)
		there = allocator->more.v[i].addr.family == addr->family && holds(&allocator->more.v[i], addr);
	if (!there)
		return -ERANGE;
	return take(&allocator->ips, kserv_addr_format(addr, key), holder, ret_holder);
}

static uint64_t random_below(const struct kserv_allocator *allocator, uint64_t n)
{
	return (allocator->limits->random ? allocator->limits->random() : kernel_random()) % n;
}

/* Any of @n addresses from @first on: a random one, or the next after it that is free. */
static int next_in(struct kserv_allocator *allocator, const struct kserv_addr *first, uint64_t n, const char *holder,
		   struct kserv_addr *ret_addr)
{
	uint64_t start = n ? random_below(allocator, n) : 0, tried;
	char key[KSERV_ADDR_TEXT];
	struct holding *holding;
	struct kserv_addr addr;
	const char *unused;

	for (tried = 0; tried < n; tried++) {
		addr = add(first, (start + tried) % n);
		kserv_addr_format(&addr, key);
		HASH_FIND_STR(allocator->ips, key, holding);
		if (holding)
			continue;
		take(&allocator->ips, key, holder, &unused);
		*ret_addr = addr;
		return 0;
	}
	return -ENOSPC;
}

int kserv_allocator_next_ip(struct kserv_allocator *allocator, uint8_t family, const char *holder,
			    struct kserv_addr *ret_addr)
{
	const struct kserv_prefix *cidr = kserv_allocator_cidr(allocator, family);
	uint64_t kept, n;
	struct kserv_addr first;
	int error;

	if (!cidr)
		return -ERANGE;
	n = usable(cidr);
	kept = kept_addresses(cidr);
	if (kept > n)
		kept = n;
	first = add(&cidr->addr, 1 + kept);
	error = next_in(allocator, &first, n - kept, holder, ret_addr);
	if (error != -ENOSPC)
		return error;
	first = add(&cidr->addr, 1);
	return next_in(allocator, &first, kept, holder, ret_addr);
}

static const char *port_key(uint16_t port, char key[8])
{
	snprintf(key, 8, "%u", port);
	return key;
}

int kserv_allocator_take_port(struct kserv_allocator *allocator, uint16_t port, const char *holder,
			      const char **ret_holder)
{
	char key[8];

	if (port < allocator->limits->node_port_min || port > allocator->limits->node_port_max)
		return -ERANGE;
	return take(&allocator->ports, port_key(port, key), holder, ret_holder);
}

static int next_port_in(struct kserv_allocator *allocator, uint32_t first, uint32_t n, const char *holder,
			uint16_t *ret_port)
{
	uint32_t start = n ? random_below(allocator, n) : 0, tried;
	struct holding *holding;
	const char *unused;
	char key[8];

	for (tried = 0; tried < n; tried++) {
		*ret_port = first + (start + tried) % n;
		port_key(*ret_port, key);
		HASH_FIND_STR(allocator->ports, key, holding);
		if (!holding)
			return take(&allocator->ports, key, holder, &unused);
	}
	return -ENOSPC;
}

int kserv_allocator_next_port(struct kserv_allocator *allocator, const char *holder, uint16_t *ret_port)
{
	uint32_t first = allocator->limits->node_port_min, n = allocator->limits->node_port_max - first + 1;
	uint32_t kept = n < 16 ? 0 : clamp(n / 32, 16, 128);

	if (kept > n)
		kept = n;
	if (!next_port_in(allocator, first + kept, n - kept, holder, ret_port))
		return 0;
	return next_port_in(allocator, first, kept, holder, ret_port);
}

static bool in_pool(const struct kserv_pool *pool, const struct kserv_addr *addr)
{
	size_t i;

	for (i = 0; i < pool->n_spans; i++)
		if (distance(&pool->spans[i].first, addr) != UINT64_MAX &&
		    distance(addr, &pool->spans[i].last) != UINT64_MAX)
			return true;
	return false;
}

static bool ports_overlap(const struct sharer *sharer, const struct kserv_balancer_user *user)
{
	size_t i, j;

	for (i = 0; i < sharer->n_ports; i++)
		for (j = 0; j < user->n_ports; j++)
			if (sharer->ports[i] == user->ports[j])
				return true;
	return false;
}

/* Who stands in the way of @user at this address, or NULL. */
static const struct sharer *find_rival(const struct balancer *balancer, const struct kserv_balancer_user *user)
{
	const struct sharer *sharer;

	for (sharer = balancer ? balancer->sharers : NULL; sharer; sharer = sharer->next)
		if (strcmp(sharer->holder, user->holder) &&
		    (!*user->sharing_key || strcmp(sharer->sharing_key, user->sharing_key) ||
		     ports_overlap(sharer, user)))
			return sharer;
	return NULL;
}

static void add_sharer(struct balancer *balancer, const struct kserv_balancer_user *user)
{
	struct sharer *sharer = kserv_must_alloc(sizeof(*sharer));

	sharer->holder = kserv_must_strdup(user->holder);
	sharer->sharing_key = kserv_must_strdup(user->sharing_key);
	sharer->ports = kserv_must_alloc(user->n_ports * sizeof(*sharer->ports));
	if (user->n_ports)
		memcpy(sharer->ports, user->ports, user->n_ports * sizeof(*sharer->ports));
	sharer->n_ports = user->n_ports;
	sharer->next = balancer->sharers;
	balancer->sharers = sharer;
}

static int share(struct kserv_allocator *allocator, const struct kserv_addr *addr,
		 const struct kserv_balancer_user *user, const char **ret_holder)
{
	struct balancer *balancer;
	const struct sharer *rival;
	char key[KSERV_ADDR_TEXT];

	kserv_addr_format(addr, key);
	HASH_FIND_STR(allocator->balancers, key, balancer);
	rival = find_rival(balancer, user);
	if (rival) {
		*ret_holder = rival->holder;
		return -EADDRINUSE;
	}
	if (!balancer) {
		balancer = kserv_must_alloc(sizeof(*balancer));
		balancer->key = kserv_must_strdup(key);
		HASH_ADD_KEYPTR(hh, allocator->balancers, balancer->key, strlen(balancer->key), balancer);
	}
	add_sharer(balancer, user);
	return 0;
}

bool kserv_allocator_has_balancer(const struct kserv_allocator *allocator, const struct kserv_addr *addr)
{
	size_t i;

	for (i = 0; i < allocator->limits->n_pools; i++)
		if (in_pool(&allocator->limits->pools[i], addr))
			return true;
	return false;
}

int kserv_allocator_take_balancer(struct kserv_allocator *allocator, const struct kserv_addr *addr,
				  const struct kserv_balancer_user *user, const char **ret_holder)
{
	size_t i;

	for (i = 0; i < allocator->limits->n_pools; i++)
		if (in_pool(&allocator->limits->pools[i], addr))
			return share(allocator, addr, user, ret_holder);
	return -ERANGE;
}

static int next_in_span(struct kserv_allocator *allocator, const struct kserv_span *span,
			const struct kserv_balancer_user *user, struct kserv_addr *ret_addr)
{
	uint64_t n = distance(&span->first, &span->last), i;
	struct balancer *balancer;
	char key[KSERV_ADDR_TEXT];
	const char *unused;

	for (i = 0; i <= n; i++) {
		*ret_addr = add(&span->first, i);
		kserv_addr_format(ret_addr, key);
		HASH_FIND_STR(allocator->balancers, key, balancer);
		/* An address in use is shared only by those who ask for it. */
		if (!balancer)
			return share(allocator, ret_addr, user, &unused);
	}
	return -ENOSPC;
}

int kserv_allocator_next_balancer(struct kserv_allocator *allocator, uint8_t family, const char *pool,
				  const struct kserv_balancer_user *user, struct kserv_addr *ret_addr)
{
	const struct kserv_allocator_limits *limits = allocator->limits;
	int result = -ENOENT;
	size_t i, j;

	for (i = 0; i < limits->n_pools; i++) {
		if (*pool ? strcmp(limits->pools[i].name, pool) : !limits->pools[i].auto_assign)
			continue;
		for (j = 0; j < limits->pools[i].n_spans; j++) {
			if (limits->pools[i].spans[j].first.family != family)
				continue;
			result = next_in_span(allocator, &limits->pools[i].spans[j], user, ret_addr);
			if (!result)
				return 0;
		}
	}
	return result;
}
