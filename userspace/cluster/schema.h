/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which fields Kubernetes knows and of which type they are: what its strict field validation checks before any rule
 * about values. Tables of names only; values are checked by cluster/check.h.
 */
#ifndef KSERV_SCHEMA_H
#define KSERV_SCHEMA_H

#include "cluster/errors.h"
#include "cluster/tree.h"

/**
 * struct kserv_schema - the fields of one type
 * @fields: "name:type ..." with a blank in between. Types are string, bool, int32, int64, number, intstr (number or
 *	name), quantity, time, any, and names of other rows; []T is a list of T, {}T a map of T. @Row takes in all
 *	fields of a row.
 */
struct kserv_schema {
	const char *name;
	const char *fields;
};

/* Ended by rows without name. */
extern const struct kserv_schema kserv_schema_objects[], kserv_schema_pod_spec[], kserv_schema_config[];

/* NULL if there is no such row. */
const struct kserv_schema *kserv_schema_lookup(const char *name);
/* Adds an error for each unknown field and each value of a wrong type in @value, which should be of row @name. */
void kserv_schema_check(const char *name, const struct kserv_value *value, struct kserv_errors *errors);

#endif
