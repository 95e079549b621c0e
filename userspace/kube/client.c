// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include "kube/client.h"
#include "kube/credential.h"

struct kserv_client {
	struct kserv_http *http;
	struct kserv_credential *credential;
	struct kserv_client_call *calls;
	bool walking;
};

/**
 * struct kserv_client_call - one request
 * @request: with strings of our own
 * @http: NULL while it waits for a credential
 * @again: it was refused with 401 once
 * @cancelled: nothing is told of it any more
 */
struct kserv_client_call {
	struct kserv_client_call *prev, *next;
	struct kserv_client *client;
	struct kserv_http_request request;
	struct kserv_http_call *http;
	bool again, cancelled;
};

static void submit(struct kserv_client_call *call, bool made);

static void free_call(struct kserv_client_call *call)
{
	DL_DELETE(call->client->calls, call);
	free((char *)call->request.method);
	free((char *)call->request.path);
	free((char *)call->request.content_type);
	free((char *)call->request.body);
	free(call);
}

static void on_head(void *context)
{
	struct kserv_client_call *call = context;

	call->request.head(call->request.context);
}

static int on_data(void *context, const char *bytes, size_t len)
{
	struct kserv_client_call *call = context;

	return call->request.data(call->request.context, bytes, len);
}

static void on_done(void *context, const struct kserv_http_end *end)
{
	struct kserv_client_call *call = context;

	call->http = NULL;
	if (!end->error && end->status == 401 && !call->again) {
		call->again = true;
		call->request.fresh = call->request.fresh || kserv_credential_is_cert(call->client->credential);
		kserv_credential_renew(call->client->credential);
		submit(call, false);
		return;
	}
	call->cancelled = true;
	call->request.done(call->request.context, end);
	free_call(call);
}

/* @made: a plugin made a credential just now, which is good enough however soon it expires. */
static void submit(struct kserv_client_call *call, bool made)
{
	struct kserv_credential *credential = call->client->credential;
	struct kserv_http_request request = call->request;

	if (!made && !kserv_credential_is_ready(credential))
		return;
	request.token = kserv_credential_token(credential);
	kserv_credential_cert(credential, &request.cert, &request.key);
	request.head = call->request.head ? on_head : NULL;
	request.data = call->request.data ? on_data : NULL;
	request.done = on_done;
	request.context = call;
	call->http = kserv_http_start(call->client->http, &request);
}

/* Calls that are cancelled while the others are told must stay until the walk over them is over. */
static void free_cancelled(struct kserv_client *client)
{
	struct kserv_client_call *call, *next;

	DL_FOREACH_SAFE(client->calls, call, next)
		if (call->cancelled)
			free_call(call);
}

static void on_credential(void *context, const char *why)
{
	struct kserv_http_end end = { .error = -EACCES, .why = why, .body = "" };
	struct kserv_client *client = context;
	struct kserv_client_call *call, *last = client->calls ? client->calls->prev : NULL, *next;

	client->walking = true;
	/* Those that are added by whom we tell come after @last, and wait for the next run. */
	for (call = client->calls; call; call = next) {
		next = call == last ? NULL : call->next;
		if (call->http || call->cancelled)
			continue;
		if (!why) {
			submit(call, true);
			continue;
		}
		call->cancelled = true;
		call->request.done(call->request.context, &end);
	}
	client->walking = false;
	free_cancelled(client);
}

struct kserv_client *kserv_client_open(sd_event *loop, const struct kserv_access *access, const char *user_agent,
				       bool gzip, uint64_t token_us)
{
	struct kserv_client *client = kserv_must_alloc(sizeof(*client));

	client->http = kserv_http_open(loop, access, user_agent, gzip);
	if (!client->http) {
		free(client);
		return NULL;
	}
	client->credential = kserv_credential_open(loop, access, token_us, on_credential, client);
	return client;
}

void kserv_client_close(struct kserv_client *client)
{
	struct kserv_client_call *call, *next;

	if (!client)
		return;
	kserv_http_close(client->http);
	kserv_credential_close(client->credential);
	DL_FOREACH_SAFE(client->calls, call, next)
		free_call(call);
	free(client);
}

static char *copy(const char *s)
{
	return s ? kserv_must_strdup(s) : NULL;
}

struct kserv_client_call *kserv_client_start(struct kserv_client *client, const struct kserv_http_request *request)
{
	struct kserv_client_call *call = kserv_must_alloc(sizeof(*call));
	char *body = NULL;

	call->client = client;
	call->request = *request;
	call->request.method = copy(request->method);
	call->request.path = copy(request->path);
	call->request.content_type = copy(request->content_type);
	if (request->body) {
		body = kserv_must_alloc(request->body_len);
		memcpy(body, request->body, request->body_len);
	}
	call->request.body = body;
	DL_APPEND(client->calls, call);
	submit(call, false);
	return call;
}

void kserv_client_set_silence(struct kserv_client_call *call, unsigned int silence_ms)
{
	call->request.silence_ms = silence_ms;
	if (call->http)
		kserv_http_set_silence(call->http, silence_ms);
}

void kserv_client_cancel(struct kserv_client_call *call)
{
	if (!call || call->cancelled)
		return;
	call->cancelled = true;
	/* It does not call us any more, even if it does so just now. */
	kserv_http_cancel(call->http);
	if (!call->client->walking)
		free_call(call);
}
