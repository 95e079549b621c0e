// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static int make_folder(const char *folder)
{
	char *copy = kserv_must_strdup(folder), *slash;
	int error = 0;

	for (slash = copy + 1; !error && (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		error = mkdir(copy, 0755) && errno != EEXIST ? -errno : 0;
	}
	if (!error && mkdir(copy, 0755) && errno != EEXIST)
		error = -errno;
	free(copy);
	return error;
}

static int write_whole(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t written;
	int fd, error;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	written = write(fd, text, len);
	error = written < 0 || fchmod(fd, 0644) || fsync(fd) ? -errno : (size_t)written < len ? -ENOSPC : 0;
	close(fd);
	return error;
}

static int sync_folder(const char *folder)
{
	int error, fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	error = fsync(fd) ? -errno : 0;
	close(fd);
	return error;
}

static bool holds(const char *path, const char *text)
{
	struct kserv_text held = { 0 };
	bool same = !kserv_file_read(path, &held) && !strcmp(held.s ? held.s : "", text);

	kserv_text_clear(&held);
	return same;
}

int kserv_file_replace(const char *path, const char *text, bool *ret_changed)
{
	char *folder_of = kserv_must_strdup(path), *folder = dirname(folder_of);
	char *temporary = kserv_must_printf("%s.temp", path);
	int error = 0;

	*ret_changed = !holds(path, text);
	if (*ret_changed) {
		error = make_folder(folder);
		if (!error)
			error = write_whole(temporary, text);
		if (!error && rename(temporary, path))
			error = -errno;
		if (!error)
			error = sync_folder(folder);
		if (error)
			unlink(temporary);
	}
	free(temporary);
	free(folder_of);
	return error;
}
