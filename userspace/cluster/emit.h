/* SPDX-License-Identifier: GPL-2.0 */
/* A tree as text: JSON, and YAML that every YAML 1.1 or 1.2 reader takes for the same values. */
#ifndef KSERV_EMIT_H
#define KSERV_EMIT_H

#include "cluster/memory.h"
#include "cluster/tree.h"

/**
 * kserv_emit_json() - append JSON
 * @indent: 0 for one line without blanks, otherwise the blanks that each level is indented by
 */
void kserv_emit_json(struct kserv_text *text, const struct kserv_value *value, unsigned int indent);
/* Append YAML in block style, as kubectl prints it; ends with a newline. */
void kserv_emit_yaml(struct kserv_text *text, const struct kserv_value *value);

#endif
