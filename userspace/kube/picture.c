// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "kube/picture.h"

#define RESOURCE(read_, free_)								\
	.read = (void *(*)(const struct kserv_value *))(read_), .free = (void (*)(void *))(free_)

const struct kserv_kube_resource kserv_kube_resources[KSERV_KUBE_KINDS] = {
	[KSERV_KUBE_SERVICES] = { "services", "Service", "/api/v1/services",
		RESOURCE(kserv_read_service, kserv_k8s_service_free) },
	[KSERV_KUBE_SLICES] = { "endpointslices", "EndpointSlice", "/apis/discovery.k8s.io/v1/endpointslices",
		RESOURCE(kserv_read_slice, kserv_slice_free) },
	[KSERV_KUBE_NODES] = { "nodes", "Node", "/api/v1/nodes", RESOURCE(kserv_read_node, kserv_node_free) },
	[KSERV_KUBE_NAMESPACES] = { "namespaces", "Namespace", "/api/v1/namespaces",
		RESOURCE(kserv_read_namespace, kserv_namespace_free) },
	[KSERV_KUBE_PODS] = { "pods", "Pod", "/api/v1/pods", RESOURCE(kserv_read_pod, kserv_pod_free) },
};

/**
 * struct kserv_picture_entry - one object
 * @digest: of all that counts in it
 * @index: in the array of the picture; unused aside
 * @round: the list in which it was last seen unchanged
 * @key: "namespace/name"
 */
struct kserv_picture_entry {
	UT_hash_handle hh;
	void *object;
	uint64_t digest;
	size_t index;
	unsigned int round;
	char key[];
};

static uint64_t mix(uint64_t digest, const char *s)
{
	/* FNV-1a, with the end of the string counted, so that "ab" "c" differs from "a" "bc". */
	do
		digest = (digest ^ (unsigned char)*s) * 0x100000001b3;
	while (*s++);
	return digest;
}

/* What changes without a meaning, or is left away in lists. */
static bool is_skipped(const struct kserv_value *member, unsigned int depth)
{
	if (depth == 0)
		return !strcmp(member->key, "kind") || !strcmp(member->key, "apiVersion");
	return depth == 1 && !strcmp(member->parent->key, "metadata") &&
	       (!strcmp(member->key, "resourceVersion") || !strcmp(member->key, "managedFields"));
}

static uint64_t digest_of(uint64_t digest, const struct kserv_value *value, unsigned int depth)
{
	const struct kserv_value *member;

	digest = mix(digest, (char[]){ 'A' + value->type, '\0' });
	if (value->type != KSERV_VALUE_LIST && value->type != KSERV_VALUE_MAP)
		return mix(digest, value->text);
	for (member = value->first; member; member = member->next) {
		if (member->key) {
			if (depth < 2 && value->type == KSERV_VALUE_MAP && is_skipped(member, depth))
				continue;
			digest = mix(digest, member->key);
		}
		digest = digest_of(digest, member, depth + 1);
	}
	return mix(digest, "");
}

static union kserv_kube_object as_object(const void *object)
{
	return (union kserv_kube_object){ .meta = object };
}

static void tell(struct kserv_picture *picture, const void *old, const void *new)
{
	if (picture->events && picture->events->changed)
		picture->events->changed(picture->context, picture->kind, as_object(old), as_object(new));
}

static void free_object(const struct kserv_picture *picture, void *object)
{
	if (object)
		kserv_kube_resources[picture->kind].free(object);
}

static struct kserv_picture_entry *find(struct kserv_picture_entry *entries, const char *key)
{
	struct kserv_picture_entry *entry;

	HASH_FIND_STR(entries, key, entry);
	return entry;
}

static struct kserv_picture_entry *make_entry(struct kserv_picture_entry **entries, const char *key)
{
	struct kserv_picture_entry *entry = kserv_must_alloc(sizeof(*entry) + strlen(key) + 1);

	strcpy(entry->key, key);
	HASH_ADD_STR(*entries, key, entry);
	return entry;
}

/* NULL if it has no name. The caller frees it. */
static char *key_of(const struct kserv_value *value)
{
	const char *name = kserv_value_string(value, "metadata.name");

	if (!*name)
		return NULL;
	return kserv_must_printf("%s/%s", kserv_value_string(value, "metadata.namespace"), name);
}

/* Only the version is another: keep the object that others point to. */
static void note_version(struct kserv_meta *meta, const char *version)
{
	free(meta->resource_version);
	meta->resource_version = kserv_must_strdup(version);
}

static const char *version_of(const struct kserv_value *value)
{
	return kserv_value_string(value, "metadata.resourceVersion");
}

static void replace(struct kserv_picture *picture, struct kserv_picture_entry *entry, void *object, uint64_t digest)
{
	void *old = entry->object;

	entry->object = object;
	entry->digest = digest;
	picture->v[entry->index] = object;
	tell(picture, old, object);
	free_object(picture, old);
}

static void add(struct kserv_picture *picture, const char *key, void *object, uint64_t digest)
{
	struct kserv_picture_entry *entry = make_entry(&picture->entries, key);

	entry->object = object;
	entry->digest = digest;
	entry->index = picture->n;
	picture->v = kserv_must_grow(picture->v, picture->n, sizeof(*picture->v));
	picture->v[picture->n++] = object;
	tell(picture, NULL, object);
}

static void drop(struct kserv_picture *picture, struct kserv_picture_entry *entry)
{
	struct kserv_picture_entry *last;
	void *object = entry->object;
	char *key;

	picture->n--;
	if (entry->index != picture->n) {
		const struct kserv_meta *meta = picture->v[picture->n];

		key = kserv_must_printf("%s/%s", meta->namespace, meta->name);
		last = find(picture->entries, key);
		free(key);
		last->index = entry->index;
		picture->v[entry->index] = last->object;
	}
	HASH_DEL(picture->entries, entry);
	free(entry);
	tell(picture, object, NULL);
	free_object(picture, object);
}

int kserv_picture_put(struct kserv_picture *picture, const struct kserv_value *value)
{
	uint64_t digest = digest_of(0xcbf29ce484222325, value, 0);
	struct kserv_picture_entry *entry;
	char *key = key_of(value);

	if (!key)
		return -EINVAL;
	entry = find(picture->entries, key);
	if (!entry)
		add(picture, key, kserv_kube_resources[picture->kind].read(value), digest);
	else if (entry->digest == digest)
		note_version(entry->object, version_of(value));
	else
		replace(picture, entry, kserv_kube_resources[picture->kind].read(value), digest);
	free(key);
	return 0;
}

void kserv_picture_remove(struct kserv_picture *picture, const struct kserv_value *value)
{
	struct kserv_picture_entry *entry;
	char *key = key_of(value);

	if (!key)
		return;
	entry = find(picture->entries, key);
	if (entry)
		drop(picture, entry);
	free(key);
}

static void drop_aside(struct kserv_picture *picture, struct kserv_picture_entry *entry)
{
	HASH_DEL(picture->aside, entry);
	free_object(picture, entry->object);
	free(entry);
}

void kserv_picture_begin(struct kserv_picture *picture)
{
	struct kserv_picture_entry *entry, *next;

	HASH_ITER(hh, picture->aside, entry, next)
		drop_aside(picture, entry);
	picture->round++;
}

int kserv_picture_aside_put(struct kserv_picture *picture, const struct kserv_value *value)
{
	uint64_t digest = digest_of(0xcbf29ce484222325, value, 0);
	struct kserv_picture_entry *entry, *before;
	char *key = key_of(value);

	if (!key)
		return -EINVAL;
	entry = find(picture->aside, key);
	before = entry ? NULL : find(picture->entries, key);
	if (before && before->digest == digest) {
		before->round = picture->round;
		note_version(before->object, version_of(value));
		free(key);
		return 0;
	}
	if (!entry)
		entry = make_entry(&picture->aside, key);
	free_object(picture, entry->object);
	entry->object = kserv_kube_resources[picture->kind].read(value);
	entry->digest = digest;
	free(key);
	return 0;
}

void kserv_picture_aside_remove(struct kserv_picture *picture, const struct kserv_value *value)
{
	struct kserv_picture_entry *entry;
	char *key = key_of(value);

	if (!key)
		return;
	entry = find(picture->aside, key);
	if (entry)
		drop_aside(picture, entry);
	entry = find(picture->entries, key);
	if (entry)
		entry->round = picture->round - 1;
	free(key);
}

static void swap_in(struct kserv_picture *picture, struct kserv_picture_entry *made)
{
	struct kserv_picture_entry *entry = find(picture->entries, made->key);

	if (!entry) {
		add(picture, made->key, made->object, made->digest);
	} else if (entry->digest != made->digest) {
		replace(picture, entry, made->object, made->digest);
	} else {
		note_version(entry->object, ((struct kserv_meta *)made->object)->resource_version);
		return;
	}
	made->object = NULL;
}

void kserv_picture_swap(struct kserv_picture *picture)
{
	struct kserv_picture_entry *entry, *next;

	HASH_ITER(hh, picture->entries, entry, next)
		if (entry->round != picture->round && !find(picture->aside, entry->key))
			drop(picture, entry);
	HASH_ITER(hh, picture->aside, entry, next) {
		swap_in(picture, entry);
		drop_aside(picture, entry);
	}
}

void *kserv_picture_find(const struct kserv_picture *picture, const char *namespace, const char *name)
{
	char *key = kserv_must_printf("%s/%s", namespace, name);
	const struct kserv_picture_entry *entry = find(picture->entries, key);

	free(key);
	return entry ? entry->object : NULL;
}

void kserv_picture_clear(struct kserv_picture *picture)
{
	struct kserv_picture_entry *entry, *next;

	kserv_picture_begin(picture);
	HASH_ITER(hh, picture->entries, entry, next) {
		HASH_DEL(picture->entries, entry);
		free_object(picture, entry->object);
		free(entry);
	}
	free(picture->v);
	*picture = (struct kserv_picture){ 0 };
}
