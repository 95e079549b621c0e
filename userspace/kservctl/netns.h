/* SPDX-License-Identifier: GPL-2.0 */
/* The network namespaces in which kserv has something, as far as they can be found: by processes and by /run/netns. */
#ifndef KSERVCTL_NETNS_H
#define KSERVCTL_NETNS_H

#include "kservctl/past.h"
#include "lib/tables.h"

/**
 * struct netns - one of them
 * @fd: the namespace
 * @path: where it was found
 * @inode: by which it is known
 * @tables, @past: what the kernel has there, once read
 */
struct netns {
	int fd;
	char *path;
	unsigned long inode;
	struct kserv_tables tables;
	struct past past;
	bool closed;
};

struct netns_list {
	struct netns *v;
	size_t n;
};

/* Finds them, that of this process first; the others only where kserv has tables. Return: DONE or REFUSED, told. */
enum exit_code netns_find(struct netns_list *ret_list);
/* This process goes there. */
bool netns_enter(const struct netns *netns);
/* Reads what the kernel has there, in place of what was read before. */
enum exit_code netns_read(struct netns *netns);
void netns_clear(struct netns_list *list);

#endif
