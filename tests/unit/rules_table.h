/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of tests/rules: what a cluster holds, and what must become of packets. Their format: tests/rules/README.md. */
#ifndef RULES_TABLE_H
#define RULES_TABLE_H

#include "cluster/cluster.h"
#include "cluster/tree.h"
#include "rules_verdict.h"

/**
 * struct rules_world - world.yaml
 * @root: its values; borrowed by all that follows
 */
struct rules_world {
	struct kserv_tree tree;
};

/**
 * struct rules_state - the cluster at one point of a case
 * @objects: maps of the tables, one for each kind, namespace and name
 * @config: what the case says of the configuration; NULL if nothing
 */
struct rules_state {
	const struct rules_world *world;
	const struct kserv_value **objects;
	size_t n_objects;
	const struct kserv_value *config;
	struct locals locals;
	bool plan_only;
};

/* One expectation of a table, taken apart; @text is the line. */
struct rules_row {
	const char *text;
	struct packet packet;
	char interface[16];
	enum kserv_verdict verdict;
	enum kserv_reason reason;
	struct {
		char *v[64];		/* "10.244.1.11:8080*", sorted */
		size_t n;
	} endpoints, excluded;		/* of the latter "10.244.1.11:8080 not-ready" */
	bool excluded_given;
};

/* Reads a YAML file; fails the test if there is none, or says what is wrong in it. */
void rules_read(const char *path, struct kserv_tree *ret_tree);

/* Set up the state with the world's objects, then with those of the case or one of its steps. */
void rules_state_init(struct rules_state *state, const struct rules_world *world, const struct kserv_value *case_value);
void rules_state_change(struct rules_state *state, const struct kserv_value *step);
void rules_state_clear(struct rules_state *state);
/* Fails the test if an object is one that `kservctl apply` would refuse, unless the case is for plan only. */
void rules_cluster(const struct rules_state *state, struct kserv_cluster *ret_cluster);

/**
 * rules_rows() - take the lines of `flows` apart
 * @each: called for every combination of a source and a destination of a line
 *
 * Fails the test if a line is not understood.
 */
void rules_rows(const struct rules_state *state, const char *flows,
		void (*each)(void *context, const struct rules_row *row), void *context);

#endif
