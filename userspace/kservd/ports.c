// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "kservd/daemon.h"
#include "kservd/health.h"
#include "kservd/http.h"
#include "kservd/ports.h"
#include "lib/addr.h"
#include "lib/dump.h"
#include "lib/log.h"

#define RETRY_US	5000000ULL

struct port {
	struct ports *ports;
	const char *name;
	const struct listen_address *at;
	http_handler *handler;
	struct http_server *server;
	sd_event_source *retry;
};

struct ports {
	struct daemon *daemon;
	struct port v[2];
};

static void plain(struct http_answer *answer, unsigned int status, const char *text)
{
	answer->status = status;
	answer->type = "text/plain; charset=utf-8";
	kserv_text_add(&answer->body, text);
}

static void answer_health(void *context, const struct http_request *request, struct http_answer *answer)
{
	struct daemon *daemon = ((struct ports *)context)->daemon;
	bool with_node = !strcmp(request->path, "/healthz");
	struct health health = {
		.healthy = daemon_is_healthy(daemon),
		.eligible = health_node_is_eligible(kserv_model_own_node(&daemon->model), daemon->options.from_api),
		.updated = daemon->updated,
	};
	uint64_t *counts = with_node ? daemon->metrics.healthz : daemon->metrics.livez;

	if (!with_node && strcmp(request->path, "/livez")) {
		plain(answer, 404, "404 page not found\n");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &health.now);
	health_answer(&health, with_node, answer);
	counts[answer->status != 200]++;
}

static void write_metrics(struct daemon *daemon, struct http_answer *answer)
{
	struct metrics_state state = {
		.metrics = &daemon->metrics, .model = &daemon->model, .generation = daemon->program.generation,
		.refused = daemon->program.n_refused, .checks = checks_count(daemon->checks),
		.api_connected = daemon_api_connected(daemon),
	};
	struct kserv_nl *nl = program_nl(&daemon->program);
	struct kserv_dns_stats dns;
	struct kserv_tables tables;

	if (names_stats(daemon, &dns))
		state.dns = &dns;
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(&answer->body, &state);
	if (!nl)
		return;
	if (!kserv_dump(nl, KSERV_DUMP_SERVICES, NULL, &tables, NULL)) {
		metrics_write_tables(&answer->body, &tables);
		kserv_tables_clear(&tables);
	}
	metrics_write_counters(&answer->body, nl);
}

static void answer_metrics(void *context, const struct http_request *request, struct http_answer *answer)
{
	struct daemon *daemon = ((struct ports *)context)->daemon;

	if (!strcmp(request->path, "/metrics")) {
		write_metrics(daemon, answer);
	} else if (!strcmp(request->path, "/proxyMode")) {
		plain(answer, 200, "kserv");
	} else if (!strcmp(request->path, "/healthz")) {
		plain(answer, 200, "ok");
	} else if (!strcmp(request->path, "/configz")) {
		answer->type = "application/json";
		kserv_emit_json(&answer->body, daemon->options.config.tree.root, 2);
	} else {
		plain(answer, 404, "404 page not found\n");
	}
}

static int listen_at(struct port *port)
{
	const struct http_options options = {
		.body_max = 4096, .connections = 64, .idle_s = 60, .handler = port->handler, .context = port->ports,
	};
	int fd = http_listen(&port->at->addr, port->at->port);

	return fd < 0 ? fd : http_serve(port->ports->daemon->loop, fd, &options, &port->server);
}

static int on_retry(sd_event_source *source, uint64_t time, void *context)
{
	struct port *port = context;
	char where[KSERV_ADDR_TEXT];

	if (listen_at(port)) {
		sd_event_source_set_time(source, time + RETRY_US);
		return 0;
	}
	kserv_log_note("%s: listening on %s", port->name, kserv_addr_port_format(&port->at->addr, port->at->port, where));
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static int open_port(struct port *port)
{
	struct daemon *daemon = port->ports->daemon;
	char where[KSERV_ADDR_TEXT];
	int error;

	if (!port->at->port)
		return 0;
	error = listen_at(port);
	if (!error)
		return 0;
	kserv_addr_port_format(&port->at->addr, port->at->port, where);
	if (daemon->options.hard_fail) {
		kserv_log_error("%s: cannot listen on %s: %s", port->name, where, strerror(-error));
		return error;
	}
	kserv_log_warning("%s: cannot listen on %s: %s; trying again every 5 s", port->name, where, strerror(-error));
	error = sd_event_add_time(daemon->loop, &port->retry, CLOCK_MONOTONIC, daemon_now(daemon) + RETRY_US, 0, on_retry, port);
	if (error >= 0)
		error = sd_event_source_set_enabled(port->retry, SD_EVENT_ON);
	return error < 0 ? error : 0;
}

int ports_open(struct daemon *daemon, struct ports **ret_ports)
{
	struct ports *ports = kserv_must_alloc(sizeof(*ports));
	int error;

	ports->daemon = daemon;
	ports->v[0] = (struct port){ ports, "health", &daemon->options.healthz, answer_health, NULL, NULL };
	ports->v[1] = (struct port){ ports, "metrics", &daemon->options.metrics, answer_metrics, NULL, NULL };
	*ret_ports = ports;
	error = open_port(&ports->v[0]);
	return error ? error : open_port(&ports->v[1]);
}

void ports_close(struct ports *ports)
{
	size_t i;

	if (!ports)
		return;
	for (i = 0; i < sizeof(ports->v) / sizeof(ports->v[0]); i++) {
		sd_event_source_disable_unref(ports->v[i].retry);
		http_stop(ports->v[i].server);
	}
	free(ports);
}
