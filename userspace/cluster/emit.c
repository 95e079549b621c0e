// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include "cluster/emit.h"
#include "cluster/yaml.h"
#include "lib/addr.h"

static void new_line(struct kserv_text *text, unsigned int blanks)
{
	kserv_text_printf(text, "\n%*s", (int)blanks, "");
}

/* Bytes of a character at @s that YAML readers take for a line break or refuse, 0 if it is none; its code in *code. */
static size_t odd_character(const char *s, unsigned int *code)
{
	const unsigned char *b = (const unsigned char *)s;

	if (b[0] == 0xc2 && b[1] < 0xa0) {
		*code = b[1];
		return 2;
	}
	if (b[0] != 0xe2 && b[0] != 0xef)
		return 0;
	*code = (b[0] & 0xf) << 12 | (b[1] & 0x3f) << 6 | (b[2] & 0x3f);
	return *code == 0x2028 || *code == 0x2029 || *code == 0xfeff || *code >= 0xfffe ? 3 : 0;
}

/* Also a double-quoted YAML string. */
static void emit_quoted(struct kserv_text *text, const char *s)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	unsigned int code;
	const char *found;
	size_t odd;

	kserv_text_add(text, "\"");
	for (; *s; s++) {
		odd = odd_character(s, &code);
		if (odd) {
			kserv_text_printf(text, "\\u%04x", code);
			s += odd - 1;
			continue;
		}
		found = memchr(special, *s, sizeof(special) - 1);
		if (found)
			kserv_text_printf(text, "\\%c", letters[found - special]);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			kserv_text_printf(text, "\\u%04x", (unsigned char)*s);
		else
			kserv_text_add_bytes(text, s, 1);
	}
	kserv_text_add(text, "\"");
}

/* A number is written as it was read where that is a JSON number too; YAML has more ways (0x1f, 1_000). */
static void emit_number(struct kserv_text *text, const struct kserv_value *value)
{
	const char *s = value->text;
	size_t digits;

	if (value->type == KSERV_VALUE_INT) {
		kserv_text_printf(text, "%lld", (long long)value->integer);
		return;
	}
	s += *s == '-';
	digits = strspn(s, "0123456789");
	if (digits && (*s != '0' || digits == 1) && !s[strspn(s, "0123456789.eE+-")] && s[digits] != '.')
		kserv_text_add(text, value->text);
	else if (value->number - value->number == 0)
		kserv_text_printf(text, "%.17g", value->number);
	else
		kserv_text_add(text, "null");
}

static void emit_scalar(struct kserv_text *text, const struct kserv_value *value)
{
	if (value->type == KSERV_VALUE_STRING)
		emit_quoted(text, value->text);
	else if (value->type == KSERV_VALUE_BOOL)
		kserv_text_add(text, value->boolean ? "true" : "false");
	else if (value->type == KSERV_VALUE_NULL)
		kserv_text_add(text, "null");
	else
		emit_number(text, value);
}

static void json(struct kserv_text *text, const struct kserv_value *value, unsigned int indent, unsigned int depth)
{
	bool map = value->type == KSERV_VALUE_MAP;
	const struct kserv_value *member;

	if (!map && value->type != KSERV_VALUE_LIST) {
		emit_scalar(text, value);
		return;
	}
	kserv_text_add(text, map ? "{" : "[");
	for (member = value->first; member; member = member->next) {
		if (indent)
			new_line(text, indent * (depth + 1));
		if (map) {
			emit_quoted(text, member->key);
			kserv_text_add(text, indent ? ": " : ":");
		}
		json(text, member, indent, depth + 1);
		if (member->next)
			kserv_text_add(text, ",");
	}
	if (indent && value->first)
		new_line(text, indent * depth);
	kserv_text_add(text, map ? "}" : "]");
}

void kserv_emit_json(struct kserv_text *text, const struct kserv_value *value, unsigned int indent)
{
	json(text, value, indent, 0);
}

/* True if a plain scalar of this text is read back as this string, by strict and old readers alike. */
static bool is_plain(const char *s)
{
	struct kserv_value value = { .type = KSERV_VALUE_STRING, .text = s };
	size_t len = strlen(s);
	struct kserv_addr addr;

	if (!len || s[0] == ' ' || s[len - 1] == ' ' || s[len - 1] == ':')
		return false;
	kserv_yaml_resolve(&value);
	if (value.type != KSERV_VALUE_STRING)
		return false;
	/* Indicators of YAML; and what looks like a number or a date to some reader or other. */
	if (strchr("-?:,[]{}#&*!|>'\"%@`=<", s[0]))
		return false;
	if (strspn(s, "0123456789+-.:_TZ ex") == len && kserv_addr_parse(s, &addr))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f || (*s == '#' && s[-1] == ' ') ||
		    (*s == ':' && s[1] == ' '))
			return false;
	return true;
}

/* Lines that a literal block keeps as they are: no blanks at the end, no odd characters, a newline at the end. */
static bool is_block(const char *s)
{
	size_t len = strlen(s);

	if (len < 2 || s[len - 1] != '\n' || s[len - 2] == '\n' || *s == ' ' || *s == '\n' || *s == '\t')
		return false;
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\n') || (unsigned char)*s >= 0x7f ||
		    (*s == ' ' && s[1] == '\n'))
			return false;
	return true;
}

static void emit_block(struct kserv_text *text, const char *s, unsigned int depth)
{
	size_t len;

	kserv_text_add(text, "|");
	for (; *s; s += len + 1) {
		len = strcspn(s, "\n");
		if (len)
			new_line(text, depth * 2);
		else
			kserv_text_add(text, "\n");
		kserv_text_add_bytes(text, s, len);
	}
}

static void emit_string(struct kserv_text *text, const char *s, unsigned int depth)
{
	if (is_plain(s))
		kserv_text_add(text, s);
	else if (is_block(s))
		emit_block(text, s, depth);
	else
		emit_quoted(text, s);
}

static bool has_members(const struct kserv_value *value)
{
	return (value->type == KSERV_VALUE_MAP || value->type == KSERV_VALUE_LIST) && value->n;
}

/* @depth: where members of a map begin; the first of them continues the line if @inline_first. */
static void yaml(struct kserv_text *text, const struct kserv_value *value, unsigned int depth, bool inline_first)
{
	bool map = value->type == KSERV_VALUE_MAP;
	const struct kserv_value *member;

	for (member = value->first; member; member = member->next, inline_first = false) {
		if (!inline_first)
			new_line(text, depth * 2);
		if (map) {
			if (is_plain(member->key))
				kserv_text_add(text, member->key);
			else
				emit_quoted(text, member->key);
			kserv_text_add(text, ":");
		} else {
			kserv_text_add(text, "-");
		}
		/* Lists stand under their key without indentation, as kubectl writes them. */
		if (has_members(member) && map) {
			yaml(text, member, depth + (member->type == KSERV_VALUE_MAP), false);
			continue;
		}
		kserv_text_add(text, " ");
		if (has_members(member))
			yaml(text, member, depth + 1, true);
		else if (member->type == KSERV_VALUE_MAP || member->type == KSERV_VALUE_LIST)
			kserv_text_add(text, member->type == KSERV_VALUE_MAP ? "{}" : "[]");
		else if (member->type == KSERV_VALUE_STRING)
			emit_string(text, member->text, depth + 1);
		else
			emit_scalar(text, member);
	}
}

void kserv_emit_yaml(struct kserv_text *text, const struct kserv_value *value)
{
	if (has_members(value))
		yaml(text, value, 0, true);
	else
		json(text, value, 0, 0);
	kserv_text_add(text, "\n");
}
