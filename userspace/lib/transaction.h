/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A transaction: the one message by which services, routes and configuration change, all or nothing.
 * Appended to member by member, then sent. Each function below returns 0 or -ENOMEM, or -E2BIG where one member alone
 * is too long for an attribute; after an error the transaction can only be cleared.
 */
#ifndef KSERV_TRANSACTION_H
#define KSERV_TRANSACTION_H

#include "lib/message.h"
#include "lib/nl.h"
#include "lib/tables.h"

/**
 * struct kserv_transaction - one being built
 * @message: grows as needed, tens of megabytes are no problem
 * @expect: refuse unless the kernel is at generation @generation
 * @replace: services and routes that are not set in it are removed
 */
struct kserv_transaction {
	struct kserv_message message;
	bool expect, replace;
	uint32_t generation;
};

/* What a service-set says about a service's own members: a bit for each one that is sent. */
enum kserv_service_members {
	KSERV_SET_SCHEDULER = 1 << 0,
	KSERV_SET_AFFINITY_TIMEOUT = 1 << 1,
	KSERV_SET_FLAGS = 1 << 2,
	KSERV_SET_REMOVAL = 1 << 3,
	KSERV_SET_REMOVAL_GRACE = 1 << 4,
	KSERV_SET_SLOW_START = 1 << 5,
	KSERV_SET_ALL = (1 << 6) - 1,
};

/* The same for endpoints. */
enum kserv_endpoint_members {
	KSERV_SET_STATE = 1 << 0,
	KSERV_SET_ENDPOINT_FLAGS = 1 << 1,
	KSERV_SET_WEIGHT = 1 << 2,
	KSERV_SET_REASONS = 1 << 3,
	KSERV_SET_ENDPOINT_ALL = (1 << 4) - 1,
};

/**
 * struct kserv_service_change - what to do to one service
 * @service: the key, and the values of @members
 * @mode: enum kserv_set_mode
 * @members: KSERV_SET_*
 * @endpoint_members: which members of all @endpoints are sent
 */
struct kserv_service_change {
	const struct kserv_service *service;
	uint8_t mode;
	unsigned int members, endpoint_members;
	const struct kserv_frontend *const *frontends, *const *frontends_del;
	size_t n_frontends, n_frontends_del;
	const struct kserv_endpoint *const *endpoints, *const *endpoints_del;
	size_t n_endpoints, n_endpoints_del;
};

int kserv_transaction_init(struct kserv_transaction *transaction);
void kserv_transaction_clear(struct kserv_transaction *transaction);
bool kserv_transaction_is_empty(const struct kserv_transaction *transaction);

int kserv_transaction_service_set(struct kserv_transaction *transaction, const struct kserv_service_change *change);
int kserv_transaction_service_del(struct kserv_transaction *transaction, const struct kserv_service *service);
int kserv_transaction_route_set(struct kserv_transaction *transaction, const struct kserv_route *route);
int kserv_transaction_route_del(struct kserv_transaction *transaction, const struct kserv_route *route);
int kserv_transaction_config_set(struct kserv_transaction *transaction, const struct kserv_config *config);

/**
 * kserv_transaction_send() - commit it
 * @ret_generation: the new one; may be NULL
 * @ret_parts: 1, or more where the socket's limit forbade sending it as one (then parts before a refused one are in
 *	force); may be NULL
 *
 * Return: 0; -ESTALE if the generation was not the expected one; -errno with the words in @ret_error.
 */
int kserv_transaction_send(struct kserv_nl *nl, struct kserv_transaction *transaction, uint32_t *ret_generation,
			   unsigned int *ret_parts, struct kserv_nl_error *ret_error);

#endif
