// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sync/reserve.h"

#define RESERVED_PATH	"/proc/sys/net/ipv4/ip_local_reserved_ports"

bool kserv_reserved_covers(const char *text, uint16_t min, uint16_t max)
{
	unsigned long first, last, next = min;
	char *end;

	while (*text >= '0' && *text <= '9' && next <= max) {
		first = last = strtoul(text, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (first <= next && last >= next)
			next = last + 1;
		text = *end == ',' ? end + 1 : end;
	}
	return next > max;
}

/* Return: the length or -errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = pread(fd, text + len, size - 1 - len, len);
		if (n < 0)
			return -errno;
		len += n;
	} while (n && len < size - 1);
	while (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return len;
}

static int reserve(int fd, char *text, uint16_t min, uint16_t max)
{
	ssize_t len = read_all(fd, text, KSERV_RESERVED_TEXT - sizeof(",65535-65535")), written;

	if (len < 0)
		return len;
	if (kserv_reserved_covers(text, min, max))
		return 0;
	/* The kernel takes the ports together itself. */
	len += sprintf(text + len, "%s%u-%u", len ? "," : "", min, max);
	written = pwrite(fd, text, len, 0);
	if (written < 0)
		return -errno;
	return written == len ? 0 : -E2BIG;
}

int kserv_reserve_ports(uint16_t min, uint16_t max)
{
	int fd = open(RESERVED_PATH, O_RDWR | O_CLOEXEC), error;
	char *text;

	if (fd < 0)
		return -errno;
	text = malloc(KSERV_RESERVED_TEXT);
	error = text ? reserve(fd, text, min, max) : -ENOMEM;
	free(text);
	close(fd);
	return error;
}
