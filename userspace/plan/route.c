// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan/address.h"
#include "plan/here.h"
#include "plan/warning.h"

/* A route and whose it is; of several with one CIDR the first by node name counts. */
struct claim {
	struct kserv_route route;
	const struct kserv_node *node;
};

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = kserv_prefix_compare(&x->route.prefix, &y->route.prefix);

	return order ? order : strcmp(x->node->meta.name, y->node->meta.name);
}

static bool is_wrapped(const struct kserv_here *here, const struct kserv_prefix *prefix)
{
	const struct kserv_prefixes *wrapped = here->wrapped;

	return wrapped->n && bsearch(prefix, wrapped->v, wrapped->n, sizeof(*prefix), kserv_prefix_compare);
}

/* Return: false if the CIDR makes no route. */
static bool plan_route(const struct kserv_here *here, const struct kserv_node *node, const struct kserv_addr primary[2],
		       size_t i, struct kserv_route *ret_route, struct kserv_warnings *warnings)
{
	struct kserv_route route = { .type = KSERV_ROUTE_TYPE_LOCAL };
	const char *text = node->pod_cidrs.v[i];

	if (!kserv_cidr_read(text, &route.prefix)) {
		kserv_warn(warnings, "Node", &node->meta, "spec.podCIDRs[%zu] \"%s\" is not a CIDR and was skipped", i, text);
		return false;
	}
	if (!kserv_here_is_node(here, node->meta.name)) {
		route.type = is_wrapped(here, &route.prefix) ? KSERV_ROUTE_TYPE_VXLAN : KSERV_ROUTE_TYPE_DIRECT;
		route.gateway = primary[kserv_family_index(route.prefix.addr.family)];
		if (route.gateway.family == AF_UNSPEC) {
			kserv_warn(warnings, "Node", &node->meta, "its pods in %s cannot be reached: it has no address of that family",
				   text);
			return false;
		}
	}
	*ret_route = route;
	return true;
}

/* Of the claims, which are sorted, one for each CIDR. */
static size_t settle(const struct claim *claims, size_t n, struct kserv_route *routes, struct kserv_warnings *warnings)
{
	const struct claim *winner = NULL;
	char text[KSERV_ADDR_TEXT];
	size_t i, n_routes = 0;

	for (i = 0; i < n; i++) {
		if (winner && !kserv_prefix_compare(&winner->route.prefix, &claims[i].route.prefix)) {
			if (winner->node != claims[i].node)
				kserv_warn(warnings, "Node", &claims[i].node->meta,
					   "its pod CIDR %s is also that of node %s, which gets the traffic",
					   kserv_prefix_format(&claims[i].route.prefix, text), winner->node->meta.name);
			continue;
		}
		winner = &claims[i];
		routes[n_routes++] = winner->route;
	}
	return n_routes;
}

int kserv_plan_routes(const struct kserv_here *here, struct kserv_node *const *nodes, size_t n_nodes,
		      struct kserv_route **ret_routes, size_t *ret_n, struct kserv_warnings *warnings)
{
	size_t i, j, n = 0, max = 0;
	struct kserv_route *routes;
	struct claim *claims;

	for (i = 0; i < n_nodes; i++)
		max += nodes[i]->pod_cidrs.n;
	claims = calloc(max + 1, sizeof(*claims));
	routes = calloc(max + 1, sizeof(*routes));
	if (!claims || !routes) {
		free(claims);
		free(routes);
		return -ENOMEM;
	}
	for (i = 0; i < n_nodes; i++) {
		struct kserv_addr primary[2] = { 0 };

		kserv_node_primary(nodes[i], primary);
		for (j = 0; j < nodes[i]->pod_cidrs.n; j++) {
			claims[n].node = nodes[i];
			n += plan_route(here, nodes[i], primary, j, &claims[n].route, warnings);
		}
	}
	qsort(claims, n, sizeof(*claims), claim_compare);
	*ret_n = settle(claims, n, routes, warnings);
	*ret_routes = routes;
	free(claims);
	return 0;
}
