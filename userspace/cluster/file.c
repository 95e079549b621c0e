// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "cluster/file.h"

static int read_all(int fd, struct kserv_text *text)
{
	char buffer[65536];
	ssize_t n;

	for (;;) {
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		kserv_text_add_bytes(text, buffer, n);
		if (text->len > KSERV_FILE_MAX)
			return -EFBIG;
	}
}

int kserv_file_read(const char *path, struct kserv_text *text)
{
	int fd, error;

	if (!strcmp(path, "-"))
		return read_all(STDIN_FILENO, text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = read_all(fd, text);
	close(fd);
	return error;
}
