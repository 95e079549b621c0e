/* SPDX-License-Identifier: GPL-2.0 */
/* Sentences for the operator. */
#ifndef KSERV_WARNING_H
#define KSERV_WARNING_H

#include "plan/plan.h"

/**
 * kserv_warn() - append a sentence about an object
 * @warnings: NULL to say nothing
 * @kind: "Service"
 * @meta: of the object; its namespace is left out when it has none
 *
 * The warning is lost when memory is short.
 */
__attribute__((format(printf, 4, 5)))
void kserv_warn(struct kserv_warnings *warnings, const char *kind, const struct kserv_meta *meta,
		const char *format, ...);
/* The same where there is no object but only its name, "Service default/web" or "settings". */
__attribute__((format(printf, 3, 4)))
void kserv_warn_of(struct kserv_warnings *warnings, const char *object, const char *format, ...);

#endif
