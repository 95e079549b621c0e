// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "plan/here.h"
#include "plan/topology.h"

static bool names_this_node(const struct kserv_here *here, const struct kserv_slice_endpoint *endpoint)
{
	size_t i;

	for (i = 0; i < endpoint->hint_nodes.n; i++)
		if (kserv_here_is_node(here, endpoint->hint_nodes.v[i]))
			return true;
	return false;
}

static bool names_this_zone(const struct kserv_here *here, const struct kserv_slice_endpoint *endpoint)
{
	size_t i;

	for (i = 0; here->zone && i < endpoint->hint_zones.n; i++)
		if (!strcmp(here->zone, endpoint->hint_zones.v[i]))
			return true;
	return false;
}

void kserv_hints_init(struct kserv_hints *hints, const struct kserv_here *here)
{
	memset(hints, 0, sizeof(*hints));
	hints->here = here;
}

void kserv_hints_add(struct kserv_hints *hints, const struct kserv_slice_endpoint *endpoint)
{
	hints->n++;
	hints->with_node += endpoint->hint_nodes.n > 0;
	hints->with_zone += endpoint->hint_zones.n > 0;
	hints->for_node |= names_this_node(hints->here, endpoint);
	hints->for_zone |= names_this_zone(hints->here, endpoint);
}

enum kserv_topology kserv_hints_decide(const struct kserv_hints *hints)
{
	if (hints->for_node && hints->with_node == hints->n)
		return KSERV_TOPOLOGY_NODE;
	if (hints->for_zone && hints->with_zone == hints->n)
		return KSERV_TOPOLOGY_ZONE;
	return KSERV_TOPOLOGY_ALL;
}

bool kserv_topology_allows(enum kserv_topology topology, const struct kserv_here *here,
			   const struct kserv_slice_endpoint *endpoint)
{
	switch (topology) {
	case KSERV_TOPOLOGY_NODE:
		return names_this_node(here, endpoint);
	case KSERV_TOPOLOGY_ZONE:
		return names_this_zone(here, endpoint);
	default:
		return true;
	}
}
