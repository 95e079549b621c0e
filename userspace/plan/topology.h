/* SPDX-License-Identifier: GPL-2.0 */
/* Topology hints: whether the endpoints meant for this node or this zone are preferred (rules 2.10-2.14). */
#ifndef KSERV_TOPOLOGY_H
#define KSERV_TOPOLOGY_H

#include "plan/plan.h"

enum kserv_topology { KSERV_TOPOLOGY_ALL, KSERV_TOPOLOGY_NODE, KSERV_TOPOLOGY_ZONE };

/* What the hints of a service's ready endpoints say together; a mode needs hints on all and us among them. */
struct kserv_hints {
	const struct kserv_here *here;
	size_t n, with_node, with_zone;
	bool for_node, for_zone;
};

void kserv_hints_init(struct kserv_hints *hints, const struct kserv_here *here);
/* Call it for every ready endpoint. */
void kserv_hints_add(struct kserv_hints *hints, const struct kserv_slice_endpoint *endpoint);
enum kserv_topology kserv_hints_decide(const struct kserv_hints *hints);

bool kserv_topology_allows(enum kserv_topology topology, const struct kserv_here *here,
			   const struct kserv_slice_endpoint *endpoint);

#endif
