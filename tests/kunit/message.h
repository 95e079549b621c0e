/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_KUNIT_MESSAGE_H
#define _KSERV_KUNIT_MESSAGE_H

#include <kunit/test.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/netlink.h>

#include "kserv.h"

/* A transaction being written, as userspace would send it. */
struct message {
	struct kunit *test;
	struct sk_buff *skb;
	struct nlattr *service;	/* the service-set that is open */
	u8 family;
};

void message_begin(struct kunit *test, struct message *message);
/* Open a service-set, close it. Its endpoints and frontends come between the two. */
void message_set(struct message *message, const char *name, u8 family, u8 protocol, u8 mode);
void message_set_end(struct message *message);
void message_endpoint(struct message *message, const union nf_inet_addr *addr, u16 port, u8 flags, u16 weight);
void message_endpoint_del(struct message *message, const union nf_inet_addr *addr, u16 port);
/* @addr is ignored for node ports. */
void message_frontend(struct message *message, u8 type, const union nf_inet_addr *addr, u16 port, u8 flags);
void message_frontend_del(struct message *message, u8 type, const union nf_inet_addr *addr, u16 port);
void message_del(struct message *message, const char *name, u8 family, u8 protocol);

/**
 * message_commit() - carry it out; frees it
 * The namespace's packet hooks are taken to be there already.
 * Return: what the sender would be told.
 */
int message_commit(struct message *message, struct kserv_net *kn);
/*
 * The same, after making allocation number @nth from now on fail.
 * *@ret_injected: false when there were not so many.
 */
int message_commit_failing(struct message *message, struct kserv_net *kn, unsigned int nth, bool *ret_injected);

#endif /* _KSERV_KUNIT_MESSAGE_H */
