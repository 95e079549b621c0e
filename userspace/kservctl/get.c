// SPDX-License-Identifier: GPL-2.0
/* get: objects of the embedded cluster, printed as kubectl prints them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/memory.h"
#include "kservctl/desired.h"

static char *selector_text;
static int all_namespaces;

struct poptOption get_options[] = {
	{ "all-namespaces", 'A', POPT_ARG_NONE, &all_namespaces, 0, "objects of all namespaces", NULL },
	{ "selector", 'l', POPT_ARG_STRING, &selector_text, 0, "only objects with these labels", "SELECTOR" },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char get_more[] =
	"Types, with their short names: namespaces ns, nodes no, services svc, endpointslices, endpoints ep, pods po,\n"
	"deployments deploy, replicasets rs, statefulsets sts, daemonsets ds; \"all\" is what kubectl means by it.\n"
	"-o also takes name: svc/web alone.\n\n"
	"  kservctl get svc -A -o wide\n"
	"  kservctl get svc,ep -l app=web\n"
	"  kservctl get svc/web -o yaml | kubectl apply -f -\n";

/* Objects found, kind by kind; they are members of no list, only linked here. */
struct found {
	const struct kserv_kind *kind;
	struct kserv_value **v;
	size_t n;
	struct kserv_objects objects;
};

struct query {
	struct kserv_embedded embedded;
	struct targets targets;
	struct selector *selector;
	enum output_format format;
	struct found *found;
	size_t n_found;
	bool missing;
};

static void query_clear(struct query *query)
{
	size_t i;

	for (i = 0; i < query->n_found; i++) {
		kserv_objects_clear(&query->found[i].objects);
		free(query->found[i].v);
	}
	free(query->found);
	selector_free(query->selector);
	targets_clear(&query->targets);
	kserv_embedded_close(&query->embedded);
}

static bool is_wanted(const struct query *query, const struct target *target, const struct kserv_value *object)
{
	const char *namespace = kserv_value_string(object, "metadata.namespace");

	if (target->kind->namespaced && !all_namespaces && strcmp(namespace, chosen_namespace()))
		return false;
	if (target->name && strcmp(kserv_value_string(object, "metadata.name"), target->name))
		return false;
	return selector_matches(query->selector, object);
}

static int by_name(const void *a, const void *b)
{
	const struct kserv_value *x = *(struct kserv_value *const *)a, *y = *(struct kserv_value *const *)b;
	int order = strcmp(kserv_value_string(x, "metadata.namespace"), kserv_value_string(y, "metadata.namespace"));

	return order ? order : strcmp(kserv_value_string(x, "metadata.name"), kserv_value_string(y, "metadata.name"));
}

static enum exit_code find(struct query *query, const struct target *target)
{
	struct kserv_errors errors = { 0 };
	struct kserv_value *object;
	struct found *found;

	query->found = kserv_must_grow(query->found, query->n_found, sizeof(*query->found));
	found = &query->found[query->n_found++];
	found->kind = target->kind;
	if (list_objects(&query->embedded, target->kind, &found->objects, &errors)) {
		print_errors(&errors);
		return REFUSED;
	}
	for (object = kserv_value_first(found->objects.tree.root); object; object = object->next) {
		if (!is_wanted(query, target, object))
			continue;
		found->v = kserv_must_grow(found->v, found->n, sizeof(*found->v));
		found->v[found->n++] = object;
	}
	if (found->n)
		qsort(found->v, found->n, sizeof(*found->v), by_name);
	if (!found->n && target->name) {
		kserv_log_error("%s \"%s\" not found%s%s", target->kind->plural, target->name,
				target->kind->namespaced ? " in namespace " : "",
				target->kind->namespaced ? chosen_namespace() : "");
		query->missing = true;
	}
	return DONE;
}

static void print_table(const struct found *found, bool wide, bool prefix)
{
	const char *columns = get_headings(found->kind, wide);
	bool namespaces = all_namespaces && found->kind->namespaced;
	char *headings = kserv_must_printf("%s%s", namespaces ? "NAMESPACE\t" : "", columns), *row, *word;
	struct table *table = table_new(headings);
	size_t i;

	for (i = 0; i < found->n; i++) {
		row = get_row(found->kind, found->v[i], wide);
		word = object_word(found->kind, "");
		table_row(table, "%s%s%s%s", namespaces ? kserv_value_string(found->v[i], "metadata.namespace") : "",
			  namespaces ? "\t" : "", prefix ? word : "", row);
		free(word);
		free(row);
	}
	table_print(table);
	free(headings);
}

static void print_names(const struct query *query)
{
	size_t i, j;
	char *word;

	for (i = 0; i < query->n_found; i++) {
		for (j = 0; j < query->found[i].n; j++) {
			word = object_word(query->found[i].kind,
					   kserv_value_string(query->found[i].v[j], "metadata.name"));
			puts(word);
			free(word);
		}
	}
}

static void print_document(const struct kserv_value *root, enum output_format format)
{
	struct kserv_text text = { 0 };

	if (format == OUTPUT_YAML) {
		kserv_emit_yaml(&text, root);
	} else {
		kserv_emit_json(&text, root, 4);
		kserv_text_add(&text, "\n");
	}
	fputs(text.s, stdout);
	kserv_text_clear(&text);
}

/* One object that was asked for by name is printed as it is; anything else as a List. */
static void print_documents(const struct query *query, size_t n)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *list, *items;
	size_t i, j;

	if (n == 1 && query->targets.n == 1 && query->targets.v[0].name) {
		kserv_value_sort(query->found[0].v[0]);
		print_document(query->found[0].v[0], query->format);
		return;
	}
	list = kserv_value_new(&tree, KSERV_VALUE_MAP);
	kserv_value_set(list, "apiVersion", kserv_value_new_string(&tree, "v1"));
	items = kserv_value_new(&tree, KSERV_VALUE_LIST);
	kserv_value_set(list, "items", items);
	for (i = 0; i < query->n_found; i++) {
		for (j = 0; j < query->found[i].n; j++) {
			kserv_value_sort(query->found[i].v[j]);
			kserv_value_append(items, query->found[i].v[j]);
		}
	}
	kserv_value_set(list, "kind", kserv_value_new_string(&tree, "List"));
	kserv_value_set(kserv_value_need_map(&tree, list, "metadata"), "resourceVersion",
			kserv_value_new_string(&tree, ""));
	print_document(list, query->format);
	kserv_tree_clear(&tree);
}

static void print_tables(const struct query *query)
{
	bool several = false, printed = false;
	size_t i;

	for (i = 1; i < query->n_found; i++)
		several |= query->found[i].kind != query->found[0].kind;
	for (i = 0; i < query->n_found; i++) {
		if (!query->found[i].n)
			continue;
		if (printed && several)
			putchar('\n');
		print_table(&query->found[i], query->format == OUTPUT_WIDE, several);
		printed = true;
	}
}

/* Names of one kind are rows of one table. */
static void merge_found(struct query *query)
{
	struct found *first = query->found, *found;
	size_t i, j;

	for (i = 1; i < query->n_found; i++) {
		found = &query->found[i];
		if (found->kind != first->kind)
			return;
		for (j = 0; j < found->n; j++) {
			first->v = kserv_must_grow(first->v, first->n, sizeof(*first->v));
			first->v[first->n++] = found->v[j];
		}
		found->n = 0;
	}
}

static enum exit_code get(struct query *query)
{
	size_t i, n = 0;

	if (open_cluster(false, &query->embedded))
		return REFUSED;
	for (i = 0; i < query->targets.n; i++)
		if (find(query, &query->targets.v[i]))
			return REFUSED;
	merge_found(query);
	for (i = 0; i < query->n_found; i++)
		n += query->found[i].n;
	if (query->format == OUTPUT_JSON || query->format == OUTPUT_YAML) {
		if (n || !query->missing)
			print_documents(query, n);
	} else if (query->format == OUTPUT_NAME) {
		print_names(query);
	} else {
		print_tables(query);
		if (!n && !query->missing && (all_namespaces || !query->targets.v[0].kind->namespaced))
			fputs("No resources found\n", stderr);
		else if (!n && !query->missing)
			fprintf(stderr, "No resources found in %s namespace.\n", chosen_namespace());
	}
	return query->missing ? REFUSED : DONE;
}

enum exit_code cmd_get(int argc, const char **argv)
{
	const unsigned int formats = 1U << OUTPUT_WIDE | 1U << OUTPUT_JSON | 1U << OUTPUT_YAML | 1U << OUTPUT_NAME;
	struct query query = { 0 };
	enum exit_code code = USAGE;

	if (!output_format(formats, &query.format) || !parse_targets(argc, argv, &query.targets))
		return USAGE;
	if (selector_text)
		query.selector = selector_parse(selector_text);
	if (query.selector && query.targets.v[0].name)
		usage_error("-l and names cannot be given together");
	else if (!selector_text || query.selector)
		code = get(&query);
	query_clear(&query);
	return code;
}
