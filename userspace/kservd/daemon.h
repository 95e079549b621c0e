/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon: a source fills the model, changes of the model open the window, its end runs the program. All of it is
 * one thread on one event loop.
 */
#ifndef KSERVD_DAEMON_H
#define KSERVD_DAEMON_H

#include <systemd/sd-event.h>
#include "kservd/balance.h"
#include "kservd/bgp.h"
#include "kservd/check.h"
#include "kservd/control.h"
#include "kservd/metrics.h"
#include "kservd/model.h"
#include "kservd/names.h"
#include "kservd/options.h"
#include "kservd/podnet.h"
#include "kservd/ports.h"
#include "kservd/program.h"
#include "kservd/window.h"
#include "kube/kube.h"
#include "source/embedded.h"

/* Exit codes; also printed by --help. */
enum daemon_exit { DAEMON_ENDED, DAEMON_FAILED, DAEMON_USAGE };

/**
 * struct daemon - all parts
 * @embedded, @stored: the embedded store and the model's objects that came from it; unused with the API
 * @check: looks at the kernel every sync period
 * @full_due: when the next full sync is due whatever happens, CLOCK_MONOTONIC
 * @look_timer, @look_in: when to look whether others have changed the store
 * @kube: unused with the embedded store; @api_error: what was last said about it
 * @events_from: as if the events told so far had been told one every EVENT_EVERY_US since then
 * @names: NULL where cluster DNS is off; @podnet: NULL where the pod network is somebody else's
 * @balance: NULL where load-balancer addresses are somebody else's affair; @bgp: NULL without BGP
 * @updated: when the kernel was last brought in step, CLOCK_REALTIME
 * @answer: of the control request that is being worked on; warnings of plan are put into it, too
 * @reserved: node ports that sockets are kept off
 * @is_ready: systemd was told; @is_ending: and that it ends
 * @log_state: what was last said of syncs, so that a failure is not said every time that it repeats
 */
struct daemon {
	sd_event *loop;
	int argc;
	const char **argv;
	struct options options;
	struct model model;
	struct program program;
	struct window window;
	sd_event_source *sync_timer, *check_timer;
	struct kserv_embedded embedded;
	struct kserv_cluster stored;
	sd_event_source *look_timer;
	uint64_t look_in;
	struct checks *checks;
	struct names *names;
	struct podnet *podnet;
	struct balance *balance;
	struct bgp *bgp;
	struct ports *ports;
	struct control *control;
	struct metrics metrics;
	struct timespec updated;
	struct kserv_kube *kube;
	char api_error[320];
	uint64_t events_from;
	uint64_t full_due;
	struct kserv_control_answer *answer;
	uint16_t reserved[2];
	bool is_ready, is_ending;
	char log_state[720];
};

/* Runs until it is told to end. */
enum daemon_exit daemon_run(struct daemon *daemon);

/**
 * daemon_sync() - sync now, whatever the window says
 * Return: as program_run().
 */
int daemon_sync(struct daemon *daemon);

uint64_t daemon_now(const struct daemon *daemon);
/* No change waits for longer than it should (rule 10.3); also while it starts. */
bool daemon_is_healthy(const struct daemon *daemon);
/* 1 if the API is being watched, 0 if not, -1 if there is none. */
int daemon_api_connected(const struct daemon *daemon);

/* The embedded store: open it and fill the model; fill the model anew. Return: 0, or -errno with errors added. */
int local_start(struct daemon *daemon, struct kserv_errors *errors);
int local_reload(struct daemon *daemon, struct kserv_errors *errors);
/* If others have changed the store, the model is filled anew; true if so. */
bool local_check(struct daemon *daemon);
void local_stop(struct daemon *daemon);

/* The Kubernetes API: begin to follow it. Return: 0, or -errno with errors added. */
int api_start(struct daemon *daemon, struct kserv_errors *errors);
void api_stop(struct daemon *daemon);
/* A Warning event on the Service "default/web"; not told where there is no API, or when there were too many. */
void api_tell(struct daemon *daemon, const char *service, const char *reason, const char *text);

/* Says each of them on stderr and frees them. */
void daemon_log_errors(struct kserv_errors *errors);

#endif
