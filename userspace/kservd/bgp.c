// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bgp/bird.h"
#include "cluster/file.h"
#include "kservd/bgp.h"
#include "kservd/daemon.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "plan/address.h"
#include "plan/here.h"
#include "plan/prefixes.h"

/* Changes that come together are told at once. */
#define SETTLE_US	50000ULL
/* While BIRD does not answer, or refuses. */
#define RETRY_US	2000000ULL
/* An include of the file stays right when there is nothing to say. */
#define NOTHING		"# kservd announces nothing.\n"

/**
 * struct bgp - the state of it
 * @call: on its way
 * @is_due: BIRD has not read the file since it was written
 * @n: prefixes announced
 * @said: what was last said, so that what holds on is not said again and again
 */
struct bgp {
	struct daemon *daemon;
	struct kserv_bgp_config config;
	struct kserv_bird_call *call;
	sd_event_source *timer;
	bool is_due;
	size_t n;
	char *said;
};

/* Takes over @text; NULL when all is well. */
static void say(struct bgp *bgp, char *text)
{
	kserv_log_trouble("BGP", &bgp->said, text);
}

static void touch_in(struct bgp *bgp, uint64_t us)
{
	sd_event_source_set_time(bgp->timer, daemon_now(bgp->daemon) + us);
	sd_event_source_set_enabled(bgp->timer, SD_EVENT_ONESHOT);
}

static void add(struct kserv_prefixes *own, const struct kserv_prefix *prefix)
{
	if (kserv_prefixes_add(own, prefix))
		abort();
}

static void add_pods(const struct kserv_node *node, struct kserv_prefixes *own)
{
	struct kserv_prefix prefix;
	size_t i;

	for (i = 0; i < node->pod_cidrs.n; i++)
		if (kserv_cidr_read(node->pod_cidrs.v[i], &prefix))
			add(own, &prefix);
}

static void add_balancers(const struct daemon *daemon, struct kserv_prefixes *own)
{
	struct kserv_addr *addrs;
	size_t i, n = balance_served(daemon, &addrs);

	for (i = 0; i < n; i++)
		add(own, &(struct kserv_prefix){ .addr = addrs[i], .len = addrs[i].family == AF_INET ? 32 : 128 });
	free(addrs);
}

/* What this node can be reached by; the caller frees @ret->v. */
static void collect(const struct bgp *bgp, const struct kserv_here *here, struct kserv_prefixes *ret)
{
	*ret = (struct kserv_prefixes){ 0 };
	if (bgp->config.pods)
		add_pods(here->node, ret);
	if (bgp->config.balancers)
		add_balancers(bgp->daemon, ret);
	kserv_prefixes_sort(ret);
}

/* The first line of what BIRD said. */
static char *refusal(const struct bgp *bgp, const char *text)
{
	return kserv_must_printf("BIRD does not take %s, or what includes it: %.*s", bgp->config.path,
				 (int)strcspn(text, "\n"), text);
}

static char *unreachable(const struct bgp *bgp, int error)
{
	if (error == -EACCES)
		return kserv_must_printf("%s may not be used (%s): kservd needs to be in the group of BIRD's socket, as with "
					 "SupplementaryGroups=bird in its unit", bgp->config.socket, strerror(-error));
	return kserv_must_printf("BIRD does not answer at %s (%s); "
				 "when it starts it finds what there is to announce in %s",
				 bgp->config.socket, strerror(-error), bgp->config.path);
}

/* Whether a line of "show protocols" is of this protocol: name, kind, table and state. */
static bool lists(const char *text, const char *name, const char *kind)
{
	char has[3][64];
	const char *line;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%63s %63s %*s %63s", has[0], has[1], has[2]) < 3)
			continue;
		if ((!name || !strcmp(has[0], name)) && !strcmp(has[1], kind) && !strcmp(has[2], "up"))
			return true;
	}
	return false;
}

/* What BIRD runs, once it has read its files: is ours among it, and do learned routes get into the kernel? */
static void listed(void *context, int error, bool refused, const char *text)
{
	struct bgp *bgp = context;

	bgp->call = NULL;
	if (error || refused)
		say(bgp, error ? unreachable(bgp, error) : refusal(bgp, text));
	else if (!lists(text, bgp->config.peers[0].addr.family == AF_INET ? "kserv_own4" : "kserv_own6", "Static"))
		say(bgp, kserv_must_printf("BIRD does not read %s: its own configuration needs the line "
					   "include \"%s\";", bgp->config.path, bgp->config.path));
	else if (!lists(text, NULL, "Kernel"))
		say(bgp, kserv_must_printf("BIRD has no protocol kernel, so the routes that it learns are not used"));
	else
		say(bgp, NULL);
	if (bgp->said)
		touch_in(bgp, RETRY_US);
}

static void configured(void *context, int error, bool refused, const char *text)
{
	struct bgp *bgp = context;

	bgp->call = NULL;
	if (!error && !refused) {
		bgp->is_due = false;
		error = kserv_bird_ask(bgp->daemon->loop, bgp->config.socket, "show protocols", listed, bgp,
				       &bgp->call);
		if (!error)
			return;
	}
	say(bgp, error ? unreachable(bgp, error) : refusal(bgp, text));
	touch_in(bgp, RETRY_US);
}

static void configure(struct bgp *bgp)
{
	int error = kserv_bird_ask(bgp->daemon->loop, bgp->config.socket, "configure", configured, bgp, &bgp->call);

	if (!error)
		return;
	say(bgp, unreachable(bgp, error));
	touch_in(bgp, RETRY_US);
}

/* Return: false if it cannot be written, after saying why. */
static bool write_file(struct bgp *bgp, const struct kserv_here *here)
{
	const struct kserv_addr *given = &bgp->config.router_id;
	struct kserv_prefixes own;
	bool is_changed;
	char *text;
	int error;

	collect(bgp, here, &own);
	text = kserv_bird_text(&bgp->config, given->family ? given : &here->primary[0], &own);
	error = kserv_file_replace(bgp->config.path, text, &is_changed);
	if (error)
		say(bgp, kserv_must_printf("%s cannot be written: %s", bgp->config.path, strerror(-error)));
	else if (is_changed)
		kserv_log_note("BGP: announces %zu prefixes to %zu peers", own.n, bgp->config.n_peers);
	bgp->is_due |= is_changed;
	free(text);
	free(own.v);
	return !error;
}

static int on_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct bgp *bgp = context;
	const struct kserv_cluster *cluster = &bgp->daemon->model.cluster;
	struct kserv_here here;

	(void)source, (void)time;
	/* Without all objects, or our own Node, what is there stays. */
	if (!bgp->daemon->model.is_complete)
		return 0;
	kserv_here_init(&here, cluster);
	if (!here.node)
		say(bgp, kserv_must_printf("there is no Node \"%s\" (hostnameOverride names this machine's), "
					   "so nothing is changed", cluster->settings.node_name));
	else if (bgp->call)
		touch_in(bgp, SETTLE_US);
	else if (!write_file(bgp, &here))
		touch_in(bgp, RETRY_US);
	else if (bgp->is_due || bgp->said)
		configure(bgp);
	return 0;
}

int bgp_start(struct daemon *daemon, struct kserv_errors *errors)
{
	struct bgp *bgp = kserv_must_alloc(sizeof(*bgp));
	int error;

	bgp->daemon = daemon;
	daemon->bgp = bgp;
	if (!kserv_bgp_config_read(daemon->options.config.tree.root, &bgp->config, errors)) {
		bgp_stop(daemon);
		return 0;
	}
	/* It may have been started before us, or not have found the file. */
	bgp->is_due = true;
	error = sd_event_add_time(daemon->loop, &bgp->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, bgp);
	if (error >= 0)
		error = sd_event_source_set_enabled(bgp->timer, SD_EVENT_OFF);
	return error < 0 ? error : 0;
}

void bgp_stop(struct daemon *daemon)
{
	struct bgp *bgp = daemon->bgp;

	if (!bgp)
		return;
	kserv_bird_cancel(bgp->call);
	sd_event_source_disable_unref(bgp->timer);
	kserv_bgp_config_clear(&bgp->config);
	free(bgp->said);
	free(bgp);
	daemon->bgp = NULL;
}

void bgp_touch(struct daemon *daemon)
{
	int enabled;

	/* It waits for the first change, not for the last one, and not until BIRD is tried again. */
	if (!daemon->bgp || sd_event_source_get_enabled(daemon->bgp->timer, &enabled) < 0)
		return;
	if (enabled == SD_EVENT_OFF || daemon->bgp->said)
		touch_in(daemon->bgp, SETTLE_US);
}

static void cleaned(void *context, int error, bool refused, const char *text)
{
	if (error || refused)
		kserv_log_warning("BGP: BIRD has not read its configuration again: %s",
				  error ? strerror(-error) : text);
	sd_event_exit(context, 0);
}

/* A BIRD that does not run announces nothing. */
static void tell_nothing(const struct kserv_bgp_config *config)
{
	struct kserv_bird_call *call;
	sd_event *loop = NULL;

	if (sd_event_new(&loop) >= 0 && !kserv_bird_ask(loop, config->socket, "configure", cleaned, loop, &call))
		sd_event_loop(loop);
	sd_event_unref(loop);
}

int bgp_clean_up(const struct kserv_value *root)
{
	struct kserv_errors ignored = { 0 };
	struct kserv_bgp_config config;
	bool is_changed = false;
	int error = 0;

	/* It was read once and is right. */
	if (kserv_bgp_config_read(root, &config, &ignored))
		error = kserv_file_replace(config.path, NOTHING, &is_changed);
	if (error)
		kserv_log_error("BGP: %s cannot be written: %s", config.path, strerror(-error));
	else if (is_changed)
		tell_nothing(&config);
	if (is_changed && !error)
		kserv_log_note("BGP: nothing is announced any more");
	kserv_bgp_config_clear(&config);
	return error;
}
