// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/format.h"
#include "cluster/memory.h"

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower_or_digit(char c)
{
	return is_lower(c) || is_digit(c);
}

static bool is_letter_or_digit(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* Lower-case letters, digits and inner hyphens. */
static bool is_label(const char *s, size_t len, size_t max)
{
	size_t i;

	if (!len || len > max || !is_lower_or_digit(s[0]) || !is_lower_or_digit(s[len - 1]))
		return false;
	for (i = 0; i < len; i++)
		if (!is_lower_or_digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

const char *kserv_refuse_label(const char *s)
{
	return is_label(s, strlen(s), 63) ? NULL :
		"must be at most 63 lower-case letters, digits and '-', with a letter or digit at both ends";
}

const char *kserv_refuse_service_name(const char *s)
{
	return is_label(s, strlen(s), 63) && is_lower(*s) ? NULL :
		"must be at most 63 lower-case letters, digits and '-', begin with a letter and not end with '-'";
}

static bool is_subdomain(const char *s, size_t len)
{
	const char *end = s + len, *dot;

	/* Unlike in DNS, a part may have more than 63 letters: Kubernetes checks only the whole. */
	if (!len || len > 253)
		return false;
	for (;; s = dot + 1) {
		dot = memchr(s, '.', end - s);
		if (!is_label(s, (dot ? dot : end) - s, 253))
			return false;
		if (!dot)
			return true;
	}
}

const char *kserv_refuse_subdomain(const char *s)
{
	return is_subdomain(s, strlen(s)) ? NULL :
		"must be at most 253 lower-case letters, digits, '-' and '.', "
		"with a letter or digit at both ends of each part";
}

/* Letters, digits, and inside also '-', '_' and '.'. */
static bool is_plain_name(const char *s, size_t len)
{
	size_t i;

	if (!len || len > 63 || !is_letter_or_digit(s[0]) || !is_letter_or_digit(s[len - 1]))
		return false;
	for (i = 0; i < len; i++)
		if (!is_letter_or_digit(s[i]) && !strchr("-_.", s[i]))
			return false;
	return true;
}

const char *kserv_refuse_qualified_name(const char *s)
{
	const char *slash = strchr(s, '/'), *name = slash ? slash + 1 : s;

	if (slash && !is_subdomain(s, slash - s))
		return "must have a DNS subdomain before the '/'";
	return is_plain_name(name, strlen(name)) ? NULL :
		"must be at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
}

const char *kserv_refuse_label_value(const char *s)
{
	return !*s || is_plain_name(s, strlen(s)) ? NULL :
		"must be empty or at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
}

const char *kserv_refuse_port_name(const char *s)
{
	size_t len = strlen(s), i;
	bool letter = false;

	for (i = 0; i < len; i++)
		letter |= is_lower(s[i]);
	return len <= 15 && letter && is_label(s, len, 15) && !strstr(s, "--") ? NULL :
		"must be at most 15 lower-case letters, digits and single '-', with at least one letter";
}

bool kserv_is_quantity(const char *s)
{
	static const char *const suffixes[] = {
		"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
	};
	size_t whole, part = 0, i;

	s += *s == '+' || *s == '-';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		part = strspn(s + 1, "0123456789");
		s += part + 1;
	}
	if (!whole && !part)
		return false;
	if ((*s == 'e' || *s == 'E') && s[1]) {
		s += s[1] == '+' || s[1] == '-' ? 2 : 1;
		return *s && !s[strspn(s, "0123456789")];
	}
	for (i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (!strcmp(s, suffixes[i]))
			return true;
	return false;
}

bool kserv_is_time(const char *s)
{
	static const char shape[] = "0000-00-00T00:00:00";
	size_t i;

	for (i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == '0' ? !is_digit(s[i]) : toupper((unsigned char)s[i]) != shape[i])
			return false;
	s += i;
	if (*s == '.') {
		i = strspn(s + 1, "0123456789");
		if (!i)
			return false;
		s += i + 1;
	}
	if (!strcmp(s, "Z") || !strcmp(s, "z"))
		return true;
	return (*s == '+' || *s == '-') && is_digit(s[1]) && is_digit(s[2]) && s[3] == ':' && is_digit(s[4]) &&
		is_digit(s[5]) && !s[6];
}

double kserv_duration_seconds(const char *s)
{
	static const struct { const char *unit; double seconds; } units[] = {
		{ "ns", 1e-9 }, { "us", 1e-6 }, { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
	};
	double sum = 0, number;
	char *end;
	size_t i;

	if (!strcmp(s, "0"))
		return 0;
	if (!*s)
		return -1;
	while (*s) {
		if (!is_digit(*s) && *s != '.')
			return -1;
		number = strtod(s, &end);
		if (end == s || memchr(s, 'x', end - s))
			return -1;
		for (i = 0; i < sizeof(units) / sizeof(*units); i++)
			if (!strncmp(end, units[i].unit, strlen(units[i].unit)) &&
			    !isalpha((unsigned char)end[strlen(units[i].unit)]))
				break;
		if (i == sizeof(units) / sizeof(*units))
			return -1;
		sum += number * units[i].seconds;
		s = end + strlen(units[i].unit);
	}
	return sum;
}

char *kserv_format_value(const struct kserv_value *value)
{
	static const char *const words[] = {
		[KSERV_VALUE_NULL] = "null", [KSERV_VALUE_LIST] = "a list", [KSERV_VALUE_MAP] = "a map",
	};

	switch (value->type) {
	case KSERV_VALUE_STRING:
		return kserv_must_printf("\"%.80s\"", value->text);
	case KSERV_VALUE_BOOL:
		return kserv_must_printf("boolean %s", value->text);
	case KSERV_VALUE_INT:
	case KSERV_VALUE_FLOAT:
		return kserv_must_printf("number %.80s", value->text);
	default:
		return kserv_must_strdup(words[value->type]);
	}
}
