/* SPDX-License-Identifier: GPL-2.0 */
/* Models of clusters for the tests of plan. */
#ifndef PLAN_MODEL_H
#define PLAN_MODEL_H

#include "cluster/cluster.h"
#include "plan/plan.h"

/* What a test works on; each starts with an empty cluster. */
extern struct model {
	struct kserv_cluster cluster;
	struct kserv_tables tables;
	struct kserv_warnings warnings;
} model;

int model_start(void **state);
int model_end(void **state);
/* Plans anew. */
void model_plan(void);

#define TEST(name) cmocka_unit_test_setup_teardown(name, model_start, model_end)

/* The settings of a node "node1" with pods in 10.244.0.0/16 and fd00:10:244::/48 and no objects. */
void model_init(struct kserv_cluster *cluster);
/* Adds the objects of a manifest; fails the test if it is wrong. */
void model_add(struct kserv_cluster *cluster, const char *manifest);
/* A Service "default/NAME" of port 80 with @n endpoints on node1 and node2 in turn, in slices of up to a hundred. */
void model_add_service(struct kserv_cluster *cluster, const char *name, unsigned int number, size_t n);

/* The planned service of this name and family; fails the test if there is none. */
const struct kserv_service *model_find(const char *name, uint8_t family);
/* Fails the test unless both hold the same, member by member. */
void model_assert_equal(const struct kserv_tables *a, const struct kserv_tables *b);
/* How many warnings about @object have @words in them. */
size_t model_count_warnings(const char *object, const char *words);
void model_assert_addr(const struct kserv_addr *addr, const char *text);
void model_assert_prefix(const struct kserv_prefix *prefix, const char *text);

#endif
