// SPDX-License-Identifier: GPL-2.0
/* The Kubernetes API as the source of the model, and the place where events are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "kservd/daemon.h"
#include "lib/log.h"

/* Events that may be told at once, and how long it takes until one more may: a storm is no use to anybody. */
#define EVENTS_BURST	25
#define EVENT_EVERY_US	10000000ULL

static void changed_service(struct model *model, union kserv_kube_object old, union kserv_kube_object new)
{
	if (new.service)
		kserv_model_set_service(model, new.service);
	else
		kserv_model_delete_service(model, old.meta->namespace, old.meta->name);
}

static void changed_slice(struct model *model, union kserv_kube_object old, union kserv_kube_object new)
{
	if (new.slice)
		kserv_model_set_slice(model, new.slice);
	else
		kserv_model_delete_slice(model, old.meta->namespace, old.meta->name);
}

static void changed_node(struct model *model, union kserv_kube_object old, union kserv_kube_object new)
{
	if (new.node)
		kserv_model_set_node(model, new.node);
	else
		kserv_model_delete_node(model, old.meta->name);
}

static void changed(void *context, enum kserv_kube_kind kind, union kserv_kube_object old, union kserv_kube_object new)
{
	const struct kserv_meta *meta = new.meta ? new.meta : old.meta;
	struct daemon *daemon = context;

	if (names_changed(daemon, kind, old, new))
		kserv_model_delete_slice(&daemon->model, meta->namespace, meta->name);
	else if (kind == KSERV_KUBE_SERVICES)
		changed_service(&daemon->model, old, new);
	else if (kind == KSERV_KUBE_SLICES)
		changed_slice(&daemon->model, old, new);
	else if (kind == KSERV_KUBE_NODES)
		changed_node(&daemon->model, old, new);
	if (kind == KSERV_KUBE_NODES)
		podnet_touch(daemon);
	names_follow(daemon, kind, meta);
	balance_touch(daemon);
	bgp_touch(daemon);
}

static void synced(void *context, enum kserv_kube_kind kind)
{
	struct daemon *daemon = context;

	if (kind != KSERV_KUBE_KINDS)
		return;
	kserv_log_note("all objects have come from the API server: %u Services, %u EndpointSlices, %zu Nodes",
		       HASH_COUNT(daemon->model.entries), HASH_COUNT(daemon->model.slices),
		       daemon->model.cluster.n_nodes);
	names_synced(daemon);
	kserv_model_complete(&daemon->model);
	podnet_touch(daemon);
	balance_touch(daemon);
	bgp_touch(daemon);
}

/* An error is said when it is new, and when it is over. */
static void state_changed(void *context)
{
	struct daemon *daemon = context;
	struct kserv_kube_state state;

	kserv_kube_state(daemon->kube, &state);
	if (!strcmp(state.error, daemon->api_error))
		return;
	if (*state.error)
		kserv_log_warning("%s: %s", state.server, state.error);
	else
		kserv_log_note("%s: in step again", state.server);
	snprintf(daemon->api_error, sizeof(daemon->api_error), "%s", state.error);
}

static const struct kserv_kube_events events = { .changed = changed, .synced = synced, .state = state_changed };

int api_start(struct daemon *daemon, struct kserv_errors *errors)
{
	const struct kserv_kube_options options = {
		.kubeconfig = daemon->options.kubeconfig,
		.server = daemon->options.server,
		.user_agent = "kservd/" KSERV_VERSION,
		.kinds = KSERV_KUBE_KIND(KSERV_KUBE_SERVICES) | KSERV_KUBE_KIND(KSERV_KUBE_SLICES) |
			 KSERV_KUBE_KIND(KSERV_KUBE_NODES) | names_kinds(daemon),
	};
	struct kserv_settings settings;

	kserv_embedded_config_settings(&daemon->options.config, &settings);
	kserv_model_set_settings(&daemon->model, &settings);
	return kserv_kube_start(daemon->loop, &options, &events, daemon, errors, &daemon->kube);
}

void api_stop(struct daemon *daemon)
{
	kserv_kube_stop(daemon->kube);
	daemon->kube = NULL;
}

static void put(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *text)
{
	kserv_value_set(map, key, kserv_value_new_string(tree, text));
}

/* The body of an Event about a Service, as v1 has it. */
static void write_event(struct daemon *daemon, const struct kserv_meta *meta, const char *reason, const char *text,
			struct kserv_text *body)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *root = tree.root = kserv_value_new(&tree, KSERV_VALUE_MAP), *map;
	char now[40], *prefix = kserv_must_printf("%.200s.", meta->name);
	time_t seconds = time(NULL);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put(&tree, root, "apiVersion", "v1");
	put(&tree, root, "kind", "Event");
	map = kserv_value_need_map(&tree, root, "metadata");
	put(&tree, map, "generateName", prefix);
	put(&tree, map, "namespace", meta->namespace);
	map = kserv_value_need_map(&tree, root, "involvedObject");
	put(&tree, map, "apiVersion", "v1");
	put(&tree, map, "kind", "Service");
	put(&tree, map, "namespace", meta->namespace);
	put(&tree, map, "name", meta->name);
	put(&tree, map, "uid", meta->uid);
	map = kserv_value_need_map(&tree, root, "source");
	put(&tree, map, "component", "kservd");
	put(&tree, map, "host", daemon->model.cluster.settings.node_name);
	put(&tree, root, "type", "Warning");
	put(&tree, root, "reason", reason);
	put(&tree, root, "message", text);
	put(&tree, root, "firstTimestamp", now);
	put(&tree, root, "lastTimestamp", now);
	kserv_value_set(root, "count", kserv_value_new_int(&tree, 1));
	kserv_emit_json(body, root, 0);
	kserv_tree_clear(&tree);
	free(prefix);
}

static void event_done(void *context, const struct kserv_kube_answer *answer)
{
	(void)context;
	if (*answer->why)
		kserv_log_note("an event could not be told: %s", answer->why);
}

static bool may_tell(struct daemon *daemon)
{
	uint64_t now = daemon_now(daemon);

	if (daemon->events_from + EVENTS_BURST * EVENT_EVERY_US < now)
		daemon->events_from = now - EVENTS_BURST * EVENT_EVERY_US;
	if (daemon->events_from + EVENT_EVERY_US > now)
		return false;
	daemon->events_from += EVENT_EVERY_US;
	return true;
}

void api_tell(struct daemon *daemon, const char *service, const char *reason, const char *text)
{
	const struct entry *entry = kserv_model_find(&daemon->model, service);
	struct kserv_kube_request request = { .method = "POST" };
	struct kserv_text body = { 0 };
	char *path;

	if (!daemon->kube || !entry || !entry->service || !may_tell(daemon))
		return;
	path = kserv_must_printf("/api/v1/namespaces/%s/events", entry->service->meta.namespace);
	write_event(daemon, &entry->service->meta, reason, text, &body);
	request.path = path;
	request.body = body.s;
	request.body_len = body.len;
	kserv_kube_request(daemon->kube, &request, event_done, daemon);
	kserv_text_clear(&body);
	free(path);
}
