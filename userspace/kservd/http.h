/* SPDX-License-Identifier: GPL-2.0 */
/* Small HTTP servers on the event loop: a handler gets each request whole and answers it at once. */
#ifndef KSERVD_HTTP_H
#define KSERVD_HTTP_H

#include <systemd/sd-event.h>
#include "cluster/memory.h"
#include "lib/tables.h"

/* A request; valid during the call of the handler. @body ends with NUL. */
struct http_request {
	const char *method, *path;
	const char *body;
	size_t len;
	void *connection;
};

#define HTTP_HEADERS	4

/**
 * struct http_answer - what the handler fills in
 * @status: 200 unless set
 * @type: content type
 * @headers: more of them: names, and values that the handler allocates; ended by a row without name
 * @body: of any length
 */
struct http_answer {
	unsigned int status;
	const char *type;
	struct {
		const char *name;
		char *value;
	} headers[HTTP_HEADERS];
	struct kserv_text body;
};

typedef void http_handler(void *context, const struct http_request *request, struct http_answer *answer);

/**
 * struct http_options - bounds of one server
 * @body_max: longer requests are answered by 413
 * @connections: more wait
 * @idle_s: a connection on which nothing comes is closed
 */
struct http_options {
	size_t body_max;
	unsigned int connections, idle_s;
	http_handler *handler;
	void *context;
};

struct http_server;

/**
 * http_serve() - begin to answer on a socket that listens
 * @fd: the server's from now on, also on error
 *
 * Return: 0 or -errno.
 */
int http_serve(sd_event *loop, int fd, const struct http_options *options, struct http_server **ret_server);
/* NULL is fine. */
void http_stop(struct http_server *server);

/**
 * http_listen() - a TCP socket that listens
 * @addr: family AF_UNSPEC for all addresses of both families, or of IPv4 where there is no IPv6
 *
 * Return: the socket or -errno.
 */
int http_listen(const struct kserv_addr *addr, uint16_t port);

/* An argument behind the question mark of the request's URL, decoded; NULL if it is not there. */
const char *http_argument(const struct http_request *request, const char *name);
const char *http_header(const struct http_request *request, const char *name);

#endif
