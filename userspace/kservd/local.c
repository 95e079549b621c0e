// SPDX-License-Identifier: GPL-2.0
/* The embedded store as the source of the model. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include "kservd/daemon.h"
#include "lib/log.h"

/* After a write by others the store is looked at in 4 ms, then in 8, 16 ... */
#define LOOK_FIRST_US	4000ULL
#define LOOK_LAST_US	1000000ULL

int local_reload(struct daemon *daemon, struct kserv_errors *errors)
{
	struct kserv_cluster cluster;
	int error = kserv_embedded_cluster(&daemon->embedded, &cluster, errors);

	if (error)
		return error;
	names_load(daemon, &cluster);
	/* ServiceCIDR objects of the store are among them. */
	kserv_model_set_settings(&daemon->model, &cluster.settings);
	kserv_model_replace(&daemon->model, &cluster);
	kserv_cluster_clear(&daemon->stored);
	daemon->stored = cluster;
	names_settle(daemon);
	podnet_touch(daemon);
	balance_touch(daemon);
	bgp_touch(daemon);
	return 0;
}

/* Whether kservctl --store, or the daemon of another network namespace, has written into the store. */
bool local_check(struct daemon *daemon)
{
	struct kserv_errors errors = { 0 };

	if (!daemon->embedded.store || !kserv_store_was_changed(daemon->embedded.store))
		return false;
	if (local_reload(daemon, &errors))
		kserv_log_error("the store was changed, but cannot be read; what it held before stays in force");
	daemon_log_errors(&errors);
	return true;
}

/* The file is written to first, and what was written counts only some time after. */
static int on_look(sd_event_source *source, uint64_t time, void *context)
{
	struct daemon *daemon = context;

	if (local_check(daemon) || daemon->look_in > LOOK_LAST_US)
		return 0;
	sd_event_source_set_time(source, time + daemon->look_in);
	daemon->look_in *= 2;
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_store(sd_event_source *source, const struct inotify_event *event, void *context)
{
	struct daemon *daemon = context;

	(void)source, (void)event;
	daemon->look_in = LOOK_FIRST_US;
	sd_event_source_set_time(daemon->look_timer, daemon_now(daemon) + LOOK_FIRST_US);
	return sd_event_source_set_enabled(daemon->look_timer, SD_EVENT_ONESHOT);
}

static void watch_store(struct daemon *daemon)
{
	char *folder = kserv_must_strdup(daemon->options.store), *slash = strrchr(folder, '/');
	int error;

	if (slash)
		slash[slash == folder] = '\0';
	kserv_store_was_changed(daemon->embedded.store);
	error = sd_event_add_time(daemon->loop, &daemon->look_timer, CLOCK_MONOTONIC, 0, 1000, on_look, daemon);
	if (error >= 0)
		error = sd_event_source_set_enabled(daemon->look_timer, SD_EVENT_OFF);
	if (error >= 0)
		error = sd_event_add_inotify(daemon->loop, NULL, slash ? folder : ".", IN_MODIFY | IN_CREATE | IN_ONLYDIR,
					     on_store, daemon);
	if (error < 0)
		kserv_log_warning("changes that others make to %s will not be noticed: %s", daemon->options.store,
				  strerror(-error));
	free(folder);
}

int local_start(struct daemon *daemon, struct kserv_errors *errors)
{
	int error;

	/* Lent: the options keep it, also when they are read again. */
	daemon->embedded.config = daemon->options.config;
	error = kserv_embedded_open_store(&daemon->embedded, daemon->options.store, true, errors);
	if (!error)
		watch_store(daemon);
	if (!error)
		error = local_reload(daemon, errors);
	if (!error)
		kserv_model_complete(&daemon->model);
	if (!error) {
		balance_touch(daemon);
		bgp_touch(daemon);
	}
	return error;
}

void local_stop(struct daemon *daemon)
{
	sd_event_source_disable_unref(daemon->look_timer);
	daemon->embedded.config = (struct kserv_embedded_config){ 0 };
	kserv_embedded_close(&daemon->embedded);
	kserv_cluster_clear(&daemon->stored);
}
