// SPDX-License-Identifier: GPL-2.0
/*
 * follow [OPTION=VALUE ...]: shows what the API source tells, a line for each thing, for the tests of it.
 *
 * Lines: "changed KIND NAMESPACE/NAME added|changed|removed VERSION", "synced KIND|all", "state KIND PHASE ERROR",
 * "answer ERROR STATUS REASON WHY BODY", "object KIND NAMESPACE/NAME VERSION DETAIL", "end-of-picture",
 * "version KIND VERSION", "memory PEAK KiB cpu TIME ms".
 * Commands on standard input: "request METHOD PATH [BODY]", "picture", "state KIND", "memory", "stop".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "kube/kube.h"

static const char *const kind_names[] = { "services", "endpointslices", "nodes", "namespaces", "pods", "all" };
static struct kserv_kube *kube;
static bool quiet;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static void on_changed(void *context, enum kserv_kube_kind kind, union kserv_kube_object old,
		       union kserv_kube_object new)
{
	const struct kserv_meta *meta = new.meta ? new.meta : old.meta;

	(void)context;
	if (!quiet)
		say("changed %s %s/%s %s %s", kind_names[kind], meta->namespace, meta->name,
		    !old.meta ? "added" : new.meta ? "changed" : "removed", meta->resource_version);
}

static void on_synced(void *context, enum kserv_kube_kind kind)
{
	(void)context;
	say("synced %s", kind_names[kind]);
	fflush(stdout);
}

static void on_state(void *context)
{
	struct kserv_kube_state state;
	int kind;

	(void)context;
	if (!kube)
		return;
	kserv_kube_state(kube, &state);
	for (kind = 0; kind < KSERV_KUBE_KINDS; kind++)
		if (state.kinds[kind].phase != KSERV_KUBE_OFF)
			say("state %s %s %s", kind_names[kind], kserv_kube_phase_name(state.kinds[kind].phase),
			    state.kinds[kind].error);
	say("connected %s", state.connected ? "yes" : "no");
}

static void show_service(const struct kserv_k8s_service *service)
{
	say("object services %s/%s %s %s %zu ports", service->meta.namespace, service->meta.name,
	    service->meta.resource_version, service->cluster_ip, service->n_ports);
}

static void show_slice(const struct kserv_slice *slice)
{
	say("object endpointslices %s/%s %s %s %zu endpoints", slice->meta.namespace, slice->meta.name,
	    slice->meta.resource_version, slice->service, slice->n_endpoints);
}

static void show_picture(void)
{
	struct kserv_cluster cluster = { 0 };
	size_t i;

	kserv_kube_cluster(kube, &cluster);
	for (i = 0; i < cluster.n_services; i++)
		show_service(cluster.services[i]);
	for (i = 0; i < cluster.n_slices; i++)
		show_slice(cluster.slices[i]);
	for (i = 0; i < cluster.n_nodes; i++)
		say("object nodes /%s %s %zu addresses", cluster.nodes[i]->meta.name,
		    cluster.nodes[i]->meta.resource_version, cluster.nodes[i]->internal_ips.n);
	for (i = 0; i < cluster.n_namespaces; i++)
		say("object namespaces /%s %s", cluster.namespaces[i]->meta.name,
		    cluster.namespaces[i]->meta.resource_version);
	say("end-of-picture");
}

static void on_answer(void *context, const struct kserv_kube_answer *answer)
{
	(void)context;
	say("answer %d %u %s|%s|%u|%s", -answer->error, answer->status, answer->reason, answer->why,
	    answer->retry_after, answer->body);
}

static void send_request(char *rest)
{
	struct kserv_kube_request request = { .timeout_ms = 5000 };

	request.method = strsep(&rest, " ");
	request.path = strsep(&rest, " ");
	request.body = rest;
	request.body_len = rest ? strlen(rest) : 0;
	kserv_kube_request(kube, &request, on_answer, NULL);
}

static void show_version(const char *name)
{
	struct kserv_kube_state state;
	int kind;

	kserv_kube_state(kube, &state);
	for (kind = 0; kind < KSERV_KUBE_KINDS; kind++)
		if (!strcmp(name, kind_names[kind]))
			say("version %s %s", name, state.kinds[kind].resource_version);
}

/* What getrusage() tells of memory begins with that of the process which started us. */
static long peak_memory(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long peak = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmHWM: %ld", &peak) == 1)
			break;
	if (file)
		fclose(file);
	return peak;
}

static void show_memory(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	say("memory %ld KiB cpu %ld ms", peak_memory(), (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
}

static int on_command(sd_event_source *source, int fd, uint32_t events, void *context)
{
	sd_event *loop = sd_event_source_get_event(source);
	char line[65536];

	(void)fd;
	(void)events;
	(void)context;
	if (!fgets(line, sizeof(line), stdin))
		return sd_event_exit(loop, 0);
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, "request ", 8))
		send_request(line + 8);
	else if (!strcmp(line, "picture"))
		show_picture();
	else if (!strncmp(line, "state ", 6))
		show_version(line + 6);
	else if (!strcmp(line, "memory"))
		show_memory();
	else
		sd_event_exit(loop, 0);
	return 0;
}

/* Lines go out when there is nothing else to do, so that a long list is not slowed down by them. */
static int on_idle(sd_event_source *source, void *context)
{
	(void)context;
	(void)source;
	fflush(stdout);
	return 0;
}

static unsigned int kinds_of(char *list)
{
	unsigned int kinds = 0;
	char *word;
	int kind;

	while ((word = strsep(&list, ",")))
		for (kind = 0; kind < KSERV_KUBE_KINDS; kind++)
			if (!strcmp(word, kind_names[kind]))
				kinds |= KSERV_KUBE_KIND(kind);
	return kinds;
}

static void set_option(struct kserv_kube_options *options, char *word)
{
	static const char *const times[] = {
		"connect_ms", "head_ms", "list_silence_ms", "watch_silence_ms", "watch_seconds", "backoff_min_ms",
		"backoff_max_ms", "healthy_ms", "token_ms",
	};
	char *key = strsep(&word, "=");
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(*times); i++)
		if (!strcmp(key, times[i]))
			((unsigned int *)&options->times)[i] = atoi(word);
	if (!strcmp(key, "kubeconfig"))
		options->kubeconfig = word;
	else if (!strcmp(key, "context"))
		options->context = word;
	else if (!strcmp(key, "server"))
		options->server = word;
	else if (!strcmp(key, "service_account"))
		options->service_account = word;
	else if (!strcmp(key, "kinds"))
		options->kinds = kinds_of(word);
	else if (!strcmp(key, "page"))
		options->page = atoi(word);
	else if (!strcmp(key, "gzip"))
		options->gzip = atoi(word);
	else if (!strcmp(key, "no_watch_list"))
		options->no_watch_list = atoi(word);
	else if (!strcmp(key, "label_selector"))
		options->label_selectors[KSERV_KUBE_SERVICES] = word;
	else if (!strcmp(key, "quiet"))
		quiet = atoi(word);
}

int main(int argc, char **argv)
{
	static const struct kserv_kube_events events = {
		.changed = on_changed, .synced = on_synced, .state = on_state,
	};
	struct kserv_kube_options options = { .kinds = KSERV_KUBE_USUAL };
	sd_event_source *commands, *idle;
	struct kserv_errors errors = { 0 };
	sd_event *loop;
	char *line;
	int i, code;
	size_t n;

	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (i = 1; i < argc; i++)
		set_option(&options, argv[i]);
	if (sd_event_new(&loop) < 0)
		return 1;
	code = kserv_kube_start(loop, &options, &events, NULL, &errors, &kube);
	for (n = 0; n < errors.n; n++) {
		line = kserv_error_format(&errors.v[n]);
		say("error %s", line);
		free(line);
	}
	kserv_errors_clear(&errors);
	fflush(stdout);
	if (code) {
		sd_event_unref(loop);
		return 2;
	}
	sd_event_add_io(loop, &commands, STDIN_FILENO, EPOLLIN, on_command, NULL);
	sd_event_add_post(loop, &idle, on_idle, NULL);
	sd_event_loop(loop);
	kserv_kube_stop(kube);
	sd_event_source_unref(commands);
	sd_event_source_unref(idle);
	sd_event_unref(loop);
	return 0;
}
