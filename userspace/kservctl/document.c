// SPDX-License-Identifier: GPL-2.0
/* JSON and YAML on stdout, indented as kubectl does. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/kservctl.h"

/* Long lists are common, so characters go to stdio's buffer without a lock and numbers without printf(). */
static void put(const char *text, size_t len)
{
	fwrite_unlocked(text, 1, len, stdout);
}

static void put_char(char c)
{
	putc_unlocked(c, stdout);
}

static void indent(size_t n)
{
	static const char blanks[] = "                                ";

	for (; n > sizeof(blanks) - 1; n -= sizeof(blanks) - 1)
		put(blanks, sizeof(blanks) - 1);
	put(blanks, n);
}

static void put_escaped(unsigned char c)
{
	char text[8] = { '\\', c };

	if (c == '\n')
		text[1] = 'n';
	else if (c == '\t')
		text[1] = 't';
	else if (c < ' ')
		snprintf(text, sizeof(text), "\\u%04x", c);
	put(text, strlen(text));
}

static void put_string(const char *text)
{
	const char *start = text;

	put_char('"');
	for (; *text; text++) {
		if (*text != '"' && *text != '\\' && (unsigned char)*text >= ' ')
			continue;
		put(start, text - start);
		put_escaped(*text);
		start = text + 1;
	}
	put(start, text - start);
	put_char('"');
}

static void put_number(double number)
{
	char text[32], *digit = text + sizeof(text);
	uint64_t rest;

	rest = number >= 0 && number <= 1e15 ? number : 0;
	if (rest != number) {
		put(text, snprintf(text, sizeof(text), "%.17g", number));
		return;
	}
	do {
		*--digit = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	put(digit, text + sizeof(text) - digit);
}

static void put_scalar(const cJSON *item, void (*put_text)(const char *))
{
	const char *word = cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null";

	if (cJSON_IsString(item))
		put_text(item->valuestring);
	else if (cJSON_IsNumber(item))
		put_number(item->valuedouble);
	else if (cJSON_IsRaw(item))
		put(item->valuestring, strlen(item->valuestring));
	else
		put(word, strlen(word));
}

static bool is_container(const cJSON *item)
{
	return cJSON_IsArray(item) || cJSON_IsObject(item);
}

static void put_json(const cJSON *item, unsigned int depth, bool spread)
{
	const char *brackets = cJSON_IsArray(item) ? "[]" : "{}";
	const cJSON *child;

	if (!is_container(item)) {
		put_scalar(item, put_string);
		return;
	}
	put_char(brackets[0]);
	cJSON_ArrayForEach(child, item) {
		if (spread) {
			put_char('\n');
			indent((depth + 1) * 4);
		}
		if (child->string) {
			put_string(child->string);
			put(": ", spread ? 2 : 1);
		}
		put_json(child, depth + 1, spread);
		if (child->next)
			put_char(',');
	}
	if (spread && item->child) {
		put_char('\n');
		indent(depth * 4);
	}
	put_char(brackets[1]);
}

/* True for text that YAML reads as this same text without quotes. */
static bool is_plain(const char *text)
{
	static const char *const words[] = {
		"null", "true", "false", "yes", "no", "on", "off", "y", "n", "~",
	};
	const char *c;
	size_t i;

	if (!isalpha((unsigned char)*text) && *text != '/' && *text != '_')
		return false;
	for (c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_./@+", *c) && !(*c == ':' && c[1] && c[1] != ' ') &&
		    !(*c == ' ' && isalnum((unsigned char)c[1])))
			return false;
	for (i = 0; c - text <= 5 && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(text, words[i]))
			return false;
	return true;
}

static void put_plain(const char *text)
{
	if (is_plain(text))
		put(text, strlen(text));
	else
		put_string(text);
}

/* @in_list: the first member stands on the line of the "- ". */
static void put_yaml(const cJSON *item, unsigned int depth, bool in_list)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, item) {
		if (!in_list || child != item->child)
			indent(depth * 2);
		if (cJSON_IsArray(item)) {
			put("- ", 2);
		} else {
			put_plain(child->string);
			put_char(':');
			if (!is_container(child) || !child->child)
				put_char(' ');
		}
		if (!is_container(child)) {
			put_scalar(child, put_plain);
			put_char('\n');
		} else if (!child->child) {
			put(cJSON_IsArray(child) ? "[]\n" : "{}\n", 3);
		} else if (cJSON_IsArray(item)) {
			put_yaml(child, depth + 1, true);
		} else {
			put_char('\n');
			/* kubectl does not indent a list below its key. */
			put_yaml(child, cJSON_IsArray(child) ? depth : depth + 1, false);
		}
	}
}

void print_tree(cJSON *tree, enum output_format format)
{
	if (format == OUTPUT_YAML && is_container(tree) && tree->child) {
		put_yaml(tree, 0, false);
	} else {
		put_json(tree, 0, true);
		putchar('\n');
	}
	cJSON_Delete(tree);
}

void print_line(cJSON *tree)
{
	put_json(tree, 0, false);
	putchar('\n');
	fflush(stdout);
	cJSON_Delete(tree);
}

static size_t list_items;

void print_list_begin(enum output_format format)
{
	list_items = 0;
	if (format != OUTPUT_YAML)
		putchar('[');
}

void print_list_item(cJSON *tree, enum output_format format)
{
	if (format == OUTPUT_YAML) {
		fputs("- ", stdout);
		put_yaml(tree, 1, true);
	} else {
		fputs(list_items ? ",\n    " : "\n    ", stdout);
		put_json(tree, 1, true);
	}
	list_items++;
	cJSON_Delete(tree);
}

void print_list_end(enum output_format format)
{
	if (format == OUTPUT_YAML)
		fputs(list_items ? "" : "[]\n", stdout);
	else
		puts(list_items ? "\n]" : "]");
}
