// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservd/metrics.h"
#include "lib/addr.h"
#include "lib/dump.h"

#define FIRST_BOUND	0.001

void histogram_add(struct histogram *histogram, double seconds)
{
	double bound = FIRST_BOUND;
	int i = 0;

	while (i < METRICS_BUCKETS && seconds > bound) {
		bound *= 2;
		i++;
	}
	histogram->bucket[i]++;
	histogram->count++;
	histogram->sum += seconds;
}

static void head(struct kserv_text *text, const char *name, const char *type, const char *help)
{
	kserv_text_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_number(struct kserv_text *text, const char *name, const char *type, const char *help, double value)
{
	head(text, name, type, help);
	kserv_text_printf(text, "%s %.17g\n", name, value);
}

static void add_histogram(struct kserv_text *text, const char *name, const char *help, const struct histogram *histogram)
{
	double bound = FIRST_BOUND;
	uint64_t sum = 0;
	int i;

	head(text, name, "histogram", help);
	for (i = 0; i < METRICS_BUCKETS; i++, bound *= 2) {
		sum += histogram->bucket[i];
		kserv_text_printf(text, "%s_bucket{le=\"%.15g\"} %llu\n", name, bound, (unsigned long long)sum);
	}
	kserv_text_printf(text, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.17g\n%s_count %llu\n", name,
			  (unsigned long long)histogram->count, name, histogram->sum, name,
			  (unsigned long long)histogram->count);
}

static void add_codes(struct kserv_text *text, const char *name, const char *help, const uint64_t *codes)
{
	head(text, name, "counter", help);
	kserv_text_printf(text, "%s{code=\"200\"} %llu\n%s{code=\"503\"} %llu\n", name, (unsigned long long)codes[0], name,
			  (unsigned long long)codes[1]);
}

/* A service whose set of local endpoints is empty while others have some: whether any frontend of it asks for that set. */
static bool lacks_local(const struct kserv_service *service, bool internal)
{
	bool asks = false, has_any = false;
	size_t i;

	for (i = 0; i < service->n_frontends; i++)
		asks |= service->frontends[i].flags & KSERV_FRONTEND_FLAGS_LOCAL_SET &&
			internal == (service->frontends[i].type == KSERV_FRONTEND_TYPE_CLUSTER_IP);
	for (i = 0; i < service->n_endpoints; i++) {
		if (service->endpoints[i].flags & KSERV_ENDPOINT_FLAGS_LOCAL_SET)
			return false;
		has_any |= service->endpoints[i].flags & KSERV_ENDPOINT_FLAGS_CLUSTER_SET;
	}
	return asks && has_any;
}

static void add_no_local(struct kserv_text *text, const struct model *model)
{
	static const char name[] = "kubeproxy_sync_proxy_rules_no_local_endpoints_total";
	const struct entry *entry;
	size_t i, n[2] = { 0 };

	for (entry = model->entries; entry; entry = entry->hh.next) {
		for (i = 0; i < entry->n_held; i++) {
			n[0] += lacks_local(&entry->held[i], true);
			n[1] += lacks_local(&entry->held[i], false);
		}
	}
	head(text, name, "gauge", "Number of services with a Local traffic policy and no endpoints");
	kserv_text_printf(text, "%s{traffic_policy=\"internal\"} %zu\n%s{traffic_policy=\"external\"} %zu\n", name, n[0], name,
			  n[1]);
}

/* kube-proxy times whole and partial syncs, and then both together. */
static struct histogram both(const struct histogram *a, const struct histogram *b)
{
	struct histogram sum = *a;
	size_t i;

	for (i = 0; i <= METRICS_BUCKETS; i++)
		sum.bucket[i] += b->bucket[i];
	sum.count += b->count;
	sum.sum += b->sum;
	return sum;
}

static void add_syncs(struct kserv_text *text, const struct metrics *metrics)
{
	struct histogram all = both(&metrics->full, &metrics->partial);

	add_histogram(text, "kubeproxy_sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", &all);
	add_histogram(text, "kubeproxy_sync_full_proxy_rules_duration_seconds",
		      "SyncProxyRules latency in seconds for full resyncs", &metrics->full);
	add_histogram(text, "kubeproxy_sync_partial_proxy_rules_duration_seconds",
		      "SyncProxyRules latency in seconds for partial resyncs", &metrics->partial);
	add_histogram(text, "kubeproxy_network_programming_duration_seconds",
		      "In Cluster Network Programming Latency in seconds", &metrics->programming);
	add_number(text, "kubeproxy_sync_proxy_rules_last_timestamp_seconds", "gauge",
		   "The last time proxy rules were successfully synced", metrics->synced);
	add_number(text, "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", "gauge",
		   "The last time a sync of proxy rules was queued", metrics->queued);
}

static void add_changes(struct kserv_text *text, const struct model *model)
{
	add_number(text, "kubeproxy_sync_proxy_rules_service_changes_total", "counter",
		   "Cumulative proxy rules Service changes", model->service_changes);
	add_number(text, "kubeproxy_sync_proxy_rules_service_changes_pending", "gauge",
		   "Pending proxy rules Service changes", model->services_pending);
	add_number(text, "kubeproxy_sync_proxy_rules_endpoint_changes_total", "counter",
		   "Cumulative proxy rules Endpoint changes", model->slice_changes);
	add_number(text, "kubeproxy_sync_proxy_rules_endpoint_changes_pending", "gauge",
		   "Pending proxy rules Endpoint changes", model->slices_pending);
}

static void add_dns(struct kserv_text *text, const struct kserv_dns_stats *dns)
{
	static const char *const codes[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED" };
	size_t i;

	head(text, "kserv_dns_queries_total", "counter", "Queries that came, by transport");
	kserv_text_printf(text, "kserv_dns_queries_total{transport=\"udp\"} %llu\n"
			  "kserv_dns_queries_total{transport=\"tcp\"} %llu\n", (unsigned long long)dns->queries_udp,
			  (unsigned long long)dns->queries_tcp);
	head(text, "kserv_dns_answers_total", "counter", "Answers for names of the cluster, by code");
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		kserv_text_printf(text, "kserv_dns_answers_total{code=\"%s\"} %llu\n", codes[i],
				  (unsigned long long)dns->answers[i]);
	add_number(text, "kserv_dns_truncated_total", "counter", "Answers that were cut off", dns->truncated);
	add_number(text, "kserv_dns_refused_clients_total", "counter", "Queries of clients that may not ask",
		   dns->refused_clients);
	add_number(text, "kserv_dns_malformed_total", "counter", "Packets that were no queries", dns->malformed);
	add_number(text, "kserv_dns_forwarded_total", "counter", "Questions that upstream servers were asked", dns->forwarded);
	add_number(text, "kserv_dns_cache_hits_total", "counter", "Queries answered from what upstream said before",
		   dns->cache_hits);
	add_number(text, "kserv_dns_upstream_timeouts_total", "counter", "Attempts that no upstream server answered",
		   dns->upstream_timeouts);
	add_number(text, "kserv_dns_upstream_failures_total", "counter", "Questions that got no answer at all",
		   dns->upstream_failures);
	add_number(text, "kserv_dns_forward_limit_total", "counter", "Queries beyond what may wait for upstream",
		   dns->forward_limit);
	add_number(text, "kserv_dns_tcp_limit_total", "counter", "TCP connections beyond the bounds", dns->tcp_limit);
	add_number(text, "kserv_dns_tcp_connections", "gauge", "TCP connections that are open", dns->tcp_connections);
	add_number(text, "kserv_dns_pending", "gauge", "Questions that upstream servers have not answered yet", dns->pending);
	add_number(text, "kserv_dns_cached", "gauge", "Upstream answers that are kept", dns->cached);
}

void metrics_write(struct kserv_text *text, const struct metrics_state *state)
{
	const struct metrics *metrics = state->metrics;

	add_syncs(text, metrics);
	add_changes(text, state->model);
	add_no_local(text, state->model);
	add_codes(text, "kubeproxy_proxy_healthz_total", "Cumulative proxy healthz HTTP status", metrics->healthz);
	add_codes(text, "kubeproxy_proxy_livez_total", "Cumulative proxy livez HTTP status", metrics->livez);
	head(text, "kserv_build_info", "gauge", "Version of the daemon");
	kserv_text_printf(text, "kserv_build_info{version=\"%s\"} 1\n", KSERV_VERSION);
	add_number(text, "kserv_sync_failures_total", "counter", "Syncs that the kernel did not take", metrics->syncs_failed);
	add_number(text, "kserv_generation", "gauge", "Transactions the kernel has committed", state->generation);
	add_number(text, "kserv_services_refused", "gauge", "Services that the kernel does not take", state->refused);
	add_number(text, "kserv_health_checks", "gauge", "Services with a health-check node port", state->checks);
	add_number(text, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds",
		   metrics->started);
	if (state->dns)
		add_dns(text, state->dns);
	if (state->api_connected >= 0)
		add_number(text, "kserv_api_connected", "gauge", "1 while all objects are being watched", state->api_connected);
}

/* A label's value with what must be escaped in it. */
static void add_label(struct kserv_text *text, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			kserv_text_add(text, "\\");
		if (*value == '\n')
			kserv_text_add(text, "\\n");
		else
			kserv_text_add_bytes(text, value, 1);
	}
}

/* {service="default/web:http",protocol="tcp",family="IPv4" */
static void begin_labels(struct kserv_text *text, const struct kserv_service *service)
{
	kserv_text_add(text, "{service=\"");
	add_label(text, service->name);
	kserv_text_printf(text, "\",protocol=\"%s\",family=\"%s\"", kserv_protocol_name(service->protocol),
			  service->family == AF_INET6 ? "IPv6" : "IPv4");
}

static uint64_t connections_of(const struct kserv_service *service) { return service->connections; }
static uint64_t rejects_of(const struct kserv_service *service) { return service->rejects; }
static uint64_t drops_of(const struct kserv_service *service) { return service->drops; }

/* Over all endpoints of a service. */
static uint64_t endpoints_sum(const struct kserv_service *service, uint64_t (*of)(const struct kserv_endpoint *))
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < service->n_endpoints; i++)
		sum += of(&service->endpoints[i]);
	return sum;
}

static uint64_t active_of(const struct kserv_endpoint *endpoint) { return endpoint->stats.active; }
static uint64_t new_of(const struct kserv_endpoint *endpoint) { return endpoint->stats.connections; }
static uint64_t bytes_in_of(const struct kserv_endpoint *endpoint) { return endpoint->stats.bytes_in; }
static uint64_t bytes_out_of(const struct kserv_endpoint *endpoint) { return endpoint->stats.bytes_out; }
static uint64_t packets_in_of(const struct kserv_endpoint *endpoint) { return endpoint->stats.packets_in; }
static uint64_t packets_out_of(const struct kserv_endpoint *endpoint) { return endpoint->stats.packets_out; }
static uint64_t ejected_of(const struct kserv_endpoint *endpoint) { return endpoint->stats.ejected; }

static const struct {
	const char *name, *type, *help;
	uint64_t (*of)(const struct kserv_service *service);
} service_metrics[] = {
	{ "kserv_service_connections_total", "counter", "Flows that were begun", connections_of },
	{ "kserv_service_rejects_total", "counter", "Packets that were answered by a reject", rejects_of },
	{ "kserv_service_drops_total", "counter", "Packets that were dropped", drops_of },
};

static const struct {
	const char *name, *type, *help;
	uint64_t (*of)(const struct kserv_endpoint *endpoint);
} endpoint_metrics[] = {
	{ "active_flows", "gauge", "Flows that there are", active_of },
	{ "connections_total", "counter", "Flows that were begun", new_of },
	{ "received_bytes_total", "counter", "Bytes from clients", bytes_in_of },
	{ "sent_bytes_total", "counter", "Bytes to clients", bytes_out_of },
	{ "received_packets_total", "counter", "Packets from clients", packets_in_of },
	{ "sent_packets_total", "counter", "Packets to clients", packets_out_of },
	{ "ejected", "gauge", "1 while it is left out since it answered nobody", ejected_of },
};

#define N(v)	(sizeof(v) / sizeof((v)[0]))

/* The series of endpoint @i of @service, up to its value. */
static void begin_endpoint(struct kserv_text *text, const char *name, const struct kserv_service *service, size_t i)
{
	const struct kserv_endpoint *endpoint = &service->endpoints[i];
	char where[KSERV_ADDR_TEXT];

	kserv_text_add(text, name);
	begin_labels(text, service);
	kserv_text_printf(text, ",endpoint=\"%s\"} ", kserv_addr_port_format(&endpoint->addr, endpoint->port, where));
}

static void write_endpoints(struct kserv_text *text, const struct kserv_tables *tables, size_t metric)
{
	char name[64];
	size_t i, j;

	snprintf(name, sizeof(name), "kserv_endpoint_%s", endpoint_metrics[metric].name);
	head(text, name, endpoint_metrics[metric].type, endpoint_metrics[metric].help);
	for (i = 0; i < tables->n_services; i++) {
		const struct kserv_service *service = &tables->services[i];

		for (j = 0; j < service->n_endpoints; j++) {
			begin_endpoint(text, name, service, j);
			kserv_text_printf(text, "%llu\n",
					  (unsigned long long)endpoint_metrics[metric].of(&service->endpoints[j]));
		}
	}
}

/* What a service's endpoints sum up to; kserv_service_connections_total has its own row. */
static void write_sums(struct kserv_text *text, const struct kserv_tables *tables, size_t metric)
{
	char name[64];
	size_t i;

	if (endpoint_metrics[metric].of == new_of)
		return;
	snprintf(name, sizeof(name), "kserv_service_%s%s", endpoint_metrics[metric].name,
		 endpoint_metrics[metric].of == ejected_of ? "_endpoints" : "");
	head(text, name, endpoint_metrics[metric].type, endpoint_metrics[metric].of == ejected_of ?
	     "Endpoints that are left out since they answered nobody" : endpoint_metrics[metric].help);
	for (i = 0; i < tables->n_services; i++) {
		kserv_text_add(text, name);
		begin_labels(text, &tables->services[i]);
		kserv_text_printf(text, "} %llu\n",
				  (unsigned long long)endpoints_sum(&tables->services[i], endpoint_metrics[metric].of));
	}
}

#define SECONDS(microseconds)	((microseconds) / 1e6)

/* Of the endpoints that have accepted a connection, by their connections; 0 if there are none. */
static double service_latency(const struct kserv_service *service)
{
	double sum = 0, weights = 0;
	size_t i;

	for (i = 0; i < service->n_endpoints; i++) {
		if (!service->endpoints[i].stats.latency)
			continue;
		sum += (double)service->endpoints[i].stats.connections * service->endpoints[i].stats.latency;
		weights += service->endpoints[i].stats.connections;
	}
	return weights > 0 ? SECONDS(sum / weights) : 0;
}

static void write_service_latencies(struct kserv_text *text, const struct kserv_tables *tables)
{
	static const char name[] = "kserv_service_connect_latency_seconds";
	double latency;
	size_t i;

	head(text, name, "gauge", "Smoothed time from SYN to SYN-ACK, of its endpoints by their connections");
	for (i = 0; i < tables->n_services; i++) {
		latency = service_latency(&tables->services[i]);
		if (latency <= 0)
			continue;
		kserv_text_add(text, name);
		begin_labels(text, &tables->services[i]);
		kserv_text_printf(text, "} %.6f\n", latency);
	}
}

static void write_endpoint_latencies(struct kserv_text *text, const struct kserv_tables *tables)
{
	static const char name[] = "kserv_endpoint_connect_latency_seconds";
	size_t i, j;

	head(text, name, "gauge", "Smoothed time from a client's SYN to the endpoint's SYN-ACK");
	for (i = 0; i < tables->n_services; i++)
		for (j = 0; j < tables->services[i].n_endpoints; j++)
			if (tables->services[i].endpoints[j].stats.latency) {
				begin_endpoint(text, name, &tables->services[i], j);
				kserv_text_printf(text, "%.6f\n", SECONDS(tables->services[i].endpoints[j].stats.latency));
			}
}

void metrics_write_tables(struct kserv_text *text, const struct kserv_tables *tables)
{
	size_t i, j, n_endpoints = 0;

	for (j = 0; j < N(service_metrics); j++) {
		head(text, service_metrics[j].name, service_metrics[j].type, service_metrics[j].help);
		for (i = 0; i < tables->n_services; i++) {
			kserv_text_add(text, service_metrics[j].name);
			begin_labels(text, &tables->services[i]);
			kserv_text_printf(text, "} %llu\n",
					  (unsigned long long)service_metrics[j].of(&tables->services[i]));
		}
	}
	for (i = 0; i < tables->n_services; i++)
		n_endpoints += tables->services[i].n_endpoints;
	for (j = 0; j < N(endpoint_metrics); j++) {
		write_sums(text, tables, j);
		if (n_endpoints <= METRICS_ENDPOINTS_MAX)
			write_endpoints(text, tables, j);
	}
	write_service_latencies(text, tables);
	if (n_endpoints <= METRICS_ENDPOINTS_MAX)
		write_endpoint_latencies(text, tables);
	add_number(text, "kserv_endpoints", "gauge", "Endpoints that the kernel holds", n_endpoints);
	add_number(text, "kserv_services", "gauge", "Services that the kernel holds, each port and family one", tables->n_services);
}

/* Drops are one metric with a label, the other counters are one each. */
struct counters {
	struct kserv_text drops, others;
};

static void take_counter(void *context, const char *name, uint64_t value)
{
	struct counters *counters = context;
	char metric[96];
	size_t i;

	if (!strncmp(name, "dropped-", 8)) {
		kserv_text_printf(&counters->drops, "kserv_dropped_packets_total{reason=\"%s\"} %llu\n", name + 8,
				  (unsigned long long)value);
		return;
	}
	snprintf(metric, sizeof(metric), "kserv_%s_total", name);
	for (i = 0; metric[i]; i++)
		if (metric[i] == '-')
			metric[i] = '_';
	head(&counters->others, metric, "counter", "See kservctl stats");
	kserv_text_printf(&counters->others, "%s %llu\n", metric, (unsigned long long)value);
}

void metrics_write_counters(struct kserv_text *text, struct kserv_nl *nl)
{
	struct counters counters = { 0 };

	if (!kserv_dump_counters(nl, take_counter, &counters, NULL) && counters.others.len) {
		kserv_text_add_bytes(text, counters.others.s, counters.others.len);
		if (counters.drops.len) {
			head(text, "kserv_dropped_packets_total", "counter", "Packets that were dropped, by reason");
			kserv_text_add_bytes(text, counters.drops.s, counters.drops.len);
		}
	}
	kserv_text_clear(&counters.drops);
	kserv_text_clear(&counters.others);
}
