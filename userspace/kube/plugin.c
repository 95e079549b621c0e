// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cluster/emit.h"
#include "cluster/file.h"
#include "cluster/json.h"
#include "kube/plugin.h"

#define OUTPUT_MAX	(1u << 20)

struct kserv_plugin_run {
	const struct kserv_access *access;
	sd_event_source *output, *end, *timeout, *failed;
	int fd, pidfd;
	pid_t pid;
	struct kserv_text text;
	char *why;			/* it could not be run, or ran too long */
	void (*done)(void *context, struct kserv_plugin_credential *credential, const char *why);
	void *context;
};

void kserv_plugin_credential_clear(struct kserv_plugin_credential *credential)
{
	free(credential->token);
	kserv_text_clear(&credential->cert);
	kserv_text_clear(&credential->key);
	*credential = (struct kserv_plugin_credential){ 0 };
}

/* RFC 3339; 0 if it is none. */
static int64_t read_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0, minutes = 0;

	if (!rest)
		return 0;
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2)
		return 0;
	return timegm(&tm) - (*rest == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

static char *read_status(const char *api_version, const struct kserv_value *root, struct kserv_plugin_credential *ret)
{
	const struct kserv_value *status = kserv_value_find(root, "status");
	const char *cert = kserv_value_string(status, "clientCertificateData"), *expires;
	const char *key = kserv_value_string(status, "clientKeyData");

	if (strcmp(kserv_value_string(root, "kind"), "ExecCredential"))
		return kserv_must_strdup("what it printed is no ExecCredential");
	if (strcmp(kserv_value_string(root, "apiVersion"), api_version))
		return kserv_must_printf("it printed an ExecCredential of %s, but the kubeconfig asks for %s",
					 kserv_value_string(root, "apiVersion"), api_version);
	ret->token = kserv_must_strdup(kserv_value_string(status, "token"));
	if (!*cert != !*key)
		return kserv_must_strdup("it printed a client certificate without its key, or a key alone");
	if (*cert) {
		kserv_text_add(&ret->cert, cert);
		kserv_text_add(&ret->key, key);
	}
	if (!*ret->token && !*cert)
		return kserv_must_strdup("it printed neither a token nor a client certificate");
	expires = kserv_value_string(status, "expirationTimestamp");
	ret->expires = read_time(expires);
	if (*expires && !ret->expires)
		return kserv_must_printf("the time \"%s\" when its credential expires cannot be read", expires);
	return NULL;
}

int kserv_plugin_read(const char *api_version, const char *text, size_t len, struct kserv_plugin_credential *ret,
		      char **ret_why)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };

	*ret = (struct kserv_plugin_credential){ 0 };
	if (kserv_json_read(&tree, text, len, 1, NULL, &errors))
		*ret_why = kserv_must_strdup("what it printed is no JSON");
	else
		*ret_why = read_status(api_version, tree.root, ret);
	kserv_errors_clear(&errors);
	kserv_tree_clear(&tree);
	if (*ret_why)
		kserv_plugin_credential_clear(ret);
	return *ret_why ? -EINVAL : 0;
}

static void free_run(struct kserv_plugin_run *run)
{
	sd_event_source_disable_unref(run->output);
	sd_event_source_disable_unref(run->end);
	sd_event_source_disable_unref(run->timeout);
	sd_event_source_disable_unref(run->failed);
	if (run->fd >= 0)
		close(run->fd);
	if (run->pidfd >= 0)
		close(run->pidfd);
	kserv_text_clear(&run->text);
	free(run->why);
	free(run);
}

/* Return: false once there is nothing more to come. */
static bool take_output(struct kserv_plugin_run *run)
{
	char buffer[4096];
	ssize_t n;

	do {
		n = read(run->fd, buffer, sizeof(buffer));
		if (n > 0 && run->text.len < OUTPUT_MAX)
			kserv_text_add_bytes(&run->text, buffer, n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 && errno == EAGAIN;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct kserv_plugin_run *run = context;

	(void)fd;
	(void)events;
	if (!take_output(run))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static void finish(struct kserv_plugin_run *run)
{
	const struct kserv_access_plugin *plugin = &run->access->plugin;
	const char *text = run->text.s ? run->text.s : "";
	struct kserv_plugin_credential credential = { 0 };
	char *why = NULL, *sentence;

	if (run->why)
		why = kserv_must_strdup(run->why);
	else
		kserv_plugin_read(plugin->api_version, text, run->text.len, &credential, &why);
	if (why) {
		sentence = kserv_must_printf("the credential plugin %s: %s", plugin->command, why);
		run->done(run->context, NULL, sentence);
		free(sentence);
	} else {
		run->done(run->context, &credential, "");
	}
	free(why);
	kserv_plugin_credential_clear(&credential);
	free_run(run);
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct kserv_plugin_run *run = context;
	siginfo_t info = { 0 };

	(void)source;
	(void)events;
	waitid(P_PIDFD, fd, &info, WEXITED);
	take_output(run);
	if (!run->why && info.si_code == CLD_EXITED && info.si_status)
		run->why = kserv_must_printf("it ended with exit code %d", info.si_status);
	else if (!run->why && info.si_code != CLD_EXITED)
		run->why = kserv_must_printf("it was ended by signal %d", info.si_status);
	finish(run);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *context)
{
	struct kserv_plugin_run *run = context;

	(void)source;
	(void)usec;
	run->why = kserv_must_printf("it did not end within %d seconds", KSERV_PLUGIN_TIMEOUT_US / 1000000);
	kill(run->pid, SIGKILL);
	return 0;
}

static int on_failed(sd_event_source *source, void *context)
{
	(void)source;
	finish(context);
	return 0;
}

static char *write_base64(const char *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct kserv_text text = { 0 };
	size_t at, i, n;
	char four[4];

	for (at = 0; at < len; at += 3) {
		uint32_t bits = 0;

		n = len - at < 3 ? len - at : 3;
		for (i = 0; i < 3; i++)
			bits = bits << 8 | (i < n ? (unsigned char)bytes[at + i] : 0);
		for (i = 0; i < 4; i++)
			four[i] = i <= n ? digits[bits >> (18 - 6 * i) & 63] : '=';
		kserv_text_add_bytes(&text, four, 4);
	}
	return kserv_text_take(&text);
}

static void tell_ca(struct kserv_tree *tree, struct kserv_value *cluster, const struct kserv_access_file *ca)
{
	struct kserv_text text = { 0 };
	char *base64;

	if (ca->content.s)
		kserv_text_add_bytes(&text, ca->content.s, ca->content.len);
	else if (*ca->path)
		kserv_file_read(ca->path, &text);
	if (!text.len)
		return;
	base64 = write_base64(text.s, text.len);
	kserv_value_set(cluster, "certificate-authority-data", kserv_value_new_string(tree, base64));
	kserv_text_clear(&text);
	free(base64);
}

/* What the plugin is told of the cluster, in the variable KUBERNETES_EXEC_INFO. */
static char *make_info(const struct kserv_access *access)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *root = kserv_value_new(&tree, KSERV_VALUE_MAP), *spec, *cluster;
	struct kserv_text text = { 0 };

	kserv_value_set(root, "apiVersion", kserv_value_new_string(&tree, access->plugin.api_version));
	kserv_value_set(root, "kind", kserv_value_new_string(&tree, "ExecCredential"));
	spec = kserv_value_need_map(&tree, root, "spec");
	kserv_value_set(spec, "interactive", kserv_value_new_bool(&tree, false));
	if (access->plugin.provide_cluster) {
		cluster = kserv_value_need_map(&tree, spec, "cluster");
		kserv_value_set(cluster, "server", kserv_value_new_string(&tree, access->server));
		if (*access->tls_name)
			kserv_value_set(cluster, "tls-server-name", kserv_value_new_string(&tree, access->tls_name));
		if (access->insecure)
			kserv_value_set(cluster, "insecure-skip-tls-verify", kserv_value_new_bool(&tree, true));
		tell_ca(&tree, cluster, &access->ca);
		if (*access->proxy)
			kserv_value_set(cluster, "proxy-url", kserv_value_new_string(&tree, access->proxy));
	}
	kserv_emit_json(&text, root, 0);
	kserv_tree_clear(&tree);
	return kserv_text_take(&text);
}

static void put_variable(struct kserv_strings *env, char *line)
{
	size_t len = strcspn(line, "=") + 1, i;

	for (i = 0; i < env->n; i++)
		if (!strncmp(env->v[i], line, len))
			break;
	if (i < env->n)
		free(env->v[i]);
	else
		env->v = kserv_must_grow(env->v, env->n++, sizeof(*env->v));
	env->v[i] = line;
}

/* Our own environment, that of the kubeconfig over it; ended by NULL. */
static struct kserv_strings make_env(const struct kserv_access *access)
{
	const struct kserv_labels *given = &access->plugin.env;
	struct kserv_strings env = { 0 };
	char *info = make_info(access);
	size_t i;

	for (i = 0; environ[i]; i++)
		put_variable(&env, kserv_must_strdup(environ[i]));
	for (i = 0; i < given->n; i++)
		put_variable(&env, kserv_must_printf("%s=%s", given->v[i].key, given->v[i].value));
	put_variable(&env, kserv_must_printf("KUBERNETES_EXEC_INFO=%s", info));
	env.v = kserv_must_grow(env.v, env.n, sizeof(*env.v));
	free(info);
	return env;
}

/* Return: 0 or an errno. */
static int spawn(struct kserv_plugin_run *run, const struct kserv_access_plugin *plugin, int output)
{
	struct kserv_strings env = make_env(run->access);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	char **argv = kserv_must_alloc((plugin->args.n + 2) * sizeof(*argv));
	int error;

	argv[0] = plugin->command;
	if (plugin->args.n)
		memcpy(argv + 1, plugin->args.v, plugin->args.n * sizeof(*argv));
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawnp(&run->pid, plugin->command, &actions, &attributes, argv, env.v);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	kserv_strings_clear(&env);
	free(argv);
	return error;
}

static int launch(sd_event *loop, struct kserv_plugin_run *run)
{
	int pipes[2], error;

	if (pipe2(pipes, O_CLOEXEC))
		return errno;
	run->fd = pipes[0];
	fcntl(run->fd, F_SETFL, O_NONBLOCK);
	error = spawn(run, &run->access->plugin, pipes[1]);
	close(pipes[1]);
	if (error)
		return error;
	run->pidfd = pidfd_open(run->pid, 0);
	if (run->pidfd < 0 || sd_event_add_io(loop, &run->end, run->pidfd, EPOLLIN, on_end, run) < 0 ||
	    sd_event_add_io(loop, &run->output, run->fd, EPOLLIN, on_output, run) < 0 ||
	    sd_event_add_time_relative(loop, &run->timeout, CLOCK_MONOTONIC, KSERV_PLUGIN_TIMEOUT_US, 0, on_timeout,
				       run) < 0) {
		error = errno;
		kill(run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
		run->end = sd_event_source_disable_unref(run->end);
	}
	return error;
}

struct kserv_plugin_run *kserv_plugin_start(sd_event *loop, const struct kserv_access *access,
					    void (*done)(void *context, struct kserv_plugin_credential *credential,
							 const char *why), void *context)
{
	struct kserv_plugin_run *run = kserv_must_alloc(sizeof(*run));
	int error;

	run->access = access;
	run->done = done;
	run->context = context;
	run->fd = run->pidfd = -1;
	error = launch(loop, run);
	if (error) {
		run->why = kserv_must_printf("it cannot be run: %s%s%s", strerror(error),
					     *access->plugin.hint ? "; " : "", access->plugin.hint);
		sd_event_add_defer(loop, &run->failed, on_failed, run);
	}
	return run;
}

void kserv_plugin_cancel(struct kserv_plugin_run *run)
{
	if (!run)
		return;
	if (run->end) {
		kill(run->pid, SIGKILL);
		waitid(P_PIDFD, run->pidfd, &(siginfo_t){ 0 }, WEXITED);
	}
	free_run(run);
}
