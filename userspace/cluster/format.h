/* SPDX-License-Identifier: GPL-2.0 */
/* The shapes that Kubernetes gives to names and other strings. */
#ifndef KSERV_FORMAT_H
#define KSERV_FORMAT_H

#include <stdbool.h>
#include "cluster/tree.h"

/* Each returns NULL if @s has the shape, or else the end of a sentence that says what it must be. */
const char *kserv_refuse_label(const char *s);			/* RFC 1123 label, 63 */
const char *kserv_refuse_service_name(const char *s);		/* RFC 1035 label, 63 */
const char *kserv_refuse_subdomain(const char *s);		/* RFC 1123 subdomain, 253 */
const char *kserv_refuse_qualified_name(const char *s);		/* [subdomain/]name, as keys of labels */
const char *kserv_refuse_label_value(const char *s);
const char *kserv_refuse_port_name(const char *s);		/* IANA service name, 15 */

bool kserv_is_quantity(const char *s);
/* RFC 3339 */
bool kserv_is_time(const char *s);
/* "1h2m3.5s" as Go writes durations; -1 if it is none. */
double kserv_duration_seconds(const char *s);

/* How a value is shown in an error: "http" in quotes, boolean yes, number 80, a list, a map. The caller frees it. */
char *kserv_format_value(const struct kserv_value *value);

#endif
