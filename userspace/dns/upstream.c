// SPDX-License-Identifier: GPL-2.0
/* The servers that are asked about what is not ours. */
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cluster/file.h"
#include "cluster/memory.h"
#include "dns/records.h"
#include "dns/server.h"
#include "lib/addr.h"

#define UPSTREAMS_MAX	8

static bool is_local(const struct kserv_addr *addr)
{
	struct ifaddrs *all, *one;
	struct kserv_addr other;
	bool found = addr->family == AF_INET ? *(const uint8_t *)&addr->v4 == 127 : IN6_IS_ADDR_LOOPBACK(&addr->v6);

	if (found || getifaddrs(&all))
		return found;
	for (one = all; one && !found; one = one->ifa_next) {
		if (!one->ifa_addr || (one->ifa_addr->sa_family != AF_INET && one->ifa_addr->sa_family != AF_INET6))
			continue;
		kserv_dns_addr_of((const union dns_sockaddr *)one->ifa_addr, &other, NULL);
		found = kserv_addr_is_equal(addr, &other);
	}
	freeifaddrs(all);
	return found;
}

static bool is_unspecified(const struct kserv_addr *addr)
{
	static const struct in6_addr zero;

	return !memcmp(&addr->v6, &zero, sizeof(zero));
}

/* Asking ourselves would go round for ever. */
static bool is_own(const struct kserv_dns *dns, const struct kserv_dns_place *place)
{
	size_t i;

	for (i = 0; i < dns->n_listeners; i++) {
		const struct kserv_dns_place *listen = &dns->listeners[i].place;

		if (listen->port != place->port || listen->addr.family != place->addr.family)
			continue;
		if (kserv_addr_is_equal(&listen->addr, &place->addr) ||
		    (is_unspecified(&listen->addr) && is_local(&place->addr)))
			return true;
	}
	return false;
}

static bool is_cluster_dns(const struct kserv_dns *dns, const struct kserv_dns_place *place)
{
	const struct dns_addresses *ips = &dns->zone->own->cluster_ips;
	size_t i;

	for (i = 0; i < ips->n; i++)
		if (place->port == KSERV_DNS_PORT && kserv_addr_is_equal(&ips->v[i], &place->addr))
			return true;
	return false;
}

static void add(const struct kserv_dns *dns, struct dns_upstreams *upstreams, const struct kserv_dns_place *place)
{
	struct dns_upstream *upstream;

	if (upstreams->n == UPSTREAMS_MAX)
		return;
	upstreams->v = kserv_must_grow(upstreams->v, upstreams->n, sizeof(*upstreams->v));
	upstream = &upstreams->v[upstreams->n++];
	upstream->place = *place;
	upstream->place.port = place->port ? place->port : KSERV_DNS_PORT;
	upstream->own = is_own(dns, &upstream->place);
}

static void add_all(const struct kserv_dns *dns, struct dns_upstreams *upstreams, const struct kserv_dns_places *places)
{
	size_t i;

	for (i = 0; i < places->n; i++)
		add(dns, upstreams, &places->v[i]);
}

static void clear(struct dns_upstreams *upstreams)
{
	free(upstreams->v);
	*upstreams = (struct dns_upstreams){ 0 };
}

/* Lines "nameserver ADDRESS"; the others are for clients. */
static void read_resolv_conf(struct kserv_dns *dns)
{
	struct kserv_dns_place place = { 0 };
	struct kserv_text text = { 0 };
	char *rest, *line, *word;

	clear(&dns->upstreams);
	if (!kserv_file_read(dns->resolv_conf, &text) && text.s) {
		rest = text.s;
		while ((line = strsep(&rest, "\n"))) {
			word = strtok(line, " \t\r");
			if (!word || strcmp(word, "nameserver"))
				continue;
			word = strtok(NULL, " \t\r");
			if (word && !kserv_addr_parse(word, &place.addr))
				add(dns, &dns->upstreams, &place);
		}
	}
	kserv_text_clear(&text);
}

static bool can_ask(const struct kserv_dns *dns)
{
	size_t i;

	for (i = 0; i < dns->upstreams.n; i++)
		if (!dns->upstreams.v[i].own)
			return true;
	return dns->n_stubs;
}

/* Notes what the file is now. Return: whether it is another than before; one that is gone is an empty one. */
static bool has_changed(struct kserv_dns *dns)
{
	struct dns_file_state now = { 0 };
	struct stat file;

	if (!stat(dns->resolv_conf, &file))
		now = (struct dns_file_state){
			file.st_dev, file.st_ino, file.st_mtim.tv_sec, file.st_mtim.tv_nsec,
		};
	if (!memcmp(&now, &dns->resolv_seen, sizeof(now)))
		return false;
	dns->resolv_seen = now;
	return true;
}

static int on_check(sd_event_source *source, void *context)
{
	struct kserv_dns *dns = context;

	(void)source;
	if (!has_changed(dns))
		return 0;
	/* Questions that are under way hold on to servers of the old list. */
	kserv_dns_forget_all(dns);
	read_resolv_conf(dns);
	kserv_zone_set_recursive(dns->zone, can_ask(dns));
	return 0;
}

void kserv_dns_upstreams_check(struct kserv_dns *dns)
{
	uint64_t now = kserv_dns_now(dns);

	if (!dns->resolv_check || now < dns->resolv_checked + DNS_SECOND)
		return;
	dns->resolv_checked = now;
	sd_event_source_set_enabled(dns->resolv_check, SD_EVENT_ONESHOT);
}

static int watch_resolv_conf(struct kserv_dns *dns, const char *path)
{
	int error;

	dns->resolv_conf = kserv_must_strdup(path);
	has_changed(dns);
	read_resolv_conf(dns);
	/* From the loop, when nothing else is going on: what it does ends questions that others are busy with. */
	error = sd_event_add_defer(dns->event, &dns->resolv_check, on_check, dns);
	return error < 0 ? error : sd_event_source_set_enabled(dns->resolv_check, SD_EVENT_OFF);
}

static int add_stub(struct kserv_dns *dns, const struct kserv_dns_stub *config, char **ret_why)
{
	uint8_t name[KSERV_DNS_NAME_MAX];
	int len = kserv_dns_name_parse(config->domain, name);
	struct dns_stub *stub;

	if (len < 0) {
		*ret_why = kserv_must_printf("stub domain \"%s\" is no domain name", config->domain);
		return -EINVAL;
	}
	if (!config->upstreams.n) {
		*ret_why = kserv_must_printf("stub domain \"%s\" has no server to ask", config->domain);
		return -EINVAL;
	}
	dns->stubs = kserv_must_grow(dns->stubs, dns->n_stubs, sizeof(*dns->stubs));
	stub = &dns->stubs[dns->n_stubs++];
	stub->domain = kserv_must_alloc(len);
	memcpy(stub->domain, name, len);
	stub->domain_len = len;
	add_all(dns, &stub->upstreams, &config->upstreams);
	return 0;
}

int kserv_dns_upstreams_init(struct kserv_dns *dns, const struct kserv_dns_config *config, char **ret_why)
{
	int error = 0;
	size_t i;

	for (i = 0; i < config->n_stubs; i++)
		if (add_stub(dns, &config->stubs[i], ret_why))
			return -EINVAL;
	if (config->upstreams.n) {
		add_all(dns, &dns->upstreams, &config->upstreams);
	} else if (!config->resolv_conf || *config->resolv_conf) {
		error = watch_resolv_conf(dns, config->resolv_conf ? config->resolv_conf : KSERV_DNS_RESOLV_CONF);
	}
	if (error < 0)
		*ret_why = kserv_must_printf("the event loop takes no more sources: %s", strerror(-error));
	kserv_zone_set_recursive(dns->zone, can_ask(dns));
	return error < 0 ? error : 0;
}

void kserv_dns_upstreams_clear(struct kserv_dns *dns)
{
	size_t i;

	for (i = 0; i < dns->n_stubs; i++) {
		free(dns->stubs[i].domain);
		clear(&dns->stubs[i].upstreams);
	}
	free(dns->stubs);
	clear(&dns->upstreams);
	sd_event_source_disable_unref(dns->resolv_check);
	free(dns->resolv_conf);
}

/* @name is @domain, or ends in it at the beginning of a label. */
static bool is_at_or_below(const uint8_t *name, uint8_t name_len, const uint8_t *domain, uint8_t domain_len)
{
	unsigned int at = 0;

	while (name_len - at > domain_len)
		at += name[at] + 1;
	return name_len - at == domain_len && !memcmp(name + at, domain, domain_len);
}

struct dns_upstreams *kserv_dns_upstreams_for(struct kserv_dns *dns, const uint8_t *name, uint8_t name_len)
{
	struct dns_stub *best = NULL;
	size_t i;

	for (i = 0; i < dns->n_stubs; i++) {
		struct dns_stub *stub = &dns->stubs[i];

		if (is_at_or_below(name, name_len, stub->domain, stub->domain_len) &&
		    (!best || stub->domain_len > best->domain_len))
			best = stub;
	}
	return best ? &best->upstreams : &dns->upstreams;
}

struct dns_upstream *kserv_dns_upstream_pick(struct kserv_dns *dns, struct dns_upstreams *upstreams,
					     const struct dns_upstream *before)
{
	struct dns_upstream *best = NULL, *last = NULL;
	uint64_t now = kserv_dns_now(dns);
	size_t i;

	for (i = 0; i < upstreams->n; i++) {
		struct dns_upstream *one = &upstreams->v[i];

		if (one->own || is_cluster_dns(dns, &one->place))
			continue;
		if (one == before) {
			last = one;
			continue;
		}
		/* In the order of the list, but those that did not answer lately come last. */
		if (!best || (best->down_until > now && one->down_until < best->down_until))
			best = one;
	}
	return best ? best : last;
}
