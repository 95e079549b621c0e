// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cluster/emit.h"
#include "kservd/daemon.h"
#include "kservd/report.h"
#include "lib/dump.h"
#include "sync/compare.h"

/* A document in the making. */
struct report {
	struct kserv_tree tree;
	struct kserv_value *root, *degraded;	/* @degraded: sentences */
};

static void put_string(struct report *report, struct kserv_value *map, const char *key, const char *text)
{
	kserv_value_set(map, key, kserv_value_new_string(&report->tree, text));
}

static void put_int(struct report *report, struct kserv_value *map, const char *key, int64_t number)
{
	kserv_value_set(map, key, kserv_value_new_int(&report->tree, number));
}

static void put_time(struct report *report, struct kserv_value *map, const char *key, const struct timespec *time)
{
	char text[40];
	struct tm tm;

	gmtime_r(&time->tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_string(report, map, key, text);
}

/* The loop's time is that of its last turn, and so may be before @time. */
static uint64_t since(const struct daemon *daemon, uint64_t time)
{
	uint64_t now = daemon_now(daemon);

	return now > time ? now - time : 0;
}

static void degrade(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void degrade(struct report *report, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = kserv_must_vprintf(format, args);
	va_end(args);
	kserv_value_append(report->degraded, kserv_value_new_string(&report->tree, text));
	free(text);
}

static void add_kind(struct report *report, struct kserv_value *list, const struct kserv_kube_kind_state *kind)
{
	struct kserv_value *map = kserv_value_new(&report->tree, KSERV_VALUE_MAP);

	kserv_value_append(list, map);
	put_string(report, map, "resource", kind->resource);
	put_string(report, map, "phase", kserv_kube_phase_name(kind->phase));
	put_int(report, map, "objects", kind->objects);
	put_int(report, map, "lists", kind->lists);
	put_int(report, map, "watches", kind->watches);
	put_int(report, map, "failures", kind->failures);
	if (*kind->error)
		degrade(report, "%s: %s", kind->resource, kind->error);
}

static void add_api(struct daemon *daemon, struct report *report, struct kserv_value *source)
{
	struct kserv_value *list = kserv_value_new(&report->tree, KSERV_VALUE_LIST);
	struct kserv_kube_state state;
	size_t i;

	kserv_kube_state(daemon->kube, &state);
	put_string(report, source, "kind", "api");
	put_string(report, source, "server", state.server);
	kserv_value_set(source, "connected", kserv_value_new_bool(&report->tree, state.connected));
	if (state.event_us)
		put_int(report, source, "lastEventMs", since(daemon, state.event_us) / 1000);
	for (i = 0; i < KSERV_KUBE_KINDS; i++)
		if (state.kinds[i].phase != KSERV_KUBE_OFF)
			add_kind(report, list, &state.kinds[i]);
	kserv_value_set(source, "kinds", list);
	if (!state.connected)
		degrade(report, "not all objects are being watched at %s", state.server);
}

static void add_source(struct daemon *daemon, struct report *report)
{
	struct kserv_value *source = kserv_value_need_map(&report->tree, report->root, "source");
	const struct model *model = &daemon->model;

	if (daemon->kube) {
		add_api(daemon, report, source);
	} else {
		put_string(report, source, "kind", "embedded");
		put_string(report, source, "store", daemon->options.store);
	}
	put_int(report, source, "services", HASH_COUNT(model->entries));
	put_int(report, source, "slices", HASH_COUNT(model->slices));
	put_int(report, source, "nodes", model->cluster.n_nodes);
	put_int(report, source, "changes", model->service_changes + model->slice_changes);
	if (!model->is_complete)
		degrade(report, "not all objects have come yet; nothing is programmed before");
}

static void add_sync(struct daemon *daemon, struct report *report)
{
	struct kserv_value *sync = kserv_value_need_map(&report->tree, report->root, "sync");
	const struct window *window = &daemon->window;
	uint64_t lag = window->first ? since(daemon, window->first) : 0;

	put_int(report, sync, "pendingServices", daemon->model.services_pending);
	put_int(report, sync, "pendingSlices", daemon->model.slices_pending);
	put_int(report, sync, "lagUs", lag);
	put_int(report, sync, "failures", daemon->metrics.syncs_failed);
	put_int(report, sync, "lastDurationUs", daemon->program.last.duration_us);
	kserv_value_set(sync, "lastWasFull", kserv_value_new_bool(&report->tree, daemon->program.last_was_full));
	if (daemon->metrics.synced)
		put_time(report, sync, "lastTime", &daemon->updated);
	if (daemon->program.error[0])
		degrade(report, "the kernel could not be programmed: %s", daemon->program.error);
	if (!daemon_is_healthy(daemon))
		degrade(report, "changes have waited for %llu s", (unsigned long long)lag / 1000000);
}

static void add_kernel(struct daemon *daemon, struct report *report)
{
	struct kserv_value *kernel = kserv_value_need_map(&report->tree, report->root, "kernel");
	struct kserv_nl *nl = program_nl(&daemon->program);
	struct kserv_status status;

	if (!nl || kserv_dump_status(nl, NULL, &status, NULL))
		return;
	put_string(report, kernel, "version", status.version);
	put_int(report, kernel, "generation", status.generation);
	put_int(report, kernel, "services", status.services);
	put_int(report, kernel, "frontends", status.frontends);
	put_int(report, kernel, "endpoints", status.endpoints);
	put_int(report, kernel, "routes", status.routes);
	put_int(report, kernel, "flows", status.flows);
	put_int(report, kernel, "sessions", status.sessions);
	if (strcmp(status.version, KSERV_VERSION))
		degrade(report, "the module is of version %s, this daemon of %s", status.version, KSERV_VERSION);
	if (daemon->program.is_known && status.generation != daemon->program.generation)
		degrade(report, "somebody else changed the kernel's tables; they will be set right within %llu s",
			(unsigned long long)daemon->options.sync_period_us / 1000000);
}

static void add_refused(struct daemon *daemon, struct report *report)
{
	const struct entry *entry;

	for (entry = daemon->model.entries; entry; entry = entry->hh.next)
		if (entry->refused)
			degrade(report, "Service %s: the kernel does not take it: %s", entry->name, entry->refused);
	if (checks_failed(daemon->checks))
		degrade(report, "%zu health-check node ports cannot be listened on", checks_failed(daemon->checks));
}

void report_status(struct daemon *daemon, struct kserv_text *text)
{
	struct report report = { 0 };
	struct timespec started = { .tv_sec = daemon->metrics.started };

	report.root = report.tree.root = kserv_value_new(&report.tree, KSERV_VALUE_MAP);
	report.degraded = kserv_value_new(&report.tree, KSERV_VALUE_LIST);
	put_string(&report, report.root, "version", KSERV_VERSION);
	put_int(&report, report.root, "pid", getpid());
	put_time(&report, report.root, "started", &started);
	put_string(&report, report.root, "node", daemon->model.cluster.settings.node_name);
	add_source(daemon, &report);
	add_sync(daemon, &report);
	add_kernel(daemon, &report);
	add_refused(daemon, &report);
	put_int(&report, report.root, "healthChecks", checks_count(daemon->checks));
	kserv_value_set(report.root, "degraded", report.degraded);
	kserv_emit_json(text, report.root, 2);
	kserv_text_add(text, "\n");
	kserv_tree_clear(&report.tree);
}

/* The model's objects as plan takes them; only the arrays of services and slices are the caller's. */
static struct kserv_cluster model_objects(const struct model *model)
{
	struct kserv_cluster cluster = model->cluster;
	const struct entry *entry;
	size_t i;

	cluster.services = NULL;
	cluster.slices = NULL;
	for (entry = model->entries; entry; entry = entry->hh.next) {
		if (!entry->service)
			continue;
		cluster.services = kserv_must_grow(cluster.services, cluster.n_services, sizeof(*cluster.services));
		cluster.services[cluster.n_services++] = (struct kserv_k8s_service *)entry->service;
		for (i = 0; i < entry->n_slices; i++) {
			cluster.slices = kserv_must_grow(cluster.slices, cluster.n_slices, sizeof(*cluster.slices));
			cluster.slices[cluster.n_slices++] = entry->slices[i];
		}
	}
	return cluster;
}

static int plan_model(const struct model *model, struct kserv_tables *ret)
{
	struct kserv_cluster cluster = model_objects(model);
	int error = kserv_plan(&cluster, ret, NULL);

	free(cluster.services);
	free(cluster.slices);
	return error;
}

static void add_difference(void *context, const char *sentence)
{
	struct report *report = context;

	kserv_value_append(report->degraded, kserv_value_new_string(&report->tree, sentence));
}

static int find_differences(struct daemon *daemon, struct report *report, struct kserv_nl_error *ret_error)
{
	struct kserv_tables desired = { 0 }, actual = { 0 };
	struct kserv_nl *nl = program_nl(&daemon->program);
	int error = nl ? kserv_dump(nl, KSERV_DUMP_ALL, NULL, &actual, ret_error) : -errno;

	if (error)
		return error;
	error = plan_model(&daemon->model, &desired);
	if (!error)
		error = kserv_sync_compare(&desired, &actual, add_difference, report);
	put_int(report, report->root, "generation", actual.generation);
	kserv_tables_clear(&desired);
	kserv_tables_clear(&actual);
	return error;
}

int report_differences(struct daemon *daemon, struct kserv_text *text, struct kserv_nl_error *ret_error)
{
	struct report report = { 0 };
	int error;

	report.root = report.tree.root = kserv_value_new(&report.tree, KSERV_VALUE_MAP);
	report.degraded = kserv_value_new(&report.tree, KSERV_VALUE_LIST);
	error = find_differences(daemon, &report, ret_error);
	/* Before all objects are known nothing is programmed. */
	if (!error && !daemon->model.is_complete) {
		snprintf(ret_error->text, sizeof(ret_error->text), "not all objects have come yet");
		error = -EAGAIN;
	}
	if (!error) {
		kserv_value_set(report.root, "differences", report.degraded);
		kserv_emit_json(text, report.root, 2);
		kserv_text_add(text, "\n");
	}
	kserv_tree_clear(&report.tree);
	return error;
}
