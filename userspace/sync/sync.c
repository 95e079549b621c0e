// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "lib/dump.h"
#include "sync/sync.h"

/* Commits of others that a sync puts up with. */
#define ATTEMPTS 20

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static int send_difference(struct kserv_nl *nl, const struct kserv_tables *desired, const struct kserv_tables *actual,
			   struct kserv_sync_result *result, struct kserv_nl_error *ret_error)
{
	struct kserv_transaction transaction;
	int error = kserv_transaction_init(&transaction);

	transaction.expect = true;
	transaction.generation = actual->generation;
	result->generation = actual->generation;
	result->transactions = 0;
	if (!error)
		error = kserv_sync_diff(desired, actual, &transaction, &result->counts);
	if (!error && !kserv_transaction_is_empty(&transaction))
		error = kserv_transaction_send(nl, &transaction, &result->generation, &result->transactions, ret_error);
	kserv_transaction_clear(&transaction);
	return error;
}

static int sync_once(struct kserv_nl *nl, const struct kserv_tables *desired, struct kserv_sync_result *result,
		     struct kserv_nl_error *ret_error)
{
	struct kserv_tables actual;
	int error = kserv_dump(nl, KSERV_DUMP_ALL, NULL, &actual, ret_error);

	if (error)
		return error;
	error = send_difference(nl, desired, &actual, result, ret_error);
	kserv_tables_clear(&actual);
	return error;
}

/* Errors that came without words of the kernel get some. */
static int finish(int error, struct kserv_nl_error *ret_error)
{
	if (!error || !ret_error || ret_error->error)
		return error;
	ret_error->error = -error;
	snprintf(ret_error->text, sizeof(ret_error->text), "%s", strerror(-error));
	return error;
}

int kserv_sync(struct kserv_nl *nl, const struct kserv_tables *desired, struct kserv_sync_result *ret_result,
	       struct kserv_nl_error *ret_error)
{
	struct kserv_sync_result result = { };
	uint64_t start = now_us();
	int error;

	if (ret_error)
		memset(ret_error, 0, sizeof(*ret_error));
	for (;;) {
		error = sync_once(nl, desired, &result, ret_error);
		if (error != -ESTALE || ++result.retries == ATTEMPTS)
			break;
		if (ret_error)
			memset(ret_error, 0, sizeof(*ret_error));
	}
	if (error)
		return finish(error, ret_error);
	result.duration_us = now_us() - start;
	*ret_result = result;
	return 0;
}

int kserv_sync_change(struct kserv_nl *nl, const struct kserv_tables *before, const struct kserv_tables *after,
		      struct kserv_sync_result *ret_result, struct kserv_nl_error *ret_error)
{
	struct kserv_tables desired = *after, actual = *before;
	struct kserv_sync_result result = { };
	uint64_t start = now_us();
	int error;

	if (ret_error)
		memset(ret_error, 0, sizeof(*ret_error));
	/* Equal ones, so that the configuration makes no difference. */
	actual.config = kserv_config_defaults;
	desired.config = (struct kserv_config){ 0 };
	error = send_difference(nl, &desired, &actual, &result, ret_error);
	if (error)
		return finish(error, ret_error);
	result.duration_us = now_us() - start;
	*ret_result = result;
	return 0;
}

int kserv_sync_service(struct kserv_nl *nl, const struct kserv_service *before, const struct kserv_service *after,
		       uint32_t *generation, struct kserv_nl_error *ret_error)
{
	struct kserv_tables desired = { .services = (struct kserv_service *)after, .n_services = !!after };
	struct kserv_tables actual = {
		.services = (struct kserv_service *)before, .n_services = !!before, .generation = *generation,
	};
	struct kserv_sync_result result;
	int error = kserv_sync_change(nl, &actual, &desired, &result, ret_error);

	if (!error)
		*generation = result.generation;
	return error;
}
