// SPDX-License-Identifier: GPL-2.0
/*
 * Which type a plain YAML scalar has: YAML 1.1 as kubectl's reader takes it. Sexagesimal numbers (1:30) are strings
 * there, and so are dates.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cluster/yaml.h"

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static bool digits_only(const char *s, int base)
{
	static const char all[] = "0123456789abcdef";
	const char *at;

	if (!*s)
		return false;
	for (; *s; s++) {
		at = strchr(all, *s >= 'A' && *s <= 'F' ? *s - 'A' + 'a' : *s);
		if (!at || at - all >= base)
			return false;
	}
	return true;
}

/* The base of an integer without its sign; *s moves behind the prefix. */
static int integer_base(const char **s)
{
	static const struct { const char *prefix; int base; } bases[] = {
		{ "0x", 16 }, { "0X", 16 }, { "0b", 2 }, { "0B", 2 }, { "0o", 8 }, { "0O", 8 },
	};
	size_t i;

	for (i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
		if (!strncmp(*s, bases[i].prefix, 2)) {
			*s += 2;
			return bases[i].base;
		}
	}
	if (**s == '0' && (*s)[1]) {
		(*s)++;
		return 8;
	}
	return 10;
}

static bool resolve_integer(struct kserv_value *value, const char *text)
{
	bool negative = *text == '-';
	const char *s = text + (*text == '-' || *text == '+');
	int base = integer_base(&s);
	unsigned long long u;

	if (!digits_only(s, base))
		return false;
	errno = 0;
	u = strtoull(s, NULL, base);
	if (errno || u > (unsigned long long)INT64_MAX + negative)
		return false;
	value->type = KSERV_VALUE_INT;
	value->integer = negative ? (int64_t)-u : (int64_t)u;
	return true;
}

/* [-+]?[0-9]*\.?[0-9]+([eE][-+][0-9]+)? and a trailing point with digits before it */
static bool looks_like_float(const char *s)
{
	size_t whole, part = 0;

	s += *s == '-' || *s == '+';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		part = strspn(++s, "0123456789");
		s += part;
	}
	if (!whole && !part)
		return false;
	if (*s != 'e' && *s != 'E')
		return !*s;
	s++;
	s += *s == '-' || *s == '+';
	return digits_only(s, 10);
}

static bool resolve_float(struct kserv_value *value, const char *text)
{
	static const char *const infinities[] = {
		".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL,
	};
	static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };
	double number;

	if (is_one_of(text, infinities))
		number = *text == '-' ? -__builtin_inf() : __builtin_inf();
	else if (is_one_of(text, nans))
		number = __builtin_nan("");
	else if (looks_like_float(text))
		number = strtod(text, NULL);
	else
		return false;
	/* What is whole is written without a point in JSON and so is an integer to Kubernetes: 80.0, 089. */
	if (number < 9e15 && number > -9e15 && number == (double)(int64_t)number) {
		value->type = KSERV_VALUE_INT;
		value->integer = (int64_t)number;
		return true;
	}
	value->type = KSERV_VALUE_FLOAT;
	value->number = number;
	return true;
}

/* 1_000 is 1000; longer texts are no numbers. */
static const char *without_underscores(const char *text, char *room, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '_')
			continue;
		if (n + 1 >= size)
			return NULL;
		room[n++] = *text;
	}
	room[n] = '\0';
	return room;
}

void kserv_yaml_resolve(struct kserv_value *value)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = {
		"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL,
	};
	static const char *const falses[] = {
		"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL,
	};
	char room[128];
	const char *plain;

	if (is_one_of(value->text, nulls)) {
		value->type = KSERV_VALUE_NULL;
	} else if (is_one_of(value->text, trues) || is_one_of(value->text, falses)) {
		value->type = KSERV_VALUE_BOOL;
		value->boolean = is_one_of(value->text, trues);
	} else if (strchr("+-.0123456789", *value->text)) {
		plain = without_underscores(value->text, room, sizeof(room));
		if (plain && !resolve_integer(value, plain))
			resolve_float(value, plain);
	}
}
