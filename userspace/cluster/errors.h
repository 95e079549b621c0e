/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is wrong with a document: collected, so that one run tells as much as it can, and printed as
 * "web.yaml:12:9: spec.ports[0].port: expected integer, got "http"".
 */
#ifndef KSERV_ERRORS_H
#define KSERV_ERRORS_H

#include <stddef.h>
#include <stdint.h>
#include "cluster/tree.h"

/* More are counted but not kept. */
#define KSERV_ERRORS_MAX	100

struct kserv_error {
	char *source;			/* "" if there is none */
	uint32_t line, column;		/* 0: none */
	char *path;			/* "" for the document itself */
	char *text;
};

/**
 * struct kserv_errors - a list of them
 * @notes: sentences about what is no error, with their place; kept apart, so that they refuse nothing
 * @source: name of the document being looked at, borrowed; the functions below note it in each error
 */
struct kserv_errors {
	struct kserv_error *v;
	size_t n, more;
	char **notes;
	size_t n_notes;
	const char *source;
};

void kserv_errors_add(struct kserv_errors *errors, uint32_t line, uint32_t column, const char *path,
		      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Something is wrong with @value. */
void kserv_error_at(struct kserv_errors *errors, const struct kserv_value *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The map @parent lacks the member @key, or should lack it but has no place for it. */
void kserv_error_missing(struct kserv_errors *errors, const struct kserv_value *parent, const char *key,
			 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* @value is odd, but goes. */
void kserv_note_at(struct kserv_errors *errors, const struct kserv_value *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* One line without its newline; the caller frees it. */
char *kserv_error_format(const struct kserv_error *error);
void kserv_errors_clear(struct kserv_errors *errors);

#endif
