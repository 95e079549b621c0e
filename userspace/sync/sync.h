/* SPDX-License-Identifier: GPL-2.0 */
/* sync: from what the kernel holds to what it should hold, by one transaction with only the difference. */
#ifndef KSERV_SYNC_H
#define KSERV_SYNC_H

#include "lib/nl.h"
#include "lib/tables.h"
#include "lib/transaction.h"

/* What a sync changed, or would change. */
struct kserv_sync_counts {
	size_t services_set, services_removed;
	size_t frontends_set, frontends_removed;
	size_t endpoints_set, endpoints_removed;
	size_t routes_set, routes_removed;
	bool config_set;
};

/**
 * struct kserv_sync_result - how a sync went
 * @generation: in force afterwards
 * @transactions: 0 if nothing differed; more than 1 if the socket's limit did not let the difference through as one
 *	(then it was not atomic)
 * @retries: how often somebody else committed between our dump and our transaction
 * @duration_us: from the first byte of the dump to the acknowledgement
 */
struct kserv_sync_result {
	struct kserv_sync_counts counts;
	uint32_t generation;
	unsigned int transactions, retries;
	uint64_t duration_us;
};

/**
 * kserv_sync_diff() - append what leads from @actual to @desired
 * @desired: sorted (kserv_tables_sort())
 * @actual: sorted; NULL members of its statistics are ignored
 * @transaction: appended to; stays empty if nothing differs
 * @ret_counts: may be NULL
 *
 * Pure. Frontends that move from one service to another are removed before they are added.
 * Return: 0 or -errno (-ENOMEM, -E2BIG for a name that is too long).
 */
int kserv_sync_diff(const struct kserv_tables *desired, const struct kserv_tables *actual,
		    struct kserv_transaction *transaction, struct kserv_sync_counts *ret_counts);

/**
 * kserv_sync() - dump, diff, send; again if somebody else committed in between
 * @desired: sorted
 * @ret_result: filled on success
 * @ret_error: the kernel's words on refusal
 *
 * Return: 0 or -errno; on refusal the kernel holds what it held before.
 */
int kserv_sync(struct kserv_nl *nl, const struct kserv_tables *desired, struct kserv_sync_result *ret_result,
	       struct kserv_nl_error *ret_error);

/**
 * kserv_sync_change() - a part of the tables whose former state the caller knows: no dump
 * @before: as the kernel holds it, sorted; its generation is when the caller knew that
 * @after: as it should be, sorted. Configurations are not looked at, neither here nor there.
 * @ret_result: filled on success
 *
 * Return: 0; -ESTALE if the kernel is at another generation (use kserv_sync()); -errno.
 */
int kserv_sync_change(struct kserv_nl *nl, const struct kserv_tables *before, const struct kserv_tables *after,
		      struct kserv_sync_result *ret_result, struct kserv_nl_error *ret_error);

/**
 * kserv_sync_service() - the same for one service whose former state the caller knows: no dump
 * @before: as the kernel holds it; NULL if it holds none
 * @after: as it should be; NULL to remove it
 * @generation: in: when the caller knew @before; out: the new one
 *
 * Return: 0; -ESTALE if the kernel is at another generation (use kserv_sync()); -errno.
 */
int kserv_sync_service(struct kserv_nl *nl, const struct kserv_service *before, const struct kserv_service *after,
		       uint32_t *generation, struct kserv_nl_error *ret_error);

#endif
