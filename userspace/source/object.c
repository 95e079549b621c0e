// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "cluster/emit.h"
#include "cluster/fill.h"
#include "source/object.h"

static void set_string(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *s)
{
	kserv_value_set(map, key, kserv_value_new_string(tree, s));
}

/* RFC 9562, version 4 */
static void make_uid(char uid[37])
{
	unsigned char b[16];

	while (getrandom(b, sizeof(b), 0) != sizeof(b))
		;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(uid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
		 b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void keep(struct kserv_tree *tree, struct kserv_value *meta, const struct kserv_value *old, const char *key,
		 const char *otherwise)
{
	const char *text = kserv_value_string(kserv_value_find(old, "metadata"), key);

	set_string(tree, meta, key, *text ? text : otherwise);
}

void kserv_object_stamp(struct kserv_tree *tree, struct kserv_value *object, const struct kserv_value *old)
{
	static const char *const servers[] = { "managedFields", "selfLink", "generateName", "clusterName" };
	struct kserv_value *meta = kserv_value_need_map(tree, object, "metadata");
	char uid[37], now[32];
	time_t t = time(NULL);
	struct tm tm;
	size_t i;

	for (i = 0; i < sizeof(servers) / sizeof(*servers); i++)
		kserv_value_remove(meta, servers[i]);
	make_uid(uid);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	keep(tree, meta, old, "uid", uid);
	keep(tree, meta, old, "creationTimestamp", now);
	keep(tree, meta, old, "resourceVersion", "0");
}

char *kserv_object_json(struct kserv_value *object)
{
	struct kserv_text text = { 0 };

	kserv_value_sort(object);
	kserv_emit_json(&text, object, 0);
	return kserv_text_take(&text);
}

int kserv_object_put(struct kserv_store *store, struct kserv_tree *tree, struct kserv_value *object, char **ret_json)
{
	struct kserv_stored stored = {
		.kind = kserv_value_string(object, "kind"),
		.namespace = kserv_value_string(object, "metadata.namespace"),
		.name = kserv_value_string(object, "metadata.name"),
	};
	char version[24];
	int error = kserv_store_next_version(store, &stored.version);

	if (error)
		return error;
	snprintf(version, sizeof(version), "%llu", (unsigned long long)stored.version);
	set_string(tree, kserv_value_find(object, "metadata"), "resourceVersion", version);
	*ret_json = kserv_object_json(object);
	stored.json = *ret_json;
	error = kserv_store_put(store, &stored);
	if (error)
		free(*ret_json);
	return error;
}

int kserv_object_put_namespace(struct kserv_store *store, const char *name, char **ret_json)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *object = kserv_value_new(&tree, KSERV_VALUE_MAP), *meta;
	int error;

	set_string(&tree, object, "apiVersion", "v1");
	set_string(&tree, object, "kind", "Namespace");
	meta = kserv_value_need_map(&tree, object, "metadata");
	set_string(&tree, meta, "name", name);
	/* The label that selects namespaces by name. */
	set_string(&tree, kserv_value_need_map(&tree, meta, "labels"), "kubernetes.io/metadata.name", name);
	kserv_fill_namespace(&tree, object);
	kserv_object_stamp(&tree, object, NULL);
	error = kserv_object_put(store, &tree, object, ret_json);
	kserv_tree_clear(&tree);
	return error;
}
