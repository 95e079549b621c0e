// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "cluster/memory.h"
#include "cluster/read.h"

#define SERVICE_NAME_LABEL	"kubernetes.io/service-name"

static enum kserv_maybe read_maybe(const struct kserv_value *map, const char *path)
{
	const struct kserv_value *value = kserv_value_get(map, path);

	if (!kserv_value_is(value, KSERV_VALUE_BOOL))
		return KSERV_ABSENT;
	return value->boolean ? KSERV_TRUE : KSERV_FALSE;
}

/**
 * struct block - the strings of a slice's endpoints, which may be 100,000 in a cluster, with little around each
 * @lists, @n_lists: pointers, which stand first; @text, @len: characters behind them, of which the first is the end of
 *	every empty string. Counted only while @text is NULL.
 */
struct block {
	char **lists, *text;
	size_t n_lists, len;
};

static char *put_text(struct block *block, const char *s)
{
	size_t len = strlen(s) + 1;
	char *copy = block->text;

	if (len == 1)
		return copy;
	if (copy) {
		copy += block->len;
		memcpy(copy, s, len);
	}
	block->len += len;
	return copy;
}

/* The strings of a list, or those that its members have under @key. */
static struct kserv_strings put_list(struct block *block, const struct kserv_value *list, const char *key)
{
	struct kserv_strings strings = { .v = block->lists ? block->lists + block->n_lists : NULL };
	const struct kserv_value *member;
	char *copy;

	for (member = kserv_value_first(list); member; member = member->next) {
		if (!key && member->type != KSERV_VALUE_STRING)
			continue;
		copy = put_text(block, key ? kserv_value_string(member, key) : member->text);
		if (strings.v)
			strings.v[strings.n] = copy;
		strings.n++;
	}
	block->n_lists += strings.n;
	return strings;
}

static void read_endpoint(const struct kserv_value *value, uint16_t weight, struct block *block,
			  struct kserv_slice_endpoint *endpoint)
{
	const struct kserv_value *target = kserv_value_find(value, "targetRef");

	*endpoint = (struct kserv_slice_endpoint){
		.addresses = put_list(block, kserv_value_find(value, "addresses"), NULL),
		.ready = read_maybe(value, "conditions.ready"),
		.serving = read_maybe(value, "conditions.serving"),
		.terminating = read_maybe(value, "conditions.terminating"),
		.hostname = put_text(block, kserv_value_string(value, "hostname")),
		.node_name = put_text(block, kserv_value_string(value, "nodeName")),
		.zone = put_text(block, kserv_value_string(value, "zone")),
		.target_kind = put_text(block, kserv_value_string(target, "kind")),
		.target_namespace = put_text(block, kserv_value_string(target, "namespace")),
		.target_name = put_text(block, kserv_value_string(target, "name")),
		.hint_zones = put_list(block, kserv_value_get(value, "hints.forZones"), "name"),
		.hint_nodes = put_list(block, kserv_value_get(value, "hints.forNodes"), "name"),
		.weight = weight,
	};
}

/* Counts what they need, then puts it there. */
static void read_endpoints(const struct kserv_value *list, uint16_t weight, struct kserv_slice *slice)
{
	const struct kserv_value *value;
	struct kserv_slice_endpoint counted;
	struct block block = { .len = 1 };
	size_t n = 0;

	for (value = kserv_value_first(list); value; value = value->next, n++)
		read_endpoint(value, weight, &block, &counted);
	if (!n)
		return;
	slice->endpoints = kserv_must_alloc(n * sizeof(*slice->endpoints));
	slice->block = kserv_must_alloc(block.n_lists * sizeof(char *) + block.len);
	block = (struct block){
		.lists = slice->block,
		.text = (char *)slice->block + block.n_lists * sizeof(char *),
		.len = 1,
	};
	for (value = kserv_value_first(list); value; value = value->next)
		read_endpoint(value, weight, &block, &slice->endpoints[slice->n_endpoints++]);
}

static void read_port(const struct kserv_value *value, struct kserv_slice_port *port)
{
	const struct kserv_value *name = kserv_value_find(value, "name");

	port->name = kserv_value_is(name, KSERV_VALUE_STRING) ? kserv_must_strdup(name->text) : NULL;
	port->protocol = kserv_read_protocol(value);
	port->port = kserv_read_port(value, "port");
}

static enum kserv_address_type read_address_type(const char *type)
{
	return !strcmp(type, "IPv4") ? KSERV_ADDRESS_IPV4 :
		!strcmp(type, "IPv6") ? KSERV_ADDRESS_IPV6 : KSERV_ADDRESS_FQDN;
}

struct kserv_slice *kserv_read_slice(const struct kserv_value *object)
{
	struct kserv_slice *slice = kserv_must_alloc(sizeof(*slice));
	const struct kserv_value *value;
	const char *service;
	uint16_t weight;

	kserv_read_meta(object, &slice->meta);
	service = kserv_labels_find(&slice->meta.labels, SERVICE_NAME_LABEL);
	weight = kserv_read_weight(&slice->meta);
	slice->service = kserv_must_strdup(service ? service : "");
	slice->address_type = read_address_type(kserv_value_string(object, "addressType"));
	read_endpoints(kserv_value_find(object, "endpoints"), weight, slice);
	for (value = kserv_value_first(kserv_value_find(object, "ports")); value; value = value->next) {
		slice->ports = kserv_must_grow(slice->ports, slice->n_ports, sizeof(*slice->ports));
		read_port(value, &slice->ports[slice->n_ports++]);
	}
	return slice;
}
