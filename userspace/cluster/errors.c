// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "cluster/errors.h"
#include "cluster/memory.h"

/* Takes @path and @text. */
static void add(struct kserv_errors *errors, uint32_t line, uint32_t column, char *path, char *text)
{
	if (errors->n == KSERV_ERRORS_MAX) {
		errors->more++;
		free(path);
		free(text);
		return;
	}
	errors->v = kserv_must_grow(errors->v, errors->n, sizeof(*errors->v));
	errors->v[errors->n++] = (struct kserv_error){
		.source = kserv_must_strdup(errors->source ? errors->source : ""),
		.line = line,
		.column = column,
		.path = path,
		.text = text,
	};
}

void kserv_errors_add(struct kserv_errors *errors, uint32_t line, uint32_t column, const char *path,
		      const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kserv_must_vprintf(fmt, args);
	va_end(args);
	add(errors, line, column, kserv_must_strdup(path), text);
}

/* The value itself, or for one that stands in no document the nearest above it that does. */
static const struct kserv_value *placed(const struct kserv_value *value)
{
	while (!value->line && value->parent)
		value = value->parent;
	return value;
}

void kserv_error_at(struct kserv_errors *errors, const struct kserv_value *value, const char *fmt, ...)
{
	const struct kserv_value *at = placed(value);
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kserv_must_vprintf(fmt, args);
	va_end(args);
	add(errors, at->line, at->column, kserv_value_path(value), text);
}

void kserv_error_missing(struct kserv_errors *errors, const struct kserv_value *parent, const char *key,
			 const char *fmt, ...)
{
	const struct kserv_value *at = placed(parent);
	char *above = kserv_value_path(parent), *text;
	va_list args;

	va_start(args, fmt);
	text = kserv_must_vprintf(fmt, args);
	va_end(args);
	add(errors, at->line, at->column, kserv_must_printf("%s%s%s", above, *above ? "." : "", key), text);
	free(above);
}

void kserv_note_at(struct kserv_errors *errors, const struct kserv_value *value, const char *fmt, ...)
{
	const struct kserv_value *at = placed(value);
	struct kserv_error note = {
		.source = (char *)(errors->source ? errors->source : ""),
		.line = at->line,
		.column = at->column,
	};
	va_list args;

	if (errors->n_notes == KSERV_ERRORS_MAX)
		return;
	va_start(args, fmt);
	note.text = kserv_must_vprintf(fmt, args);
	va_end(args);
	note.path = kserv_value_path(value);
	errors->notes = kserv_must_grow(errors->notes, errors->n_notes, sizeof(*errors->notes));
	errors->notes[errors->n_notes++] = kserv_error_format(&note);
	free(note.path);
	free(note.text);
}

char *kserv_error_format(const struct kserv_error *error)
{
	struct kserv_text text = { 0 };

	if (*error->source)
		kserv_text_add(&text, error->source);
	if (error->line)
		kserv_text_printf(&text, "%s%u:%u", text.len ? ":" : "line ", error->line, error->column);
	if (text.len)
		kserv_text_add(&text, ": ");
	if (*error->path)
		kserv_text_printf(&text, "%s: ", error->path);
	kserv_text_add(&text, error->text);
	return kserv_text_take(&text);
}

void kserv_errors_clear(struct kserv_errors *errors)
{
	size_t i;

	for (i = 0; i < errors->n; i++) {
		free(errors->v[i].source);
		free(errors->v[i].path);
		free(errors->v[i].text);
	}
	for (i = 0; i < errors->n_notes; i++)
		free(errors->notes[i]);
	free(errors->notes);
	free(errors->v);
	*errors = (struct kserv_errors){ 0 };
}
