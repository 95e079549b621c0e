// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "plan/warning.h"

/* Room is made in powers of two, so that the count alone tells when there is none left. */
static bool make_room(struct kserv_warnings *warnings)
{
	struct kserv_warning *v;

	if (warnings->n & (warnings->n - 1))
		return true;
	v = reallocarray(warnings->v, warnings->n ? 2 * warnings->n : 1, sizeof(*v));
	if (!v)
		return false;
	warnings->v = v;
	return true;
}

static void append(struct kserv_warnings *warnings, char *object, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0) {
		free(object);
		return;
	}
	if (!make_room(warnings)) {
		free(object);
		free(text);
		return;
	}
	warnings->v[warnings->n++] = (struct kserv_warning){ object, text };
}

void kserv_warn(struct kserv_warnings *warnings, const char *kind, const struct kserv_meta *meta,
		const char *format, ...)
{
	char *object;
	va_list args;

	if (!warnings || asprintf(&object, "%s %s%s%s", kind, meta->namespace, *meta->namespace ? "/" : "",
				  meta->name) < 0)
		return;
	va_start(args, format);
	append(warnings, object, format, args);
	va_end(args);
}

void kserv_warn_of(struct kserv_warnings *warnings, const char *object, const char *format, ...)
{
	va_list args;
	char *copy;

	if (!warnings)
		return;
	copy = strdup(object);
	if (!copy)
		return;
	va_start(args, format);
	append(warnings, copy, format, args);
	va_end(args);
}

void kserv_warnings_clear(struct kserv_warnings *warnings)
{
	size_t i;

	for (i = 0; i < warnings->n; i++) {
		free(warnings->v[i].object);
		free(warnings->v[i].text);
	}
	free(warnings->v);
	*warnings = (struct kserv_warnings){ 0 };
}
