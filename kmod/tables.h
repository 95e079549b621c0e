/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_TABLES_H
#define _KSERV_TABLES_H

#include "service.h"

/* What those who change the tables need of service.c and frontend.c; packets need none of it. */

#define KSERV_MAX_SERVICES 262144
#define KSERV_MAX_FRONTENDS 1048576
/* Per service. */
#define KSERV_MAX_ENDPOINTS 65536

struct kserv_net;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

/* How a service is known. @family is AF_INET or AF_INET6, which are also the values of NFPROTO_*. */
struct kserv_service_key {
	const char *name;
	u8 family;
	u8 protocol;
};

/* Context: net's mutex, as all here. Return: the service, valid as long as the mutex is held, or NULL. */
struct kserv_service *kserv_service_lookup(struct kserv_net *kn, const struct kserv_service_key *key);
/* A service without endpoints, in the tables. Return: the service or ERR_PTR(-errno). */
struct kserv_service *kserv_service_create(struct kserv_net *kn, const struct kserv_service_key *key);
/*
 * It is dead: out of the tables, without endpoints to choose, and freed when the last flow to one of them has ended.
 * Its frontends must have gone before.
 */
void kserv_service_unlink(struct kserv_net *kn, struct kserv_service *service);

/* Room for @n endpoints. Return: zeroed but for the count, or NULL. */
struct kserv_choices *kserv_choices_alloc(unsigned int n);
/* Of choices that were never published. */
void kserv_choices_free(struct kserv_choices *choices);
/* The former version is freed after a grace period. */
void kserv_choices_publish(struct kserv_net *kn, struct kserv_service *service, struct kserv_choices *choices);

/* Return: an endpoint with the table's reference, or NULL. */
struct kserv_endpoint *kserv_endpoint_create(struct kserv_service *service, const union nf_inet_addr *addr,
					     __be16 port);

/* Context: net's mutex or RCU read section. Return: the endpoint among @choices, or NULL. */
struct kserv_endpoint *kserv_endpoint_lookup(const struct kserv_choices *choices, const union nf_inet_addr *addr,
					     __be16 port);
/* May an endpoint have this address? Return: 0 or -EINVAL with a sentence. */
int kserv_endpoint_check_addr(u8 family, const union nf_inet_addr *addr, const struct nlattr *attr,
			      struct netlink_ext_ack *extack);

/* Sets of endpoints in the order in which kserv_choices holds them. */
enum kserv_group {
	KSERV_GROUP_LOCAL,
	KSERV_GROUP_BOTH,
	KSERV_GROUP_CLUSTER,
	KSERV_GROUP_NEITHER,
	KSERV_N_GROUPS
};

/* Where the group begins; for KSERV_N_GROUPS, where the last one ends. */
static inline u32 kserv_choices_bound(const struct kserv_choices *choices, enum kserv_group group)
{
	switch (group) {
	case KSERV_GROUP_LOCAL:
		return 0;
	case KSERV_GROUP_BOTH:
		return choices->cluster_first;
	case KSERV_GROUP_CLUSTER:
		return choices->n_local;
	case KSERV_GROUP_NEITHER:
		return choices->cluster_first + choices->n_cluster;
	default:
		return choices->n;
	}
}

/* frontend.c */
/* Fill a frontend nest of that attribute type. Return: 0 or -EMSGSIZE. */
int kserv_frontend_put(struct sk_buff *skb, int type, const struct kserv_frontend *frontend);
int kserv_frontend_module_init(void);
void kserv_frontend_module_exit(void);
int kserv_frontend_net_init(struct kserv_net *kn);
/* Context: net's mutex; nobody looks up frontends any more. */
void kserv_frontend_net_exit(struct kserv_net *kn);

#endif /* _KSERV_TABLES_H */
