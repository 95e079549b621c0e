// SPDX-License-Identifier: GPL-2.0
/* Pod CIDRs: which are local, and behind which node the others are. */
#include <linux/slab.h>
#include <net/netlink.h>

#include "kserv.h"
#include "route.h"
#include "transaction.h"

#define MAX_ROUTES 65536

static int prefix_cmp(const struct kserv_prefix *a, const struct kserv_prefix *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) ?: (int)a->len - (int)b->len;
}

static struct kserv_route *lookup(const struct rb_root *root, const struct kserv_prefix *prefix)
{
	struct rb_node *node = root->rb_node;
	struct kserv_route *route;
	int order;

	while (node) {
		route = rb_entry(node, struct kserv_route, node);
		order = prefix_cmp(prefix, &route->prefix);
		if (!order)
			return route;
		node = order < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/* The tree must not have the route's prefix yet. */
static void insert(struct rb_root *root, struct kserv_route *route)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (prefix_cmp(&route->prefix, &rb_entry(parent, struct kserv_route, node)->prefix) < 0)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&route->node, parent, link);
	rb_insert_color(&route->node, root);
}

static void free_all(struct rb_root *root)
{
	struct kserv_route *route, *next;

	rbtree_postorder_for_each_entry_safe(route, next, root, node)
		kfree(route);
	*root = RB_ROOT;
}

static int parse_gateway(struct kserv_route *route, struct nlattr **tb, const struct nlattr *attr,
			 struct netlink_ext_ack *extack)
{
	const struct nlattr *v4 = tb[KSERV_A_ROUTE_GATEWAY4], *v6 = tb[KSERV_A_ROUTE_GATEWAY6];

	if (route->type == KSERV_ROUTE_TYPE_LOCAL) {
		if (v4 || v6)
			return kserv_refuse(extack, v4 ? v4 : v6, -EINVAL, "a local route has no gateway");
		return 0;
	}
	if (!(route->prefix.family == NFPROTO_IPV4 ? v4 : v6) || (v4 && v6))
		return kserv_refuse(extack, attr, -EINVAL,
				    "a route that is not local needs one gateway, a node's address of the same family");
	if (v4)
		route->gateway.ip = nla_get_in_addr(v4);
	else
		route->gateway.in6 = nla_get_in6_addr(v6);
	return 0;
}

static int parse(struct kserv_route *route, const struct nlattr *attr, bool del, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KSERV_A_ROUTE_MAX + 1];
	int ret;

	ret = nla_parse_nested(tb, KSERV_A_ROUTE_MAX, attr, NULL, extack);
	if (ret)
		return ret;
	if (!tb[KSERV_A_ROUTE_PREFIX])
		return kserv_refuse(extack, attr, -EINVAL, "a route needs its prefix");
	ret = kserv_prefix_parse(tb[KSERV_A_ROUTE_PREFIX], &route->prefix, extack);
	if (ret || del)
		return ret;
	if (!tb[KSERV_A_ROUTE_TYPE])
		return kserv_refuse(extack, attr, -EINVAL, "a route needs its type");
	route->type = nla_get_u8(tb[KSERV_A_ROUTE_TYPE]);
	return parse_gateway(route, tb, attr, extack);
}

/* @staged is what the message said of the prefix before, or NULL. */
static int check(struct kserv_transaction *tx, const struct kserv_route *route, const struct kserv_route *staged,
		 const struct nlattr *attr)
{
	bool in_force = lookup(&tx->kn->routes, &route->prefix);
	bool exists = staged ? !staged->del : in_force;

	if (route->del && !exists)
		return kserv_refuse(tx->extack, attr, -ENOENT, "there is no route for this prefix");
	if (!in_force)
		tx->n_routes += !route->del - exists;
	if (tx->kn->n_routes + tx->n_routes > MAX_ROUTES)
		return kserv_refuse(tx->extack, attr, -ENOSPC, "there are 65536 routes already");
	return 0;
}

int kserv_route_stage(struct kserv_transaction *tx, const struct nlattr *attr, bool del)
{
	struct kserv_route *route, *staged;
	int ret;

	lockdep_assert_held(&tx->kn->mutex);
	route = kzalloc(sizeof(*route), GFP_KERNEL_ACCOUNT);
	if (!route)
		return -ENOMEM;
	route->del = del;
	ret = parse(route, attr, del, tx->extack);
	if (ret)
		goto err_free;
	staged = lookup(&tx->routes, &route->prefix);
	ret = check(tx, route, staged, attr);
	if (ret)
		goto err_free;
	if (staged) {
		rb_replace_node(&staged->node, &route->node, &tx->routes);
		kfree(staged);
	} else {
		insert(&tx->routes, route);
	}
	return 0;

err_free:
	kfree(route);
	return ret;
}

static void remove(struct kserv_net *kn, struct kserv_route *route)
{
	rb_erase(&route->node, &kn->routes);
	kn->n_routes--;
	kfree(route);
}

/* Remove what the message did not set. */
static void remove_rest(struct kserv_transaction *tx)
{
	struct kserv_route *route;
	struct rb_node *node, *next;

	for (node = rb_first(&tx->kn->routes); node; node = next) {
		next = rb_next(node);
		route = rb_entry(node, struct kserv_route, node);
		if (!lookup(&tx->routes, &route->prefix))
			remove(tx->kn, route);
	}
}

void kserv_route_commit(struct kserv_transaction *tx)
{
	struct kserv_net *kn = tx->kn;
	struct kserv_route *route, *old;
	struct rb_node *node;

	lockdep_assert_held(&kn->mutex);
	if (tx->replace)
		remove_rest(tx);
	while ((node = rb_first(&tx->routes))) {
		rb_erase(node, &tx->routes);
		route = rb_entry(node, struct kserv_route, node);
		old = lookup(&kn->routes, &route->prefix);
		if (old)
			remove(kn, old);
		if (route->del) {
			kfree(route);
			continue;
		}
		insert(&kn->routes, route);
		kn->n_routes++;
	}
}

void kserv_route_abort(struct kserv_transaction *tx)
{
	free_all(&tx->routes);
}

int kserv_route_put(struct sk_buff *skb, const struct kserv_route *route)
{
	struct nlattr *nest = nla_nest_start(skb, KSERV_A_MESSAGE_ROUTE);
	int ret = 0;

	if (!nest)
		return -EMSGSIZE;
	if (route->type != KSERV_ROUTE_TYPE_LOCAL) {
		if (route->prefix.family == NFPROTO_IPV4)
			ret = nla_put_in_addr(skb, KSERV_A_ROUTE_GATEWAY4, route->gateway.ip);
		else
			ret = nla_put_in6_addr(skb, KSERV_A_ROUTE_GATEWAY6, &route->gateway.in6);
	}
	if (ret || kserv_prefix_put(skb, KSERV_A_ROUTE_PREFIX, &route->prefix) ||
	    nla_put_u8(skb, KSERV_A_ROUTE_TYPE, route->type)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

void kserv_route_net_exit(struct kserv_net *kn)
{
	free_all(&kn->routes);
}
