/* SPDX-License-Identifier: GPL-2.0 */
/*
 * YAML to a tree, with the meaning kubectl gives it: YAML 1.1 scalars (yes, on, 0644, 0x1f ...), merge keys, aliases
 * up to a budget. Keys given twice are an error.
 */
#ifndef KSERV_YAML_H
#define KSERV_YAML_H

#include "cluster/errors.h"
#include "cluster/tree.h"

/* Values that the aliases of one document may make all together: stops a small file that unfolds to gigabytes. */
#define KSERV_YAML_ALIAS_BUDGET	100000

/**
 * kserv_yaml_read() - one document
 * @tree: empty; root is null for an empty document
 * @first_line: the line of the file on which @text begins, from 1
 *
 * Return: 0, or -EINVAL with an error added.
 */
int kserv_yaml_read(struct kserv_tree *tree, const char *text, size_t len, uint32_t first_line,
		    struct kserv_errors *errors);

/* Give @value the type that its text has as a plain scalar. */
void kserv_yaml_resolve(struct kserv_value *value);

#endif
