/* SPDX-License-Identifier: GPL-2.0 */
/* Into the network namespaces of tests/e2e/lib.sh. _GNU_SOURCE is needed, for setns(). */
#ifndef KSERV_TOOLS_NETNS_H
#define KSERV_TOOLS_NETNS_H

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* Sockets made from now on belong to this namespace. Ends the program if there is none. */
static inline void enter_netns(const char *netns)
{
	char path[256];
	int ns;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		err(1, "cannot enter network namespace %s", netns);
	close(ns);
}

#endif
