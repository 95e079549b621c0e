// SPDX-License-Identifier: GPL-2.0
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservd/daemon.h"
#include "kservd/podnet.h"
#include "lib/log.h"
#include "podnet/apply.h"
#include "plan/address.h"
#include "plan/prefixes.h"
#include "podnet/config.h"
#include "podnet/masquerade.h"
#include "podnet/watch.h"

/**
 * struct podnet - the pod network of this daemon
 * @said: what was last said, so that what holds on is not said again and again
 */
struct podnet {
	struct kserv_podnet_config config;
	struct kserv_cni_config cni;
	struct kserv_masquerade masquerade;
	struct kserv_podnet_watch *watch;
	struct nl_sock *socket;
	char *said;
};

/* Takes over @text; NULL when all is well. */
static void say(struct podnet *podnet, char *text)
{
	kserv_log_trouble("pod network", &podnet->said, text);
}

/* Once the way to other pods is there and Services work, pods may start. */
static int write_cni(struct daemon *daemon, const struct kserv_podnet_plan *plan, char **ret_why)
{
	const struct podnet *podnet = daemon->podnet;
	bool is_changed;
	char *text;
	int error;

	if (!*podnet->cni.path || !daemon->is_ready || !plan->pod_cidrs.n)
		return 0;
	text = kserv_cni_text(&podnet->cni, &plan->pod_cidrs, plan->pod_mtu);
	error = kserv_cni_write(podnet->cni.path, text, &is_changed, ret_why);
	if (!error && is_changed)
		kserv_log_note("pod network: wrote %s", podnet->cni.path);
	free(text);
	return error;
}

static int apply(struct podnet *podnet, const struct kserv_podnet_plan *plan, char **ret_why)
{
	struct kserv_podnet_changes changes;
	int error = kserv_podnet_apply(podnet->socket, &podnet->config, plan, &changes, ret_why);

	if (changes.made_device)
		kserv_log_note("pod network: made the VXLAN device %s", podnet->config.device);
	if (changes.set || changes.removed)
		kserv_log_note("pod network: set %u and removed %u routes and neighbours", changes.set, changes.removed);
	return error;
}

static void add_all(struct kserv_prefixes *to, const struct kserv_prefixes *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (kserv_prefixes_add(to, &from->v[i]))
			abort();
}

/* Where pods keep their addresses: the cluster CIDRs, whatever else Nodes have, and what the configuration says. */
static struct kserv_prefixes find_inside(const struct podnet *podnet, const struct kserv_cluster *cluster)
{
	struct kserv_prefixes inside = { 0 };
	struct kserv_prefix prefix;
	size_t i, j;

	add_all(&inside, &cluster->settings.cluster_cidrs);
	add_all(&inside, &podnet->config.inside);
	for (i = 0; i < cluster->n_nodes; i++)
		for (j = 0; j < cluster->nodes[i]->pod_cidrs.n; j++)
			if (kserv_cidr_read(cluster->nodes[i]->pod_cidrs.v[j], &prefix) && kserv_prefixes_add(&inside, &prefix))
				abort();
	kserv_prefixes_sort(&inside);
	return inside;
}

static int masquerade(struct daemon *daemon, const struct kserv_podnet_plan *plan, char **ret_why)
{
	const struct kserv_cluster *cluster = &daemon->model.cluster;
	struct podnet *podnet = daemon->podnet;
	struct kserv_prefixes inside;
	char *text = NULL;
	bool is_changed;
	int error;

	if (podnet->config.masquerade) {
		inside = find_inside(podnet, cluster);
		text = kserv_masquerade_text(&plan->pod_cidrs, &inside, cluster->settings.node_port_min,
					     cluster->settings.node_port_max);
		free(inside.v);
	}
	error = kserv_masquerade_apply(&podnet->masquerade, text, &is_changed, ret_why);
	if (is_changed)
		kserv_log_note("pod network: pods %s", text ? "are masqueraded outside of the cluster" :
							      "are not masqueraded any more");
	free(text);
	return error;
}

/* Without the way out pods still have the one to each other. @ret_why: the first of what went wrong. */
static void settle_plan(struct daemon *daemon, const struct kserv_podnet_plan *plan, char **ret_why)
{
	char *why[3] = { 0 };
	int i, error = apply(daemon->podnet, plan, &why[0]);

	masquerade(daemon, plan, &why[1]);
	if (!error)
		write_cni(daemon, plan, &why[2]);
	for (i = 0; i < 3; i++) {
		if (*ret_why)
			free(why[i]);
		else
			*ret_why = why[i];
	}
}

/* The first sentence, which the caller frees; the rest of them is seen when it is settled. */
static char *first_warning(struct kserv_warnings *warnings)
{
	char *text = warnings->n ? kserv_must_printf("%s: %s", warnings->v[0].object, warnings->v[0].text) : NULL;

	kserv_warnings_clear(warnings);
	return text;
}

/* For the module's own records of routes. */
static void tell_wrapped(struct daemon *daemon, const struct kserv_podnet_plan *plan)
{
	struct kserv_prefixes wrapped = { 0 };
	size_t i;

	for (i = 0; i < plan->n_routes; i++)
		if (!plan->routes[i].ifindex && kserv_prefixes_add(&wrapped, &plan->routes[i].prefix))
			abort();
	kserv_prefixes_sort(&wrapped);
	kserv_model_set_wrapped(&daemon->model, &wrapped);
}

static void settle(void *context)
{
	struct daemon *daemon = context;
	struct podnet *podnet = daemon->podnet;
	const struct kserv_cluster *cluster = &daemon->model.cluster;
	struct kserv_warnings warnings = { 0 };
	struct kserv_podnet_view view = { 0 };
	struct kserv_podnet_plan plan;
	struct kserv_here here;
	char *why = NULL;

	/* Without all Nodes, or our own, what is there stays. */
	if (!daemon->model.is_complete)
		return;
	kserv_here_init(&here, cluster);
	if (!here.node) {
		say(podnet, kserv_must_printf("there is no Node \"%s\" (hostnameOverride names this machine's), "
					      "so nothing is changed", cluster->settings.node_name));
		return;
	}
	if (!kserv_podnet_view(podnet->socket, here.primary, &view, &why)) {
		kserv_podnet_plan(&podnet->config, &here, cluster->nodes, cluster->n_nodes, &view, &plan, &warnings);
		settle_plan(daemon, &plan, &why);
		tell_wrapped(daemon, &plan);
		kserv_podnet_plan_clear(&plan);
	}
	kserv_podnet_view_clear(&view);
	if (why)
		kserv_warnings_clear(&warnings);
	say(podnet, why ? why : first_warning(&warnings));
}

int podnet_start(struct daemon *daemon, struct kserv_errors *errors)
{
	struct podnet *podnet = kserv_must_alloc(sizeof(*podnet));
	char *why = NULL;
	int error;

	daemon->podnet = podnet;
	if (!kserv_podnet_config_read(daemon->options.config.tree.root, &podnet->config, &podnet->cni, errors)) {
		podnet_stop(daemon);
		return 0;
	}
	error = kserv_podnet_open(&podnet->socket, &why);
	if (!error)
		error = kserv_podnet_watch_new(daemon->loop, settle, daemon, &podnet->watch, &why);
	if (error) {
		errors->source = NULL;
		kserv_errors_add(errors, 0, 0, "", "pod network: %s", why ? why : strerror(-error));
		free(why);
	}
	return error;
}

void podnet_stop(struct daemon *daemon)
{
	struct podnet *podnet = daemon->podnet;

	if (!podnet)
		return;
	kserv_podnet_watch_free(podnet->watch);
	if (podnet->socket)
		nl_socket_free(podnet->socket);
	kserv_masquerade_clear(&podnet->masquerade);
	kserv_podnet_config_clear(&podnet->config);
	kserv_cni_config_clear(&podnet->cni);
	free(podnet->said);
	free(podnet);
	daemon->podnet = NULL;
}

void podnet_touch(struct daemon *daemon)
{
	if (daemon->podnet && daemon->podnet->watch)
		kserv_podnet_watch_touch(daemon->podnet->watch);
}

int podnet_clean_up(const struct kserv_value *root)
{
	const struct kserv_podnet_plan nothing = { 0 };
	struct kserv_podnet_changes changes = { 0 };
	struct kserv_masquerade held = { 0 };
	struct kserv_podnet_config config;
	struct kserv_errors ignored = { 0 };
	struct kserv_cni_config cni;
	struct nl_sock *socket;
	char *why = NULL;
	bool was_there = false, is_changed;
	int error;

	/* It was read once and is right. */
	kserv_podnet_config_read(root, &config, &cni, &ignored);
	error = kserv_podnet_open(&socket, &why);
	if (!error) {
		error = kserv_podnet_apply(socket, &config, &nothing, &changes, &why);
		nl_socket_free(socket);
	}
	if (!error)
		error = kserv_masquerade_apply(&held, NULL, &is_changed, &why);
	if (!error && *cni.path)
		error = kserv_cni_remove(cni.path, &was_there, &why);
	if (error)
		kserv_log_error("pod network: %s", why ? why : strerror(-error));
	else if (changes.removed || was_there)
		kserv_log_note("pod network: removed %u routes%s%s", changes.removed, was_there ? " and " : "",
			       was_there ? cni.path : "");
	kserv_podnet_config_clear(&config);
	kserv_cni_config_clear(&cni);
	free(why);
	return error;
}
