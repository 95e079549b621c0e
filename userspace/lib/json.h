/* SPDX-License-Identifier: GPL-2.0 */
/* Received attributes as JSON: keys are the names of include/kserv.yaml, values are read by their types. */
#ifndef KSERV_JSON_H
#define KSERV_JSON_H

#include <cjson/cJSON.h>
#include <linux/netlink.h>
#include <stddef.h>
#include "lib/attributes.h"

/**
 * kserv_json() - an object of the attributes in @len bytes from @first on
 * Enums become words, flags arrays of words, addresses and CIDRs strings; attributes that repeat become arrays; unknown
 * attributes are left out.
 *
 * Return: the object, or NULL without memory.
 */
cJSON *kserv_json(const struct kserv_attribute_set *set, const struct nlattr *first, size_t len);

/* The same for the attributes in @nest. */
cJSON *kserv_json_nest(const struct kserv_attribute_set *set, const struct nlattr *nest);

/* A number of 64 bits, exact also where a double is not; NULL without memory. */
cJSON *kserv_json_number(uint64_t number);

#endif
