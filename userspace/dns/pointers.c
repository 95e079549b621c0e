// SPDX-License-Identifier: GPL-2.0
/* From addresses back to names. */
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "dns/records.h"

static int compare(const struct dns_pointer *a, const struct dns_pointer *b)
{
	if (a->service != b->service)
		return (uintptr_t)a->service < (uintptr_t)b->service ? -1 : 1;
	if (!a->label || !b->label)
		return (a->label != NULL) - (b->label != NULL);
	return kserv_records_compare_labels(a->label, b->label);
}

/* The first that is not before @pointer. */
static size_t find(const struct dns_address *address, const struct dns_pointer *pointer)
{
	size_t low = 0, high = address->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare(&address->v[middle], pointer) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void kserv_pointers_add(struct kserv_zone *zone, const struct kserv_addr *addr, struct dns_service *service,
			const uint8_t *label)
{
	struct dns_pointer pointer = { .service = service, .label = label };
	struct dns_address *address;
	size_t i;

	HASH_FIND(hh, zone->addresses, addr, sizeof(*addr), address);
	if (!address) {
		address = kserv_must_alloc(sizeof(*address));
		address->addr = *addr;
		HASH_ADD(hh, zone->addresses, addr, sizeof(*addr), address);
	}
	address->v = kserv_must_grow(address->v, address->n, sizeof(*address->v));
	i = find(address, &pointer);
	memmove(address->v + i + 1, address->v + i, (address->n - i) * sizeof(*address->v));
	address->v[i] = pointer;
	address->n++;
}

void kserv_pointers_remove(struct kserv_zone *zone, const struct kserv_addr *addr, struct dns_service *service,
			   const uint8_t *label)
{
	struct dns_pointer pointer = { .service = service, .label = label };
	struct dns_address *address;
	size_t i;

	HASH_FIND(hh, zone->addresses, addr, sizeof(*addr), address);
	if (!address)
		return;
	for (i = find(address, &pointer); i < address->n; i++)
		if (address->v[i].service == service && address->v[i].label == label)
			break;
	if (i == address->n)
		return;
	address->n--;
	memmove(address->v + i, address->v + i + 1, (address->n - i) * sizeof(*address->v));
	if (address->n)
		return;
	HASH_DEL(zone->addresses, address);
	free(address->v);
	free(address);
}

bool kserv_pointer_counts(const struct dns_address *address, size_t i)
{
	return kserv_records_has_addresses(address->v[i].service) &&
	       (!i || compare(&address->v[i - 1], &address->v[i]));
}

bool kserv_pointers_any(const struct dns_address *address)
{
	size_t i;

	for (i = 0; i < address->n; i++)
		if (kserv_pointer_counts(address, i))
			return true;
	return false;
}
