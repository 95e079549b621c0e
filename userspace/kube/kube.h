/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Kubernetes API as a source of the cluster model: a picture of the objects of some kinds that follows the server's
 * by LIST and WATCH, and single requests for those who write to the API.
 *
 * Everything runs on the caller's sd-event loop, in its thread; no function here waits for the network. The callbacks
 * may call any function of this file but kserv_kube_stop().
 *
 * The picture never becomes worse than it was: when the server cannot be reached, the last one stays as it is; when the
 * history was lost, a new list is read aside and then swapped in by its differences, all of them in one go of the loop.
 */
#ifndef KSERV_KUBE_H
#define KSERV_KUBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include "cluster/cluster.h"
#include "cluster/errors.h"

enum kserv_kube_kind {
	KSERV_KUBE_SERVICES, KSERV_KUBE_SLICES, KSERV_KUBE_NODES, KSERV_KUBE_NAMESPACES, KSERV_KUBE_PODS,
	KSERV_KUBE_KINDS,
};

/* Bits of struct kserv_kube_options.kinds. */
#define KSERV_KUBE_KIND(kind)	(1u << (kind))
#define KSERV_KUBE_USUAL	(KSERV_KUBE_KIND(KSERV_KUBE_SERVICES) | KSERV_KUBE_KIND(KSERV_KUBE_SLICES) | \
				 KSERV_KUBE_KIND(KSERV_KUBE_NODES) | KSERV_KUBE_KIND(KSERV_KUBE_NAMESPACES))

/* An object of the model. @meta is that of any kind: all of them begin with it. */
union kserv_kube_object {
	const struct kserv_meta *meta;
	const struct kserv_k8s_service *service;
	const struct kserv_slice *slice;
	const struct kserv_node *node;
	const struct kserv_namespace *namespace;
	const struct kserv_pod *pod;
};

/**
 * struct kserv_kube_events - what the client tells; any of them may be NULL
 *
 * @changed: an object is new (@old.meta is NULL), another (both are there) or gone (@new.meta is NULL). Changes of the
 *	resourceVersion and of managedFields alone are not told; the object then gets another string for its
 *	version, the only thing in it that ever changes. The client owns the objects: @new lives until the
 *	return of the call that tells it as @old, so pointers to it may be kept until then; nobody else frees it. The
 *	picture (kserv_kube_cluster(), kserv_kube_find()) is that after the change. A name that was deleted and made
 *	again while the server was out of reach is told as one change; @old and @new then differ in uid.
 *	Changes that are told in one go of the loop belong together; who wants to act once on many collects them and
 *	acts on a timer or a deferred event of a lower priority (a larger number) than SD_EVENT_PRIORITY_NORMAL.
 * @synced: the first complete picture of @kind is there; all its objects were told before. Comes once for each
 *	kind, and once more with KSERV_KUBE_KINDS when the last of the kinds asked for is there.
 * @state: kserv_kube_state() would answer something else about the connection or an error; not for each event
 */
struct kserv_kube_events {
	void (*changed)(void *context, enum kserv_kube_kind kind, union kserv_kube_object old,
			union kserv_kube_object new);
	void (*synced)(void *context, enum kserv_kube_kind kind);
	void (*state)(void *context);
};

/**
 * struct kserv_kube_times - for tests mostly; 0 is the usual value of each, in brackets
 * @connect_ms: TCP and TLS handshakes [10000]
 * @head_ms: from a request to the first byte of its answer [60000]
 * @list_silence_ms: a LIST from which nothing more comes is given up [30000]
 * @watch_silence_ms: a WATCH without an event or bookmark; the server sends a bookmark every minute [150000]
 * @watch_seconds: timeoutSeconds of a WATCH, taken by chance up to twice that [300]
 * @backoff_min_ms, @backoff_max_ms: between attempts, doubled each time, by chance up to twice as long [800, 30000]
 * @healthy_ms: after so long without a failure the backoff begins anew [120000]
 * @token_ms: a token file is read again when it was read so long ago [60000]
 */
struct kserv_kube_times {
	unsigned int connect_ms, head_ms, list_silence_ms, watch_silence_ms, watch_seconds, backoff_min_ms,
		     backoff_max_ms, healthy_ms, token_ms;
};

/**
 * struct kserv_kube_options - which server, as whom, and what of it; strings are copied
 *
 * @kubeconfig: path; NULL or "": the files of $KUBECONFIG, else the service account of the Pod we run in, else
 *	~/.kube/config
 * @context: of the kubeconfig; NULL or "": its current-context
 * @server: URL to take instead of the one found, as https://10.0.0.1:6443. In a Pod it should be given: the address
 *	that the environment names is the Service that we make ourselves.
 * @service_account: folder of token, ca.crt and namespace; NULL: /var/run/secrets/kubernetes.io/serviceaccount
 * @user_agent: NULL: "kserv/VERSION"
 * @kinds: KSERV_KUBE_KIND() of each kind, or 0 for a client that only makes requests
 * @label_selectors, @field_selectors: per kind; NULL for all objects
 * @gzip: let the server compress large lists: saves the network and costs the server
 * @no_watch_list: LIST and WATCH even where the server has streaming lists
 * @page: objects in a page of a LIST; 0: 500
 */
struct kserv_kube_options {
	const char *kubeconfig, *context, *server, *service_account, *user_agent;
	unsigned int kinds;
	const char *label_selectors[KSERV_KUBE_KINDS], *field_selectors[KSERV_KUBE_KINDS];
	bool gzip, no_watch_list;
	unsigned int page;
	struct kserv_kube_times times;
};

struct kserv_kube;

/**
 * kserv_kube_start() - begin to follow the server
 * @events, @context: @events must live as long as the client
 * @errors: what is wrong with the kubeconfig, and warnings (an error that does not keep it from starting has a text
 *	that begins with "warning: ")
 *
 * Nothing is known of the server when it returns: whether it answers is told by the events and the state.
 * Return: 0; -ENOENT if there is neither kubeconfig nor service account, -EINVAL if they are wrong, both with errors
 * added.
 */
int kserv_kube_start(sd_event *loop, const struct kserv_kube_options *options,
		     const struct kserv_kube_events *events, void *context, struct kserv_errors *errors,
		     struct kserv_kube **ret_kube);
/* Ends everything at once and frees the picture; no callback comes any more, not even of requests. NULL is fine. */
void kserv_kube_stop(struct kserv_kube *kube);

/**
 * kserv_kube_cluster() - the picture as plan takes it, at no cost
 *
 * Sets the arrays of objects in @cluster and leaves its settings. They are the client's own: never pass them to
 * kserv_cluster_clear(), and ask again after the loop has run or a callback has come.
 */
void kserv_kube_cluster(const struct kserv_kube *kube, struct kserv_cluster *cluster);
/* One object of the picture; @namespace is "" for kinds that are in none. Its meta is NULL if there is none. */
union kserv_kube_object kserv_kube_find(const struct kserv_kube *kube, enum kserv_kube_kind kind,
					const char *namespace, const char *name);
/* True once the first complete picture of all kinds was there. */
bool kserv_kube_is_synced(const struct kserv_kube *kube);

enum kserv_kube_phase {
	KSERV_KUBE_OFF,			/* the kind was not asked for */
	KSERV_KUBE_LISTING,		/* by LIST or by a streaming list */
	KSERV_KUBE_WATCHING,		/* in step with the server */
	KSERV_KUBE_WAITING,		/* for the next attempt */
};

/**
 * struct kserv_kube_kind_state - how it stands with one kind; strings live until the loop runs again
 * @resource: as in URLs, "services"
 * @resource_version: up to where we are in step; "" before the first list
 * @error: the sentence of what went wrong last, "" if nothing did since the kind was last in step
 * @error_us, @event_us: CLOCK_MONOTONIC of that, and of the last event or bookmark; 0: never
 * @objects: in the picture
 * @lists, @watches, @received, @failures: since the start: lists begun, watches begun, objects and events read,
 *	attempts that failed
 */
struct kserv_kube_kind_state {
	enum kserv_kube_phase phase;
	bool synced;
	const char *resource, *resource_version, *error;
	uint64_t error_us, event_us;
	size_t objects;
	uint64_t lists, watches, received, failures;
};

/**
 * struct kserv_kube_state - for status and metrics
 * @server: its URL
 * @connected: every kind is watched
 * @synced: as kserv_kube_is_synced()
 * @event_us: the newest of the kinds
 * @error: the newest of the kinds that are not in step, or ""
 */
struct kserv_kube_state {
	const char *server;
	bool connected, synced;
	uint64_t event_us;
	const char *error;
	struct kserv_kube_kind_state kinds[KSERV_KUBE_KINDS];
};

void kserv_kube_state(const struct kserv_kube *kube, struct kserv_kube_state *ret);
/* "watching", "listing", "waiting", "off" */
const char *kserv_kube_phase_name(enum kserv_kube_phase phase);
/* The namespace of the context or of the service account; "default" if they name none. */
const char *kserv_kube_namespace(const struct kserv_kube *kube);

/**
 * struct kserv_kube_request - a single request; all of it is copied
 * @method: GET, POST, PUT, PATCH, DELETE
 * @path: with its query, as "/api/v1/namespaces/default/services/web/status"
 * @content_type: NULL: application/json, or for PATCH application/merge-patch+json
 * @body: NULL if there is none
 * @timeout_ms: for all of it; 0: 30000
 */
struct kserv_kube_request {
	const char *method, *path, *content_type, *body;
	size_t body_len;
	unsigned int timeout_ms;
};

/**
 * struct kserv_kube_answer - how it ended; valid during the call
 * @error: 0 if an answer came whole (see @status), or -errno: -ETIMEDOUT, -ECONNREFUSED, -ENETUNREACH, -EIO ...
 * @status: of HTTP, as 201; 0 without an answer
 * @why: a sentence if it did not succeed (no answer, or a status of 300 and more), otherwise ""
 * @reason: word of the Status object, as AlreadyExists or Conflict; "" if there was none
 * @body: ends with NUL
 * @retry_after: seconds that the server asks to wait; 0 if it does not
 */
struct kserv_kube_answer {
	int error;
	unsigned int status;
	const char *why, *reason;
	const char *body;
	size_t body_len;
	unsigned int retry_after;
};

struct kserv_kube_call;

/**
 * kserv_kube_request() - send one
 * @done: called once, from the loop; never before this function returns, and never after kserv_kube_cancel()
 *
 * After 401 the credentials are read again and it is sent once more; anything else is for the caller to repeat.
 * Return: a handle that is valid until @done was called; never NULL.
 */
struct kserv_kube_call *kserv_kube_request(struct kserv_kube *kube, const struct kserv_kube_request *request,
					   void (*done)(void *context, const struct kserv_kube_answer *answer),
					   void *context);
void kserv_kube_cancel(struct kserv_kube_call *call);

#endif
