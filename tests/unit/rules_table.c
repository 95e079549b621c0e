// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/emit.h"
#include "cluster/file.h"
#include "cluster/kind.h"
#include "cluster/manifest.h"
#include "cluster/read.h"
#include "cluster/yaml.h"
#include "lib/attributes.h"
#include "plan/address.h"
#include "cluster_objects.h"
#include "rules_table.h"
#include "source/config.h"

static void fail_with(struct kserv_errors *errors, const char *what)
{
	size_t i;
	char *line;

	if (!errors->n)
		return;
	for (i = 0; i < errors->n; i++) {
		line = kserv_error_format(&errors->v[i]);
		print_error("%s: %s\n", what, line);
		free(line);
	}
	kserv_errors_clear(errors);
	fail();
}

void rules_read(const char *path, struct kserv_tree *ret_tree)
{
	struct kserv_errors errors = { .source = path };
	struct kserv_text text = { 0 };

	if (kserv_file_read(path, &text))
		fail_msg("%s cannot be read: run this from the top of the project", path);
	memset(ret_tree, 0, sizeof(*ret_tree));
	kserv_yaml_read(ret_tree, text.s ? text.s : "", text.len, 1, &errors);
	kserv_text_clear(&text);
	fail_with(&errors, "table");
}

static bool is_named(const struct kserv_value *object, const char *kind, const char *namespace, const char *name)
{
	const char *own = kserv_value_string(object, "metadata.namespace");

	return !strcmp(kserv_value_string(object, "kind"), kind) && !strcmp(*own ? own : "default", namespace) &&
	       !strcmp(kserv_value_string(object, "metadata.name"), name);
}

/* Where the object is, or the place behind the last one. */
static size_t place(const struct rules_state *state, const char *kind, const char *namespace, const char *name)
{
	size_t i;

	for (i = 0; i < state->n_objects; i++)
		if (is_named(state->objects[i], kind, *namespace ? namespace : "default", name))
			break;
	return i;
}

static void put(struct rules_state *state, const struct kserv_value *object)
{
	size_t i = place(state, kserv_value_string(object, "kind"), kserv_value_string(object, "metadata.namespace"),
			 kserv_value_string(object, "metadata.name"));

	if (i == state->n_objects)
		state->objects = kserv_must_grow(state->objects, state->n_objects++, sizeof(*state->objects));
	state->objects[i] = object;
}

/* "Service/web" */
static void delete(struct rules_state *state, const char *what)
{
	char *kind = kserv_must_strdup(what), *name = strchr(kind, '/');
	size_t i;

	if (!name)
		fail_msg("delete: %s is not KIND/NAME", what);
	*name++ = '\0';
	i = place(state, kind, "", name);
	if (i == state->n_objects)
		fail_msg("delete: there is no %s", what);
	free(kind);
	state->objects[i] = state->objects[--state->n_objects];
}

static void add_locals(struct rules_state *state, const struct kserv_value *list)
{
	const struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next)
		if (!kserv_address_read(value->text, &state->locals.v[state->locals.n++]))
			fail_msg("local: %s is no address", value->text);
}

void rules_state_change(struct rules_state *state, const struct kserv_value *step)
{
	const struct kserv_value *value;

	for (value = kserv_value_first(kserv_value_find(step, "delete")); value; value = value->next)
		delete(state, value->text);
	for (value = kserv_value_first(kserv_value_find(step, "objects")); value; value = value->next)
		put(state, value);
	if (kserv_value_find(step, "config"))
		state->config = kserv_value_find(step, "config");
	add_locals(state, kserv_value_find(step, "local"));
}

void rules_state_init(struct rules_state *state, const struct rules_world *world, const struct kserv_value *case_value)
{
	memset(state, 0, sizeof(*state));
	state->world = world;
	state->plan_only = !strcmp(kserv_value_string(case_value, "only"), "plan");
	rules_state_change(state, world->tree.root);
	state->config = NULL;
	rules_state_change(state, case_value);
}

void rules_state_clear(struct rules_state *state)
{
	free(state->objects);
}

static void read_settings(const struct rules_state *state, struct kserv_settings *ret)
{
	struct kserv_embedded_config config;
	struct kserv_errors errors = { 0 };
	struct kserv_text text = { 0 };
	struct kserv_tree tree = { 0 };
	const struct kserv_value *value;
	struct kserv_value *map;

	map = kserv_value_copy(&tree, kserv_value_find(state->world->tree.root, "config"));
	for (value = state->config ? state->config->first : NULL; value; value = value->next)
		kserv_value_set(map, value->key, kserv_value_copy(&tree, value));
	kserv_emit_json(&text, map, 0);
	kserv_embedded_config_parse(&config, "config", text.s, text.len, &errors);
	fail_with(&errors, "config");
	kserv_embedded_config_settings(&config, ret);
	kserv_embedded_config_clear(&config);
	kserv_text_clear(&text);
	kserv_tree_clear(&tree);
}

void rules_cluster(const struct rules_state *state, struct kserv_cluster *ret_cluster)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	size_t i;

	memset(ret_cluster, 0, sizeof(*ret_cluster));
	read_settings(state, &ret_cluster->settings);
	for (i = 0; i < state->n_objects; i++) {
		struct kserv_value *object = kserv_value_copy(&tree, state->objects[i]);
		struct kserv_manifest manifest = {
			.kind = kserv_kind_lookup(kserv_value_string(object, "kind")), .tree = &tree, .value = object,
			.source = "objects",
		};

		if (manifest.kind && manifest.kind->namespaced && !*kserv_value_string(object, "metadata.namespace"))
			kserv_value_set(kserv_value_need_map(&tree, object, "metadata"), "namespace",
					kserv_value_new_string(&tree, "default"));
		if (!state->plan_only && manifest.kind) {
			manifest.kind->fill(&tree, object);
			kserv_manifest_check(&manifest, &errors);
			fail_with(&errors, "apply would refuse it");
		}
		if (!cluster_add(ret_cluster, object))
			fail_msg("objects: kind %s is no part of a cluster", kserv_value_string(object, "kind"));
	}
	kserv_errors_clear(&errors);
	kserv_tree_clear(&tree);
}

/* The address that a name of the world stands for; false if it is none. */
static bool look_up(const struct rules_state *state, const char *name, uint8_t family, struct kserv_addr *ret_addr,
		    const char **ret_from)
{
	const struct kserv_value *entry = kserv_value_find(kserv_value_find(state->world->tree.root, "names"), name), *ip;

	for (ip = kserv_value_first(kserv_value_find(entry, "ips")); ip; ip = ip->next) {
		if (!kserv_address_read(ip->text, ret_addr) || ret_addr->family != family)
			continue;
		*ret_from = kserv_value_string(entry, "from");
		return true;
	}
	return false;
}

/* NAME, ADDRESS@INTERFACE or ADDRESS@process. */
static void parse_source(const struct rules_state *state, const char *word, struct rules_row *row)
{
	const char *from = strchr(word, '@');
	char address[KSERV_ADDR_TEXT];

	if (from) {
		snprintf(address, sizeof(address), "%.*s", (int)(from++ - word), word);
		if (!kserv_address_read(address, &row->packet.source))
			fail_msg("%s: %s is no address", row->text, address);
	} else if (!look_up(state, word, row->packet.destination.family, &row->packet.source, &from)) {
		fail_msg("%s: nobody is called %s", row->text, word);
	}
	snprintf(row->interface, sizeof(row->interface), "%s", from);
	row->packet.interface = strcmp(from, "process") ? row->interface : NULL;
}

/* ADDRESS:PORT/PROTOCOL or ADDRESS/ICMP. */
static void parse_destination(const char *word, struct rules_row *row)
{
	const char *slash = strchr(word, '/'), *why = "it has no protocol";
	char address[KSERV_ADDR_TEXT];

	snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - word) : 0, word);
	if (!slash || kserv_addr_maybe_port_parse(address, &row->packet.destination, &row->packet.port, &why))
		fail_msg("%s: destination %s: %s", row->text, word, why);
	row->packet.protocol = kserv_protocol_parse(slash + 1);
	if (!strcmp(slash + 1, "ICMP"))
		row->packet.protocol = IPPROTO_ICMP;
	if (!strcmp(slash + 1, "ICMPV6"))
		row->packet.protocol = IPPROTO_ICMPV6;
	if (!row->packet.protocol)
		fail_msg("%s: there is no protocol %s", row->text, slash + 1);
}

/* NAME:PORT or ADDRESS:PORT, with an asterisk behind for those masqueraded, to "ADDRESS:PORT*" or "ADDRESS:PORT REASON". */
static char *parse_endpoint(const struct rules_state *state, const char *word, const char *reason, const char *line,
			    uint8_t family)
{
	char text[KSERV_ADDR_TEXT], name[KSERV_ADDR_TEXT], formatted[KSERV_ADDR_TEXT];
	const char *unused, *colon;
	struct kserv_addr addr;
	uint16_t port = 0;
	bool masquerade;

	snprintf(text, sizeof(text), "%s", word);
	masquerade = *text && text[strlen(text) - 1] == '*';
	if (masquerade)
		text[strlen(text) - 1] = '\0';
	colon = strrchr(text, ':');
	snprintf(name, sizeof(name), "%.*s", colon ? (int)(colon - text) : 0, text);
	if (colon && look_up(state, name, family, &addr, &unused))
		port = (uint16_t)atoi(colon + 1);
	else if (kserv_addr_port_parse(text, &addr, &port, NULL))
		fail_msg("%s: %s is no endpoint", line, word);
	return kserv_must_printf("%s%s%s%s", kserv_addr_port_format(&addr, port, formatted), masquerade ? "*" : "",
				 reason ? " " : "", reason ? reason : "");
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is behind the verdict: endpoints, then after a bar those left out with their reasons. */
static void parse_endpoints(const struct rules_state *state, char **rest, struct rules_row *row)
{
	uint8_t family = row->packet.destination.family;
	char *word, *reason;

	while ((word = strtok_r(NULL, " ", rest)) && strcmp(word, "|"))
		row->endpoints.v[row->endpoints.n++] = parse_endpoint(state, word, NULL, row->text, family);
	row->excluded_given = word;
	while (word && (word = strtok_r(NULL, " ", rest))) {
		reason = strtok_r(NULL, " ,", rest);
		if (!reason)
			fail_msg("%s: %s is left out without a reason", row->text, word);
		row->excluded.v[row->excluded.n++] = parse_endpoint(state, word, reason, row->text, family);
	}
	qsort(row->endpoints.v, row->endpoints.n, sizeof(char *), text_compare);
	qsort(row->excluded.v, row->excluded.n, sizeof(char *), text_compare);
}

static void parse_expectation(const struct rules_state *state, char **rest, struct rules_row *row)
{
	const char *word = strtok_r(NULL, " ", rest);
	int verdict = word ? kserv_word_find(&kserv_words_verdict, word) : -1, reason = 0;

	if (verdict < 0)
		fail_msg("%s: expected translate, reject, drop or pass", row->text);
	row->verdict = (enum kserv_verdict)verdict;
	if (row->verdict != KSERV_VERDICT_TRANSLATE) {
		word = strtok_r(NULL, " ", rest);
		reason = word ? kserv_word_find(&kserv_words_reason, word) : -1;
		if (reason < 0)
			fail_msg("%s: expected a reason", row->text);
	}
	row->reason = (enum kserv_reason)reason;
	parse_endpoints(state, rest, row);
}

static void clear_row(struct rules_row *row)
{
	size_t i;

	for (i = 0; i < row->endpoints.n; i++)
		free(row->endpoints.v[i]);
	for (i = 0; i < row->excluded.n; i++)
		free(row->excluded.v[i]);
}

/* One source and one destination of a line. */
static void take_row(const struct rules_state *state, const char *line, const char *source, const char *destination,
		     void (*each)(void *context, const struct rules_row *row), void *context)
{
	char *copy = kserv_must_strdup(line), *rest;
	struct rules_row row = { .text = line };

	parse_destination(destination, &row);
	parse_source(state, source, &row);
	strtok_r(copy, " ", &rest);
	strtok_r(NULL, " ", &rest);
	strtok_r(NULL, " ", &rest);
	parse_expectation(state, &rest, &row);
	each(context, &row);
	clear_row(&row);
	free(copy);
}

static void take_line(const struct rules_state *state, const char *line,
		      void (*each)(void *context, const struct rules_row *row), void *context)
{
	char *copy = kserv_must_strdup(line), *rest, *sources, *arrow, *destinations, *source, *destination;
	char *next_source, *next_destination, *list;

	sources = strtok_r(copy, " ", &rest);
	arrow = strtok_r(NULL, " ", &rest);
	destinations = strtok_r(NULL, " ", &rest);
	if (!destinations || strcmp(arrow, "->"))
		fail_msg("%s: expected SOURCE -> DESTINATION", line);
	for (source = strtok_r(sources, ",", &next_source); source; source = strtok_r(NULL, ",", &next_source)) {
		list = kserv_must_strdup(destinations);
		for (destination = strtok_r(list, ",", &next_destination); destination;
		     destination = strtok_r(NULL, ",", &next_destination))
			take_row(state, line, source, destination, each, context);
		free(list);
	}
	free(copy);
}

void rules_rows(const struct rules_state *state, const char *flows,
		void (*each)(void *context, const struct rules_row *row), void *context)
{
	char *copy = kserv_must_strdup(flows), *line, *next;

	for (line = strtok_r(copy, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		line[strcspn(line, "#")] = '\0';
		if (line[strspn(line, " ")])
			take_line(state, line, each, context);
	}
	free(copy);
}
