// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>
#include "cluster/emit.h"
#include "cluster/json.h"
#include "lb/lease.h"
#include "lib/log.h"

#define LABEL	"kserv.io/lb"
/* What the end waits for the API server. */
#define LEAVE_MS	1000

/**
 * struct kserv_lb_beat - the Lease of a node
 * @renewed: its renewTime, as it stands there
 * @seen_us: when it was seen to change, by our clock
 * @is_listed: it was in the list that is being noted
 */
struct kserv_lb_beat {
	char *node, *renewed;
	uint64_t seen_us;
	bool is_alive, is_listed;
	UT_hash_handle hh;
};

struct kserv_lb_leases {
	struct kserv_kube *kube;
	struct kserv_kube_call *call;
	sd_event_source *timer;
	struct kserv_lb_beats beats;
	char *node, *uid, *path;
	uint64_t duration_us;
	void (*changed)(void *context);
	void *context;
	char error[320];
};

static void free_beat(struct kserv_lb_beats *beats, struct kserv_lb_beat *beat)
{
	HASH_DEL(beats->v, beat);
	free(beat->node);
	free(beat->renewed);
	free(beat);
}

static bool note_one(struct kserv_lb_beats *beats, const struct kserv_value *lease, uint64_t now_us)
{
	const char *node = kserv_value_string(lease, "spec.holderIdentity");
	const char *renewed = kserv_value_string(lease, "spec.renewTime");
	struct kserv_lb_beat *beat;

	if (!*node)
		return false;
	HASH_FIND_STR(beats->v, node, beat);
	if (!beat) {
		beat = kserv_must_alloc(sizeof(*beat));
		beat->node = kserv_must_strdup(node);
		HASH_ADD_KEYPTR(hh, beats->v, beat->node, strlen(beat->node), beat);
	}
	beat->is_listed = true;
	if (beat->renewed && !strcmp(beat->renewed, renewed))
		return false;
	free(beat->renewed);
	beat->renewed = kserv_must_strdup(renewed);
	beat->seen_us = now_us;
	if (beat->is_alive)
		return false;
	beat->is_alive = true;
	return true;
}

/* A Lease that is gone is that of a node that took its leave. */
static bool bury(struct kserv_lb_beats *beats, uint64_t now_us, uint64_t duration_us)
{
	struct kserv_lb_beat *beat, *next;
	bool changed = false;

	HASH_ITER(hh, beats->v, beat, next) {
		if (!beat->is_listed) {
			changed |= beat->is_alive;
			free_beat(beats, beat);
			continue;
		}
		beat->is_listed = false;
		if (beat->is_alive && now_us - beat->seen_us >= duration_us) {
			beat->is_alive = false;
			changed = true;
		}
	}
	return changed;
}

bool kserv_lb_beats_note(struct kserv_lb_beats *beats, const struct kserv_value *list, uint64_t now_us,
			 uint64_t duration_us)
{
	bool gap = now_us - beats->listed_us > duration_us * 2 / 3, changed = false;
	const struct kserv_value *lease;
	struct kserv_lb_beat *beat;

	for (beat = beats->v; beat && gap; beat = beat->hh.next)
		if (beat->is_alive)
			beat->seen_us = now_us;
	beats->listed_us = now_us;
	for (lease = kserv_value_first(list); lease; lease = lease->next)
		changed |= note_one(beats, lease, now_us);
	return bury(beats, now_us, duration_us) || changed;
}

const char *kserv_lb_beats_why_not(const struct kserv_lb_beats *beats, const char *node)
{
	struct kserv_lb_beat *beat;

	HASH_FIND_STR(beats->v, node, beat);
	return !beat ? "it has no Lease: kservd does not announce there" :
		!beat->is_alive ? "its Lease is not renewed any more" : NULL;
}

void kserv_lb_beats_clear(struct kserv_lb_beats *beats)
{
	struct kserv_lb_beat *beat, *next;

	HASH_ITER(hh, beats->v, beat, next)
		free_beat(beats, beat);
}

static void put(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *text)
{
	kserv_value_set(map, key, kserv_value_new_string(tree, text));
}

static void write_spec(const struct kserv_lb_leases *leases, struct kserv_tree *tree)
{
	struct kserv_value *spec = kserv_value_need_map(tree, tree->root, "spec");
	int64_t seconds = (leases->duration_us + 999999) / 1000000;
	char whole[32], text[64];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06ldZ", whole, now.tv_nsec / 1000);
	put(tree, spec, "holderIdentity", leases->node);
	put(tree, spec, "renewTime", text);
	kserv_value_set(spec, "leaseDurationSeconds", kserv_value_new_int(tree, seconds));
}

/* The Lease goes when its Node goes. */
static void write_meta(const struct kserv_lb_leases *leases, struct kserv_tree *tree)
{
	struct kserv_value *meta = kserv_value_need_map(tree, tree->root, "metadata"), *list, *owner;

	put(tree, tree->root, "apiVersion", "coordination.k8s.io/v1");
	put(tree, tree->root, "kind", "Lease");
	put(tree, meta, "name", strrchr(leases->path, '/') + 1);
	put(tree, meta, "namespace", "kube-system");
	put(tree, kserv_value_need_map(tree, meta, "labels"), LABEL, "node");
	if (!*leases->uid)
		return;
	list = kserv_value_new(tree, KSERV_VALUE_LIST);
	owner = kserv_value_new(tree, KSERV_VALUE_MAP);
	put(tree, owner, "apiVersion", "v1");
	put(tree, owner, "kind", "Node");
	put(tree, owner, "name", leases->node);
	put(tree, owner, "uid", leases->uid);
	kserv_value_append(list, owner);
	kserv_value_set(meta, "ownerReferences", list);
}

static void ask(struct kserv_lb_leases *leases, const char *method, const char *path, const struct kserv_text *body,
		void (*done)(void *context, const struct kserv_kube_answer *answer))
{
	const struct kserv_kube_request request = {
		.method = method, .path = path, .body = body ? body->s : NULL, .body_len = body ? body->len : 0,
		.timeout_ms = leases->duration_us / 1000,
	};

	leases->call = kserv_kube_request(leases->kube, &request, done, leases);
}

static bool went_wrong(struct kserv_lb_leases *leases, const struct kserv_kube_answer *answer)
{
	leases->call = NULL;
	if (*answer->why && strcmp(leases->error, answer->why))
		kserv_log_warning("the Leases of load-balancer addresses: %s", answer->why);
	snprintf(leases->error, sizeof(leases->error), "%s", answer->why);
	return *answer->why;
}

static void listed(void *context, const struct kserv_kube_answer *answer)
{
	struct kserv_lb_leases *leases = context;
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	struct timespec now;

	if (went_wrong(leases, answer))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (kserv_json_read(&tree, answer->body, answer->body_len, 1, NULL, &errors))
		snprintf(leases->error, sizeof(leases->error), "the list of Leases is no JSON");
	else if (kserv_lb_beats_note(&leases->beats, kserv_value_find(tree.root, "items"),
				     now.tv_sec * 1000000ULL + now.tv_nsec / 1000, leases->duration_us))
		leases->changed(leases->context);
	kserv_errors_clear(&errors);
	kserv_tree_clear(&tree);
}

static void look(struct kserv_lb_leases *leases)
{
	ask(leases, "GET", KSERV_LB_LEASES "?labelSelector=" LABEL "%3Dnode", NULL, listed);
}

static void created(void *context, const struct kserv_kube_answer *answer)
{
	if (!went_wrong(context, answer))
		look(context);
}

static void renew(struct kserv_lb_leases *leases, bool create);

static void renewed(void *context, const struct kserv_kube_answer *answer)
{
	struct kserv_lb_leases *leases = context;

	leases->call = NULL;
	if (answer->status == 404)
		renew(leases, true);
	else if (!went_wrong(leases, answer))
		look(leases);
}

static void renew(struct kserv_lb_leases *leases, bool create)
{
	struct kserv_tree tree = { 0 };
	struct kserv_text body = { 0 };

	tree.root = kserv_value_new(&tree, KSERV_VALUE_MAP);
	if (create)
		write_meta(leases, &tree);
	write_spec(leases, &tree);
	kserv_emit_json(&body, tree.root, 0);
	ask(leases, create ? "POST" : "PATCH", create ? KSERV_LB_LEASES : leases->path, &body, create ? created : renewed);
	kserv_text_clear(&body);
	kserv_tree_clear(&tree);
}

static int on_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct kserv_lb_leases *leases = context;
	uint64_t now;

	(void)time;
	sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now);
	if (!leases->call)
		renew(leases, false);
	return sd_event_source_set_time(source, now + leases->duration_us / 3);
}

int kserv_lb_leases_start(sd_event *loop, struct kserv_kube *kube, const char *node, const char *uid,
			  uint64_t duration_us, void (*changed)(void *context), void *context,
			  struct kserv_lb_leases **ret)
{
	struct kserv_lb_leases *leases = kserv_must_alloc(sizeof(*leases));
	int error;

	leases->kube = kube;
	leases->node = kserv_must_strdup(node);
	leases->uid = kserv_must_strdup(uid);
	leases->path = kserv_must_printf(KSERV_LB_LEASES "/kserv-lb-%s", node);
	leases->duration_us = duration_us;
	leases->changed = changed;
	leases->context = context;
	error = sd_event_add_time(loop, &leases->timer, CLOCK_MONOTONIC, 0, 10000, on_timer, leases);
	if (error >= 0)
		error = sd_event_source_set_enabled(leases->timer, SD_EVENT_ON);
	if (error < 0) {
		kserv_lb_leases_stop(leases);
		return error;
	}
	*ret = leases;
	return 0;
}

static void gone(void *context, const struct kserv_kube_answer *answer)
{
	struct kserv_lb_leases *leases = context;

	if (answer->status == 404)
		leases->call = NULL;
	else
		went_wrong(leases, answer);
	leases->changed(leases->context);
}

void kserv_lb_leases_leave(struct kserv_lb_leases *leases, void (*left)(void *context), void *context)
{
	const struct kserv_kube_request request = {
		.method = "DELETE", .path = leases->path, .timeout_ms = LEAVE_MS,
	};

	/* One that is on its way might make it again. */
	if (leases->call)
		kserv_kube_cancel(leases->call);
	sd_event_source_set_enabled(leases->timer, SD_EVENT_OFF);
	leases->changed = left;
	leases->context = context;
	leases->call = kserv_kube_request(leases->kube, &request, gone, leases);
}

void kserv_lb_leases_stop(struct kserv_lb_leases *leases)
{
	if (!leases)
		return;
	if (leases->call)
		kserv_kube_cancel(leases->call);
	sd_event_source_disable_unref(leases->timer);
	kserv_lb_beats_clear(&leases->beats);
	free(leases->node);
	free(leases->uid);
	free(leases->path);
	free(leases);
}

const char *kserv_lb_leases_why_not(const struct kserv_lb_leases *leases, const char *node)
{
	return kserv_lb_beats_why_not(&leases->beats, node);
}

const char *kserv_lb_leases_error(const struct kserv_lb_leases *leases)
{
	return leases->error;
}
