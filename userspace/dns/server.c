// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>
#include "cluster/memory.h"
#include "dns/records.h"
#include "dns/server.h"
#include "lib/addr.h"
#include "plan/address.h"
#include "plan/prefixes.h"

/* Who may ask where the configuration does not say: who is here or in a private network, and pods. */
static const char *const usual_clients[] = {
	"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "::1/128",
	"fc00::/7", "fe80::/10",
};

uint64_t kserv_dns_now(const struct kserv_dns *dns)
{
	uint64_t now = 0;

	sd_event_now(dns->event, CLOCK_MONOTONIC, &now);
	return now;
}

static bool is_allowed(const struct kserv_dns *dns, const struct dns_client *client)
{
	struct kserv_addr addr;
	size_t i;

	kserv_dns_addr_of(&client->peer, &addr, NULL);
	/* The machine itself, whatever its address is. */
	if (kserv_addr_is_equal(&addr, &client->local))
		return true;
	for (i = 0; i < dns->clients.n; i++)
		if (kserv_cidr_contains(&dns->clients.v[i], &addr))
			return true;
	return false;
}

static size_t handle_allowed(struct kserv_dns *dns, const struct dns_client *client, const uint8_t *query, size_t len,
			     uint8_t *answer)
{
	struct kserv_dns_reply reply;

	kserv_dns_answer(dns->zone, query, len, client->connection, answer, &reply);
	switch (reply.verdict) {
	case KSERV_DNS_ANSWER:
		dns->stats.answers[answer[3] & 0xf]++;
		dns->stats.truncated += answer[2] & DNS_TC >> 8 ? 1 : 0;
		return reply.len;
	case KSERV_DNS_FORWARD:
	case KSERV_DNS_CHASE:
		return kserv_dns_forward(dns, client, query, &reply, answer);
	case KSERV_DNS_SILENCE:
		dns->stats.malformed++;
		break;
	}
	return 0;
}

size_t kserv_dns_handle(struct kserv_dns *dns, const struct dns_client *client, const uint8_t *query, size_t len,
			uint8_t *answer)
{
	kserv_dns_upstreams_check(dns);
	if (is_allowed(dns, client))
		return handle_allowed(dns, client, query, len, answer);
	dns->stats.refused_clients++;
	return kserv_dns_error(query, len, DNS_REFUSED, answer);
}

static void add_client(struct kserv_prefixes *clients, const struct kserv_prefix *prefix)
{
	if (kserv_prefixes_add(clients, prefix))
		abort();
}

static void set_clients(struct kserv_dns *dns, const struct kserv_dns_config *config)
{
	const struct kserv_prefixes *given = config->clients.n ? &config->clients : &config->pods;
	size_t usual = sizeof(usual_clients) / sizeof(usual_clients[0]), i;
	struct kserv_prefix prefix;

	for (i = 0; i < given->n; i++)
		add_client(&dns->clients, &given->v[i]);
	for (i = 0; !config->clients.n && i < usual; i++) {
		kserv_prefix_parse(usual_clients[i], &prefix);
		add_client(&dns->clients, &prefix);
	}
}

static void set_listeners(struct kserv_dns *dns, const struct kserv_dns_places *listen)
{
	size_t i;

	dns->n_listeners = listen->n;
	dns->listeners = kserv_must_alloc(listen->n * sizeof(*dns->listeners));
	for (i = 0; i < listen->n; i++) {
		dns->listeners[i] = (struct dns_listener){ .dns = dns, .place = listen->v[i], .udp = -1, .tcp = -1 };
		if (!listen->v[i].port)
			dns->listeners[i].place.port = KSERV_DNS_PORT;
	}
}

static int open_listeners(struct kserv_dns *dns, char **ret_why)
{
	char text[KSERV_ADDR_TEXT];
	int error = 0;
	size_t i;

	for (i = 0; i < dns->n_listeners && !error; i++) {
		struct dns_listener *listener = &dns->listeners[i];
		const char *transport = "UDP";

		error = kserv_dns_udp_open(listener);
		if (!error) {
			transport = "TCP";
			error = kserv_dns_tcp_open(listener);
		}
		if (error)
			*ret_why = kserv_must_printf("cannot listen for DNS at %s over %s: %s",
						     kserv_addr_port_format(&listener->place.addr,
									    listener->place.port, text),
						     transport, strerror(-error));
	}
	return error;
}

int kserv_dns_new(sd_event *event, struct kserv_zone *zone, const struct kserv_dns_config *config,
		  struct kserv_dns **ret_dns, char **ret_why)
{
	struct kserv_dns *dns;
	int error;

	if (!config->listen.n) {
		*ret_why = kserv_must_strdup("the DNS server is given no address to listen at");
		return -EINVAL;
	}
	dns = kserv_must_alloc(sizeof(*dns));
	dns->event = sd_event_ref(event);
	dns->zone = zone;
	dns->batch = kserv_dns_udp_batch_new();
	dns->cache = kserv_dns_cache_new(config->cache_max);
	set_clients(dns, config);
	set_listeners(dns, &config->listen);
	error = kserv_dns_upstreams_init(dns, config, ret_why);
	if (!error)
		error = open_listeners(dns, ret_why);
	if (error) {
		kserv_dns_free(dns);
		return error;
	}
	*ret_dns = dns;
	return 0;
}

void kserv_dns_free(struct kserv_dns *dns)
{
	size_t i;

	if (!dns)
		return;
	kserv_dns_tcp_close_all(dns);
	kserv_dns_forget_all(dns);
	for (i = 0; i < dns->n_listeners; i++) {
		sd_event_source_disable_unref(dns->listeners[i].udp_source);
		sd_event_source_disable_unref(dns->listeners[i].tcp_source);
		if (dns->listeners[i].udp >= 0)
			close(dns->listeners[i].udp);
		if (dns->listeners[i].tcp >= 0)
			close(dns->listeners[i].tcp);
	}
	kserv_dns_upstreams_clear(dns);
	kserv_dns_cache_free(dns->cache);
	sd_event_unref(dns->event);
	free(dns->listeners);
	free(dns->clients.v);
	free(dns->batch);
	free(dns);
}

void kserv_dns_stats(const struct kserv_dns *dns, struct kserv_dns_stats *ret)
{
	*ret = dns->stats;
	ret->pending = kserv_dns_forward_count(dns);
	ret->cached = kserv_dns_cache_count(dns->cache);
}
