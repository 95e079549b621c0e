// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lib/addr.h"
#include "source/balancer.h"

static const char *annotation(const struct kserv_value *object, const char *ours, const char *metallb)
{
	const struct kserv_value *annotations = kserv_value_get(object, "metadata.annotations"), *value;

	value = kserv_value_find(annotations, ours);
	if (!value)
		value = kserv_value_find(annotations, metallb);
	return kserv_value_is(value, KSERV_VALUE_STRING) ? value->text : "";
}

static bool is_ours(const struct kserv_value *object)
{
	const char *class = kserv_value_string(object, "spec.loadBalancerClass");

	return !strcmp(kserv_value_string(object, "spec.type"), "LoadBalancer") &&
		(!*class || !strcmp(class, KSERV_BALANCER_CLASS));
}

/* The caller frees @ret->ports. */
static void describe_user(const struct kserv_value *object, const char *holder, struct kserv_balancer_user *ret)
{
	const struct kserv_value *ports = kserv_value_get(object, "spec.ports"), *port = kserv_value_first(ports);
	uint32_t *numbers = kserv_must_alloc((port ? ports->n : 0) * sizeof(*numbers));

	*ret = (struct kserv_balancer_user){
		.holder = holder,
		.sharing_key = annotation(object, KSERV_ANNOTATION_SHARING_KEY, "metallb.io/allow-shared-ip"),
		.ports = numbers,
	};
	for (; port; port = port->next)
		numbers[ret->n_ports++] = (uint32_t)kserv_read_protocol(port) << 16 | kserv_read_port(port, "port");
}

__attribute__((format(printf, 2, 3)))
static void note(const struct kserv_assign *assign, const char *fmt, ...)
{
	char *text, *whole;
	va_list args;

	va_start(args, fmt);
	text = kserv_must_vprintf(fmt, args);
	va_end(args);
	whole = kserv_must_printf("service/%s: %s", kserv_value_string(assign->object, "metadata.name"), text);
	kserv_strings_add(assign->notes, whole);
	free(whole);
	free(text);
}

static struct kserv_value *ingress_list(const struct kserv_assign *assign)
{
	struct kserv_value *status = kserv_value_need_map(assign->tree, assign->object, "status"), *balancer, *list;

	balancer = kserv_value_need_map(assign->tree, status, "loadBalancer");
	list = kserv_value_find(balancer, "ingress");
	if (kserv_value_is(list, KSERV_VALUE_LIST))
		return list;
	list = kserv_value_new(assign->tree, KSERV_VALUE_LIST);
	kserv_value_set(balancer, "ingress", list);
	return list;
}

static void add_ingress(const struct kserv_assign *assign, const struct kserv_addr *addr)
{
	struct kserv_value *entry = kserv_value_new(assign->tree, KSERV_VALUE_MAP);
	char text[KSERV_ADDR_TEXT];

	kserv_value_set(entry, "ip", kserv_value_new_string(assign->tree, kserv_addr_format(addr, text)));
	kserv_value_set(entry, "ipMode", kserv_value_new_string(assign->tree, "VIP"));
	kserv_value_append(ingress_list(assign), entry);
}

static bool has_family(const struct kserv_value *object, uint8_t family)
{
	const struct kserv_value *value = kserv_value_first(kserv_value_get(object, "spec.ipFamilies"));

	for (; value; value = value->next)
		if (!strcmp(value->text, family == AF_INET ? "IPv4" : "IPv6"))
			return true;
	return false;
}

/* True if the status has an address of the family already. */
static bool has_ingress(const struct kserv_value *object, uint8_t family)
{
	const struct kserv_value *entry = kserv_value_first(kserv_value_get(object, "status.loadBalancer.ingress"));
	struct kserv_addr addr;

	for (; entry; entry = entry->next)
		if (!kserv_addr_parse(kserv_value_string(entry, "ip"), &addr) && addr.family == family)
			return true;
	return false;
}

/* One address that the user asks for; @at: where, for the error. */
static void take_one(const struct kserv_assign *assign, const struct kserv_balancer_user *user, const char *text,
		     const struct kserv_value *at)
{
	const char *other;
	struct kserv_addr addr;
	int error;

	if (kserv_addr_parse(text, &addr)) {
		kserv_error_at(assign->errors, at, "\"%s\" is not an IPv4 or IPv6 address", text);
		return;
	}
	if (!has_family(assign->object, addr.family) || has_ingress(assign->object, addr.family)) {
		kserv_error_at(assign->errors, at, "%s is not one address for each of the Service's ipFamilies", text);
		return;
	}
	error = kserv_allocator_take_balancer(assign->allocator, &addr, user, &other);
	if (error == -EADDRINUSE)
		kserv_error_at(assign->errors, at, "provided IP %s is already allocated to %s", text, other);
	else if (error)
		note(assign, "%s is in no loadBalancer pool of the configuration, so EXTERNAL-IP stays <pending>",
		     text);
	else
		add_ingress(assign, &addr);
}

/* Where the user names addresses, or NULL. */
static const struct kserv_value *request(const struct kserv_value *object)
{
	const struct kserv_value *annotations = kserv_value_get(object, "metadata.annotations"), *value;

	value = kserv_value_find(annotations, KSERV_ANNOTATION_BALANCER_IPS);
	if (!value)
		value = kserv_value_find(annotations, "metallb.io/loadBalancerIPs");
	if (!value)
		value = kserv_value_get(object, "spec.loadBalancerIP");
	return kserv_value_is(value, KSERV_VALUE_STRING) && *value->text ? value : NULL;
}

static void take_requested(const struct kserv_assign *assign, const struct kserv_balancer_user *user,
			   const struct kserv_value *at)
{
	char *copy = kserv_must_strdup(at->text), *rest = copy, *part;

	while ((part = strsep(&rest, ", ")))
		if (*part)
			take_one(assign, user, part, at);
	free(copy);
}

/* A Service keeps the addresses of @entry and what follows as long as a pool has them and nobody was quicker. */
static void take_former(const struct kserv_assign *assign, const struct kserv_balancer_user *user,
			const struct kserv_value *entry)
{
	struct kserv_addr addr;
	const char *other;

	for (; entry; entry = entry->next)
		if (!kserv_addr_parse(kserv_value_string(entry, "ip"), &addr) &&
		    has_family(assign->object, addr.family) &&
		    !has_ingress(assign->object, addr.family) &&
		    !kserv_allocator_take_balancer(assign->allocator, &addr, user, &other))
			add_ingress(assign, &addr);
}

/* True for what another balancer gave: a host name, or an address that none of our pools has. */
static bool is_foreign(const struct kserv_assign *assign, const struct kserv_value *entry)
{
	struct kserv_addr addr;

	return kserv_addr_parse(kserv_value_string(entry, "ip"), &addr) ||
		!kserv_allocator_has_balancer(assign->allocator, &addr);
}

static bool is_balanced(const struct kserv_value *object)
{
	return object && !strcmp(kserv_value_string(object, "spec.type"), "LoadBalancer");
}

/*
 * A manifest may come from a cluster where somebody else balances, and bring along the addresses that lead here. Those
 * stand as they are, whatever the Service's type (rule 1.10), unless it has just ceased to be a LoadBalancer; addresses
 * of our own pools are given out by us alone. Returns whether there were any.
 */
static bool keep_foreign(const struct kserv_assign *assign, const struct kserv_value *entry)
{
	bool kept = false;

	/* What was copied from the former object stands nowhere in the manifest. */
	if (!is_balanced(assign->object) && (is_balanced(assign->old) || !entry || !entry->line))
		return false;
	for (; entry; entry = entry->next) {
		if (entry->type != KSERV_VALUE_MAP || !is_foreign(assign, entry))
			continue;
		kserv_value_append(ingress_list(assign), kserv_value_copy(assign->tree, entry));
		kept = true;
	}
	return kept;
}

void kserv_balancer_requested(const struct kserv_assign *assign, const char *holder)
{
	const struct kserv_value *given = kserv_value_first(kserv_value_get(assign->object, "status.loadBalancer.ingress"));
	const struct kserv_value *former = kserv_value_first(kserv_value_get(assign->old, "status.loadBalancer.ingress"));
	struct kserv_value *status = kserv_value_find(assign->object, "status");
	struct kserv_balancer_user user;

	kserv_value_set(status, "loadBalancer", kserv_value_new(assign->tree, KSERV_VALUE_MAP));
	if (keep_foreign(assign, given) || !is_ours(assign->object))
		return;
	describe_user(assign->object, holder, &user);
	if (request(assign->object))
		take_requested(assign, &user, request(assign->object));
	else
		take_former(assign, &user, former);
	/* A manifest with addresses of ours, as one that was saved, gets them back if it can. */
	if (!request(assign->object))
		take_former(assign, &user, given);
	free((void *)user.ports);
}

static void note_pending(const struct kserv_assign *assign, int error, const char *pool, const char *family)
{
	if (error == -ENOSPC)
		note(assign, "the loadBalancer pools have no free %s address, so EXTERNAL-IP stays <pending>", family);
	else if (*pool)
		note(assign, "there is no loadBalancer pool \"%s\" with %s addresses, so EXTERNAL-IP stays <pending>",
		     pool, family);
	else
		note(assign, "no loadBalancer pool with %s addresses is configured, so EXTERNAL-IP stays <pending>",
		     family);
}

void kserv_balancer_rest(const struct kserv_assign *assign, const char *holder)
{
	const char *pool = annotation(assign->object, KSERV_ANNOTATION_POOL, "metallb.io/address-pool");
	const char *missing = NULL;
	const struct kserv_value *family;
	struct kserv_balancer_user user;
	struct kserv_addr addr;
	int error = 0, failed = 0;

	if (!is_ours(assign->object) || request(assign->object))
		return;
	describe_user(assign->object, holder, &user);
	family = kserv_value_first(kserv_value_get(assign->object, "spec.ipFamilies"));
	for (; family; family = family->next) {
		uint8_t number = !strcmp(family->text, "IPv6") ? AF_INET6 : AF_INET;

		if (has_ingress(assign->object, number))
			continue;
		error = kserv_allocator_next_balancer(assign->allocator, number, pool, &user, &addr);
		if (!error) {
			add_ingress(assign, &addr);
		} else {
			missing = family->text;
			failed = error;
		}
	}
	/* One family is enough: pools of both are rare. */
	if (missing && !kserv_value_get(assign->object, "status.loadBalancer.ingress"))
		note_pending(assign, failed, pool, missing);
	free((void *)user.ports);
}

void kserv_balancer_held(struct kserv_allocator *allocator, const struct kserv_value *object, const char *holder)
{
	const struct kserv_value *entry = kserv_value_first(kserv_value_get(object, "status.loadBalancer.ingress"));
	struct kserv_balancer_user user;
	struct kserv_addr addr;
	const char *other;

	describe_user(object, holder, &user);
	for (; entry; entry = entry->next)
		if (!kserv_addr_parse(kserv_value_string(entry, "ip"), &addr))
			kserv_allocator_take_balancer(allocator, &addr, &user, &other);
	free((void *)user.ports);
}
