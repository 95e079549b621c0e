// SPDX-License-Identifier: GPL-2.0
/* HTTP/1.0: the server closes when it has said everything, and nothing comes in chunks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "control/client.h"

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

bool kserv_control_is_there(const char *path)
{
	int fd = connect_to(path);

	/* One that we may not ask is there as well: to go past it would be worse than to be told. */
	if (fd < 0)
		return fd == -EACCES || fd == -EPERM;
	close(fd);
	return true;
}

static int send_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

static int receive_all(int fd, struct kserv_text *text)
{
	char buffer[65536];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		kserv_text_add_bytes(text, buffer, n);
	}
	return 0;
}

/* Splits "HTTP/1.1 200 OK, headers, empty line, body". */
static int take_answer(const struct kserv_text *text, unsigned int *ret_status, struct kserv_text *ret_body)
{
	const char *end = text->s ? strstr(text->s, "\r\n\r\n") : NULL;

	if (!end || sscanf(text->s, "HTTP/1.%*u %u", ret_status) != 1)
		return -EBADMSG;
	end += 4;
	kserv_text_add_bytes(ret_body, end, text->s + text->len - end);
	return 0;
}

int kserv_control_call(const char *path, const char *method, const char *url, const struct kserv_text *body,
		       unsigned int *ret_status, struct kserv_text *ret_body)
{
	struct kserv_text text = { 0 };
	int fd = connect_to(path), error;

	if (fd < 0)
		return fd;
	kserv_text_printf(&text, "%s %s HTTP/1.0\r\nHost: kservd\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
			  method, url, body ? body->len : 0);
	error = send_all(fd, text.s, text.len);
	if (!error && body)
		error = send_all(fd, body->s, body->len);
	/* Who refuses a long request answers before it was read to its end. */
	if (error == -EPIPE || error == -ECONNRESET)
		error = 0;
	kserv_text_clear(&text);
	if (!error)
		error = receive_all(fd, &text);
	close(fd);
	if (!error)
		error = take_answer(&text, ret_status, ret_body);
	kserv_text_clear(&text);
	return error;
}
