/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_TRANSACTION_H
#define _KSERV_TRANSACTION_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <net/netlink.h>
#include "service.h"

/**
 * DOC: Transactions
 *
 * One message changes everything or nothing. It is read attribute by attribute into changes (the _stage functions),
 * then each kind of change is prepared, which may fail, then all are committed, which may not. What is prepared is in
 * the tables already where that can fail, but marked so that packets do not find it. All of it runs under the net's
 * mutex.
 */

struct kserv_net;

/* Refuse: a sentence, the attribute it is about, an error. */
#define kserv_refuse(extack, attr, error, text)			\
({								\
	NL_SET_ERR_MSG_ATTR(extack, attr, text);		\
	error;							\
})

/**
 * struct kserv_endpoint_change - an endpoint as a message has it
 * @attr: where in the message; later changes of one endpoint have higher ones
 * @endpoint: the one in force, or the one that is to be; NULL until prepared
 * @nest: number of the service-set that holds it
 * @slot: index among the endpoints in force; KSERV_NO_SLOT for a new one
 * @del: to be removed
 * The other members are those of struct kserv_endpoint.
 */
struct kserv_endpoint_change {
	const struct nlattr *attr;
	struct kserv_endpoint *endpoint;
	union nf_inet_addr addr;
	__be16 port;
	u16 weight;
	u32 nest;
	u32 slot;
	u8 state;
	u8 flags;
	u8 cluster_reason;
	u8 local_reason;
	bool del;
};

#define KSERV_NO_SLOT U32_MAX

/**
 * struct kserv_frontend_change - what becomes of one frontend key
 * @attr: where in the message
 * @old: the frontend in force with this key, or NULL
 * @new: the frontend to be, or NULL; without @old it is in the table already, but not live
 * @nest: number of the service-set that set it
 * @leaving: @old is given up by its service
 * @kept: @old was set again as it is
 */
struct kserv_frontend_change {
	const struct nlattr *attr;
	struct kserv_frontend *old;
	struct kserv_frontend *new;
	u32 nest;
	bool leaving;
	bool kept;
};

/**
 * struct kserv_service_change - what becomes of one service
 * @list: kserv_transaction.services
 * @service: in the tables, also when @created
 * @attr: where the message first speaks of it
 * @choices: the version to be, NULL if the one in force stays
 * @endpoints: @n_endpoints of @max_endpoints
 * @scheduler: as in struct kserv_choices, as are the members that follow
 * @created: the service is new
 * @set: some service-set of the message is about it
 * @cleared: deleted and set again in one message: as @replace, but nothing is inherited
 * @deleted: to be removed
 * @replace: endpoints and frontends that the message does not set go
 */
struct kserv_service_change {
	struct list_head list;
	struct kserv_service *service;
	const struct nlattr *attr;
	struct kserv_choices *choices;
	struct kserv_endpoint_change *endpoints;
	u32 n_endpoints;
	u32 max_endpoints;
	u32 flags;
	u32 affinity_timeout;
	u32 removal_grace;
	u32 slow_start;
	u8 scheduler;
	u8 removal;
	bool created;
	bool set;
	bool cleared;
	bool deleted;
	bool replace;
};

/**
 * struct kserv_transaction - a message on its way into the tables
 * @services: kserv_service_change.list, in the order of the message
 * @changes: where these are, the last block first
 * @frontends: @n_frontends of @max_frontends
 * @routes: struct kserv_route by prefix
 * @config: the configuration to be, NULL if the one in force stays
 * @nest: number of the service-set being read
 * @n_created: services that are new
 * @n_routes: routes that are new
 * @replace: services and routes that the message does not set go
 * @needs_hooks: it brings a frontend
 * @needs_sessions: it brings a service with session affinity
 * @stale: flows must look whether their endpoints still stand
 * @forget: remembered clients may have to be forgotten
 */
struct kserv_transaction {
	struct kserv_net *kn;
	struct netlink_ext_ack *extack;
	struct list_head services;
	struct kserv_change_block *changes;
	struct kserv_frontend_change *frontends;
	u32 n_frontends;
	u32 max_frontends;
	struct rb_root routes;
	struct kserv_config *config;
	u32 nest;
	u32 n_created;
	u32 n_routes;
	bool replace;
	bool needs_hooks;
	bool needs_sessions;
	bool stale;
	bool forget;
};

/* stage.c: services */

/**
 * kserv_service_stage_set() - read a service-set
 * Context: process, net's mutex; so are all that follow.
 * Return: 0, or -errno with a sentence in the transaction's extack (but -ENOMEM may come without).
 */
int kserv_service_stage_set(struct kserv_transaction *tx, const struct nlattr *attr);
int kserv_service_stage_del(struct kserv_transaction *tx, const struct nlattr *attr);
/* With kserv_transaction.replace, what was not set is deleted. */
int kserv_service_stage_rest(struct kserv_transaction *tx);
/* Free what is in kserv_transaction.services. */
void kserv_service_stage_free(struct kserv_transaction *tx);

/* endpoint.c */

/* Read an endpoint (@del: an endpoint-del) of a service-set. */
int kserv_endpoint_stage(struct kserv_transaction *tx, struct kserv_service_change *change, const struct nlattr *attr,
			 bool del);
/* Forget what was staged for the service. */
void kserv_endpoint_unstage(struct kserv_service_change *change);
/* Allocate new endpoints and build the service's next version. */
int kserv_endpoint_prepare(struct kserv_transaction *tx, struct kserv_service_change *change);
void kserv_endpoint_commit(struct kserv_transaction *tx, struct kserv_service_change *change);
void kserv_endpoint_abort(struct kserv_service_change *change);

/* frontend.c */

int kserv_frontend_stage_set(struct kserv_transaction *tx, struct kserv_service_change *change,
			     const struct nlattr *attr);
int kserv_frontend_stage_del(struct kserv_transaction *tx, struct kserv_service_change *change,
			     const struct nlattr *attr);
/* The service gives up its frontends: those that it did not set again, or with @all, all. */
int kserv_frontend_stage_rest(struct kserv_transaction *tx, struct kserv_service *service, bool all);
/* Are all that change hands free? Guards for cluster IPs. */
int kserv_frontend_prepare(struct kserv_transaction *tx);
void kserv_frontend_commit(struct kserv_transaction *tx);
void kserv_frontend_abort(struct kserv_transaction *tx);

#endif /* _KSERV_TRANSACTION_H */
