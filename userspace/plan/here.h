/* SPDX-License-Identifier: GPL-2.0 */
/* Questions about the node that is planned for, and about nodes. */
#ifndef KSERV_HERE_H
#define KSERV_HERE_H

#include "plan/plan.h"

/* How pods are told from others, the mode NodeCIDR taken for what it is: a CIDR. */
enum kserv_detect_local kserv_here_detect_local(const struct kserv_here *here);

/* Is @name our own? An empty name is nobody's. */
bool kserv_here_is_node(const struct kserv_here *here, const char *name);

/* Fill in the primary addresses of @node where @primary has none yet: the first internal one of a family, else external. */
void kserv_node_primary(const struct kserv_node *node, struct kserv_addr primary[2]);

#endif
