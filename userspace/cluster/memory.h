/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is there or the program ends: with none left kserv can do nothing better than stop, and the kernel goes
 * on by the last committed tables.
 */
#ifndef KSERV_MEMORY_H
#define KSERV_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed. */
void *kserv_must_alloc(size_t size);
char *kserv_must_strdup(const char *s);
char *kserv_must_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *kserv_must_vprintf(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/**
 * kserv_must_grow() - room for one more element at the end of an array
 * @v: the array, or NULL
 * @n: elements in use; the array grows when this is a power of two, so nothing else has to be kept
 * @size: of one element; the new one is zeroed
 *
 * Return: the array, maybe moved.
 */
void *kserv_must_grow(void *v, size_t n, size_t size);

/* A text that grows. */
struct kserv_text {
	char *s;			/* ends with NUL once something was added */
	size_t len, room;
};

void kserv_text_add(struct kserv_text *text, const char *s);
void kserv_text_add_bytes(struct kserv_text *text, const char *s, size_t len);
void kserv_text_printf(struct kserv_text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kserv_text_clear(struct kserv_text *text);
/* The text, which the caller frees; never NULL. The struct is empty afterwards. */
char *kserv_text_take(struct kserv_text *text);

#endif
