/* SPDX-License-Identifier: GPL-2.0 */
/* HTTP requests to one server on an sd-event loop: libcurl's multi interface, HTTP/2 where the server speaks it. */
#ifndef KSERV_HTTP_H
#define KSERV_HTTP_H

#include <systemd/sd-event.h>
#include "kube/access.h"

struct kserv_http;
struct kserv_http_call;
struct kserv_http_end;

/**
 * struct kserv_http_request - all of it is copied but the functions and @context
 * @path: with its query
 * @content_type: NULL without a body
 * @token: "" if there is none
 * @cert, @key: PEM to be used instead of those of the access; NULL: as the access says
 * @fresh: over a new connection, since those that are there are not to be trusted
 * @connect_ms: for the handshakes; @head_ms: until the first byte comes; @silence_ms: between two pieces of the body;
 *	@total_ms: for everything; 0: no limit
 * @head: an answer of 2xx begins; may be NULL
 * @data: a piece of the body of an answer of 2xx; anything but 0 (-errno) ends the request with that
 * @done: comes once, and last
 */
struct kserv_http_request {
	const char *method, *path, *content_type, *body;
	size_t body_len;
	const char *token;
	const struct kserv_text *cert, *key;
	bool fresh;
	unsigned int connect_ms, head_ms, silence_ms, total_ms;
	void (*head)(void *context);
	int (*data)(void *context, const char *bytes, size_t len);
	void (*done)(void *context, const struct kserv_http_end *end);
	void *context;
};

/**
 * struct kserv_http_end - valid during the call
 * @error: 0 if the answer came whole, whatever its status
 * @why: what went wrong, as a sentence, if there is an error
 * @body: of an answer that is not of 2xx: up to 64 KiB, ending with NUL
 * @retry_after: seconds; 0 if the server names none
 */
struct kserv_http_end {
	int error;
	const char *why;
	unsigned int status, retry_after;
	const char *body;
	size_t body_len;
};

/* @access must live as long. NULL if curl cannot be set up. */
struct kserv_http *kserv_http_open(sd_event *loop, const struct kserv_access *access, const char *user_agent,
				   bool gzip);
/* Ends all calls without telling anybody. */
void kserv_http_close(struct kserv_http *http);

/* Never tells anything before it returned. Valid until @done was called or the call is cancelled. */
struct kserv_http_call *kserv_http_start(struct kserv_http *http, const struct kserv_http_request *request);
/* Another limit from now on. */
void kserv_http_set_silence(struct kserv_http_call *call, unsigned int silence_ms);
/* Nothing is told any more. May be called at any time, also while @data or @done of this or another call runs. */
void kserv_http_cancel(struct kserv_http_call *call);

#endif
