// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/format.h"
#include "cluster/read.h"
#include "kservd/balance.h"
#include "kservd/daemon.h"
#include "lb/announce.h"
#include "lb/elect.h"
#include "lb/lease.h"
#include "lb/status.h"
#include "lib/addr.h"
#include "lib/log.h"

/* Changes that come together are looked at once. */
#define SETTLE_US	20000ULL
/* After the API refused a status. */
#define RETRY_US	1000000ULL
#define LEASE_SECONDS	3.0
/* Requests for statuses on their way at once; the others wait for the next look. */
#define PATCHES_MAX	16

/**
 * struct balance - the state of it
 * @here: how many addresses this node announces
 * @patches: on their way
 * @retry: a status was refused
 * @noted: Services that got a sentence, each once as long as it stays the same
 */
struct balance {
	struct daemon *daemon;
	struct balance_config config;
	struct kserv_announcer *announcer;
	struct kserv_lb_leases *leases;
	sd_event_source *timer;
	struct kserv_strings noted;
	size_t here, patches;
	bool retry;
};

void balance_config_read(const struct kserv_value *root, struct balance_config *ret, struct kserv_errors *errors)
{
	const struct kserv_value *map = kserv_value_find(root, "loadBalancer"), *value;
	const char *text = kserv_value_string(map, "leaseDuration");
	double seconds = LEASE_SECONDS;

	*ret = (struct balance_config){
		.announce = kserv_value_bool(map, "announce", false), .assign = kserv_value_bool(map, "assign", false),
	};
	value = kserv_value_find(map, "leaseDuration");
	if (*text)
		seconds = kserv_duration_seconds(text);
	if (seconds < 1 || seconds > 3600)
		kserv_error_at(errors, value, "\"%s\" is not a time such as 3s, between 1s and 1h", text);
	ret->lease_us = seconds * 1000000;
	if ((ret->announce || ret->assign) && !kserv_value_first(kserv_value_find(map, "pools")))
		kserv_error_at(errors, map, "announce and assign need pools: which addresses are theirs?");
}

/*
 * The nodes of the model, or this one alone where it has none; the caller frees them.
 * @leases: that tell who is alive; NULL: all are
 */
static struct kserv_lb_node *list_nodes(const struct daemon *daemon, const struct kserv_lb_leases *leases,
					size_t *ret_n)
{
	const struct kserv_cluster *cluster = &daemon->model.cluster;
	struct kserv_lb_node *nodes = kserv_must_alloc((cluster->n_nodes + 1) * sizeof(*nodes));
	size_t i;

	for (i = 0; i < cluster->n_nodes; i++) {
		const struct kserv_node *node = cluster->nodes[i];

		nodes[i].name = node->meta.name;
		if (kserv_labels_find(&node->meta.labels, KSERV_LB_EXCLUDE))
			nodes[i].why_not = "its label " KSERV_LB_EXCLUDE;
		/* Nobody writes conditions into the embedded store. */
		else if (daemon->options.from_api && !node->ready)
			nodes[i].why_not = "it is not Ready";
		else if (leases)
			nodes[i].why_not = kserv_lb_leases_why_not(leases, node->meta.name);
	}
	*ret_n = i;
	if (!i && !daemon->options.from_api && cluster->settings.node_name) {
		nodes[0].name = cluster->settings.node_name;
		*ret_n = 1;
	}
	return nodes;
}

/* @nodes and @board are the caller's to free. */
static void fill_board(const struct daemon *daemon, struct kserv_lb_node *nodes, size_t n_nodes,
		       struct kserv_lb_board *board)
{
	const struct kserv_embedded_config *config = &daemon->options.config;
	const struct entry *entry;

	kserv_lb_board_begin(board, nodes, n_nodes, config->pools, config->n_pools);
	for (entry = daemon->model.entries; entry; entry = entry->hh.next)
		if (entry->service)
			kserv_lb_board_add(board, entry->service, (const struct kserv_slice *const *)entry->slices,
					   entry->n_slices);
	kserv_lb_board_end(board);
}

static bool is_here(const struct daemon *daemon, const char *node)
{
	const char *name = daemon->model.cluster.settings.node_name;

	return node && name && !strcmp(node, name);
}

static void announce(struct balance *balance, const struct kserv_lb_board *board)
{
	struct kserv_addr *addrs = kserv_must_alloc((board->n + 1) * sizeof(*addrs));
	size_t i, n = 0;

	for (i = 0; i < board->n; i++)
		if (is_here(balance->daemon, board->v[i].node))
			addrs[n++] = board->v[i].addr;
	kserv_announcer_set(balance->announcer, addrs, n);
	if (n != balance->here)
		kserv_log_note("announces %zu of %zu load-balancer addresses", n, board->n);
	balance->here = n;
	free(addrs);
}

static void touch_in(struct balance *balance, uint64_t us)
{
	sd_event_source_set_time(balance->timer, daemon_now(balance->daemon) + us);
	sd_event_source_set_enabled(balance->timer, SD_EVENT_ONESHOT);
}

static void patched(void *context, const struct kserv_kube_answer *answer)
{
	struct balance *balance = context;

	balance->patches--;
	/* A conflict is told by what others wrote, which comes as an event. */
	if (*answer->why && answer->status != 409)
		kserv_log_warning("a load-balancer address could not be written into its Service: %s", answer->why);
	balance->retry |= *answer->why;
	if (!balance->patches)
		touch_in(balance, balance->retry ? RETRY_US : SETTLE_US);
}

static void set_status(void *context, const struct kserv_k8s_service *service, const char *patch, size_t len)
{
	struct balance *balance = context;
	struct kserv_kube_request request = { .method = "PATCH", .body = patch, .body_len = len };
	char *path;

	if (balance->patches >= PATCHES_MAX)
		return;
	path = kserv_must_printf("/api/v1/namespaces/%s/services/%s/status", service->meta.namespace, service->meta.name);
	request.path = path;
	balance->patches++;
	kserv_kube_request(balance->daemon->kube, &request, patched, balance);
	free(path);
}

static bool was_noted(const struct kserv_strings *noted, const char *sentence)
{
	size_t i;

	for (i = 0; i < noted->n; i++)
		if (!strcmp(noted->v[i], sentence))
			return true;
	return false;
}

/* What is noted in this look, and what was in the last one. */
struct look {
	struct balance *balance;
	struct kserv_strings noted;
};

static void note(void *context, const struct kserv_k8s_service *service, const char *sentence)
{
	struct look *look = context;
	char *name = kserv_must_printf("%s/%s", service->meta.namespace, service->meta.name);
	char *whole = kserv_must_printf("Service %s: %s", name, sentence);

	if (!was_noted(&look->balance->noted, whole)) {
		kserv_log_warning("%s", whole);
		api_tell(look->balance->daemon, name, "AllocationFailed", sentence);
	}
	kserv_strings_add(&look->noted, whole);
	free(whole);
	free(name);
}

static void set_status_of(void *context, const struct kserv_k8s_service *service, const char *patch, size_t len)
{
	set_status(((struct look *)context)->balance, service, patch, len);
}

/* One node alone gives addresses: two that think so for a moment are put right by the order of those that have some. */
static bool assigns_here(const struct balance *balance, const struct kserv_lb_node *nodes, size_t n)
{
	const struct kserv_addr any = { .family = AF_INET };
	const char *best = NULL;
	uint64_t most = 0, draw;
	size_t i;

	for (i = 0; i < n; i++) {
		draw = kserv_lb_draw(nodes[i].name, &any);
		if (nodes[i].why_not || (best && draw <= most))
			continue;
		best = nodes[i].name;
		most = draw;
	}
	return is_here(balance->daemon, best);
}

static void assign(struct balance *balance)
{
	const struct kserv_k8s_service **services;
	struct daemon *daemon = balance->daemon;
	struct look look = { .balance = balance };
	const struct kserv_lb_teller teller = { .set = set_status_of, .note = note, .context = &look };
	const struct entry *entry;
	size_t n = 0;

	balance->retry = false;
	services = kserv_must_alloc((HASH_COUNT(daemon->model.entries) + 1) * sizeof(*services));
	for (entry = daemon->model.entries; entry; entry = entry->hh.next)
		if (entry->service && entry->service->type == KSERV_SERVICE_LOAD_BALANCER)
			services[n++] = entry->service;
	kserv_lb_assign(services, n, &daemon->options.config.limits, &teller);
	kserv_strings_clear(&balance->noted);
	balance->noted = look.noted;
	free(services);
}

static void on_leases(void *context)
{
	balance_touch(((struct balance *)context)->daemon);
}

static void need_leases(struct balance *balance)
{
	struct daemon *daemon = balance->daemon;
	const struct kserv_node *node = kserv_model_own_node(&daemon->model);
	int error;

	if (balance->leases || !daemon->kube || !daemon->model.cluster.settings.node_name)
		return;
	error = kserv_lb_leases_start(daemon->loop, daemon->kube, daemon->model.cluster.settings.node_name,
				      node ? node->meta.uid : "", balance->config.lease_us, on_leases, balance,
				      &balance->leases);
	if (error)
		kserv_log_error("the Lease of this node cannot be renewed: %s", strerror(-error));
}

static int on_timer(sd_event_source *source, uint64_t time, void *context)
{
	struct balance *balance = context;
	struct kserv_lb_board board;
	struct kserv_lb_node *nodes;
	size_t n;

	(void)source, (void)time;
	if (!balance->daemon->model.is_complete)
		return 0;
	need_leases(balance);
	nodes = list_nodes(balance->daemon, balance->leases, &n);
	fill_board(balance->daemon, nodes, n, &board);
	if (balance->announcer)
		announce(balance, &board);
	if (balance->config.assign && balance->daemon->kube && !balance->patches && assigns_here(balance, nodes, n))
		assign(balance);
	kserv_lb_board_clear(&board);
	free(nodes);
	return 0;
}

void balance_touch(struct daemon *daemon)
{
	int enabled;

	/* It waits for the first change, not for the last one, so that many do not put it off for ever. */
	if (daemon->balance && sd_event_source_get_enabled(daemon->balance->timer, &enabled) >= 0 &&
	    enabled == SD_EVENT_OFF)
		touch_in(daemon->balance, SETTLE_US);
}

static int open_announcer(struct balance *balance, struct kserv_errors *errors)
{
	const struct kserv_embedded_config *config = &balance->daemon->options.config;
	int error = kserv_announcer_new(balance->daemon->loop, config->pools, config->n_pools, &balance->announcer);

	if (error)
		kserv_errors_add(errors, 0, 0, "", "load-balancer addresses cannot be announced: %s%s", strerror(-error),
				 error == -EPERM ? "; it needs the capability CAP_NET_RAW" : "");
	return error;
}

int balance_start(struct daemon *daemon, struct kserv_errors *errors)
{
	struct balance *balance = kserv_must_alloc(sizeof(*balance));
	int error = 0;

	balance_config_read(daemon->options.config.tree.root, &balance->config, errors);
	if (!balance->config.announce && !balance->config.assign) {
		free(balance);
		return 0;
	}
	balance->daemon = daemon;
	daemon->balance = balance;
	if (balance->config.announce)
		error = open_announcer(balance, errors);
	if (!error)
		error = sd_event_add_time(daemon->loop, &balance->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, balance);
	return error < 0 ? error : 0;
}

static void left(void *context)
{
	sd_event_exit(context, DAEMON_ENDED);
}

bool balance_leave(struct daemon *daemon)
{
	if (!daemon->balance || !daemon->balance->leases)
		return false;
	kserv_lb_leases_leave(daemon->balance->leases, left, daemon->loop);
	return true;
}

void balance_stop(struct daemon *daemon)
{
	struct balance *balance = daemon->balance;

	if (!balance)
		return;
	kserv_lb_leases_stop(balance->leases);
	kserv_announcer_free(balance->announcer);
	sd_event_source_disable_unref(balance->timer);
	kserv_strings_clear(&balance->noted);
	free(balance);
	daemon->balance = NULL;
}

size_t balance_served(const struct daemon *daemon, struct kserv_addr **ret)
{
	const char *name = daemon->model.cluster.settings.node_name;
	struct kserv_lb_board board;
	struct kserv_lb_node *nodes;
	size_t i, n;

	/* A node that is gone has lost its peers: they need no Leases to know it. */
	nodes = list_nodes(daemon, NULL, &n);
	fill_board(daemon, nodes, n, &board);
	*ret = kserv_must_alloc((board.n + 1) * sizeof(**ret));
	n = 0;
	for (i = 0; i < board.n && name; i++)
		if (kserv_lb_is_served_by(&board, &board.v[i], name))
			(*ret)[n++] = board.v[i].addr;
	kserv_lb_board_clear(&board);
	free(nodes);
	return n;
}

static void put(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *text)
{
	if (text && *text)
		kserv_value_set(map, key, kserv_value_new_string(tree, text));
}

static void report_address(const struct daemon *daemon, const struct kserv_lb_address *address, struct kserv_tree *tree,
			   struct kserv_value *list)
{
	const struct kserv_announcer *announcer = daemon->balance->announcer;
	const char *name = announcer ? kserv_announcer_interface(announcer, &address->addr) : NULL;
	struct kserv_value *map = kserv_value_new(tree, KSERV_VALUE_MAP), *services;
	bool here = is_here(daemon, address->node);
	char text[KSERV_ADDR_TEXT];
	size_t i;

	services = kserv_value_new(tree, KSERV_VALUE_LIST);
	put(tree, map, "address", kserv_addr_format(&address->addr, text));
	for (i = 0; i < address->services.n; i++)
		kserv_value_append(services, kserv_value_new_string(tree, address->services.v[i]));
	kserv_value_set(map, "services", services);
	put(tree, map, "node", address->node);
	put(tree, map, "interface", name);
	kserv_value_set(map, "announced", kserv_value_new_bool(tree, here && name));
	put(tree, map, "why", address->why);
	if (here && announcer && !name)
		put(tree, map, "why", "no interface of this node that is up has its subnet");
	kserv_value_append(list, map);
}

static void report_stats(const struct daemon *daemon, struct kserv_tree *tree)
{
	const struct balance *balance = daemon->balance;
	struct kserv_lb_stats stats = { 0 };

	if (balance->announcer)
		kserv_announcer_stats(balance->announcer, &stats);
	kserv_value_set(tree->root, "answers", kserv_value_new_int(tree, stats.answers));
	kserv_value_set(tree->root, "announcements", kserv_value_new_int(tree, stats.announcements));
	kserv_value_set(tree->root, "failures", kserv_value_new_int(tree, stats.failures));
	if (balance->leases)
		put(tree, tree->root, "leaseError", kserv_lb_leases_error(balance->leases));
}

static void report_all(const struct daemon *daemon, struct kserv_tree *tree, struct kserv_value *list,
		       struct kserv_value *node_list)
{
	struct kserv_lb_board board;
	struct kserv_lb_node *nodes;
	struct kserv_value *map;
	size_t i, n;

	nodes = list_nodes(daemon, daemon->balance->leases, &n);
	fill_board(daemon, nodes, n, &board);
	for (i = 0; i < board.n; i++)
		report_address(daemon, &board.v[i], tree, list);
	for (i = 0; i < n; i++) {
		map = kserv_value_new(tree, KSERV_VALUE_MAP);
		put(tree, map, "name", nodes[i].name);
		kserv_value_set(map, "eligible", kserv_value_new_bool(tree, !nodes[i].why_not));
		put(tree, map, "why", nodes[i].why_not);
		kserv_value_append(node_list, map);
	}
	report_stats(daemon, tree);
	kserv_lb_board_clear(&board);
	free(nodes);
}

void balance_report(struct daemon *daemon, struct kserv_text *text)
{
	struct kserv_tree tree = { 0 };
	struct kserv_value *root = tree.root = kserv_value_new(&tree, KSERV_VALUE_MAP);
	struct kserv_value *list = kserv_value_new(&tree, KSERV_VALUE_LIST), *nodes = kserv_value_new(&tree, KSERV_VALUE_LIST);
	const struct balance *balance = daemon->balance;

	put(&tree, root, "node", daemon->model.cluster.settings.node_name);
	kserv_value_set(root, "announce", kserv_value_new_bool(&tree, balance && balance->config.announce));
	kserv_value_set(root, "assign", kserv_value_new_bool(&tree, balance && balance->config.assign));
	if (balance)
		report_all(daemon, &tree, list, nodes);
	kserv_value_set(root, "addresses", list);
	kserv_value_set(root, "nodes", nodes);
	kserv_emit_json(text, root, 0);
	kserv_tree_clear(&tree);
}
