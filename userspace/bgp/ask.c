// SPDX-License-Identifier: GPL-2.0
/*
 * BIRD greets, and then answers each command with lines that begin with a number of four digits: a minus after it says
 * that more follow, a blank that it was the last one. A line that begins with a blank has the number of the one before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "bgp/bird.h"
#include "cluster/memory.h"

#define TIMEOUT_US	5000000ULL
/* Longer answers are nobody's. */
#define ANSWER_MAX	(1UL << 20)

/**
 * struct kserv_bird_call - a command and what came of it
 * @raw: not yet taken apart
 * @text: the answer without the greeting
 * @ends: last lines seen; the first is that of the greeting
 */
struct kserv_bird_call {
	int fd;
	sd_event_source *io, *timer;
	struct kserv_text raw, text;
	unsigned int ends;
	bool refused;
	kserv_bird_done done;
	void *context;
};

void kserv_bird_cancel(struct kserv_bird_call *call)
{
	if (!call)
		return;
	sd_event_source_disable_unref(call->io);
	sd_event_source_disable_unref(call->timer);
	if (call->fd >= 0)
		close(call->fd);
	kserv_text_clear(&call->raw);
	kserv_text_clear(&call->text);
	free(call);
}

static void end(struct kserv_bird_call *call, int error)
{
	kserv_bird_done done = call->done;
	void *context = call->context;
	bool refused = call->refused;
	char *text = kserv_text_take(&call->text);

	kserv_bird_cancel(call);
	done(context, error, refused, text);
	free(text);
}

static void take_line(struct kserv_bird_call *call, const char *line)
{
	bool numbered = strspn(line, "0123456789") == 4 && line[4];

	/* 8000 and more are errors. */
	if (numbered && line[0] >= '8') {
		call->refused = true;
		kserv_text_clear(&call->text);
	}
	if (call->ends)
		kserv_text_printf(&call->text, "%s\n", numbered ? line + 5 : line);
	if (numbered && line[4] == ' ')
		call->ends++;
}

static void take_lines(struct kserv_bird_call *call)
{
	char *line = call->raw.s, *newline;
	struct kserv_text rest = { 0 };

	while (call->ends < 2 && (newline = strchr(line, '\n'))) {
		*newline = '\0';
		take_line(call, line);
		line = newline + 1;
	}
	kserv_text_add(&rest, line);
	kserv_text_clear(&call->raw);
	call->raw = rest;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct kserv_bird_call *call = context;
	char buffer[4096];
	ssize_t n = read(fd, buffer, sizeof(buffer));

	(void)source, (void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0 || call->raw.len + call->text.len > ANSWER_MAX) {
		end(call, n < 0 ? -errno : -EPIPE);
		return 0;
	}
	kserv_text_add_bytes(&call->raw, buffer, n);
	take_lines(call);
	if (call->ends == 2)
		end(call, 0);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t time, void *context)
{
	(void)source, (void)time;
	end(context, -ETIMEDOUT);
	return 0;
}

static int open_socket(const char *path, const char *command)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(command);
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* A local socket is connected at once, and takes a few bytes. */
	if (connect(fd, (const void *)&address, sizeof(address)) ||
	    send(fd, command, len, MSG_NOSIGNAL) != (ssize_t)len) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int kserv_bird_ask(sd_event *loop, const char *socket, const char *command, kserv_bird_done done, void *context,
		   struct kserv_bird_call **ret)
{
	struct kserv_bird_call *call = kserv_must_alloc(sizeof(*call));
	char *line = kserv_must_printf("%s\n", command);
	uint64_t now;
	int error;

	call->done = done;
	call->context = context;
	error = call->fd = open_socket(socket, line);
	free(line);
	if (error >= 0)
		error = sd_event_now(loop, CLOCK_MONOTONIC, &now);
	if (error >= 0)
		error = sd_event_add_io(loop, &call->io, call->fd, EPOLLIN, on_readable, call);
	if (error >= 0)
		error = sd_event_add_time(loop, &call->timer, CLOCK_MONOTONIC, now + TIMEOUT_US, 1000, on_timer, call);
	if (error < 0) {
		kserv_bird_cancel(call);
		return error;
	}
	*ret = call;
	return 0;
}
