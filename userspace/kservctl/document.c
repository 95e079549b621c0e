// SPDX-License-Identifier: GPL-2.0
/* JSON and YAML on stdout, indented as kubectl does. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/kservctl.h"

static void indent(unsigned int depth, unsigned int step)
{
	printf("%*s", (int)(depth * step), "");
}

static void put_string(const char *text)
{
	const unsigned char *c;

	putchar('"');
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c == '\n')
			fputs("\\n", stdout);
		else if (*c == '\t')
			fputs("\\t", stdout);
		else if (*c < ' ')
			printf("\\u%04x", *c);
		else
			putchar(*c);
	}
	putchar('"');
}

static void put_scalar(const cJSON *item, void (*put_text)(const char *))
{
	if (cJSON_IsString(item))
		put_text(item->valuestring);
	else if (cJSON_IsRaw(item))
		fputs(item->valuestring, stdout);
	else if (cJSON_IsNumber(item))
		printf(item->valuedouble == rint(item->valuedouble) ? "%.0f" : "%.17g", item->valuedouble);
	else
		fputs(cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null", stdout);
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
	putchar(brackets[0]);
	cJSON_ArrayForEach(child, item) {
		if (spread) {
			putchar('\n');
			indent(depth + 1, 4);
		}
		if (child->string) {
			put_string(child->string);
			fputs(spread ? ": " : ":", stdout);
		}
		put_json(child, depth + 1, spread);
		if (child->next)
			putchar(',');
	}
	if (spread && item->child) {
		putchar('\n');
		indent(depth, 4);
	}
	putchar(brackets[1]);
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
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(text, words[i]))
			return false;
	for (c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_./@+", *c) && !(*c == ':' && c[1] && c[1] != ' ') &&
		    !(*c == ' ' && isalnum((unsigned char)c[1])))
			return false;
	return true;
}

static void put_plain(const char *text)
{
	if (is_plain(text))
		fputs(text, stdout);
	else
		put_string(text);
}

/* @in_list: the first member stands on the line of the "- ". */
static void put_yaml(const cJSON *item, unsigned int depth, bool in_list)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, item) {
		if (!in_list || child != item->child)
			indent(depth, 2);
		if (cJSON_IsArray(item)) {
			fputs("- ", stdout);
		} else {
			put_plain(child->string);
			putchar(':');
			if (!is_container(child) || !child->child)
				putchar(' ');
		}
		if (!is_container(child)) {
			put_scalar(child, put_plain);
			putchar('\n');
		} else if (!child->child) {
			puts(cJSON_IsArray(child) ? "[]" : "{}");
		} else if (cJSON_IsArray(item)) {
			put_yaml(child, depth + 1, true);
		} else {
			putchar('\n');
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
