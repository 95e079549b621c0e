/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The objects of one kind as the server last told them. Changed by events one by one, or as a whole by a list that is
 * read aside and swapped in by its differences.
 */
#ifndef KSERV_PICTURE_H
#define KSERV_PICTURE_H

#include "cluster/tree.h"
#include "kube/kube.h"

/**
 * struct kserv_kube_resource - a kind as the API has it
 * @path: of all of them, without a query
 * @read, @free: of the model
 */
struct kserv_kube_resource {
	const char *name, *kind, *path;
	void *(*read)(const struct kserv_value *value);
	void (*free)(void *object);
};

extern const struct kserv_kube_resource kserv_kube_resources[KSERV_KUBE_KINDS];

/**
 * struct kserv_picture - zeroed to begin with, but for the first three
 * @v: the objects, in any order
 */
struct kserv_picture {
	enum kserv_kube_kind kind;
	const struct kserv_kube_events *events;
	void *context;

	void **v;
	size_t n;
	struct kserv_picture_entry *entries, *aside;
	unsigned int round;
};

/* An object was created or changed. Return: 0, or -EINVAL if it has no name. */
int kserv_picture_put(struct kserv_picture *picture, const struct kserv_value *value);
/* An object is gone. */
void kserv_picture_remove(struct kserv_picture *picture, const struct kserv_value *value);

/* Begin to read a list aside, dropping one that was begun before. */
void kserv_picture_begin(struct kserv_picture *picture);
int kserv_picture_aside_put(struct kserv_picture *picture, const struct kserv_value *value);
void kserv_picture_aside_remove(struct kserv_picture *picture, const struct kserv_value *value);
/* The list is complete: tell its differences, those that are gone first. */
void kserv_picture_swap(struct kserv_picture *picture);

/* NULL if there is none. */
void *kserv_picture_find(const struct kserv_picture *picture, const char *namespace, const char *name);
void kserv_picture_clear(struct kserv_picture *picture);

#endif
