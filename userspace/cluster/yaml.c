// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "cluster/memory.h"
#include "cluster/yaml.h"

struct anchor {
	char *name;
	struct kserv_value *value;
	bool open;			/* still being read: an alias to it would contain itself */
};

struct reader {
	yaml_parser_t parser;
	struct kserv_tree *tree;
	struct kserv_errors *errors;
	uint32_t first_line;
	struct anchor *anchors;
	size_t n_anchors, budget;
};

static struct kserv_value *read_node(struct reader *reader, const yaml_event_t *event, unsigned int depth);

__attribute__((format(printf, 3, 4)))
static void *refuse(struct reader *reader, const yaml_mark_t *mark, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kserv_must_vprintf(fmt, args);
	va_end(args);
	kserv_errors_add(reader->errors, reader->first_line + mark->line, mark->column + 1, "", "%s", text);
	free(text);
	return NULL;
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
	const yaml_parser_t *parser = &reader->parser;

	if (yaml_parser_parse(&reader->parser, event))
		return true;
	if (parser->error == YAML_READER_ERROR)
		refuse(reader, &parser->mark, "not valid UTF-8 text: %s", parser->problem);
	else
		refuse(reader, &parser->problem_mark, "%s%s%s", parser->problem,
		       parser->context ? " " : "", parser->context ? parser->context : "");
	return false;
}

static struct anchor *find_anchor(struct reader *reader, const char *name)
{
	size_t i;

	for (i = reader->n_anchors; i > 0; i--)
		if (!strcmp(reader->anchors[i - 1].name, name))
			return &reader->anchors[i - 1];
	return NULL;
}

/* Return: the anchor's index, or -1 without one. */
static ssize_t open_anchor(struct reader *reader, const yaml_char_t *name, struct kserv_value *value)
{
	if (!name)
		return -1;
	reader->anchors = kserv_must_grow(reader->anchors, reader->n_anchors, sizeof(*reader->anchors));
	reader->anchors[reader->n_anchors] = (struct anchor){
		.name = kserv_must_strdup((const char *)name),
		.value = value,
		.open = true,
	};
	return reader->n_anchors++;
}

static void close_anchor(struct reader *reader, ssize_t anchor)
{
	if (anchor >= 0)
		reader->anchors[anchor].open = false;
}

static size_t count_values(const struct kserv_value *value, size_t enough, unsigned int *depth)
{
	const struct kserv_value *member;
	unsigned int below, deepest = 0;
	size_t n = 1;

	if (value->type == KSERV_VALUE_LIST || value->type == KSERV_VALUE_MAP) {
		for (member = value->first; member && n < enough; member = member->next) {
			n += count_values(member, enough - n, &below);
			deepest = below > deepest ? below : deepest;
		}
	}
	*depth = deepest + 1;
	return n;
}

static struct kserv_value *read_alias(struct reader *reader, const yaml_event_t *event, unsigned int depth)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct anchor *anchor = find_anchor(reader, name);
	unsigned int below;
	size_t n;

	if (!anchor)
		return refuse(reader, &event->start_mark, "alias *%s has no anchor &%s before it", name, name);
	if (anchor->open)
		return refuse(reader, &event->start_mark, "alias *%s stands inside its own anchor", name);
	n = count_values(anchor->value, reader->budget + 1, &below);
	if (n > reader->budget)
		return refuse(reader, &event->start_mark, "the aliases of this document unfold to more than %d values",
			      KSERV_YAML_ALIAS_BUDGET);
	if (depth + below > KSERV_TREE_DEPTH + 1)
		return refuse(reader, &event->start_mark, "nested more than %d deep", KSERV_TREE_DEPTH);
	reader->budget -= n;
	return kserv_value_copy(reader->tree, anchor->value);
}

static bool is_tag(const yaml_char_t *tag, const char *name)
{
	static const char prefix[] = "tag:yaml.org,2002:";

	return tag && !strncmp((const char *)tag, prefix, sizeof(prefix) - 1) &&
		!strcmp((const char *)tag + sizeof(prefix) - 1, name);
}

/* A tag may only ask for what the text is anyway, or for a string. */
static bool apply_tag(struct reader *reader, const yaml_event_t *event, struct kserv_value *value)
{
	static const struct { const char *name; enum kserv_value_type type; } tags[] = {
		{ "null", KSERV_VALUE_NULL }, { "bool", KSERV_VALUE_BOOL }, { "int", KSERV_VALUE_INT },
		{ "float", KSERV_VALUE_FLOAT },
	};
	const yaml_char_t *tag = event->data.scalar.tag;
	size_t i;

	if (is_tag(tag, "str") || !strcmp((const char *)tag, "!"))
		return true;
	kserv_yaml_resolve(value);
	for (i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
		if (!is_tag(tag, tags[i].name))
			continue;
		if (value->type == tags[i].type)
			return true;
		refuse(reader, &event->start_mark, "\"%s\" is not of its type !!%s", value->text, tags[i].name);
		return false;
	}
	refuse(reader, &event->start_mark, "tag %s is not known", (const char *)tag);
	return false;
}

static struct kserv_value *read_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct kserv_value *value = kserv_value_new(reader->tree, KSERV_VALUE_STRING);
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (memchr(text, '\0', len))
		return refuse(reader, &event->start_mark, "a NUL character in a string");
	value->text = kserv_tree_strndup(reader->tree, text, len);
	if (event->data.scalar.tag) {
		if (!apply_tag(reader, event, value))
			return NULL;
	} else if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		kserv_yaml_resolve(value);
	}
	close_anchor(reader, open_anchor(reader, event->data.scalar.anchor, value));
	return value;
}

static struct kserv_value *read_list(struct reader *reader, const yaml_event_t *start, unsigned int depth)
{
	struct kserv_value *list = kserv_value_new(reader->tree, KSERV_VALUE_LIST), *member;
	ssize_t anchor = open_anchor(reader, start->data.sequence_start.anchor, list);
	yaml_event_t event;

	while (next_event(reader, &event)) {
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			close_anchor(reader, anchor);
			return list;
		}
		member = read_node(reader, &event, depth + 1);
		yaml_event_delete(&event);
		if (!member)
			return NULL;
		kserv_value_append(list, member);
	}
	return NULL;
}

/* Keys become strings as they do on the way through JSON: 80 is "80", yes is "true". */
static const char *read_key(struct reader *reader, const yaml_event_t *event, bool *ret_merge)
{
	struct kserv_value *key;

	*ret_merge = false;
	if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
		return refuse(reader, &event->start_mark, "a list or map as a key");
	if (event->type == YAML_SCALAR_EVENT && event->data.scalar.plain_implicit &&
	    event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp((char *)event->data.scalar.value, "<<"))
		*ret_merge = true;
	key = event->type == YAML_ALIAS_EVENT ? read_alias(reader, event, 0) : read_scalar(reader, event);
	if (!key)
		return NULL;
	if (key->type == KSERV_VALUE_BOOL)
		return key->boolean ? "true" : "false";
	if (key->type == KSERV_VALUE_NULL || key->type == KSERV_VALUE_LIST || key->type == KSERV_VALUE_MAP)
		return refuse(reader, &event->start_mark, "a key that is not a string");
	return key->text;
}

/* The members of @from that @map does not have go into it. */
static void merge_map(struct reader *reader, struct kserv_value *map, const struct kserv_value *from)
{
	struct kserv_value *member, *own, *copy;

	for (member = from->first; member; member = member->next) {
		for (own = map->first; own && strcmp(own->key, member->key); own = own->next)
			;
		if (own)
			continue;
		copy = kserv_value_copy(reader->tree, member);
		kserv_value_append(map, copy);
		copy->key = member->key;
	}
}

static bool merge(struct reader *reader, struct kserv_value *map, const struct kserv_value *from)
{
	const yaml_mark_t mark = { .line = from->line - reader->first_line, .column = from->column - 1 };
	const struct kserv_value *member;

	if (from->type == KSERV_VALUE_MAP) {
		merge_map(reader, map, from);
		return true;
	}
	if (from->type != KSERV_VALUE_LIST) {
		refuse(reader, &mark, "<< takes a map or a list of maps");
		return false;
	}
	for (member = from->first; member; member = member->next) {
		if (member->type != KSERV_VALUE_MAP) {
			refuse(reader, &mark, "<< takes a map or a list of maps");
			return false;
		}
		merge_map(reader, map, member);
	}
	return true;
}

static struct kserv_value *finish_map(struct reader *reader, struct kserv_value *map, struct kserv_value *merged)
{
	const struct kserv_value *duplicate = kserv_value_duplicate_key(map);

	if (duplicate) {
		kserv_errors_add(reader->errors, duplicate->line, duplicate->column, "",
				 "key \"%s\" is given twice in the same map", duplicate->key);
		return NULL;
	}
	if (merged && !merge(reader, map, merged))
		return NULL;
	return map;
}

static struct kserv_value *read_map(struct reader *reader, const yaml_event_t *start, unsigned int depth)
{
	struct kserv_value *map = kserv_value_new(reader->tree, KSERV_VALUE_MAP), *member, *merged = NULL;
	ssize_t anchor = open_anchor(reader, start->data.mapping_start.anchor, map);
	yaml_event_t event;
	const char *key;
	bool is_merge;

	while (next_event(reader, &event)) {
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			close_anchor(reader, anchor);
			return finish_map(reader, map, merged);
		}
		key = read_key(reader, &event, &is_merge);
		yaml_event_delete(&event);
		if (!key || !next_event(reader, &event))
			return NULL;
		member = read_node(reader, &event, depth + 1);
		if (member && is_merge && merged)
			member = refuse(reader, &event.start_mark, "<< is given twice in the same map");
		yaml_event_delete(&event);
		if (!member)
			return NULL;
		if (is_merge) {
			merged = member;
			continue;
		}
		kserv_value_append(map, member);
		member->key = key;
	}
	return NULL;
}

static struct kserv_value *read_node(struct reader *reader, const yaml_event_t *event, unsigned int depth)
{
	struct kserv_value *value;

	if (depth > KSERV_TREE_DEPTH)
		return refuse(reader, &event->start_mark, "nested more than %d deep", KSERV_TREE_DEPTH);
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		value = read_scalar(reader, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		value = read_list(reader, event, depth);
		break;
	case YAML_MAPPING_START_EVENT:
		value = read_map(reader, event, depth);
		break;
	case YAML_ALIAS_EVENT:
		/* Keeps the position of the anchor's value: that is where a mistake in it is mended. */
		return read_alias(reader, event, depth);
	default:
		return refuse(reader, &event->start_mark, "unexpected end of the document");
	}
	if (value) {
		value->line = reader->first_line + event->start_mark.line;
		value->column = event->start_mark.column + 1;
	}
	return value;
}

/* Return: the root, or NULL with an error added. */
static struct kserv_value *read_document(struct reader *reader)
{
	struct kserv_value *root = NULL;
	yaml_event_t event;
	bool done = false;

	while (!done && next_event(reader, &event)) {
		if (event.type == YAML_STREAM_END_EVENT) {
			done = true;
			if (!root)
				root = kserv_value_new(reader->tree, KSERV_VALUE_NULL);
		} else if (event.type == YAML_DOCUMENT_START_EVENT && root) {
			refuse(reader, &event.start_mark, "a second document where \"---\" should begin it");
			root = NULL;
			done = true;
		} else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
			   event.type != YAML_DOCUMENT_END_EVENT) {
			root = read_node(reader, &event, 1);
			done = !root;
		}
		yaml_event_delete(&event);
	}
	return done ? root : NULL;
}

int kserv_yaml_read(struct kserv_tree *tree, const char *text, size_t len, uint32_t first_line,
		    struct kserv_errors *errors)
{
	struct reader reader = {
		.tree = tree,
		.errors = errors,
		.first_line = first_line,
		.budget = KSERV_YAML_ALIAS_BUDGET,
	};
	size_t i;

	if (!yaml_parser_initialize(&reader.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	tree->root = read_document(&reader);
	yaml_parser_delete(&reader.parser);
	for (i = 0; i < reader.n_anchors; i++)
		free(reader.anchors[i].name);
	free(reader.anchors);
	return tree->root ? 0 : -EINVAL;
}
