// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cluster/memory.h"
#include "kservd/model.h"

#define ANNOTATION_TRIGGER	"endpoints.kubernetes.io/last-change-trigger-time"

void kserv_model_init(struct model *model, void (*changed)(void *context), void *context)
{
	*model = (struct model){ .changed = changed, .context = context };
	model->dirty_end = &model->dirty;
}

static char *make_name(const char *namespace, const char *name)
{
	return kserv_must_printf("%s/%s", namespace, name);
}

struct entry *kserv_model_find(const struct model *model, const char *name)
{
	struct entry *entry;

	HASH_FIND_STR(model->entries, name, entry);
	return entry;
}

static struct entry *need_entry(struct model *model, const char *namespace, const char *name)
{
	char *key = make_name(namespace, name);
	struct entry *entry = kserv_model_find(model, key);

	if (entry) {
		free(key);
		return entry;
	}
	entry = kserv_must_alloc(sizeof(*entry));
	entry->name = key;
	HASH_ADD_KEYPTR(hh, model->entries, entry->name, strlen(entry->name), entry);
	return entry;
}

static struct slice_entry *find_slice(const struct model *model, const char *namespace, const char *name)
{
	struct slice_entry *slice;
	char *key = make_name(namespace, name);

	HASH_FIND_STR(model->slices, key, slice);
	free(key);
	return slice;
}

bool kserv_model_has_slice(const struct model *model, const struct kserv_slice *slice)
{
	const struct slice_entry *known = find_slice(model, slice->meta.namespace, slice->meta.name);

	return known && known->slice == slice;
}

void kserv_model_touch(struct model *model, struct entry *entry)
{
	if (entry->is_dirty)
		return;
	entry->is_dirty = true;
	entry->next_dirty = NULL;
	*model->dirty_end = entry;
	model->dirty_end = &entry->next_dirty;
}

static void touch_changed(struct model *model, struct entry *entry)
{
	free(entry->refused);
	entry->refused = NULL;
	kserv_model_touch(model, entry);
	model->changed(model->context);
}

void kserv_model_touch_all(struct model *model)
{
	model->all_changed = true;
	model->changed(model->context);
}

void kserv_model_set_settings(struct model *model, struct kserv_settings *settings)
{
	kserv_settings_clear(&model->cluster.settings);
	model->cluster.settings = *settings;
	*settings = (struct kserv_settings){ 0 };
	kserv_model_touch_all(model);
}

void kserv_model_complete(struct model *model)
{
	model->is_complete = true;
	kserv_model_touch_all(model);
}

void kserv_model_set_service(struct model *model, const struct kserv_k8s_service *service)
{
	struct entry *entry = need_entry(model, service->meta.namespace, service->meta.name);

	entry->service = service;
	model->service_changes++;
	model->services_pending++;
	touch_changed(model, entry);
}

void kserv_model_delete_service(struct model *model, const char *namespace, const char *name)
{
	char *key = make_name(namespace, name);
	struct entry *entry = kserv_model_find(model, key);

	free(key);
	if (!entry || !entry->service)
		return;
	entry->service = NULL;
	model->service_changes++;
	model->services_pending++;
	touch_changed(model, entry);
}

/* "2026-01-02T03:04:05.678Z" as seconds since 1970; 0 if it is none. */
static double read_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (!rest)
		return 0;
	return timegm(&tm) + (*rest == '.' ? strtod(rest, NULL) : 0);
}

/* The annotation stays when something else of the slice changes; only a new value is a new change. */
static void note_trigger(struct entry *entry, const struct kserv_slice *before, const struct kserv_slice *slice)
{
	const char *now = kserv_labels_find(&slice->meta.annotations, ANNOTATION_TRIGGER);
	const char *then = before ? kserv_labels_find(&before->meta.annotations, ANNOTATION_TRIGGER) : NULL;
	double seconds = !now || (then && !strcmp(now, then)) ? 0 : read_time(now);

	if (seconds && entry->n_triggers < ENTRY_TRIGGERS)
		entry->triggers[entry->n_triggers++] = seconds;
}

static void attach_slice(struct entry *entry, const struct kserv_slice *slice)
{
	entry->slices = kserv_must_grow(entry->slices, entry->n_slices, sizeof(*entry->slices));
	entry->slices[entry->n_slices++] = (struct kserv_slice *)slice;
}

static void detach_slice(struct entry *entry, const struct kserv_slice *slice)
{
	size_t i = 0;

	while (entry->slices[i] != slice)
		i++;
	entry->slices[i] = entry->slices[--entry->n_slices];
}

static void count_slice_change(struct model *model)
{
	model->slice_changes++;
	model->slices_pending++;
}

void kserv_model_set_slice(struct model *model, const struct kserv_slice *slice)
{
	struct entry *entry = need_entry(model, slice->meta.namespace, slice->service);
	struct slice_entry *known = find_slice(model, slice->meta.namespace, slice->meta.name);

	note_trigger(entry, known ? known->slice : NULL, slice);
	if (known) {
		detach_slice(known->entry, known->slice);
		if (known->entry != entry)
			touch_changed(model, known->entry);
	} else {
		known = kserv_must_alloc(sizeof(*known));
		known->name = make_name(slice->meta.namespace, slice->meta.name);
		HASH_ADD_KEYPTR(hh, model->slices, known->name, strlen(known->name), known);
	}
	known->slice = slice;
	known->entry = entry;
	attach_slice(entry, slice);
	count_slice_change(model);
	touch_changed(model, entry);
}

static void drop_slice(struct model *model, struct slice_entry *known)
{
	detach_slice(known->entry, known->slice);
	HASH_DEL(model->slices, known);
	free(known->name);
	free(known);
}

void kserv_model_delete_slice(struct model *model, const char *namespace, const char *name)
{
	struct slice_entry *known = find_slice(model, namespace, name);
	struct entry *entry;

	if (!known)
		return;
	entry = known->entry;
	drop_slice(model, known);
	count_slice_change(model);
	touch_changed(model, entry);
}

static size_t find_node(const struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->cluster.n_nodes && strcmp(model->cluster.nodes[i]->meta.name, name); i++)
		;
	return i;
}

static bool strings_are_equal(const struct kserv_strings *a, const struct kserv_strings *b)
{
	size_t i;

	for (i = 0; a->n == b->n && i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]))
			return false;
	return a->n == b->n;
}

static bool label_is_same(const struct kserv_node *a, const struct kserv_node *b, const char *key)
{
	const char *x = kserv_labels_find(&a->meta.labels, key), *y = kserv_labels_find(&b->meta.labels, key);

	return x && y ? !strcmp(x, y) : x == y;
}

/* All that plan looks at: heartbeats, taints and the like are no change. */
static bool node_is_same(const struct kserv_node *a, const struct kserv_node *b)
{
	return strings_are_equal(&a->internal_ips, &b->internal_ips) &&
	       strings_are_equal(&a->external_ips, &b->external_ips) &&
	       strings_are_equal(&a->pod_cidrs, &b->pod_cidrs) &&
	       label_is_same(a, b, "topology.kubernetes.io/zone");
}

/* What @node, new or gone or different, makes dirty. */
static void touch_node(struct model *model, const char *name)
{
	if (!strcmp(name, model->cluster.settings.node_name ? model->cluster.settings.node_name : ""))
		model->all_changed = true;
	model->nodes_changed = true;
	model->changed(model->context);
}

void kserv_model_set_wrapped(struct model *model, struct kserv_prefixes *wrapped)
{
	struct kserv_prefixes *has = &model->cluster.wrapped;
	bool same = kserv_prefixes_are_equal(has, wrapped);

	free(has->v);
	*has = *wrapped;
	*wrapped = (struct kserv_prefixes){ 0 };
	if (same)
		return;
	model->nodes_changed = true;
	model->changed(model->context);
}

void kserv_model_set_node(struct model *model, const struct kserv_node *node)
{
	struct kserv_cluster *cluster = &model->cluster;
	size_t i = find_node(model, node->meta.name);
	bool same = false;

	if (i == cluster->n_nodes) {
		cluster->nodes = kserv_must_grow(cluster->nodes, cluster->n_nodes, sizeof(*cluster->nodes));
		cluster->n_nodes++;
	} else {
		same = node_is_same(cluster->nodes[i], node);
	}
	cluster->nodes[i] = (struct kserv_node *)node;
	if (!same)
		touch_node(model, node->meta.name);
}

void kserv_model_delete_node(struct model *model, const char *name)
{
	struct kserv_cluster *cluster = &model->cluster;
	size_t i = find_node(model, name);

	if (i == cluster->n_nodes)
		return;
	cluster->nodes[i] = cluster->nodes[--cluster->n_nodes];
	touch_node(model, name);
}

const struct kserv_node *kserv_model_own_node(const struct model *model)
{
	const char *name = model->cluster.settings.node_name;
	size_t i = name ? find_node(model, name) : model->cluster.n_nodes;

	return i < model->cluster.n_nodes ? model->cluster.nodes[i] : NULL;
}

static void drop_objects(struct model *model)
{
	struct slice_entry *slice, *next_slice;
	struct entry *entry, *next;

	HASH_ITER(hh, model->slices, slice, next_slice)
		drop_slice(model, slice);
	HASH_ITER(hh, model->entries, entry, next) {
			entry->service = NULL;
	}
	free(model->cluster.nodes);
	model->cluster.nodes = NULL;
	model->cluster.n_nodes = 0;
}

void kserv_model_replace(struct model *model, const struct kserv_cluster *cluster)
{
	const struct model before = *model;
	size_t i;

	drop_objects(model);
	for (i = 0; i < cluster->n_services; i++)
		kserv_model_set_service(model, cluster->services[i]);
	for (i = 0; i < cluster->n_slices; i++)
		kserv_model_set_slice(model, cluster->slices[i]);
	for (i = 0; i < cluster->n_nodes; i++)
		kserv_model_set_node(model, cluster->nodes[i]);
	/* Most of it is what it was before. */
	model->service_changes = before.service_changes;
	model->slice_changes = before.slice_changes;
	model->services_pending = before.services_pending;
	model->slices_pending = before.slices_pending;
	kserv_model_touch_all(model);
}

static void free_entry(struct model *model, struct entry *entry)
{
	HASH_DEL(model->entries, entry);
	free(entry->slices);
	kserv_services_free(entry->held, entry->n_held);
	kserv_services_free(entry->planned, entry->n_planned);
	free(entry->refused);
	free(entry->name);
	free(entry);
}

static void forget_if_empty(struct model *model, struct entry *entry)
{
	entry->is_dirty = false;
	entry->n_triggers = 0;
	if (!entry->service && !entry->n_slices && !entry->n_held)
		free_entry(model, entry);
}

void kserv_model_settled(struct model *model)
{
	struct entry *entry, *next;

	if (model->all_changed) {
		HASH_ITER(hh, model->entries, entry, next)
			forget_if_empty(model, entry);
	} else {
		for (entry = model->dirty; entry; entry = next) {
			next = entry->next_dirty;
			forget_if_empty(model, entry);
		}
	}
	model->dirty = NULL;
	model->dirty_end = &model->dirty;
	model->all_changed = false;
	model->nodes_changed = false;
	model->services_pending = 0;
	model->slices_pending = 0;
}

void kserv_model_clear(struct model *model)
{
	struct entry *entry, *next;

	drop_objects(model);
	HASH_ITER(hh, model->entries, entry, next)
		free_entry(model, entry);
	kserv_cluster_clear(&model->cluster);
	kserv_model_init(model, model->changed, model->context);
}
