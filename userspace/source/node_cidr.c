// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "lib/addr.h"
#include "source/node_cidr.h"

static const struct { const char *key; uint8_t otherwise, max; } masks[] = {
	/* A pod needs an address beside those of the network and of broadcast. */
	{ "nodeCIDRMaskSizeIPv4", 24, 30 },
	{ "nodeCIDRMaskSizeIPv6", 64, 126 },
};

static unsigned int family_index(uint8_t family)
{
	return family == AF_INET6;
}

static void read_mask(const struct kserv_value *root, unsigned int index, struct kserv_node_cidrs *cidrs,
		      struct kserv_errors *errors)
{
	int64_t mask = kserv_value_int(root, masks[index].key, masks[index].otherwise);
	const struct kserv_value *value = kserv_value_find(root, masks[index].key);
	char text[KSERV_ADDR_TEXT];
	size_t i;

	if (value && (mask < 1 || mask > masks[index].max))
		kserv_error_at(errors, value, "must be between 1 and %u", masks[index].max);
	for (i = 0; i < cidrs->cluster->n; i++) {
		const struct kserv_prefix *cluster = &cidrs->cluster->v[i];

		if (family_index(cluster->addr.family) != index || mask >= cluster->len)
			continue;
		if (value)
			kserv_error_at(errors, value, "a Node's CIDR cannot be larger than the cluster's, %s",
				       kserv_prefix_format(cluster, text));
		mask = cluster->len;
	}
	cidrs->mask[index] = mask;
}

bool kserv_node_cidrs_read(const struct kserv_value *root, const struct kserv_prefixes *cluster,
			   struct kserv_node_cidrs *ret, struct kserv_errors *errors)
{
	*ret = (struct kserv_node_cidrs){ .cluster = cluster };
	read_mask(root, 0, ret, errors);
	read_mask(root, 1, ret, errors);
	return *kserv_value_string(kserv_value_find(root, "podNetwork"), "mode");
}

static void take(struct kserv_node_cidrs *cidrs, const struct kserv_prefix *prefix)
{
	cidrs->taken.v = kserv_must_grow(cidrs->taken.v, cidrs->taken.n, sizeof(*cidrs->taken.v));
	cidrs->taken.v[cidrs->taken.n++] = *prefix;
}

void kserv_node_cidrs_hold(struct kserv_node_cidrs *cidrs, const struct kserv_value *node)
{
	const struct kserv_value *one = kserv_value_first(kserv_value_get(node, "spec.podCIDRs"));
	struct kserv_prefix prefix;

	for (; one; one = one->next)
		if (kserv_value_is(one, KSERV_VALUE_STRING) && !kserv_prefix_parse(one->text, &prefix))
			take(cidrs, &prefix);
}

static bool overlap(const struct kserv_prefix *a, const struct kserv_prefix *b)
{
	unsigned int len = a->len < b->len ? a->len : b->len, whole = len / 8, rest = len % 8;
	const uint8_t *x = a->addr.v6.s6_addr, *y = b->addr.v6.s6_addr;

	return a->addr.family == b->addr.family && !memcmp(x, y, whole) &&
		(!rest || !((x[whole] ^ y[whole]) >> (8 - rest)));
}

static bool is_free(const struct kserv_node_cidrs *cidrs, const struct kserv_prefix *prefix)
{
	size_t i;

	for (i = 0; i < cidrs->taken.n; i++)
		if (overlap(&cidrs->taken.v[i], prefix))
			return false;
	return true;
}

/* Number @n of the CIDRs of length @len in @cluster. */
static struct kserv_prefix pick(const struct kserv_prefix *cluster, uint8_t len, uint32_t n)
{
	struct kserv_prefix prefix = { .addr = cluster->addr, .len = len };
	unsigned int bit = len;

	for (; n; n >>= 1) {
		bit--;
		if (n & 1)
			prefix.addr.v6.s6_addr[bit / 8] |= 0x80 >> bit % 8;
	}
	return prefix;
}

/* Return: how many there were to choose from if none is free, else 0. */
static uint32_t find(const struct kserv_node_cidrs *cidrs, const struct kserv_prefix *cluster, struct kserv_prefix *ret)
{
	unsigned int len = cidrs->mask[family_index(cluster->addr.family)], bits = len - cluster->len;
	uint32_t n, all = bits >= 16 ? KSERV_NODE_CIDRS_MAX : 1U << bits;

	/* The first one last: its network address is that of the whole. */
	for (n = 1; n <= all; n++) {
		*ret = pick(cluster, len, n % all);
		if (is_free(cidrs, ret))
			return 0;
	}
	return all;
}

static void give(struct kserv_tree *tree, struct kserv_value *node, struct kserv_value *list)
{
	struct kserv_value *spec = kserv_value_need_map(tree, node, "spec");

	kserv_value_set(spec, "podCIDR", kserv_value_new_string(tree, kserv_value_first(list)->text));
	kserv_value_set(spec, "podCIDRs", list);
}

static void give_free_ones(struct kserv_node_cidrs *cidrs, struct kserv_tree *tree, struct kserv_value *node,
			   struct kserv_errors *errors)
{
	struct kserv_value *list = kserv_value_new(tree, KSERV_VALUE_LIST);
	struct kserv_prefix prefix;
	char text[KSERV_ADDR_TEXT];
	uint32_t all;
	size_t i;

	for (i = 0; i < cidrs->cluster->n; i++) {
		const struct kserv_prefix *cluster = &cidrs->cluster->v[i];
		unsigned int index = family_index(cluster->addr.family);

		all = find(cidrs, cluster, &prefix);
		if (all) {
			kserv_error_at(errors, node,
				       "there is no CIDR left for its pods: all %u of length %u in clusterCIDR %s are taken; "
				       "give it spec.podCIDRs, delete a Node, or take a larger clusterCIDR or %s", all,
				       cidrs->mask[index], kserv_prefix_format(cluster, text), masks[index].key);
			return;
		}
		take(cidrs, &prefix);
		kserv_value_append(list, kserv_value_new_string(tree, kserv_tree_strndup(tree, text,
				   strlen(kserv_prefix_format(&prefix, text)))));
	}
	if (kserv_value_first(list))
		give(tree, node, list);
}

void kserv_node_cidrs_assign(struct kserv_node_cidrs *cidrs, struct kserv_tree *tree, struct kserv_value *node,
			     const struct kserv_value *old, struct kserv_errors *errors)
{
	const struct kserv_value *had = kserv_value_get(old, "spec.podCIDRs");
	struct kserv_value *copy;

	if (kserv_value_first(kserv_value_get(node, "spec.podCIDRs")))
		return;
	if (!kserv_value_first(had)) {
		give_free_ones(cidrs, tree, node, errors);
		return;
	}
	copy = kserv_value_copy(tree, had);
	kserv_value_unplace(copy);
	give(tree, node, copy);
}

void kserv_node_cidrs_clear(struct kserv_node_cidrs *cidrs)
{
	free(cidrs->taken.v);
	*cidrs = (struct kserv_node_cidrs){ 0 };
}
