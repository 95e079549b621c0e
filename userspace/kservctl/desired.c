// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "control/client.h"
#include "kservctl/desired.h"
#include "plan/plan.h"
#include "sync/reserve.h"
#include "sync/sync.h"

static char *namespace_text, *store_path, *config_path, *socket_path;
static const char **set_texts;

struct poptOption socket_options[] = {
	{ "socket", '\0', POPT_ARG_STRING, &socket_path, 0,
	  "of the daemon that serves the cluster (KSERV_SOCKET, or " KSERV_CONTROL_PATH ")", "FILE" },
	POPT_TABLEEND
};

struct poptOption cluster_options[] = {
	{ "namespace", 'n', POPT_ARG_STRING, &namespace_text, 0, "namespace of objects that name none (default)",
	  "NAMESPACE" },
	{ "store", '\0', POPT_ARG_STRING, &store_path, 0,
	  "file of the embedded cluster (KSERV_STORE, or /var/lib/kserv/store.db)", "FILE" },
	{ "config", '\0', POPT_ARG_STRING, &config_path, 0,
	  "its configuration (KSERV_CONFIG, or /etc/kserv/kserv.yaml)", "FILE" },
	{ "set", '\0', POPT_ARG_ARGV, &set_texts, 0,
	  "a field of the configuration, before what the file says: --set hostnameOverride=node1", "FIELD=VALUE" },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, socket_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char *chosen_namespace(void)
{
	return namespace_text ? namespace_text : "default";
}

bool namespace_given(void)
{
	return namespace_text != NULL;
}

static const char *option_or_environment(const char *option, const char *variable)
{
	const char *value = option ? option : getenv(variable);

	return value && *value ? value : NULL;
}

const char *daemon_socket(void)
{
	const char *given = option_or_environment(socket_path, "KSERV_SOCKET");
	static const char *found;
	static bool known;

	if (known)
		return found;
	known = true;
	if (given)
		found = given;
	else if (!option_or_environment(store_path, "KSERV_STORE") && kserv_control_is_there(KSERV_CONTROL_PATH))
		found = KSERV_CONTROL_PATH;
	return found;
}

/* What goes before the configuration file: first the node's name from the environment, then the options. */
static struct kserv_strings gather_sets(void)
{
	const char *name = option_or_environment(NULL, "KSERV_NODE_NAME"), **set;
	struct kserv_strings sets = { 0 };
	char *text;

	if (name) {
		text = kserv_must_printf("hostnameOverride=\"%s\"", name);
		kserv_strings_add(&sets, text);
		free(text);
	}
	for (set = set_texts; set && *set; set++)
		kserv_strings_add(&sets, *set);
	sets.v = kserv_must_grow(sets.v, sets.n, sizeof(*sets.v));
	sets.v[sets.n] = NULL;
	return sets;
}

/* The daemon has the store open, and its own configuration. */
static enum exit_code open_remote(struct kserv_embedded *ret)
{
	*ret = (struct kserv_embedded){ 0 };
	if (!config_path && !set_texts)
		return DONE;
	kserv_log_error("%s means nothing to the daemon at %s, which has its own configuration; --store works without it",
			config_path ? "--config" : "--set", daemon_socket());
	return REFUSED;
}

enum exit_code open_cluster(bool create, struct kserv_embedded *ret)
{
	struct kserv_errors errors = { 0 };
	struct kserv_strings sets;
	int error;
	size_t i;

	if (daemon_socket())
		return open_remote(ret);
	sets = gather_sets();
	error = kserv_embedded_open(ret, option_or_environment(config_path, "KSERV_CONFIG"),
				    (const char *const *)sets.v, option_or_environment(store_path, "KSERV_STORE"),
				    create, &errors);
	for (i = 0; i < sets.n; i++)
		free(sets.v[i]);
	free(sets.v);
	if (!error)
		return DONE;
	print_errors(&errors);
	kserv_embedded_close(ret);
	return REFUSED;
}

static int compare_errors(const void *a, const void *b)
{
	const struct kserv_error *x = a, *y = b;
	int order = strcmp(x->source, y->source);

	if (order)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

void print_errors(struct kserv_errors *errors)
{
	char *line;
	size_t i;

	if (errors->n)
		qsort(errors->v, errors->n, sizeof(*errors->v), compare_errors);
	for (i = 0; i < errors->n; i++) {
		line = kserv_error_format(&errors->v[i]);
		/* An error with a place begins with it, as compilers write them; others with the program's name. */
		if (*errors->v[i].source)
			fprintf(stderr, "%s\n", line);
		else
			kserv_log_error("%s", line);
		free(line);
	}
	if (errors->more)
		kserv_log_error("and %zu more errors", errors->more);
	kserv_errors_clear(errors);
}

void print_warnings(struct kserv_warnings *warnings)
{
	size_t i;

	for (i = 0; i < warnings->n; i++)
		kserv_log_warning("%s: %s", warnings->v[i].object, warnings->v[i].text);
	kserv_warnings_clear(warnings);
}

int make_tables(struct kserv_embedded *embedded, bool warn, struct kserv_tables *ret)
{
	struct kserv_warnings warnings = { 0 };
	struct kserv_errors errors = { 0 };
	struct kserv_cluster cluster;
	int error = kserv_embedded_cluster(embedded, &cluster, &errors);

	if (error) {
		print_errors(&errors);
		return error;
	}
	error = kserv_plan(&cluster, ret, &warnings);
	if (error)
		failed(error);
	if (warn)
		print_warnings(&warnings);
	else
		kserv_warnings_clear(&warnings);
	kserv_cluster_clear(&cluster);
	return error;
}

static enum exit_code send_tables(const struct kserv_tables *tables, struct programmed *ret)
{
	struct kserv_sync_result result = { 0 };
	struct kserv_nl_error words = { 0 };
	struct kserv_nl *nl;
	int error = kserv_nl_open(&nl, &words);

	if (error == -ENOENT) {
		kserv_log_warning("%s", words.text);
		return NO_MODULE;
	}
	if (error)
		return refused(error, &words);
	error = kserv_sync(nl, tables, &result, &words);
	kserv_nl_close(nl);
	if (error) {
		refused(error, &words);
		return REFUSED;
	}
	*ret = (struct programmed){ .done = true, .generation = result.generation, .duration_us = result.duration_us };
	return DONE;
}

/* No socket of the node may get a node port by chance: it would be taken for the Service's. */
static void reserve_node_ports(const struct kserv_embedded *embedded)
{
	const struct kserv_allocator_limits *limits = &embedded->config.limits;
	int error = kserv_reserve_ports(limits->node_port_min, limits->node_port_max);

	if (error)
		kserv_log_warning("the node ports %u-%u could not be kept from local sockets "
				  "(net.ipv4.ip_local_reserved_ports): %s", limits->node_port_min, limits->node_port_max,
				  strerror(-error));
}

enum exit_code program_kernel(struct kserv_embedded *embedded, struct programmed *ret)
{
	struct kserv_tables tables = { 0 };
	enum exit_code code;

	*ret = (struct programmed){ 0 };
	if (make_tables(embedded, true, &tables))
		return REFUSED;
	code = send_tables(&tables, ret);
	kserv_tables_clear(&tables);
	if (code == DONE)
		reserve_node_ports(embedded);
	return code;
}

/* The store could not keep what the kernel was told already: tell it what the store holds. */
static void undo_kernel(struct kserv_embedded *embedded)
{
	struct kserv_tables tables = { 0 };
	struct programmed unused;

	if (make_tables(embedded, false, &tables))
		return;
	if (send_tables(&tables, &unused) != DONE)
		kserv_log_error("the kernel was not set back either; "
				"kservctl sync does that once the store can be read");
	kserv_tables_clear(&tables);
}

enum exit_code commit_cluster(struct kserv_embedded *embedded, const struct programmed *programmed)
{
	struct kserv_errors errors = { 0 };

	if (!kserv_embedded_commit(embedded, &errors))
		return DONE;
	print_errors(&errors);
	if (programmed->done)
		undo_kernel(embedded);
	return REFUSED;
}

void print_summary(const struct kserv_changes *changes, const struct programmed *programmed)
{
	size_t i, changed = 0;

	for (i = 0; i < changes->n; i++)
		changed += changes->v[i].verb != KSERV_UNCHANGED;
	printf("%zu object%s, %zu changed", changes->n, changes->n == 1 ? "" : "s", changed);
	if (programmed->done)
		printf("; kernel generation %u in %.1f ms", programmed->generation, programmed->duration_us / 1000.0);
	putchar('\n');
}

char *object_word(const struct kserv_kind *kind, const char *name)
{
	const char *slash = strchr(kind->api_version, '/');
	size_t len = slash ? (size_t)(slash - kind->api_version) : 0;

	return kserv_must_printf("%s%s%.*s/%s", kind->singular, len ? "." : "", (int)len, kind->api_version, name);
}

static char *write_age(long long seconds)
{
	static const struct { long long below, unit, part; const char *units; } steps[] = {
		{ 120, 1, 0, "s" }, { 600, 60, 1, "ms" }, { 3 * 3600, 60, 0, "m" }, { 8 * 3600, 3600, 60, "hm" },
		{ 48 * 3600, 3600, 0, "h" }, { 8 * 86400, 86400, 3600, "dh" }, { 2 * 365 * 86400LL, 86400, 0, "d" },
		{ 8 * 365 * 86400LL, 365 * 86400LL, 86400, "yd" },
	};
	long long rest;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (seconds >= steps[i].below)
			continue;
		rest = steps[i].part ? seconds % steps[i].unit / steps[i].part : 0;
		if (rest)
			return kserv_must_printf("%lld%c%lld%c", seconds / steps[i].unit, steps[i].units[0], rest,
						 steps[i].units[1]);
		return kserv_must_printf("%lld%c", seconds / steps[i].unit, steps[i].units[0]);
	}
	return kserv_must_printf("%lldy", seconds / (365 * 86400));
}

char *age_of(const struct kserv_value *object)
{
	struct tm tm = { 0 };
	const char *text = kserv_value_string(object, "metadata.creationTimestamp");
	long long seconds;

	if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return kserv_must_strdup("<unknown>");
	seconds = time(NULL) - timegm(&tm);
	return write_age(seconds < 0 ? 0 : seconds);
}
