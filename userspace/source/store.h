/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The embedded store: Kubernetes objects as JSON in one SQLite file, changed in transactions that are on disk when they
 * are committed.
 */
#ifndef KSERV_STORE_H
#define KSERV_STORE_H

#include <stdbool.h>
#include <stdint.h>

#define KSERV_STORE_PATH	"/var/lib/kserv/store.db"

struct kserv_store;

/* One row; borrowed by those it is shown to. @namespace: "" for kinds that are in none. */
struct kserv_stored {
	const char *kind, *namespace, *name;
	const char *json;
	uint64_t version;
};

/**
 * kserv_store_open() - open the file
 * @create: make it, and its folder, if it is not there
 * @ret_why: a sentence on error, which the caller frees
 *
 * Return: 0, -ENOENT if it is not there and @create is false, -EIO.
 */
int kserv_store_open(const char *path, bool create, struct kserv_store **ret_store, char **ret_why);
void kserv_store_close(struct kserv_store *store);
/* What went wrong in the call that returned -EIO, as a sentence; valid until the next call. */
const char *kserv_store_error(struct kserv_store *store);

/* A transaction waits up to 10 s for that of another process. All functions that change need one. Return: 0 or -EIO. */
int kserv_store_begin(struct kserv_store *store);
/* On disk when it returns 0; on error the transaction is rolled back. */
int kserv_store_commit(struct kserv_store *store);
void kserv_store_rollback(struct kserv_store *store);

/**
 * kserv_store_each() - show all objects, by kind, namespace and name
 * @kind: "Service", or NULL for all
 * @visit: returns false to stop
 *
 * Return: 0 or -EIO.
 */
int kserv_store_each(struct kserv_store *store, const char *kind,
		     bool (*visit)(void *context, const struct kserv_stored *stored), void *context);

/* Return: 0, -ENOENT, -EIO. The caller frees @ret_json. */
int kserv_store_find(struct kserv_store *store, const char *kind, const char *namespace, const char *name,
		     char **ret_json);
/* Create or replace. Return: 0 or -EIO. */
int kserv_store_put(struct kserv_store *store, const struct kserv_stored *stored);
/* Return: 0, also if it was not there, or -EIO. */
int kserv_store_delete(struct kserv_store *store, const char *kind, const char *namespace, const char *name);
/* Another process has committed something since the last call; never true for changes of our own. */
bool kserv_store_was_changed(struct kserv_store *store);
/* Counts up by one with each call, over the life of the store. Return: 0 or -EIO. */
int kserv_store_next_version(struct kserv_store *store, uint64_t *ret_version);

#endif
