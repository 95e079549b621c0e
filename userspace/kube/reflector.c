// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "cluster/json.h"
#include "kube/reflector.h"
#include "kube/refusal.h"
#include "kube/split.h"

/* A WATCH that ends so soon and brought nothing has failed. */
#define SHORT_WATCH_US	1000000
/* A field selector that no object matches. */
#define NOTHING		"metadata.name=kserv-asks-where-the-server-is"

/* How often another request follows a refusal at once before an event has shown that it helped. */
#define AT_ONCE_MAX	4

/* What is asked just now; @NOTHING_ASKED while we wait for the timer. */
enum request { NOTHING_ASKED, LIST, STREAM, PROBE, WATCH };

/**
 * struct kserv_reflector - one kind
 * @version: up to where the picture is in step; NULL before the first
 * @page_token: of the next page of a list
 * @must_list: the history from @version on is lost
 * @must_probe: a WATCH from a version that the server has not reached yet would be silent instead of an error, so
 *	after anything odd ask first whether it has
 * @is_consistent: lists ask for the newest state; otherwise for one not older than @version, which is cheaper
 * @is_whole: lists are not asked for in pages, since a page came too late
 * @no_stream: the server has no streaming lists
 * @left_out: @error is about an object that could not be read since the last list
 * @fresh: the next request takes a new connection
 * @refused: the server sent an ERROR event
 * @why: what is wrong with what the server sends, once @data has refused it
 * @events: of this WATCH
 * @at_once: requests that followed a refusal without a pause
 */
struct kserv_reflector {
	struct kserv_reflector_options options;
	const struct kserv_kube_resource *resource;
	sd_event *loop;
	sd_event_source *timer;
	struct kserv_client_call *call;
	enum request request;

	char *version, *page_token;
	bool must_list, must_probe, is_consistent, is_whole, no_stream, left_out, fresh;

	struct kserv_split split;
	struct kserv_refusal refusal;
	bool refused;
	char *why;
	uint64_t begun_us, ends_us, events;
	unsigned int at_once;

	uint64_t backoff_us, failed_us;
	enum kserv_kube_phase phase;
	bool synced;
	char *error;
	uint64_t error_us, event_us;
	uint64_t lists, watches, received, failures;
};

static void next(struct kserv_reflector *reflector);

static uint64_t now_us(const struct kserv_reflector *reflector)
{
	uint64_t now = 0;

	sd_event_now(reflector->loop, CLOCK_MONOTONIC, &now);
	return now;
}

/* From 0 to @below, so that many nodes do not ask at the same moment. */
static uint64_t by_chance(uint64_t below)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = 0;
	return below ? random % below : 0;
}

static void set_phase(struct kserv_reflector *reflector, enum kserv_kube_phase phase)
{
	if (reflector->phase == phase)
		return;
	reflector->phase = phase;
	if (reflector->options.state)
		reflector->options.state(reflector->options.context);
}

static void set_version(struct kserv_reflector *reflector, const char *version)
{
	if (!*version || (reflector->version && !strcmp(reflector->version, version)))
		return;
	free(reflector->version);
	reflector->version = kserv_must_strdup(version);
}

static void set_error(struct kserv_reflector *reflector, const char *sentence)
{
	free(reflector->error);
	reflector->error = kserv_must_strdup(sentence);
	reflector->error_us = now_us(reflector);
}

/* In step again. */
static void set_healthy(struct kserv_reflector *reflector)
{
	if (!reflector->left_out && *reflector->error)
		set_error(reflector, "");
	reflector->must_list = reflector->must_probe = reflector->is_consistent = reflector->is_whole = false;
	set_phase(reflector, KSERV_KUBE_WATCHING);
}

static void wait_us(struct kserv_reflector *reflector, uint64_t us)
{
	sd_event_source_set_time_relative(reflector->timer, us);
	sd_event_source_set_enabled(reflector->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *context)
{
	(void)source;
	(void)usec;
	next(context);
	return 0;
}

/* Try again after a pause; @retry_after in seconds is what the server asks for, or 0. */
static void fail(struct kserv_reflector *reflector, const char *sentence, unsigned int retry_after)
{
	const struct kserv_kube_times *times = reflector->options.times;
	uint64_t now = now_us(reflector), pause;

	if (!reflector->failed_us || now - reflector->failed_us > times->healthy_ms * 1000ULL)
		reflector->backoff_us = times->backoff_min_ms * 1000ULL;
	pause = reflector->backoff_us + by_chance(reflector->backoff_us);
	if (pause < retry_after * 1000000ULL)
		pause = retry_after * 1000000ULL + by_chance(reflector->backoff_us);
	reflector->backoff_us *= 2;
	if (reflector->backoff_us > times->backoff_max_ms * 1000ULL)
		reflector->backoff_us = times->backoff_max_ms * 1000ULL;
	reflector->failed_us = now;
	reflector->failures++;
	set_error(reflector, sentence);
	reflector->phase = KSERV_KUBE_WAITING;
	wait_us(reflector, pause);
	if (reflector->options.state)
		reflector->options.state(reflector->options.context);
}

/* Reading objects */

/* Remember the end of a sentence about what the server sent. */
static int refuse(struct kserv_reflector *reflector, const char *what, const char *why)
{
	free(reflector->why);
	reflector->why = kserv_must_printf("%s of %s: %s", what, reflector->resource->name, why);
	return -EBADMSG;
}

/*
 * An object that cannot be read does not keep us from the others. Return: false, with the error noted, for such a one.
 */
static bool read_object(struct kserv_reflector *reflector, struct kserv_tree *tree, const char *json, size_t len)
{
	struct kserv_errors errors = { 0 };
	char *sentence;

	reflector->received++;
	reflector->event_us = now_us(reflector);
	if (!kserv_json_read(tree, json, len, 1, NULL, &errors) && tree->root->type == KSERV_VALUE_MAP)
		return true;
	reflector->left_out = true;
	sentence = kserv_must_printf("one of %s cannot be read and is left out: %s", reflector->resource->name,
				     errors.n ? errors.v[0].text : "it is no object");
	set_error(reflector, sentence);
	free(sentence);
	kserv_errors_clear(&errors);
	return false;
}

static int on_item(void *context, const char *json, size_t len)
{
	struct kserv_reflector *reflector = context;
	struct kserv_tree tree = { 0 };

	if (read_object(reflector, &tree, json, len))
		kserv_picture_aside_put(reflector->options.picture, tree.root);
	kserv_tree_clear(&tree);
	return 0;
}

/* What was read aside is complete at @version. */
static void complete(struct kserv_reflector *reflector, const char *version)
{
	bool first = !reflector->synced;

	kserv_picture_swap(reflector->options.picture);
	set_version(reflector, version);
	reflector->must_list = reflector->is_consistent = reflector->is_whole = false;
	reflector->synced = true;
	if (first && reflector->options.synced)
		reflector->options.synced(reflector->options.context, reflector->options.picture->kind);
}

static void on_bookmark(struct kserv_reflector *reflector, const struct kserv_value *object)
{
	const struct kserv_value *annotations = kserv_value_get(object, "metadata.annotations");
	const struct kserv_value *end = kserv_value_find(annotations, "k8s.io/initial-events-end");
	const char *version = kserv_value_string(object, "metadata.resourceVersion");

	if (reflector->request == WATCH) {
		set_version(reflector, version);
		return;
	}
	if (!kserv_value_is(end, KSERV_VALUE_STRING) || strcmp(end->text, "true"))
		return;
	complete(reflector, version);
	reflector->request = WATCH;
	kserv_client_set_silence(reflector->call, reflector->options.times->watch_silence_ms);
	set_healthy(reflector);
}

static int on_error_event(struct kserv_reflector *reflector, const struct kserv_value *object)
{
	kserv_refusal_clear(&reflector->refusal);
	kserv_refusal_read(object, 0, &reflector->refusal);
	reflector->refused = true;
	return -EREMOTEIO;
}

static void apply(struct kserv_reflector *reflector, const struct kserv_value *object, bool is_gone)
{
	struct kserv_picture *picture = reflector->options.picture;

	if (reflector->request == STREAM) {
		if (is_gone)
			kserv_picture_aside_remove(picture, object);
		else
			kserv_picture_aside_put(picture, object);
		return;
	}
	if (is_gone)
		kserv_picture_remove(picture, object);
	else
		kserv_picture_put(picture, object);
	set_version(reflector, kserv_value_string(object, "metadata.resourceVersion"));
}

static int read_event(struct kserv_reflector *reflector, const struct kserv_value *event)
{
	const char *type = kserv_value_string(event, "type");
	const struct kserv_value *object = kserv_value_find(event, "object");

	if (!kserv_value_is(object, KSERV_VALUE_MAP))
		return refuse(reflector, "a WATCH", "an event without object");
	if (!strcmp(type, "ERROR"))
		return on_error_event(reflector, object);
	reflector->events++;
	if (reflector->request == WATCH)
		reflector->at_once = 0;
	if (!strcmp(type, "ADDED") || !strcmp(type, "MODIFIED"))
		apply(reflector, object, false);
	else if (!strcmp(type, "DELETED"))
		apply(reflector, object, true);
	else if (!strcmp(type, "BOOKMARK"))
		on_bookmark(reflector, object);
	else
		return refuse(reflector, "a WATCH", "an event of a type that is not known");
	return 0;
}

static int on_event(void *context, const char *json, size_t len)
{
	struct kserv_reflector *reflector = context;
	struct kserv_tree tree = { 0 };
	int error = 0;

	if (read_object(reflector, &tree, json, len))
		error = read_event(reflector, tree.root);
	kserv_tree_clear(&tree);
	return error;
}

/* Requests and how they end */

static int on_data(void *context, const char *bytes, size_t len)
{
	struct kserv_reflector *reflector = context;
	int error = kserv_split_feed(&reflector->split, bytes, len);

	if (error == -EINVAL || error == -EMSGSIZE)
		return refuse(reflector, reflector->split.is_list ? "a LIST" : "a WATCH", reflector->split.why);
	return error;
}

/* A WATCH is granted. */
static void on_head(void *context)
{
	struct kserv_reflector *reflector = context;

	if (reflector->request == WATCH)
		set_healthy(reflector);
}

/* How the server's refusal changes what we ask for next. Return: true if that should be asked at once. */
static bool learn(struct kserv_reflector *reflector, enum request request, const struct kserv_refusal *refusal)
{
	bool is_gone = refusal->code == 410 || !strcmp(refusal->reason, "Expired") || !strcmp(refusal->reason, "Gone");

	if (request == STREAM && (refusal->code == 422 || refusal->code == 400)) {
		reflector->no_stream = true;
		return true;
	}
	if (request == WATCH && is_gone) {
		reflector->must_list = true;
		return true;
	}
	if ((request == PROBE || request == WATCH) && (refusal->ahead || is_gone)) {
		reflector->must_list = reflector->is_consistent = true;
		return true;
	}
	if (request != LIST || !(is_gone || refusal->ahead))
		return false;
	/* A token that the server no longer knows: all that came is void, and the next try is in one piece. */
	if (reflector->page_token) {
		reflector->is_whole = true;
	} else if (reflector->is_consistent) {
		return false;
	}
	reflector->is_consistent = true;
	return true;
}

static void on_refusal(struct kserv_reflector *reflector, enum request request, const struct kserv_refusal *refusal)
{
	char *sentence = kserv_must_printf("%s of %s: %s", request == WATCH || request == STREAM ? "WATCH" : "LIST",
					   reflector->resource->name, refusal->sentence);

	if (learn(reflector, request, refusal) && reflector->at_once++ < AT_ONCE_MAX)
		wait_us(reflector, 0);
	else
		fail(reflector, sentence, refusal->retry_after);
	free(sentence);
}

/* The stream broke, or we broke it. */
static void on_broken(struct kserv_reflector *reflector, enum request request, const struct kserv_http_end *end)
{
	if (end->error == -EREMOTEIO && reflector->refused) {
		/* What it could not tell us may be lost, unless it only has too much to do. */
		reflector->must_list = reflector->must_list || reflector->refusal.code != 429;
		on_refusal(reflector, request, &reflector->refusal);
		return;
	}
	reflector->must_probe = true;
	/* Nobody can tell whether the connection is still one. */
	reflector->fresh = end->error == -ETIMEDOUT;
	if (request == STREAM && end->error == -ETIMEDOUT && end->status)
		reflector->no_stream = true;
	fail(reflector, end->error == -EBADMSG && reflector->why ? reflector->why : end->why, 0);
}

static void on_list_end(struct kserv_reflector *reflector)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	const char *version, *token;

	if (kserv_split_end(&reflector->split)) {
		refuse(reflector, "a LIST", reflector->split.why);
	} else if (kserv_json_read(&tree, reflector->split.rest.s, reflector->split.rest.len, 1, NULL, &errors)) {
		refuse(reflector, "a LIST", "it is no valid JSON");
	} else {
		version = kserv_value_string(tree.root, "metadata.resourceVersion");
		token = kserv_value_string(tree.root, "metadata.continue");
		free(reflector->page_token);
		reflector->page_token = *token ? kserv_must_strdup(token) : NULL;
		if (!*version)
			refuse(reflector, "a LIST", "it has no resourceVersion");
		else if (!*token)
			complete(reflector, version);
	}
	kserv_tree_clear(&tree);
	kserv_errors_clear(&errors);
	if (reflector->why)
		fail(reflector, reflector->why, 0);
	else
		next(reflector);
}

/* The server ended it in good order: after timeoutSeconds, or since it is about to stop. */
static void on_watch_end(struct kserv_reflector *reflector)
{
	uint64_t now = now_us(reflector);

	if (kserv_split_end(&reflector->split)) {
		refuse(reflector, "a WATCH", reflector->split.why);
		reflector->must_probe = true;
		fail(reflector, reflector->why, 0);
	} else if (!reflector->events && now - reflector->begun_us < SHORT_WATCH_US) {
		reflector->must_probe = true;
		fail(reflector, "the server ended a WATCH at once", 0);
	} else if (now + 5000000 < reflector->ends_us) {
		/* Others are sent away at the same moment. */
		reflector->must_probe = true;
		wait_us(reflector, by_chance(reflector->options.times->backoff_min_ms * 1000ULL));
	} else {
		next(reflector);
	}
}

static void on_done(void *context, const struct kserv_http_end *end)
{
	struct kserv_reflector *reflector = context;
	enum request request = reflector->request;
	struct kserv_refusal refusal;

	reflector->call = NULL;
	reflector->request = NOTHING_ASKED;
	if (end->error) {
		on_broken(reflector, request, end);
	} else if (end->status < 200 || end->status > 299) {
		kserv_refusal_read_body(end->status, end->body, end->body_len, &refusal);
		if (!refusal.retry_after)
			refusal.retry_after = end->retry_after;
		on_refusal(reflector, request, &refusal);
		kserv_refusal_clear(&refusal);
	} else if (request == LIST) {
		on_list_end(reflector);
	} else if (request == PROBE) {
		reflector->must_probe = false;
		next(reflector);
	} else if (request == STREAM) {
		fail(reflector, "the server ended a streaming list before it was complete", 0);
	} else {
		on_watch_end(reflector);
	}
}

static void add_parameter(struct kserv_text *path, const char *key, const char *value)
{
	kserv_text_printf(path, "%c%s=", strchr(path->s, '?') ? '&' : '?', key);
	for (; *value; value++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", *value))
			kserv_text_add_bytes(path, value, 1);
		else
			kserv_text_printf(path, "%%%02X", (unsigned char)*value);
}

static void ask(struct kserv_reflector *reflector, enum request kind, struct kserv_text *path)
{
	const struct kserv_kube_times *times = reflector->options.times;
	struct kserv_http_request request = {
		.method = "GET",
		.path = path->s,
		.fresh = reflector->fresh,
		.connect_ms = times->connect_ms,
		.head_ms = times->head_ms,
		.silence_ms = kind == WATCH ? times->watch_silence_ms : times->list_silence_ms,
		.head = on_head,
		.data = kind == PROBE ? NULL : on_data,
		.done = on_done,
		.context = reflector,
	};

	reflector->request = kind;
	reflector->fresh = reflector->refused = false;
	reflector->events = 0;
	reflector->begun_us = now_us(reflector);
	free(reflector->why);
	reflector->why = NULL;
	kserv_split_clear(&reflector->split);
	reflector->split = (struct kserv_split){
		.is_list = kind == LIST,
		.object = kind == LIST ? on_item : on_event,
		.context = reflector,
	};
	reflector->call = kserv_client_start(reflector->options.client, &request);
	kserv_text_clear(path);
}

static void add_selectors(struct kserv_reflector *reflector, struct kserv_text *path)
{
	if (*reflector->options.label_selector)
		add_parameter(path, "labelSelector", reflector->options.label_selector);
	if (*reflector->options.field_selector)
		add_parameter(path, "fieldSelector", reflector->options.field_selector);
}

static void add_number(struct kserv_text *path, const char *key, unsigned long number)
{
	kserv_text_printf(path, "%c%s=%lu", strchr(path->s, '?') ? '&' : '?', key, number);
}

/* Without the second parameter a list in pages is of that very version, from which no WATCH may be had any more. */
static void add_not_older(const struct kserv_reflector *reflector, struct kserv_text *path)
{
	add_parameter(path, "resourceVersion", reflector->version ? reflector->version : "0");
	add_parameter(path, "resourceVersionMatch", "NotOlderThan");
}

/* A page of a list. */
static void ask_list(struct kserv_reflector *reflector)
{
	struct kserv_text path = { 0 };

	kserv_text_add(&path, reflector->resource->path);
	add_selectors(reflector, &path);
	if (!reflector->is_whole)
		add_number(&path, "limit", reflector->options.page);
	/* The pages after the first are of its version. */
	if (reflector->page_token)
		add_parameter(&path, "continue", reflector->page_token);
	else if (!reflector->is_consistent)
		add_not_older(reflector, &path);
	ask(reflector, LIST, &path);
}

static void begin_list(struct kserv_reflector *reflector)
{
	free(reflector->page_token);
	reflector->page_token = NULL;
	reflector->lists++;
	reflector->left_out = false;
	kserv_picture_begin(reflector->options.picture);
	set_phase(reflector, KSERV_KUBE_LISTING);
	ask_list(reflector);
}

static void add_watch(struct kserv_reflector *reflector, struct kserv_text *path)
{
	unsigned int seconds = reflector->options.times->watch_seconds;

	seconds += by_chance(seconds);
	kserv_text_add(path, reflector->resource->path);
	add_selectors(reflector, path);
	add_number(path, "watch", 1);
	add_parameter(path, "allowWatchBookmarks", "true");
	add_number(path, "timeoutSeconds", seconds);
	reflector->ends_us = now_us(reflector) + seconds * 1000000ULL;
}

static void begin_stream(struct kserv_reflector *reflector)
{
	struct kserv_text path = { 0 };

	add_watch(reflector, &path);
	add_parameter(&path, "sendInitialEvents", "true");
	add_parameter(&path, "resourceVersionMatch", "NotOlderThan");
	reflector->lists++;
	reflector->left_out = false;
	kserv_picture_begin(reflector->options.picture);
	set_phase(reflector, KSERV_KUBE_LISTING);
	ask(reflector, STREAM, &path);
}

static void begin_watch(struct kserv_reflector *reflector)
{
	struct kserv_text path = { 0 };

	add_watch(reflector, &path);
	add_parameter(&path, "resourceVersion", reflector->version);
	reflector->watches++;
	ask(reflector, WATCH, &path);
}

/* A list of nothing, which the server answers once it has reached our version. */
static void begin_probe(struct kserv_reflector *reflector)
{
	struct kserv_text path = { 0 };

	kserv_text_add(&path, reflector->resource->path);
	add_parameter(&path, "fieldSelector", NOTHING);
	add_not_older(reflector, &path);
	ask(reflector, PROBE, &path);
}

static void next(struct kserv_reflector *reflector)
{
	if (reflector->page_token && !reflector->is_whole)
		ask_list(reflector);
	else if (reflector->version && !reflector->must_list && reflector->must_probe)
		begin_probe(reflector);
	else if (reflector->version && !reflector->must_list)
		begin_watch(reflector);
	else if (!reflector->no_stream)
		begin_stream(reflector);
	else
		begin_list(reflector);
}

struct kserv_reflector *kserv_reflector_start(sd_event *loop, const struct kserv_reflector_options *options)
{
	struct kserv_reflector *reflector = kserv_must_alloc(sizeof(*reflector));

	reflector->options = *options;
	reflector->options.label_selector = kserv_must_strdup(options->label_selector ? options->label_selector : "");
	reflector->options.field_selector = kserv_must_strdup(options->field_selector ? options->field_selector : "");
	reflector->resource = &kserv_kube_resources[options->picture->kind];
	reflector->loop = sd_event_ref(loop);
	reflector->no_stream = options->no_stream;
	reflector->error = kserv_must_strdup("");
	reflector->phase = KSERV_KUBE_LISTING;
	if (sd_event_add_time_relative(loop, &reflector->timer, CLOCK_MONOTONIC, 0, 1, on_timer, reflector) < 0) {
		kserv_reflector_stop(reflector);
		return NULL;
	}
	return reflector;
}

void kserv_reflector_stop(struct kserv_reflector *reflector)
{
	if (!reflector)
		return;
	kserv_client_cancel(reflector->call);
	sd_event_source_disable_unref(reflector->timer);
	sd_event_unref(reflector->loop);
	kserv_split_clear(&reflector->split);
	kserv_refusal_clear(&reflector->refusal);
	free((char *)reflector->options.label_selector);
	free((char *)reflector->options.field_selector);
	free(reflector->version);
	free(reflector->page_token);
	free(reflector->why);
	free(reflector->error);
	free(reflector);
}

void kserv_reflector_state(const struct kserv_reflector *reflector, struct kserv_kube_kind_state *ret)
{
	*ret = (struct kserv_kube_kind_state){
		.phase = reflector->phase,
		.synced = reflector->synced,
		.resource = reflector->resource->name,
		.resource_version = reflector->version ? reflector->version : "",
		.error = reflector->error,
		.error_us = reflector->error_us,
		.event_us = reflector->event_us,
		.objects = reflector->options.picture->n,
		.lists = reflector->lists,
		.watches = reflector->watches,
		.received = reflector->received,
		.failures = reflector->failures,
	};
}
