// SPDX-License-Identifier: GPL-2.0
/*
 * The DNS server alone, for tests: serves the objects of manifests, and takes changes line by line on its standard
 * input, each answered by a line: set FILE; delete service|slice|pod NAMESPACE NAME; delete namespace NAME; synced;
 * stats. Ends with its input.
 */
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "dns/dns.h"
#include "../unit/dns_cluster.h"
#include "lib/addr.h"
#include "source/slices.h"

static struct kserv_zone_config zone_config = { .ttl = KSERV_DNS_TTL, .pods = KSERV_DNS_PODS_INSECURE };
static struct kserv_dns_config config = { .resolv_conf = "" };
static struct kserv_dns_stub stubs[8];
static int unsynced;

static struct state {
	sd_event *event;
	struct kserv_zone *zone;
	struct kserv_dns *dns;
	char line[4096];
	size_t len;
} state;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "serve: %s: %s\n", what, why);
	exit(1);
}

static void add_place(struct kserv_dns_places *places, const char *text)
{
	struct kserv_dns_place place = { 0 };
	const char *why = "no address";

	if (kserv_addr_maybe_port_parse(text, &place.addr, &place.port, &why))
		fail(text, why);
	places->v = kserv_must_grow(places->v, places->n, sizeof(*places->v));
	places->v[places->n++] = place;
}

/* DOMAIN=ADDRESS[:PORT] */
static void add_stub(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || config.n_stubs == 8)
		fail(text, "no stub domain");
	*equals = '\0';
	stubs[config.n_stubs].domain = text;
	add_place(&stubs[config.n_stubs++].upstreams, equals + 1);
	config.stubs = stubs;
}

static void add_client(const char *text)
{
	struct kserv_prefixes *clients = &config.clients;

	clients->v = kserv_must_grow(clients->v, clients->n, sizeof(*clients->v));
	if (kserv_prefix_parse(text, &clients->v[clients->n++]))
		fail(text, "no CIDR");
}

static enum kserv_dns_pods pods_mode(const char *text)
{
	return !strcmp(text, "verified") ? KSERV_DNS_PODS_VERIFIED :
	       !strcmp(text, "disabled") ? KSERV_DNS_PODS_DISABLED : KSERV_DNS_PODS_INSECURE;
}

static const char **parse(int argc, const char **argv)
{
	static struct poptOption options[] = {
		{ "listen", 'l', POPT_ARG_STRING, NULL, 'l', NULL, NULL },
		{ "upstream", 'u', POPT_ARG_STRING, NULL, 'u', NULL, NULL },
		{ "stub", 's', POPT_ARG_STRING, NULL, 's', NULL, NULL },
		{ "client", 'c', POPT_ARG_STRING, NULL, 'c', NULL, NULL },
		{ "pods", 'p', POPT_ARG_STRING, NULL, 'p', NULL, NULL },
		{ "domain", 'd', POPT_ARG_STRING, &zone_config.domain, 0, NULL, NULL },
		{ "ttl", 't', POPT_ARG_INT, &zone_config.ttl, 0, NULL, NULL },
		{ "resolv-conf", 'r', POPT_ARG_STRING, &config.resolv_conf, 0, NULL, NULL },
		{ "unsynced", 'n', POPT_ARG_NONE, &unsynced, 0, NULL, NULL },
		POPT_TABLEEND
	};
	static poptContext context;	/* what it returns lives as long as it does */
	int option;

	context = poptGetContext("serve", argc, argv, options, 0);
	while ((option = poptGetNextOpt(context)) > 0) {
		char *text = poptGetOptArg(context);

		if (option == 'l')
			add_place(&config.listen, text);
		else if (option == 'u')
			add_place(&config.upstreams, text);
		else if (option == 's')
			add_stub(text);
		else if (option == 'c')
			add_client(text);
		else
			zone_config.pods = pods_mode(text);
		if (option != 's')
			free(text);
	}
	if (option < -1)
		fail(poptBadOption(context, 0), poptStrerror(option));
	return poptGetArgs(context);
}

static void print_stats(void)
{
	struct kserv_dns_stats stats;

	kserv_dns_stats(state.dns, &stats);
	printf("stats udp=%lu tcp=%lu truncated=%lu refused=%lu malformed=%lu forwarded=%lu cache-hits=%lu timeouts=%lu "
	       "failures=%lu connections=%u pending=%u cached=%u tcp-limit=%lu\n", stats.queries_udp, stats.queries_tcp,
	       stats.truncated, stats.refused_clients, stats.malformed, stats.forwarded, stats.cache_hits,
	       stats.upstream_timeouts, stats.upstream_failures, stats.tcp_connections, stats.pending, stats.cached,
	       stats.tcp_limit);
}

static void do_delete(char *rest)
{
	const char *kind = strsep(&rest, " "), *first = strsep(&rest, " "), *second = rest ? rest : "";

	if (!first)
		return;
	if (!strcmp(kind, "service"))
		kserv_zone_delete_service(state.zone, first, second);
	else if (!strcmp(kind, "slice"))
		kserv_zone_delete_slice(state.zone, first, second);
	else if (!strcmp(kind, "pod"))
		kserv_zone_delete_pod(state.zone, first, second);
	else if (!strcmp(kind, "namespace"))
		kserv_zone_delete_namespace(state.zone, first);
}

static void do_line(char *line)
{
	char *word = strsep(&line, " ");

	if (!strcmp(word, "stats")) {
		print_stats();
		return;
	}
	if (!strcmp(word, "set"))
		dns_cluster_set(line, state.zone);
	else if (!strcmp(word, "delete"))
		do_delete(line);
	else if (!strcmp(word, "synced"))
		kserv_zone_set_synced(state.zone, true);
	puts("done");
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *context)
{
	ssize_t len = read(fd, state.line + state.len, sizeof(state.line) - state.len - 1);
	char *end;

	(void)source, (void)events, (void)context;
	if (len <= 0)
		return sd_event_exit(state.event, 0);
	state.len += len;
	state.line[state.len] = '\0';
	while ((end = strchr(state.line, '\n'))) {
		*end = '\0';
		do_line(state.line);
		state.len -= end + 1 - state.line;
		memmove(state.line, end + 1, state.len + 1);
	}
	return 0;
}

static void load(const char **paths)
{
	struct kserv_cluster cluster = { 0 };

	for (; paths && *paths; paths++)
		dns_cluster_read(*paths, &cluster);
	kserv_slices_of_pods(&cluster);
	kserv_zone_load(state.zone, &cluster);
	kserv_zone_set_synced(state.zone, !unsynced);
	kserv_cluster_clear(&cluster);
}

int main(int argc, const char **argv)
{
	const char **paths = parse(argc, argv);
	char *why = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	zone_config.seed = time(NULL);
	if (kserv_zone_new(&zone_config, &state.zone, &why))
		fail("zone", why);
	kserv_zone_set_serial(state.zone, time(NULL));
	load(paths);
	if (sd_event_new(&state.event) < 0 || kserv_dns_new(state.event, state.zone, &config, &state.dns, &why))
		fail("server", why ? why : "no event loop");
	sd_event_add_io(state.event, NULL, STDIN_FILENO, EPOLLIN, on_input, NULL);
	puts("ready");
	sd_event_loop(state.event);
	kserv_dns_free(state.dns);
	kserv_zone_free(state.zone);
	sd_event_unref(state.event);
	return 0;
}
