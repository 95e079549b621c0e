// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "kservd/http.h"

/* What one connection may buffer of headers. */
#define HEADERS_MAX	(16 * 1024)
#define BACKLOG		64

struct http_server {
	struct http_options options;
	struct MHD_Daemon *daemon;
	sd_event_source *io, *timer;
};

/* The body of a request as it comes. */
struct upload {
	struct kserv_text body;
	bool is_too_long;
};

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct http_answer *answer)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	size_t len = answer->body.len, i;

	response = MHD_create_response_from_buffer(len, kserv_text_take(&answer->body), MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	if (answer->type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
	for (i = 0; i < HTTP_HEADERS && answer->headers[i].name; i++) {
		MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
		free(answer->headers[i].value);
	}
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse_length(struct MHD_Connection *connection)
{
	struct http_answer answer = { .status = MHD_HTTP_CONTENT_TOO_LARGE, .type = "text/plain" };

	kserv_text_add(&answer.body, "the request is too long\n");
	return send_answer(connection, &answer);
}

static enum MHD_Result answer_request(void *context, struct MHD_Connection *connection, const char *url,
				      const char *method, const char *version, const char *data, size_t *len, void **state)
{
	struct http_server *server = context;
	struct http_request request = { .method = method, .path = url, .connection = connection };
	struct http_answer answer = { .status = MHD_HTTP_OK };
	struct upload *upload = *state;

	(void)version;
	if (!upload) {
		*state = kserv_must_alloc(sizeof(struct upload));
		return MHD_YES;
	}
	if (*len) {
		upload->is_too_long |= upload->body.len + *len > server->options.body_max;
		if (!upload->is_too_long)
			kserv_text_add_bytes(&upload->body, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (upload->is_too_long)
		return refuse_length(connection);
	request.body = upload->body.s ? upload->body.s : "";
	request.len = upload->body.len;
	server->options.handler(server->options.context, &request, &answer);
	return send_answer(connection, &answer);
}

static void request_ended(void *context, struct MHD_Connection *connection, void **state,
			  enum MHD_RequestTerminationCode code)
{
	struct upload *upload = *state;

	(void)context, (void)connection, (void)code;
	if (!upload)
		return;
	kserv_text_clear(&upload->body);
	free(upload);
	*state = NULL;
}

/* After each run MHD says when it wants the next, whatever comes. */
static int set_timer(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;
	uint64_t now;

	if (MHD_get_timeout(server->daemon, &timeout_ms) != MHD_YES)
		return sd_event_source_set_enabled(server->timer, SD_EVENT_OFF);
	sd_event_now(sd_event_source_get_event(server->timer), CLOCK_MONOTONIC, &now);
	sd_event_source_set_time(server->timer, now + timeout_ms * 1000);
	return sd_event_source_set_enabled(server->timer, SD_EVENT_ONESHOT);
}

static int run_io(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct http_server *server = context;

	(void)source, (void)fd, (void)events;
	MHD_run(server->daemon);
	set_timer(server);
	return 0;
}

static int run_timer(sd_event_source *source, uint64_t now, void *context)
{
	struct http_server *server = context;

	(void)source, (void)now;
	MHD_run(server->daemon);
	set_timer(server);
	return 0;
}

static int attach(struct http_server *server, sd_event *loop)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int error;

	if (!info)
		return -EIO;
	error = sd_event_add_io(loop, &server->io, info->epoll_fd, EPOLLIN, run_io, server);
	if (error >= 0)
		error = sd_event_add_time(loop, &server->timer, CLOCK_MONOTONIC, 0, 1000, run_timer, server);
	if (error < 0)
		return error;
	set_timer(server);
	return 0;
}

int http_serve(sd_event *loop, int fd, const struct http_options *options, struct http_server **ret_server)
{
	struct http_server *server = kserv_must_alloc(sizeof(*server));
	int error;

	server->options = *options;
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer_request, server,
					  MHD_OPTION_LISTEN_SOCKET, fd,
					  MHD_OPTION_NOTIFY_COMPLETED, request_ended, server,
					  MHD_OPTION_CONNECTION_LIMIT, options->connections,
					  MHD_OPTION_CONNECTION_TIMEOUT, options->idle_s,
					  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
					  MHD_OPTION_END);
	if (!server->daemon) {
		close(fd);
		free(server);
		return -EIO;
	}
	error = attach(server, loop);
	if (error) {
		http_stop(server);
		return error;
	}
	*ret_server = server;
	return 0;
}

void http_stop(struct http_server *server)
{
	if (!server)
		return;
	sd_event_source_disable_unref(server->io);
	sd_event_source_disable_unref(server->timer);
	MHD_stop_daemon(server->daemon);
	free(server);
}

static int listen_on(const struct sockaddr *address, socklen_t len, bool both)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, off = !both, error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, address, len) && !listen(fd, BACKLOG))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int http_listen(const struct kserv_addr *addr, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd;

	if (addr->family == AF_INET) {
		v4.sin_addr = addr->v4;
		return listen_on((struct sockaddr *)&v4, sizeof(v4), false);
	}
	v6.sin6_addr = addr->v6;
	if (addr->family == AF_INET6)
		return listen_on((struct sockaddr *)&v6, sizeof(v6), false);
	v6.sin6_addr = in6addr_any;
	fd = listen_on((struct sockaddr *)&v6, sizeof(v6), true);
	return fd == -EAFNOSUPPORT ? listen_on((struct sockaddr *)&v4, sizeof(v4), false) : fd;
}

const char *http_argument(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}
