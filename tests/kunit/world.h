/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KSERV_KUNIT_WORLD_H
#define _KSERV_KUNIT_WORLD_H

#include <kunit/test.h>

#include "kserv.h"
#include "service.h"

/* Flows that the table of a world is made for. */
#define WORLD_FLOWS 1024

/*
 * A namespace's state of its own for one test, beside those of the real namespaces: no packets come by and no periodic
 * work runs. Failure to make it fails the test.
 */
struct kserv_net *world_begin(struct kunit *test);
/* What a test leaves behind shows when the module goes: its slab caches are not empty. */
void world_end(struct kserv_net *kn);

/* For a suite's init and exit: test->priv is the world. */
int world_suite_init(struct kunit *test);
void world_suite_exit(struct kunit *test);

/* The configuration, to be changed in place. */
struct kserv_config *world_config(struct kserv_net *kn);

/**
 * struct world_service - a service with endpoints that are all in the cluster set, ready and of weight 100
 * @choices: the version in force; a test may change it in place
 */
struct world_service {
	struct kserv_service *service;
	struct kserv_choices *choices;
};

/* Endpoints 10.1.@number.1:8080 (fd00:1:@number::1), .2 ...; @number is also in the name. */
struct world_service world_service(struct kunit *test, u8 number, u8 family, u8 protocol, unsigned int n);
/* Address of endpoint @i of that service. */
union nf_inet_addr world_endpoint_addr(u8 family, u8 number, unsigned int i);
/* Remove endpoint @i from the service, as a transaction does. The caller may still look at it inside RCU. */
void world_remove_endpoint(struct kserv_net *kn, struct world_service *service, unsigned int i);

/* A packet of client @client to the frontend of service @number. */
struct kserv_tuple world_client(u8 family, u8 protocol, u8 number, u32 client, u16 port);

/*
 * Let this task's allocation number @nth from now on fail (0: none), and see whether there were so many. Needs
 * failslab's ignore-gfp-wait to be off, which tests/kunit/guest sees to.
 */
static inline void world_fail_alloc(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

static inline bool world_alloc_failed(unsigned int nth)
{
	bool failed = nth && !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

/* Packets come with BH off and inside RCU; nothing in between may fail the test. */
static inline void world_packets_begin(void)
{
	rcu_read_lock();
	local_bh_disable();
}

static inline void world_packets_end(void)
{
	local_bh_enable();
	rcu_read_unlock();
}

#endif /* _KSERV_KUNIT_WORLD_H */
