// SPDX-License-Identifier: GPL-2.0
/* Cluster IPs, node ports and health-check node ports; load-balancer addresses are in balancer.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "lib/addr.h"
#include "source/assign.h"
#include "source/balancer.h"

char *kserv_assign_holder(const struct kserv_value *object)
{
	return kserv_must_printf("Service %s/%s", kserv_value_string(object, "metadata.namespace"),
				 kserv_value_string(object, "metadata.name"));
}

static bool spec_is(const struct kserv_value *object, const char *key, const char *text)
{
	return !strcmp(kserv_value_string(kserv_value_find(object, "spec"), key), text);
}

static bool needs_cluster_ip(const struct kserv_value *object)
{
	return object && !spec_is(object, "type", "ExternalName");
}

static bool needs_node_ports(const struct kserv_value *object)
{
	return object && (spec_is(object, "type", "NodePort") || (spec_is(object, "type", "LoadBalancer") &&
		kserv_value_bool(object, "spec.allocateLoadBalancerNodePorts", true)));
}

static bool needs_health_port(const struct kserv_value *object)
{
	return object && spec_is(object, "type", "LoadBalancer") && spec_is(object, "externalTrafficPolicy", "Local");
}

static bool is_headless(const struct kserv_value *object)
{
	return spec_is(object, "clusterIP", "None");
}

/* A list member of @spec if it has members, else NULL. */
static struct kserv_value *find_list(const struct kserv_value *spec, const char *key)
{
	struct kserv_value *list = kserv_value_find(spec, key);

	return kserv_value_first(list) ? list : NULL;
}

static void append_string(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *s)
{
	struct kserv_value *list = find_list(map, key);

	if (!list) {
		list = kserv_value_new(tree, KSERV_VALUE_LIST);
		kserv_value_set(map, key, list);
	}
	kserv_value_append(list, kserv_value_new_string(tree, s));
}

static void keep_first(struct kserv_value *list)
{
	list->last = list->first;
	list->first->next = NULL;
	list->n = 1;
}

/* clusterIP and clusterIPs each stand for the other. */
static void pair_cluster_ips(const struct kserv_assign *assign, struct kserv_value *spec)
{
	struct kserv_value *ip = kserv_value_find(spec, "clusterIP"), *ips = find_list(spec, "clusterIPs"), *first;

	if (ip && !*ip->text)
		kserv_value_remove(spec, "clusterIP");
	else if (ip && !ips) {
		append_string(assign->tree, spec, "clusterIPs", ip->text);
		first = kserv_value_first(kserv_value_find(spec, "clusterIPs"));
		first->line = ip->line;
		first->column = ip->column;
	}
}

static void copy_from_old(const struct kserv_assign *assign, struct kserv_value *spec, const char *key)
{
	const struct kserv_value *old = kserv_value_find(kserv_value_find(assign->old, "spec"), key);
	struct kserv_value *copy;

	if (!old)
		return;
	copy = kserv_value_copy(assign->tree, old);
	kserv_value_unplace(copy);
	kserv_value_set(spec, key, copy);
}

static void keep_cluster_ips(const struct kserv_assign *assign, struct kserv_value *spec)
{
	const struct kserv_value *now = find_list(spec, "clusterIPs");
	const struct kserv_value *old = kserv_value_first(kserv_value_get(assign->old, "spec.clusterIPs"));

	if (!needs_cluster_ip(assign->old))
		return;
	if (!now) {
		copy_from_old(assign, spec, "clusterIP");
		copy_from_old(assign, spec, "clusterIPs");
	} else if (old && strcmp(now->first->text, old->text)) {
		kserv_error_at(assign->errors, kserv_value_find(spec, "clusterIP"),
			       "field is immutable: the Service has %s; delete it first to change that", old->text);
	}
}

/* The families that its cluster IPs have. */
static void infer_families(const struct kserv_assign *assign, struct kserv_value *spec)
{
	const struct kserv_value *ip;
	struct kserv_addr addr;

	for (ip = kserv_value_first(kserv_value_find(spec, "clusterIPs")); ip; ip = ip->next)
		if (!kserv_addr_parse(ip->text, &addr))
			append_string(assign->tree, spec, "ipFamilies", addr.family == AF_INET ? "IPv4" : "IPv6");
}

static bool has_family(const struct kserv_assign *assign, const char *family)
{
	return kserv_allocator_cidr(assign->allocator, !strcmp(family, "IPv6") ? AF_INET6 : AF_INET);
}

static const char *default_family(const struct kserv_assign *assign)
{
	return kserv_allocator_cidr(assign->allocator, AF_INET) ? "IPv4" : "IPv6";
}

/* @free_choice: nobody allocates for it. A policy that is not given follows from two families or two addresses. */
static void settle_policy(const struct kserv_assign *assign, struct kserv_value *spec, bool free_choice)
{
	const struct kserv_value *families = find_list(spec, "ipFamilies"), *ips = find_list(spec, "clusterIPs");
	bool two_given = (families && families->n == 2) || (ips && ips->n == 2 && ips->first->line);
	const char *policy = two_given || free_choice ? "RequireDualStack" : "SingleStack";

	if (*kserv_value_string(spec, "ipFamilyPolicy"))
		return;
	if (needs_cluster_ip(assign->old))
		copy_from_old(assign, spec, "ipFamilyPolicy");
	if (!*kserv_value_string(spec, "ipFamilyPolicy") ||
	    (two_given && spec_is(assign->object, "ipFamilyPolicy", "SingleStack")))
		kserv_value_set(spec, "ipFamilyPolicy", kserv_value_new_string(assign->tree, policy));
}

static void check_families(const struct kserv_assign *assign, struct kserv_value *spec)
{
	const struct kserv_value *families = find_list(spec, "ipFamilies"), *family, *old;

	for (family = families->first; family; family = family->next)
		if (!has_family(assign, family->text))
			kserv_error_at(assign->errors, family, "serviceCIDR of this cluster has no %s range",
				       family->text);
	old = kserv_value_first(kserv_value_get(assign->old, "spec.ipFamilies"));
	if (old && needs_cluster_ip(assign->old) && strcmp(old->text, families->first->text))
		kserv_error_at(assign->errors, families->first,
			       "field is immutable: the Service has %s; delete it first to change that", old->text);
	if (spec_is(assign->object, "ipFamilyPolicy", "RequireDualStack") && families->n < 2)
		kserv_error_at(assign->errors, kserv_value_find(spec, "ipFamilyPolicy"),
			       "RequireDualStack needs a serviceCIDR of each family in the configuration");
}

static void settle_families(const struct kserv_assign *assign, struct kserv_value *spec)
{
	/* Nobody allocates for a headless Service without selector, so it may have both families anywhere. */
	bool free_choice = is_headless(assign->object) && !kserv_value_find(spec, "selector");
	bool kept = !find_list(spec, "ipFamilies"), single;
	struct kserv_value *families, *ips = find_list(spec, "clusterIPs");
	const char *other;

	settle_policy(assign, spec, free_choice);
	if (!find_list(spec, "ipFamilies") && needs_cluster_ip(assign->old))
		copy_from_old(assign, spec, "ipFamilies");
	if (!find_list(spec, "ipFamilies"))
		infer_families(assign, spec);
	if (!find_list(spec, "ipFamilies"))
		append_string(assign->tree, spec, "ipFamilies", default_family(assign));
	families = find_list(spec, "ipFamilies");
	single = spec_is(assign->object, "ipFamilyPolicy", "SingleStack");
	if (single && families->n > 1 && kept)
		keep_first(families);
	if (single && ips && ips->n > 1 && !ips->first->line)
		keep_first(ips);
	other = !strcmp(families->first->text, "IPv4") ? "IPv6" : "IPv4";
	if (!single && families->n == 1 && (free_choice || has_family(assign, other)))
		append_string(assign->tree, spec, "ipFamilies", other);
	if (!free_choice)
		check_families(assign, spec);
}

static struct kserv_value *find_port(const struct kserv_value *object, const char *name)
{
	struct kserv_value *port;

	for (port = kserv_value_first(kserv_value_get(object, "spec.ports")); port; port = port->next)
		if (!strcmp(kserv_value_string(port, "name"), name))
			return port;
	return NULL;
}

static bool asks_for(const struct kserv_value *object, int64_t node_port)
{
	const struct kserv_value *port;

	for (port = kserv_value_first(kserv_value_get(object, "spec.ports")); port; port = port->next)
		if (kserv_value_int(port, "nodePort", 0) == node_port)
			return true;
	return false;
}

/* A port keeps its node port as long as it keeps its name. */
static void keep_node_ports(const struct kserv_assign *assign)
{
	struct kserv_value *port;
	int64_t old;

	if (!needs_node_ports(assign->object) || !needs_node_ports(assign->old))
		return;
	for (port = kserv_value_first(kserv_value_get(assign->object, "spec.ports")); port; port = port->next) {
		old = kserv_value_int(find_port(assign->old, kserv_value_string(port, "name")), "nodePort", 0);
		if (old && !kserv_value_int(port, "nodePort", 0) && !asks_for(assign->object, old))
			kserv_value_set(port, "nodePort", kserv_value_new_int(assign->tree, old));
	}
}

/* A Service that gives up its node ports gives them up, although its manifest still names them. */
static void drop_node_ports(const struct kserv_assign *assign)
{
	struct kserv_value *port;
	int64_t old;

	if (needs_node_ports(assign->object) || spec_is(assign->object, "type", "LoadBalancer"))
		return;
	for (port = kserv_value_first(kserv_value_get(assign->object, "spec.ports")); port; port = port->next) {
		old = kserv_value_int(find_port(assign->old, kserv_value_string(port, "name")), "nodePort", 0);
		if (!needs_cluster_ip(assign->object) ||
		    (needs_node_ports(assign->old) && old == kserv_value_int(port, "nodePort", 0)))
			kserv_value_remove(port, "nodePort");
	}
}

static void keep_health_port(const struct kserv_assign *assign, struct kserv_value *spec)
{
	int64_t old = kserv_value_int(assign->old, "spec.healthCheckNodePort", 0);
	int64_t now = kserv_value_int(spec, "healthCheckNodePort", 0);

	if (!now || !needs_health_port(assign->object))
		kserv_value_remove(spec, "healthCheckNodePort");
	if (!old || !needs_health_port(assign->object) || !needs_health_port(assign->old))
		return;
	if (!now)
		kserv_value_set(spec, "healthCheckNodePort", kserv_value_new_int(assign->tree, old));
	else if (now != old)
		kserv_error_at(assign->errors, kserv_value_find(spec, "healthCheckNodePort"),
			       "field is immutable: the Service has %lld", (long long)old);
}

static void keep_class(const struct kserv_assign *assign, struct kserv_value *spec)
{
	const char *old = kserv_value_string(assign->old, "spec.loadBalancerClass");
	const char *now = kserv_value_string(spec, "loadBalancerClass");

	if (!assign->old || !spec_is(assign->old, "type", "LoadBalancer") ||
	    !spec_is(assign->object, "type", "LoadBalancer"))
		return;
	if (!*now)
		copy_from_old(assign, spec, "loadBalancerClass");
	else if (strcmp(old, now))
		kserv_error_at(assign->errors, kserv_value_find(spec, "loadBalancerClass"),
			       "field is immutable: the Service has %s", *old ? old : "none");
}

void kserv_assign_settle(const struct kserv_assign *assign)
{
	struct kserv_value *spec = kserv_value_find(assign->object, "spec");
	struct kserv_value *port;

	for (port = kserv_value_first(kserv_value_find(spec, "ports")); port; port = port->next)
		if (!kserv_value_int(port, "nodePort", 0))
			kserv_value_remove(port, "nodePort");
	if (needs_cluster_ip(assign->object)) {
		pair_cluster_ips(assign, spec);
		keep_cluster_ips(assign, spec);
		settle_families(assign, spec);
	} else {
		kserv_value_remove(spec, "clusterIP");
		kserv_value_remove(spec, "clusterIPs");
		kserv_value_remove(spec, "ipFamilies");
		kserv_value_remove(spec, "ipFamilyPolicy");
	}
	drop_node_ports(assign);
	keep_node_ports(assign);
	keep_health_port(assign, spec);
	keep_class(assign, spec);
}

static void refuse_ip(const struct kserv_assign *assign, const struct kserv_value *ip, const struct kserv_addr *addr,
		      int error, const char *other)
{
	const struct kserv_prefix *cidr = kserv_allocator_cidr(assign->allocator, addr->family);
	char text[KSERV_ADDR_TEXT];

	if (error == -EADDRINUSE)
		kserv_error_at(assign->errors, ip, "provided IP %s is already allocated to %s", ip->text, other);
	else if (cidr)
		kserv_error_at(assign->errors, ip, "provided IP %s is not in the valid range %s", ip->text,
			       kserv_prefix_format(cidr, text));
	else
		kserv_error_at(assign->errors, ip, "provided IP %s is of a family for which serviceCIDR has no range",
			       ip->text);
}

static void take_cluster_ips(const struct kserv_assign *assign, const char *holder)
{
	const struct kserv_value *ip = kserv_value_first(kserv_value_get(assign->object, "spec.clusterIPs"));
	const char *other;
	struct kserv_addr addr;
	int error;

	for (; ip; ip = ip->next) {
		if (kserv_addr_parse(ip->text, &addr))
			continue;
		error = kserv_allocator_take_ip(assign->allocator, &addr, holder, &other);
		if (error)
			refuse_ip(assign, ip, &addr, error, other);
	}
}

static void take_port(const struct kserv_assign *assign, const struct kserv_value *map, const char *key,
		      const char *holder)
{
	const struct kserv_allocator_limits *limits = kserv_allocator_limits(assign->allocator);
	int64_t port = kserv_value_int(map, key, 0);
	const char *other;
	int error;

	if (port < 1 || port > UINT16_MAX)
		return;
	error = kserv_allocator_take_port(assign->allocator, port, holder, &other);
	if (error == -EADDRINUSE)
		kserv_error_at(assign->errors, kserv_value_find(map, key),
			       "provided port %lld is already allocated to %s", (long long)port, other);
	else if (error)
		kserv_error_at(assign->errors, kserv_value_find(map, key),
			       "provided port %lld is not in the valid range %u-%u", (long long)port,
			       limits->node_port_min, limits->node_port_max);
}

void kserv_assign_requested(const struct kserv_assign *assign)
{
	char *holder = kserv_assign_holder(assign->object);
	const struct kserv_value *port;

	take_cluster_ips(assign, holder);
	for (port = kserv_value_first(kserv_value_get(assign->object, "spec.ports")); port; port = port->next)
		take_port(assign, port, "nodePort", holder);
	take_port(assign, kserv_value_find(assign->object, "spec"), "healthCheckNodePort", holder);
	kserv_balancer_requested(assign, holder);
	free(holder);
}

static void add_cluster_ips(const struct kserv_assign *assign, const char *holder)
{
	struct kserv_value *spec = kserv_value_find(assign->object, "spec");
	struct kserv_value *ips = find_list(spec, "clusterIPs"), *family;
	size_t have = ips ? ips->n : 0, i = 0;
	struct kserv_addr addr;
	char text[KSERV_ADDR_TEXT];
	int error;

	if (!needs_cluster_ip(assign->object) || is_headless(assign->object))
		return;
	for (family = kserv_value_first(kserv_value_find(spec, "ipFamilies")); family; family = family->next) {
		if (i++ < have)
			continue;
		error = kserv_allocator_next_ip(assign->allocator, !strcmp(family->text, "IPv6") ? AF_INET6 : AF_INET,
						holder, &addr);
		if (error) {
			kserv_error_missing(assign->errors, spec, "clusterIPs", "the %s service range is full",
					    family->text);
			return;
		}
		append_string(assign->tree, spec, "clusterIPs", kserv_addr_format(&addr, text));
	}
	ips = find_list(spec, "clusterIPs");
	if (ips)
		kserv_value_set(spec, "clusterIP", kserv_value_new_string(assign->tree, ips->first->text));
}

/* The node port of another protocol with the same port number: TCP and UDP 53 get one and the same. */
static int64_t sibling_node_port(const struct kserv_value *ports, const struct kserv_value *port)
{
	const struct kserv_value *other;

	for (other = ports->first; other; other = other->next)
		if (other != port && kserv_value_int(other, "port", 0) == kserv_value_int(port, "port", -1) &&
		    kserv_value_int(other, "nodePort", 0) &&
		    strcmp(kserv_value_string(other, "protocol"), kserv_value_string(port, "protocol")))
			return kserv_value_int(other, "nodePort", 0);
	return 0;
}

static void add_node_ports(const struct kserv_assign *assign, const char *holder)
{
	struct kserv_value *ports = find_list(kserv_value_find(assign->object, "spec"), "ports"), *port;
	uint16_t number;

	if (!needs_node_ports(assign->object) || !ports)
		return;
	for (port = ports->first; port; port = port->next) {
		if (kserv_value_int(port, "nodePort", 0))
			continue;
		number = sibling_node_port(ports, port);
		if (!number && kserv_allocator_next_port(assign->allocator, holder, &number)) {
			kserv_error_missing(assign->errors, port, "nodePort", "the range of node ports is full");
			return;
		}
		kserv_value_set(port, "nodePort", kserv_value_new_int(assign->tree, number));
	}
}

void kserv_assign_rest(const struct kserv_assign *assign)
{
	struct kserv_value *spec = kserv_value_find(assign->object, "spec");
	char *holder = kserv_assign_holder(assign->object);
	uint16_t number;

	add_cluster_ips(assign, holder);
	add_node_ports(assign, holder);
	if (needs_health_port(assign->object) && !kserv_value_int(spec, "healthCheckNodePort", 0)) {
		if (kserv_allocator_next_port(assign->allocator, holder, &number))
			kserv_error_missing(assign->errors, spec, "healthCheckNodePort",
					    "the range of node ports is full");
		else
			kserv_value_set(spec, "healthCheckNodePort", kserv_value_new_int(assign->tree, number));
	}
	kserv_balancer_rest(assign, holder);
	free(holder);
}

void kserv_assign_held(struct kserv_allocator *allocator, const struct kserv_value *object)
{
	const struct kserv_value *spec = kserv_value_find(object, "spec"), *value;
	char *holder = kserv_assign_holder(object);
	struct kserv_addr addr;
	const char *other;

	for (value = kserv_value_first(kserv_value_find(spec, "clusterIPs")); value; value = value->next)
		if (!kserv_addr_parse(value->text, &addr))
			kserv_allocator_take_ip(allocator, &addr, holder, &other);
	for (value = kserv_value_first(kserv_value_find(spec, "ports")); value; value = value->next)
		kserv_allocator_take_port(allocator, kserv_value_int(value, "nodePort", 0), holder, &other);
	kserv_allocator_take_port(allocator, kserv_value_int(spec, "healthCheckNodePort", 0), holder, &other);
	kserv_balancer_held(allocator, object, holder);
	free(holder);
}
