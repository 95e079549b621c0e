// SPDX-License-Identifier: GPL-2.0
/* kservd: keeps this node's kernel in step with the objects of a cluster. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "kservd/daemon.h"
#include "lib/log.h"

static enum daemon_exit write_config(const struct options *options)
{
	FILE *file = strcmp(options->write_to, "-") ? fopen(options->write_to, "w") : stdout;
	struct kserv_text text = { 0 };
	bool written;

	if (!file) {
		kserv_log_error("%s cannot be written: %s", options->write_to, strerror(errno));
		return DAEMON_FAILED;
	}
	kserv_emit_yaml(&text, options->config.tree.root);
	written = fputs(text.s, file) >= 0;
	written &= !(file == stdout ? fflush(file) : fclose(file));
	kserv_text_clear(&text);
	if (!written)
		kserv_log_error("%s cannot be written: %s", options->write_to, strerror(errno));
	return written ? DAEMON_ENDED : DAEMON_FAILED;
}

/* Services, routes and the pod network go, connections with them; the configuration becomes that of a module just loaded. */
static enum daemon_exit clean_up(const struct options *options)
{
	const struct kserv_tables nothing = { 0 };
	struct kserv_sync_result result;
	struct kserv_nl_error words = { 0 };
	struct kserv_nl *nl;
	int error;

	if (podnet_clean_up(options->config.tree.root) || bgp_clean_up(options->config.tree.root))
		return DAEMON_FAILED;
	error = kserv_nl_open(&nl, &words);
	if (error == -ENOENT) {
		kserv_log_note("there is nothing to clean up: %s", words.text);
		return DAEMON_ENDED;
	}
	if (!error) {
		error = kserv_sync(nl, &nothing, &result, &words);
		kserv_nl_close(nl);
	}
	if (error) {
		kserv_log_error("the kernel was not cleaned up: %s", words.text[0] ? words.text : strerror(-error));
		return DAEMON_FAILED;
	}
	kserv_log_note("removed %zu services and %zu routes", result.counts.services_removed, result.counts.routes_removed);
	return DAEMON_ENDED;
}

/* Who is short of memory should not end this process first. */
static void set_oom_score(int32_t score)
{
	FILE *file = score == INT32_MIN ? NULL : fopen("/proc/self/oom_score_adj", "w");

	if (score == INT32_MIN)
		return;
	if (!file || fprintf(file, "%d\n", score) < 0 || fflush(file))
		kserv_log_warning("the OOM score could not be set to %d: %s", score, strerror(errno));
	if (file)
		fclose(file);
}

static enum daemon_exit run(struct daemon *daemon)
{
	struct options *options = &daemon->options;
	struct kserv_errors errors = { 0 };

	if (options->help) {
		options_print_help();
		return DAEMON_ENDED;
	}
	if (options->version) {
		printf("kservd %s\n", KSERV_VERSION);
		return DAEMON_ENDED;
	}
	if (options_read(options, &errors)) {
		daemon_log_errors(&errors);
		return DAEMON_USAGE;
	}
	kserv_errors_clear(&errors);
	if (options->write_to)
		return write_config(options);
	if (options->cleanup)
		return clean_up(options);
	set_oom_score(options->oom_score);
	return daemon_run(daemon);
}

int main(int argc, const char **argv)
{
	struct daemon daemon = { .argc = argc, .argv = argv };
	enum daemon_exit code = DAEMON_USAGE;
	char *why;

	kserv_log_prefix("kservd");
	if (options_parse(&daemon.options, argc, argv, &why))
		kserv_log_error("%s; kservd --help lists the options", why);
	else
		code = run(&daemon);
	free(why);
	options_clear(&daemon.options);
	return code;
}
