// SPDX-License-Identifier: GPL-2.0
/*
 * cost STEP PROGRAM ARGUMENT...: run PROGRAM between marks, so that the plugin counts its instructions
 * and the kernel's meanwhile, and print one line of JSON. Idle time is no instruction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mark.h"

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: cost STEP PROGRAM ARGUMENT...\n");
		return 2;
	}
	mark_start();
	pid = fork();
	if (!pid) {
		/* What the program prints goes nowhere, or printing it would be measured too. */
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execvp(argv[2], argv + 2);
		fprintf(stderr, "cost: cannot run %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		fprintf(stderr, "cost: cannot start %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	mark_stop();
	if (status) {
		fprintf(stderr, "cost: %s failed in step %s\n", argv[2], argv[1]);
		return 1;
	}
	printf("{\"step\": \"%s\", \"rss_kb\": %ld}\n", argv[1], usage.ru_maxrss);
	return 0;
}
