// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include "kservd/daemon.h"
#include "kservd/privileges.h"
#include "lib/log.h"
#include "plan/warning.h"
#include "sync/reserve.h"

/* Without a change for QUIET, but no later than LONGEST after the first one. */
#define QUIET_US	1000ULL
#define LONGEST_US	20000ULL
/* All is planned and compared anew so often, as kube-proxy does. */
#define FULL_PERIOD_US	(3600 * 1000000ULL)
/* A sync comes after all else that is ready, so that what has come is merged; before it when it has waited too long. */
#define PRIORITY_LAST	(SD_EVENT_PRIORITY_NORMAL + 10)
#define PRIORITY_URGENT	(SD_EVENT_PRIORITY_NORMAL - 10)
/* What systemd is asked to wait on while there is nothing to be ready with. */
#define START_MORE_US	120000000ULL

uint64_t daemon_now(const struct daemon *daemon)
{
	uint64_t now;

	sd_event_now(daemon->loop, CLOCK_MONOTONIC, &now);
	return now;
}

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

/* Seconds since 1970. */
static double real_now(struct timespec *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now;
	return now.tv_sec + now.tv_nsec / 1e9;
}

bool daemon_is_healthy(const struct daemon *daemon)
{
	return !daemon->window.first || clock_now() - daemon->window.first <= 2 * daemon->options.sync_period_us;
}

int daemon_api_connected(const struct daemon *daemon)
{
	struct kserv_kube_state state;

	if (!daemon->kube)
		return -1;
	kserv_kube_state(daemon->kube, &state);
	return state.connected;
}

void daemon_log_errors(struct kserv_errors *errors)
{
	char *line;
	size_t i;

	for (i = 0; i < errors->n; i++) {
		line = kserv_error_format(&errors->v[i]);
		kserv_log_error("%s", line);
		free(line);
	}
	kserv_errors_clear(errors);
}

static void arm(struct daemon *daemon)
{
	uint64_t due = window_due(&daemon->window);

	if (due == WINDOW_NEVER || !daemon->model.is_complete)
		return;
	sd_event_source_set_time(daemon->sync_timer, due);
	sd_event_source_set_enabled(daemon->sync_timer, SD_EVENT_ONESHOT);
}

static void changed(void *context)
{
	struct daemon *daemon = context;
	uint64_t now = clock_now();
	int enabled;

	window_note(&daemon->window, now);
	/* Changes that come without end would keep it waiting for ever. */
	if (now > daemon->window.first + daemon->window.longest)
		sd_event_source_set_priority(daemon->sync_timer, PRIORITY_URGENT);
	daemon->metrics.queued = real_now(NULL);
	/* While it runs it looks at the window itself when it ends. */
	if (sd_event_source_get_enabled(daemon->sync_timer, &enabled) >= 0 && enabled == SD_EVENT_OFF)
		arm(daemon);
}

static void report(void *context, struct entry *entry, const char *reason, const char *text)
{
	struct daemon *daemon = context;
	char *object = kserv_must_printf("Service %s", entry->name);

	kserv_log_warning("%s: %s", object, text);
	api_tell(daemon, entry->name, reason, text);
	if (daemon->answer)
		kserv_warn_of(&daemon->answer->warnings, object, "%s", text);
	free(object);
}

static void report_check(void *context, const char *service, const char *reason, const char *text)
{
	kserv_log_warning("%s", text);
	api_tell(context, service, reason, text);
}

static bool is_healthy(void *context)
{
	return daemon_is_healthy(context);
}

/* A service is in the kernel as it should be. */
static void kept(void *context, struct entry *entry)
{
	struct daemon *daemon = context;
	double now = real_now(NULL);
	unsigned int i;

	for (i = 0; i < entry->n_triggers; i++)
		if (entry->triggers[i] >= daemon->metrics.started && now >= entry->triggers[i])
			histogram_add(&daemon->metrics.programming, now - entry->triggers[i]);
	checks_update(daemon->checks, entry);
}

static void tell_state(struct daemon *daemon, int error)
{
	const struct program *program = &daemon->program;
	const struct kserv_sync_counts *counts = &program->last.counts;

	if (error) {
		sd_notifyf(0, "STATUS=The kernel could not be programmed: %s", program->error);
		if (strcmp(daemon->log_state, program->error))
			kserv_log_error("the kernel could not be programmed: %s", program->error);
		snprintf(daemon->log_state, sizeof(daemon->log_state), "%s", program->error);
		return;
	}
	if (daemon->log_state[0])
		kserv_log_note("the kernel could be programmed again");
	daemon->log_state[0] = '\0';
	sd_notifyf(0, "STATUS=In step with the kernel at generation %u", program->generation);
	if (daemon->is_ready)
		return;
	daemon->is_ready = true;
	kserv_log_note("the kernel is in step %.3f s after the start: generation %u, %zu services set, %zu removed, %.1f ms",
		       real_now(NULL) - daemon->metrics.started, program->generation, counts->services_set,
		       counts->services_removed, program->last.duration_us / 1000.0);
	sd_notify(0, "READY=1");
	podnet_touch(daemon);
}

/* Sockets must not be given node ports by chance: what comes to such a port is the Service's. */
static void reserve_ports(struct daemon *daemon)
{
	const struct kserv_settings *settings = &daemon->model.cluster.settings;
	int error;

	if (daemon->reserved[0] == settings->node_port_min && daemon->reserved[1] == settings->node_port_max)
		return;
	daemon->reserved[0] = settings->node_port_min;
	daemon->reserved[1] = settings->node_port_max;
	error = kserv_reserve_ports(settings->node_port_min, settings->node_port_max);
	if (error)
		kserv_log_warning("sockets are not kept off the node ports: %s", strerror(-error));
}

static void note_sync(struct daemon *daemon, int error, double seconds)
{
	struct metrics *metrics = &daemon->metrics;

	if (error) {
		metrics->syncs_failed++;
		return;
	}
	histogram_add(daemon->program.last_was_full ? &metrics->full : &metrics->partial, seconds);
	metrics->synced = real_now(&daemon->updated);
	reserve_ports(daemon);
}

int daemon_sync(struct daemon *daemon)
{
	uint64_t start;
	int error;

	if (clock_now() >= daemon->full_due)
		daemon->model.all_changed = true;
	start = clock_now();
	error = program_run(&daemon->program);
	note_sync(daemon, error, (clock_now() - start) / 1e6);
	if (!error && daemon->program.last_was_full)
		daemon->full_due = clock_now() + FULL_PERIOD_US;
	window_ended(&daemon->window, clock_now(), error);
	sd_event_source_set_priority(daemon->sync_timer, PRIORITY_LAST);
	tell_state(daemon, error);
	arm(daemon);
	return error;
}

static int on_sync_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct daemon *daemon = context;

	(void)source, (void)time;
	if (window_due(&daemon->window) > clock_now())
		arm(daemon);
	else
		daemon_sync(daemon);
	return 0;
}

/* Whether somebody else changed the kernel, and whether it is time for a full sync. */
static int on_check_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct daemon *daemon = context;

	sd_event_source_set_time(source, time + daemon->options.sync_period_us);
	checks_retry(daemon->checks);
	local_check(daemon);
	podnet_touch(daemon);
	if (!daemon->is_ready)
		sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", START_MORE_US);
	if (!daemon->model.is_complete)
		sd_notify(0, "STATUS=Waiting for the objects of the cluster");
	if (!daemon->model.is_complete || daemon->window.first)
		return 0;
	if (!program_check(&daemon->program) || clock_now() >= daemon->full_due)
		changed(daemon);
	return 0;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct daemon *daemon = context;
	bool again = daemon->is_ending;

	(void)info;
	daemon->is_ending = true;
	sd_notify(0, "STOPPING=1");
	if (!again && balance_leave(daemon))
		return 0;
	return sd_event_exit(sd_event_source_get_event(source), DAEMON_ENDED);
}

/* The model has them from the options, those of the store together with its ServiceCIDR objects. */
static void take_settings(struct daemon *daemon)
{
	struct kserv_errors errors = { 0 };
	struct kserv_settings settings;

	if (daemon->options.from_api) {
		kserv_embedded_config_settings(&daemon->options.config, &settings);
		kserv_model_set_settings(&daemon->model, &settings);
		names_settle(daemon);
		podnet_touch(daemon);
		bgp_touch(daemon);
	} else {
		local_reload(daemon, &errors);
	}
	daemon_log_errors(&errors);
}

/* The configuration anew. Files and addresses that are open stay what they were. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct kserv_errors errors = { 0 };
	struct daemon *daemon = context;
	struct options options;
	char *why;

	(void)source, (void)info;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_now());
	if (options_parse(&options, daemon->argc, daemon->argv, &why) || options_read(&options, &errors)) {
		daemon_log_errors(&errors);
		kserv_log_error("the configuration was not taken; that of before stays in force");
		free(why);
		options_clear(&options);
	} else {
		options_clear(&daemon->options);
		daemon->options = options;
		daemon->embedded.config = options.config;
		take_settings(daemon);
		daemon->window.min_period = options.min_sync_period_us;
		daemon->window.retry_max = options.sync_period_us;
		kserv_log_note("the configuration was read again");
	}
	sd_notify(0, "READY=1");
	return 0;
}

static int add_timers(struct daemon *daemon)
{
	int error = sd_event_add_time(daemon->loop, &daemon->sync_timer, CLOCK_MONOTONIC, 0, 1, on_sync_timer, daemon);

	if (error < 0)
		return error;
	sd_event_source_set_priority(daemon->sync_timer, PRIORITY_LAST);
	sd_event_source_set_enabled(daemon->sync_timer, SD_EVENT_OFF);
	error = sd_event_add_time(daemon->loop, &daemon->check_timer, CLOCK_MONOTONIC,
				  clock_now() + daemon->options.sync_period_us, 0, on_check_timer, daemon);
	if (error < 0)
		return error;
	return sd_event_source_set_enabled(daemon->check_timer, SD_EVENT_ON);
}

static int add_signals(struct daemon *daemon)
{
	static const struct { int signal; sd_event_signal_handler_t handler; } rows[] = {
		{ SIGTERM, on_end }, { SIGINT, on_end }, { SIGHUP, on_reload },
	};
	sigset_t mask;
	size_t i;
	int error;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		sigaddset(&mask, rows[i].signal);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		error = sd_event_add_signal(daemon->loop, NULL, rows[i].signal, rows[i].handler, daemon);
		if (error < 0)
			return error;
	}
	return 0;
}

static int start(struct daemon *daemon)
{
	struct kserv_errors errors = { 0 };
	int error = sd_event_default(&daemon->loop);

	if (error >= 0)
		error = sd_event_set_watchdog(daemon->loop, true);
	if (error >= 0)
		error = add_signals(daemon);
	if (error >= 0)
		error = add_timers(daemon);
	if (error < 0) {
		kserv_log_error("the event loop cannot be made: %s", strerror(-error));
		return error;
	}
	daemon->checks = checks_new(&(struct checks_options){
		.loop = daemon->loop, .model = &daemon->model, .is_healthy = is_healthy, .report = report_check,
		.context = daemon,
	});
	error = ports_open(daemon, &daemon->ports);
	if (error)
		return error;
	error = control_open(daemon, &daemon->control);
	if (error)
		return error;
	error = names_start(daemon, &errors);
	if (!error)
		error = podnet_start(daemon, &errors);
	if (!error)
		error = balance_start(daemon, &errors);
	if (!error)
		error = bgp_start(daemon, &errors);
	if (!error)
		error = daemon->options.from_api ? api_start(daemon, &errors) : local_start(daemon, &errors);
	daemon_log_errors(&errors);
	return error;
}

/* Sockets are bound and given to their group, and files of other users are read; BIRD's socket is BIRD's. */
static int lay_down_privileges(const struct daemon *daemon)
{
	int error = privileges_lay_down(daemon->bgp);

	if (error)
		kserv_log_error("the privileges that are not needed could not be laid down: %s", strerror(-error));
	return error;
}

static void stop(struct daemon *daemon)
{
	control_close(daemon->control);
	ports_close(daemon->ports);
	checks_free(daemon->checks);
	kserv_model_clear(&daemon->model);
	names_stop(daemon);
	podnet_stop(daemon);
	balance_stop(daemon);
	bgp_stop(daemon);
	program_clear(&daemon->program);
	api_stop(daemon);
	local_stop(daemon);
	sd_event_source_disable_unref(daemon->sync_timer);
	sd_event_source_disable_unref(daemon->check_timer);
	sd_event_unref(daemon->loop);
}

enum daemon_exit daemon_run(struct daemon *daemon)
{
	int code = DAEMON_FAILED;

	kserv_model_init(&daemon->model, changed, daemon);
	program_init(&daemon->program, &daemon->model);
	daemon->program.report = report;
	daemon->program.kept = kept;
	daemon->metrics.started = real_now(&daemon->updated);
	daemon->program.context = daemon;
	daemon->window = (struct window){
		.quiet = QUIET_US, .longest = LONGEST_US,
		.min_period = daemon->options.min_sync_period_us, .retry_max = daemon->options.sync_period_us,
	};
	daemon->full_due = clock_now() + FULL_PERIOD_US;
	if (!start(daemon) && !lay_down_privileges(daemon))
		code = sd_event_loop(daemon->loop);
	stop(daemon);
	return code < 0 ? DAEMON_FAILED : (enum daemon_exit)code;
}
