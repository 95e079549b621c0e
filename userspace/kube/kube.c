// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "kube/reflector.h"
#include "kube/refusal.h"

#define PAGE		500
#define REQUEST_MS	30000
/* Of the answer to a single request. */
#define BODY_MAX	(16u << 20)

struct kserv_kube {
	struct kserv_access access;
	struct kserv_client *client;
	struct kserv_kube_times times;
	const struct kserv_kube_events *events;
	void *context;
	struct kserv_picture pictures[KSERV_KUBE_KINDS];
	struct kserv_reflector *reflectors[KSERV_KUBE_KINDS];
	struct kserv_kube_call *calls;
	unsigned int kinds, synced;
};

struct kserv_kube_call {
	struct kserv_client_call *call;
	struct kserv_text body;
	struct kserv_kube_call **from, *next;
	void (*done)(void *context, const struct kserv_kube_answer *answer);
	void *context;
};

static void set_times(struct kserv_kube_times *times, const struct kserv_kube_times *asked)
{
	static const struct kserv_kube_times usual = {
		.connect_ms = 10000, .head_ms = 60000, .list_silence_ms = 30000, .watch_silence_ms = 150000,
		.watch_seconds = 300, .backoff_min_ms = 800, .backoff_max_ms = 30000, .healthy_ms = 120000,
		.token_ms = 60000,
	};
	unsigned int *to = (unsigned int *)times;
	size_t i;

	*times = *asked;
	for (i = 0; i < sizeof(*times) / sizeof(*to); i++)
		if (!to[i])
			to[i] = ((const unsigned int *)&usual)[i];
}

static void on_synced(void *context, enum kserv_kube_kind kind)
{
	struct kserv_kube *kube = context;

	kube->synced |= KSERV_KUBE_KIND(kind);
	if (!kube->events->synced)
		return;
	kube->events->synced(kube->context, kind);
	if (kube->synced == kube->kinds)
		kube->events->synced(kube->context, KSERV_KUBE_KINDS);
}

static void on_state(void *context)
{
	struct kserv_kube *kube = context;

	if (kube->events->state)
		kube->events->state(kube->context);
}

static bool start_reflector(sd_event *loop, struct kserv_kube *kube, enum kserv_kube_kind kind,
			    const struct kserv_kube_options *options)
{
	struct kserv_reflector_options reflector = {
		.client = kube->client,
		.picture = &kube->pictures[kind],
		.times = &kube->times,
		.label_selector = options->label_selectors[kind],
		.field_selector = options->field_selectors[kind],
		.page = options->page ? options->page : PAGE,
		.no_stream = options->no_watch_list,
		.synced = on_synced,
		.state = on_state,
		.context = kube,
	};

	kube->pictures[kind].kind = kind;
	kube->pictures[kind].events = kube->events;
	kube->pictures[kind].context = kube->context;
	kube->reflectors[kind] = kserv_reflector_start(loop, &reflector);
	return kube->reflectors[kind];
}

int kserv_kube_start(sd_event *loop, const struct kserv_kube_options *options,
		     const struct kserv_kube_events *events, void *context, struct kserv_errors *errors,
		     struct kserv_kube **ret_kube)
{
	struct kserv_kube *kube = kserv_must_alloc(sizeof(*kube));
	const char *agent = options->user_agent ? options->user_agent : "kserv/" KSERV_VERSION;
	enum kserv_kube_kind kind;
	bool fine;
	int error;

	error = kserv_access_find(options->kubeconfig, options->context, options->server, options->service_account,
				  &kube->access, errors);
	if (error) {
		free(kube);
		return error;
	}
	set_times(&kube->times, &options->times);
	kube->events = events;
	kube->context = context;
	kube->kinds = options->kinds & (KSERV_KUBE_KIND(KSERV_KUBE_KINDS) - 1);
	kube->client = kserv_client_open(loop, &kube->access, agent, options->gzip, kube->times.token_ms * 1000ULL);
	fine = kube->client;
	for (kind = 0; fine && kind < KSERV_KUBE_KINDS; kind++)
		if (kube->kinds & KSERV_KUBE_KIND(kind))
			fine = start_reflector(loop, kube, kind, options);
	if (!fine) {
		kserv_kube_stop(kube);
		kserv_errors_add(errors, 0, 0, "", "the connection to the API server could not be set up in the loop");
		return -EINVAL;
	}
	*ret_kube = kube;
	return 0;
}

static void free_call(struct kserv_kube_call *call)
{
	*call->from = call->next;
	if (call->next)
		call->next->from = call->from;
	kserv_text_clear(&call->body);
	free(call);
}

void kserv_kube_stop(struct kserv_kube *kube)
{
	enum kserv_kube_kind kind;

	if (!kube)
		return;
	for (kind = 0; kind < KSERV_KUBE_KINDS; kind++) {
		kserv_reflector_stop(kube->reflectors[kind]);
		kserv_picture_clear(&kube->pictures[kind]);
	}
	kserv_client_close(kube->client);
	while (kube->calls)
		free_call(kube->calls);
	kserv_access_clear(&kube->access);
	free(kube);
}

void kserv_kube_cluster(const struct kserv_kube *kube, struct kserv_cluster *cluster)
{
	const struct kserv_picture *pictures = kube->pictures;

	cluster->services = (void *)pictures[KSERV_KUBE_SERVICES].v;
	cluster->n_services = pictures[KSERV_KUBE_SERVICES].n;
	cluster->slices = (void *)pictures[KSERV_KUBE_SLICES].v;
	cluster->n_slices = pictures[KSERV_KUBE_SLICES].n;
	cluster->nodes = (void *)pictures[KSERV_KUBE_NODES].v;
	cluster->n_nodes = pictures[KSERV_KUBE_NODES].n;
	cluster->namespaces = (void *)pictures[KSERV_KUBE_NAMESPACES].v;
	cluster->n_namespaces = pictures[KSERV_KUBE_NAMESPACES].n;
	cluster->pods = (void *)pictures[KSERV_KUBE_PODS].v;
	cluster->n_pods = pictures[KSERV_KUBE_PODS].n;
}

union kserv_kube_object kserv_kube_find(const struct kserv_kube *kube, enum kserv_kube_kind kind,
					const char *namespace, const char *name)
{
	return (union kserv_kube_object){ .meta = kserv_picture_find(&kube->pictures[kind], namespace, name) };
}

bool kserv_kube_is_synced(const struct kserv_kube *kube)
{
	return kube->synced == kube->kinds;
}

const char *kserv_kube_namespace(const struct kserv_kube *kube)
{
	return kube->access.namespace;
}

const char *kserv_kube_phase_name(enum kserv_kube_phase phase)
{
	static const char *const names[] = {
		[KSERV_KUBE_OFF] = "off", [KSERV_KUBE_LISTING] = "listing",
		[KSERV_KUBE_WATCHING] = "watching", [KSERV_KUBE_WAITING] = "waiting",
	};

	return names[phase];
}

void kserv_kube_state(const struct kserv_kube *kube, struct kserv_kube_state *ret)
{
	const struct kserv_kube_kind_state *newest = NULL;
	enum kserv_kube_kind kind;

	*ret = (struct kserv_kube_state){
		.server = kube->access.server,
		.connected = true,
		.synced = kserv_kube_is_synced(kube),
		.error = "",
	};
	for (kind = 0; kind < KSERV_KUBE_KINDS; kind++) {
		struct kserv_kube_kind_state *state = &ret->kinds[kind];

		state->resource = kserv_kube_resources[kind].name;
		state->resource_version = state->error = "";
		if (!kube->reflectors[kind])
			continue;
		kserv_reflector_state(kube->reflectors[kind], state);
		if (state->event_us > ret->event_us)
			ret->event_us = state->event_us;
		if (*state->error && (!newest || state->error_us > newest->error_us))
			newest = state;
		ret->connected = ret->connected && state->phase == KSERV_KUBE_WATCHING;
	}
	if (newest)
		ret->error = newest->error;
}

static int on_bytes(void *context, const char *bytes, size_t len)
{
	struct kserv_kube_call *call = context;

	if (call->body.len + len > BODY_MAX)
		return -EMSGSIZE;
	kserv_text_add_bytes(&call->body, bytes, len);
	return 0;
}

static void on_done(void *context, const struct kserv_http_end *end)
{
	struct kserv_kube_call *call = context;
	struct kserv_kube_answer answer = {
		.error = end->error,
		.status = end->status,
		.why = end->error ? end->why : "",
		.reason = "",
		.body = call->body.s ? call->body.s : end->body,
		.body_len = call->body.s ? call->body.len : end->body_len,
		.retry_after = end->retry_after,
	};
	struct kserv_refusal refusal = { 0 };

	if (!end->error && (end->status < 200 || end->status > 299)) {
		kserv_refusal_read_body(end->status, end->body, end->body_len, &refusal);
		answer.why = refusal.sentence;
		answer.reason = refusal.reason;
		if (!answer.retry_after)
			answer.retry_after = refusal.retry_after;
	}
	call->done(call->context, &answer);
	kserv_refusal_clear(&refusal);
	free_call(call);
}

static const char *usual_type(const struct kserv_kube_request *request)
{
	if (request->content_type)
		return request->content_type;
	return strcmp(request->method, "PATCH") ? "application/json" : "application/merge-patch+json";
}

struct kserv_kube_call *kserv_kube_request(struct kserv_kube *kube, const struct kserv_kube_request *request,
					   void (*done)(void *context, const struct kserv_kube_answer *answer),
					   void *context)
{
	struct kserv_kube_call *call = kserv_must_alloc(sizeof(*call));
	struct kserv_http_request http = {
		.method = request->method,
		.path = request->path,
		.content_type = usual_type(request),
		.body = request->body,
		.body_len = request->body_len,
		.connect_ms = kube->times.connect_ms,
		.total_ms = request->timeout_ms ? request->timeout_ms : REQUEST_MS,
		.data = on_bytes,
		.done = on_done,
		.context = call,
	};

	call->done = done;
	call->context = context;
	call->from = &kube->calls;
	call->next = kube->calls;
	if (call->next)
		call->next->from = &call->next;
	kube->calls = call;
	call->call = kserv_client_start(kube->client, &http);
	return call;
}

void kserv_kube_cancel(struct kserv_kube_call *call)
{
	kserv_client_cancel(call->call);
	free_call(call);
}
