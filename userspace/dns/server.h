/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the server: who asks, how upstream is asked, what is remembered. */
#ifndef KSERV_DNS_SERVER_H
#define KSERV_DNS_SERVER_H

#include "dns/dns.h"
#include "dns/message.h"
#include "dns/sockaddr.h"

#define DNS_SECOND		1000000ULL	/* of sd-event's clocks */
/* Longer answers of upstream servers are not kept: they are rare. */
#define DNS_CACHED_MAX		4096
/* A query over TCP longer than this is nobody's. */
#define DNS_QUERY_MAX		4096
/* Header, question and OPT of a query: all that counts of it. */
#define DNS_PLAIN_QUERY_MAX	(DNS_HEADER + KSERV_DNS_NAME_MAX + 4 + DNS_OPT_SIZE)

/**
 * struct dns_listener - an address that we listen at
 * @udp: its socket; @tcp: the other, both -1 until they are open
 */
struct dns_listener {
	struct kserv_dns *dns;
	struct kserv_dns_place place;
	int udp, tcp;
	sd_event_source *udp_source, *tcp_source;
};

/**
 * struct dns_client - where an answer goes
 * @connection: of a query by TCP; NULL for UDP
 * @local: the address that was asked, and so is the answer's source
 * @interface: the answer's, for UDP where the address needs one
 */
struct dns_client {
	struct dns_connection *connection;
	struct dns_listener *listener;
	union dns_sockaddr peer;
	struct kserv_addr local;
	unsigned int interface;
};

/* A server that may be asked. @down_until: it did not answer lately. */
struct dns_upstream {
	struct kserv_dns_place place;
	bool own;			/* it is ourselves */
	uint64_t down_until;
};

struct dns_upstreams {
	struct dns_upstream *v;
	size_t n;
};

struct dns_stub {
	uint8_t *domain;
	uint8_t domain_len;
	struct dns_upstreams upstreams;
};

/* What tells a file from what it was before. */
struct dns_file_state {
	uint64_t device, inode, seconds, nanoseconds;
};

/**
 * struct kserv_dns - the server
 * @resolv_conf: NULL if upstream servers were given
 * @resolv_checked: when it was last looked at; @resolv_seen: what it was then
 * @pendings: questions that upstream has been asked, by struct dns_wanted
 * @connections: in the order in which they were last used
 * @scratch: one answer over TCP
 */
struct kserv_dns {
	sd_event *event;
	struct kserv_zone *zone;
	struct dns_listener *listeners;
	size_t n_listeners;
	struct kserv_prefixes clients;
	char *resolv_conf;
	sd_event_source *resolv_check;
	uint64_t resolv_checked;
	struct dns_file_state resolv_seen;
	struct dns_upstreams upstreams;
	struct dns_stub *stubs;
	size_t n_stubs;
	struct dns_cache *cache;
	struct dns_pending *pendings;
	size_t n_waiters;
	struct dns_connection *connections;
	struct dns_udp_batch *batch;
	struct kserv_dns_stats stats;
	uint8_t scratch[2 + KSERV_DNS_TCP_MAX];
};

/**
 * struct dns_wanted - what upstream is asked for; also the key of what it said
 * @name: padded with zeros, so that whole structs compare
 */
struct dns_wanted {
	uint8_t name[KSERV_DNS_NAME_MAX];
	uint8_t name_len;
	uint16_t type;
	bool edns, dnssec_ok, checking_disabled, unused;
};

/* udp.c, tcp.c */
int kserv_dns_udp_open(struct dns_listener *listener);
void kserv_dns_udp_send(struct kserv_dns *dns, const struct dns_client *client, const uint8_t *answer, size_t len);
struct dns_udp_batch *kserv_dns_udp_batch_new(void);
int kserv_dns_tcp_open(struct dns_listener *listener);
/* @answer has room for its length in front of it. */
void kserv_dns_tcp_send(struct kserv_dns *dns, struct dns_connection *connection, uint8_t *answer, size_t len);
/* One more query of it went upstream, or one less; it is not read while too many are there. */
void kserv_dns_tcp_hold(struct dns_connection *connection, int by);
void kserv_dns_tcp_close_all(struct kserv_dns *dns);

/**
 * kserv_dns_handle() - one query, from a socket
 * @answer: as for kserv_dns_answer()
 *
 * Return: length of the answer; 0 if there is none, or none yet.
 */
size_t kserv_dns_handle(struct kserv_dns *dns, const struct dns_client *client, const uint8_t *query, size_t len,
			uint8_t *answer);
uint64_t kserv_dns_now(const struct kserv_dns *dns);

/* forward.c. Return: as kserv_dns_handle(). */
size_t kserv_dns_forward(struct kserv_dns *dns, const struct dns_client *client, const uint8_t *query,
			 const struct kserv_dns_reply *reply, uint8_t *answer);
/* Nobody waits for answers to @connection any more. */
void kserv_dns_forget_client(struct kserv_dns *dns, const struct dns_connection *connection);
void kserv_dns_forget_all(struct kserv_dns *dns);
size_t kserv_dns_forward_count(const struct kserv_dns *dns);

/* upstream.c */
int kserv_dns_upstreams_init(struct kserv_dns *dns, const struct kserv_dns_config *config, char **ret_why);
void kserv_dns_upstreams_clear(struct kserv_dns *dns);
/* Has resolv.conf read again, soon, if it changed; looks at most once a second. */
void kserv_dns_upstreams_check(struct kserv_dns *dns);
/* The servers for a name, NULL if there are none. */
struct dns_upstreams *kserv_dns_upstreams_for(struct kserv_dns *dns, const uint8_t *name, uint8_t name_len);
/* The next to be asked, not @before unless it is the only one; NULL if there is none. */
struct dns_upstream *kserv_dns_upstream_pick(struct kserv_dns *dns, struct dns_upstreams *upstreams,
					     const struct dns_upstream *before);

/* cache.c */
struct dns_cache *kserv_dns_cache_new(size_t max);
void kserv_dns_cache_free(struct dns_cache *cache);
size_t kserv_dns_cache_count(const struct dns_cache *cache);
/* A message with the times its records have left, in @message of DNS_CACHED_MAX bytes. Return: its length, or 0. */
size_t kserv_dns_cache_find(struct dns_cache *cache, const struct dns_wanted *wanted, uint64_t now, uint8_t *message);
/* Keeps @message if and as long as its records allow. */
void kserv_dns_cache_add(struct dns_cache *cache, const struct dns_wanted *wanted, uint64_t now,
			 const uint8_t *message, size_t len);

#endif
