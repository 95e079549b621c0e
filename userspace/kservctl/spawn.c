// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kservctl/spawn.h"
#include "lib/log.h"

extern char **environ;

int run_program(char *const *command, const char *input, struct kserv_text *output)
{
	posix_spawn_file_actions_t actions;
	int in[2], out[2], status = -1;
	char buffer[4096];
	ssize_t n;
	pid_t pid;

	if (pipe(in) || pipe(out))
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addclose(&actions, in[1]);
	posix_spawn_file_actions_addclose(&actions, out[0]);
	if (!output)
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, out[1], 2);
	if (posix_spawnp(&pid, command[0], &actions, NULL, command, environ))
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	/* These programs read all of their input before they say anything. */
	if (pid > 0 && input && write(in[1], input, strlen(input)) < 0)
		kserv_log_warning("%s does not read: %s", command[0], strerror(errno));
	close(in[1]);
	while (pid > 0 && (n = read(out[0], buffer, sizeof(buffer))) > 0)
		if (output)
			kserv_text_add_bytes(output, buffer, n);
	close(out[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
