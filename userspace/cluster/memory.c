// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"

static void *must(void *p)
{
	if (p)
		return p;
	fputs("kserv: out of memory\n", stderr);
	exit(1);
}

void *kserv_must_alloc(size_t size)
{
	return must(calloc(1, size ? size : 1));
}

char *kserv_must_strdup(const char *s)
{
	return must(strdup(s));
}

char *kserv_must_vprintf(const char *fmt, va_list args)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, args) < 0)
		s = NULL;
	return must(s);
}

char *kserv_must_printf(const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	s = kserv_must_vprintf(fmt, args);
	va_end(args);
	return s;
}

void *kserv_must_grow(void *v, size_t n, size_t size)
{
	if ((n & (n - 1)) == 0)
		v = must(reallocarray(v, n ? n * 2 : 1, size));
	memset((char *)v + n * size, 0, size);
	return v;
}

void kserv_text_add_bytes(struct kserv_text *text, const char *s, size_t len)
{
	if (text->len + len + 1 > text->room) {
		text->room = (text->len + len + 1) * 2;
		text->s = must(realloc(text->s, text->room));
	}
	memcpy(text->s + text->len, s, len);
	text->len += len;
	text->s[text->len] = '\0';
}

void kserv_text_add(struct kserv_text *text, const char *s)
{
	kserv_text_add_bytes(text, s, strlen(s));
}

void kserv_text_printf(struct kserv_text *text, const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	s = kserv_must_vprintf(fmt, args);
	va_end(args);
	kserv_text_add(text, s);
	free(s);
}

void kserv_text_clear(struct kserv_text *text)
{
	free(text->s);
	*text = (struct kserv_text){ 0 };
}

char *kserv_text_take(struct kserv_text *text)
{
	char *s = text->s ? text->s : kserv_must_strdup("");

	*text = (struct kserv_text){ 0 };
	return s;
}
