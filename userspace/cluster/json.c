// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "cluster/memory.h"

struct reader {
	struct kserv_tree *tree;
	struct kserv_errors *errors;
	const char *at, *end;
	/* Line and column were counted up to here, so that counting never starts over. */
	const char *counted;
	uint32_t line, column;
	struct kserv_text text;		/* of the string being read */
};

static struct kserv_value *read_value(struct reader *reader, unsigned int depth);

static void count_to(struct reader *reader, const char *to)
{
	for (; reader->counted < to; reader->counted++) {
		if (*reader->counted == '\n') {
			reader->line++;
			reader->column = 1;
		} else if ((*reader->counted & 0xc0) != 0x80) {
			reader->column++;
		}
	}
}

static void *refuse_at(struct reader *reader, const char *at, const char *text)
{
	count_to(reader, at);
	kserv_errors_add(reader->errors, reader->line, reader->column, "", "%s", text);
	return NULL;
}

static void *refuse(struct reader *reader, const char *text)
{
	if (reader->at >= reader->end)
		return refuse_at(reader, reader->end, "the JSON text ends too early");
	return refuse_at(reader, reader->at, text);
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4))
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	if (reader->at >= reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* Bytes of the UTF-8 character at @s, 0 if it is none (RFC 3629: shortest form, no surrogates). */
static size_t utf8_length(const unsigned char *s, size_t room)
{
	size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	size_t i;

	if (s[0] < 0x80)
		return 1;
	if (!n || n > room)
		return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void add_character(struct kserv_text *text, uint32_t c)
{
	char s[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n; i > 1; i--, c >>= 6)
		s[i - 1] = 0x80 | (c & 0x3f);
	s[0] = lead[n] | c;
	kserv_text_add_bytes(text, s, n);
}

static bool read_hex(struct reader *reader, uint32_t *ret)
{
	uint32_t c = 0;
	int i;

	for (i = 0; i < 4; i++, reader->at++) {
		if (reader->at >= reader->end || !memchr("0123456789abcdefABCDEF", *reader->at, 22))
			return false;
		c = c << 4 | (*reader->at <= '9' ? *reader->at - '0' : (*reader->at | 0x20) - 'a' + 10);
	}
	*ret = c;
	return true;
}

/* After "\u". A surrogate without its partner becomes U+FFFD, as in Go. */
static bool read_unicode_escape(struct reader *reader)
{
	uint32_t c, low;
	const char *back;

	if (!read_hex(reader, &c))
		return refuse(reader, "\\u needs four hexadecimal digits"), false;
	if (c >= 0xd800 && c < 0xe000) {
		back = reader->at;
		if (c < 0xdc00 && take(reader, '\\') && take(reader, 'u') && read_hex(reader, &low) &&
		    low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		} else {
			reader->at = back;
			c = 0xfffd;
		}
	}
	if (!c)
		return refuse(reader, "a NUL character in a string"), false;
	add_character(&reader->text, c);
	return true;
}

static bool read_escape(struct reader *reader)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (reader->at >= reader->end)
		return refuse(reader, ""), false;
	if (take(reader, 'u'))
		return read_unicode_escape(reader);
	found = memchr(from, *reader->at, sizeof(from) - 1);
	if (!found)
		return refuse(reader, "an escape that JSON does not have"), false;
	reader->at++;
	kserv_text_add_bytes(&reader->text, &to[found - from], 1);
	return true;
}

/* Past what stands for itself in a string: most strings are nothing else. */
static void skip_plain(struct reader *reader)
{
	const char *at = reader->at;

	while (at < reader->end && (signed char)*at >= 0x20 && *at != '"' && *at != '\\')
		at++;
	reader->at = at;
}

/* Return: the string, or NULL with an error added. */
static const char *read_string(struct reader *reader)
{
	const char *from;
	size_t n;

	reader->text.len = 0;
	if (!take(reader, '"'))
		return refuse(reader, "expected a string in double quotes");
	from = reader->at;
	skip_plain(reader);
	n = reader->at - from;
	if (take(reader, '"'))
		return kserv_tree_strndup(reader->tree, from, n);
	kserv_text_add_bytes(&reader->text, from, n);
	while (!take(reader, '"')) {
		if (reader->at >= reader->end)
			return refuse(reader, "");
		if (take(reader, '\\')) {
			if (!read_escape(reader))
				return NULL;
			continue;
		}
		if ((unsigned char)*reader->at < 0x20)
			return refuse(reader, "a control character in a string: write it as an escape");
		n = utf8_length((const unsigned char *)reader->at, reader->end - reader->at);
		if (!n)
			return refuse(reader, "not valid UTF-8");
		kserv_text_add_bytes(&reader->text, reader->at, n);
		reader->at += n;
	}
	return kserv_tree_strndup(reader->tree, reader->text.s ? reader->text.s : "", reader->text.len);
}

static size_t skip_digits(struct reader *reader)
{
	const char *from = reader->at;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at - from;
}

static struct kserv_value *read_number(struct reader *reader)
{
	struct kserv_value *value = kserv_value_new(reader->tree, KSERV_VALUE_INT);
	const char *from = reader->at;
	bool whole = true;

	take(reader, '-');
	if (!take(reader, '0') && !skip_digits(reader))
		return refuse(reader, "expected a value");
	if (take(reader, '.')) {
		whole = false;
		if (!skip_digits(reader))
			return refuse(reader, "expected digits after the point");
	}
	if (take(reader, 'e') || take(reader, 'E')) {
		whole = false;
		if (!take(reader, '-'))
			take(reader, '+');
		if (!skip_digits(reader))
			return refuse(reader, "expected digits in the exponent");
	}
	value->text = kserv_tree_strndup(reader->tree, from, reader->at - from);
	errno = 0;
	value->integer = strtoll(value->text, NULL, 10);
	if (whole && !errno)
		return value;
	value->type = KSERV_VALUE_FLOAT;
	value->number = strtod(value->text, NULL);
	return value;
}

static struct kserv_value *read_word(struct reader *reader)
{
	static const struct { const char *word; enum kserv_value_type type; } words[] = {
		{ "true", KSERV_VALUE_BOOL }, { "false", KSERV_VALUE_BOOL }, { "null", KSERV_VALUE_NULL },
	};
	struct kserv_value *value;
	size_t i, len;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		len = strlen(words[i].word);
		if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, words[i].word, len))
			continue;
		reader->at += len;
		value = kserv_value_new(reader->tree, words[i].type);
		value->text = words[i].word;
		value->boolean = i == 0;
		return value;
	}
	return read_number(reader);
}

static struct kserv_value *read_list(struct reader *reader, unsigned int depth)
{
	struct kserv_value *list = kserv_value_new(reader->tree, KSERV_VALUE_LIST), *member;

	reader->at++;
	skip_blanks(reader);
	if (take(reader, ']'))
		return list;
	for (;;) {
		member = read_value(reader, depth + 1);
		if (!member)
			return NULL;
		kserv_value_append(list, member);
		skip_blanks(reader);
		if (take(reader, ']'))
			return list;
		if (!take(reader, ','))
			return refuse(reader, "expected \",\" or \"]\"");
	}
}

static struct kserv_value *finish_map(struct reader *reader, struct kserv_value *map)
{
	const struct kserv_value *duplicate = kserv_value_duplicate_key(map);

	if (!duplicate)
		return map;
	kserv_errors_add(reader->errors, duplicate->line, duplicate->column, "",
			 "key \"%s\" is given twice in the same map", duplicate->key);
	return NULL;
}

static struct kserv_value *read_map(struct reader *reader, unsigned int depth)
{
	struct kserv_value *map = kserv_value_new(reader->tree, KSERV_VALUE_MAP), *member;
	const char *key;

	reader->at++;
	skip_blanks(reader);
	if (take(reader, '}'))
		return map;
	for (;;) {
		skip_blanks(reader);
		key = read_string(reader);
		if (!key)
			return NULL;
		skip_blanks(reader);
		if (!take(reader, ':'))
			return refuse(reader, "expected \":\"");
		member = read_value(reader, depth + 1);
		if (!member)
			return NULL;
		kserv_value_append(map, member);
		member->key = key;
		skip_blanks(reader);
		if (take(reader, '}'))
			return finish_map(reader, map);
		if (!take(reader, ','))
			return refuse(reader, "expected \",\" or \"}\"");
	}
}

static struct kserv_value *read_quoted(struct reader *reader)
{
	const char *s = read_string(reader);
	struct kserv_value *value;

	if (!s)
		return NULL;
	value = kserv_value_new(reader->tree, KSERV_VALUE_STRING);
	value->text = s;
	return value;
}

static struct kserv_value *read_value(struct reader *reader, unsigned int depth)
{
	struct kserv_value *value;
	uint32_t line, column;

	skip_blanks(reader);
	if (depth > KSERV_TREE_DEPTH)
		return refuse(reader, "nested more than 64 deep");
	count_to(reader, reader->at);
	line = reader->line;
	column = reader->column;
	switch (reader->at < reader->end ? *reader->at : '\0') {
	case '{':
		value = read_map(reader, depth);
		break;
	case '[':
		value = read_list(reader, depth);
		break;
	case '"':
		value = read_quoted(reader);
		break;
	default:
		value = read_word(reader);
	}
	if (value) {
		value->line = line;
		value->column = column;
	}
	return value;
}

int kserv_json_read(struct kserv_tree *tree, const char *text, size_t len, uint32_t first_line, size_t *ret_used,
		    struct kserv_errors *errors)
{
	struct reader reader = {
		.tree = tree,
		.errors = errors,
		.at = text,
		.end = text + len,
		.counted = text,
		.line = first_line,
		.column = 1,
	};
	struct kserv_value *root = read_value(&reader, 1);

	skip_blanks(&reader);
	if (root && !ret_used && reader.at < reader.end)
		root = refuse(&reader, "something follows the JSON value");
	if (root && ret_used)
		*ret_used = reader.at - text;
	kserv_text_clear(&reader.text);
	tree->root = root;
	return root ? 0 : -EINVAL;
}
