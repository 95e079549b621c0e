/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cluster in memory, by name, and what of it has changed since the last sync. A change of one object costs by the
 * size of its Service, not of the cluster. Objects belong to their source and stay there until it takes them out.
 */
#ifndef KSERVD_MODEL_H
#define KSERVD_MODEL_H

#include <uthash.h>
#include "cluster/cluster.h"
#include "plan/plan.h"

/* Trigger times that are kept of one service between two syncs; a burst of more is told by the first ones. */
#define ENTRY_TRIGGERS	8

/**
 * struct entry - a Service and its slices
 * @name: "default/web"
 * @service: NULL where there are only slices that name it, or where it is gone and the kernel does not know yet
 * @held: what the kernel holds of it, as far as we know, sorted
 * @planned: what it should hold; only during a sync
 * @is_dirty: it is on the model's list of changed entries
 * @refused: why the kernel does not take it, or NULL; then the kernel holds @held of it still
 * @warned: hash of the warnings that were last said about it
 * @triggers: when the API server's controllers learnt of the changes, seconds since 1970
 */
struct entry {
	char *name;
	const struct kserv_k8s_service *service;
	struct kserv_slice **slices;
	size_t n_slices;
	struct kserv_service *held, *planned;
	size_t n_held, n_planned;
	bool is_dirty;
	char *refused;
	uint64_t warned;
	double triggers[ENTRY_TRIGGERS];
	unsigned int n_triggers;
	struct entry *next_dirty;
	UT_hash_handle hh;
};

struct slice_entry {
	char *name;
	struct entry *entry;
	const struct kserv_slice *slice;
	UT_hash_handle hh;
};

/**
 * struct model - all of it
 * @cluster: its nodes and settings alone; the rest of it is not used
 * @dirty: entries that changed, in the order in which they did
 * @nodes_changed: routes have to be planned again
 * @all_changed: everything has
 * @is_complete: all objects were here once; nothing is programmed before
 * @changed: called with @context whenever something became dirty
 * @service_changes, @slice_changes: counted since the start; @services_pending, @slices_pending: since the last sync
 */
struct model {
	struct kserv_cluster cluster;
	struct entry *entries;
	struct slice_entry *slices;
	struct entry *dirty, **dirty_end;
	bool nodes_changed, all_changed, is_complete;
	void (*changed)(void *context);
	void *context;
	uint64_t service_changes, slice_changes;
	uint64_t services_pending, slices_pending;
};

void kserv_model_init(struct model *model, void (*changed)(void *context), void *context);
void kserv_model_clear(struct model *model);

/* How this node serves; taken over from @settings, which is empty afterwards. */
void kserv_model_set_settings(struct model *model, struct kserv_settings *settings);

/* Pod CIDRs that are reached by VXLAN, sorted; taken over. */
void kserv_model_set_wrapped(struct model *model, struct kserv_prefixes *wrapped);

/* One that is there under the name already is replaced; it is looked at once more until the function returns. */
void kserv_model_set_service(struct model *model, const struct kserv_k8s_service *service);
void kserv_model_set_slice(struct model *model, const struct kserv_slice *slice);
void kserv_model_set_node(struct model *model, const struct kserv_node *node);
void kserv_model_delete_service(struct model *model, const char *namespace, const char *name);
void kserv_model_delete_slice(struct model *model, const char *namespace, const char *name);
void kserv_model_delete_node(struct model *model, const char *name);

/* All objects at once: those of @cluster instead of what there was, which is not looked at any more. */
void kserv_model_replace(struct model *model, const struct kserv_cluster *cluster);

/* All objects have come; @is_complete from now on. */
void kserv_model_complete(struct model *model);

/* Everything has to be planned again. */
void kserv_model_touch_all(struct model *model);
/* Put @entry on the list of changed ones, without counting it as a change. */
void kserv_model_touch(struct model *model, struct entry *entry);
/* This very slice is the one under its name. */
bool kserv_model_has_slice(const struct model *model, const struct kserv_slice *slice);
struct entry *kserv_model_find(const struct model *model, const char *name);
/* The Node that we are, or NULL. */
const struct kserv_node *kserv_model_own_node(const struct model *model);

/* What was dirty is in the kernel: entries without an object and without records are freed. */
void kserv_model_settled(struct model *model);

#endif
