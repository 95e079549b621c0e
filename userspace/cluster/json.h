/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON to a tree. Strict: no comments, no trailing commas, no key twice, valid UTF-8. Written here rather than taken
 * from a library because errors must name line and column.
 */
#ifndef KSERV_JSON_H
#define KSERV_JSON_H

#include "cluster/errors.h"
#include "cluster/tree.h"

/**
 * kserv_json_read() - the first JSON value of a text
 * @tree: its root becomes the value; memory of earlier values stays in use until the tree is cleared
 * @first_line: the line of the file on which @text begins, from 1
 * @ret_used: bytes read up to the end of the value; with NULL nothing but blanks may follow it
 *
 * Return: 0, or -EINVAL with an error added.
 */
int kserv_json_read(struct kserv_tree *tree, const char *text, size_t len, uint32_t first_line, size_t *ret_used,
		    struct kserv_errors *errors);

#endif
