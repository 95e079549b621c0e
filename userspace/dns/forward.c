// SPDX-License-Identifier: GPL-2.0
/*
 * Questions that upstream servers are asked, and who waits for the answers. A question is asked once however many wait
 * for it: that keeps guessed answers improbable, and a server that leads back to us from asking itself for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>
#include <utlist.h>
#include <uthash.h>
#include "cluster/memory.h"
#include "dns/server.h"

#define ATTEMPTS	2
#define TIMEOUT		(2 * DNS_SECOND)
/* A server that did not answer is asked last for this long. */
#define DOWN_TIME	(10 * DNS_SECOND)
#define PENDING_MAX	1024
#define WAITERS_MAX	4096

/**
 * struct dns_waiter - a query that waits
 * @query: header, question and OPT of it
 * @chase: an ExternalName leads to what is asked for; otherwise the message is passed on
 */
struct dns_waiter {
	struct dns_client client;
	bool chase;
	size_t query_len;
	uint8_t query[DNS_PLAIN_QUERY_MAX];
	struct dns_waiter *prev, *next;
};

/**
 * struct dns_pending - a question under way
 * @whole: somebody needs all of the answer, so one that is cut off is asked for again over TCP
 * @query: with its length in front, as TCP has it
 * @sent: bytes of that sent over TCP
 * @got, @buffer: what came over TCP
 */
struct dns_pending {
	struct dns_wanted wanted;
	struct kserv_dns *dns;
	struct dns_upstreams *upstreams;
	struct dns_upstream *upstream;
	unsigned int attempts;
	bool whole, tcp;
	int fd;
	sd_event_source *io, *timer;
	uint8_t query[2 + DNS_PLAIN_QUERY_MAX];
	size_t query_len, sent, got;
	uint8_t *buffer;
	struct dns_waiter *waiters;
	UT_hash_handle hh;
};

static size_t write_opt(uint8_t *at, uint16_t size, bool dnssec_ok)
{
	at[0] = 0;
	dns_put16(at + 1, ns_t_opt);
	dns_put16(at + 3, size);
	dns_put32(at + 5, dnssec_ok ? 0x8000 : 0);
	dns_put16(at + 9, 0);
	return DNS_OPT_SIZE;
}

/* What counts of a query: its options are between the client and us. */
static void keep_query(struct dns_waiter *waiter, const uint8_t *query, const struct kserv_dns_question *question)
{
	size_t len = DNS_HEADER + question->name_len + 4u;

	memcpy(waiter->query, query, len);
	memset(waiter->query + 6, 0, 6);
	if (question->edns) {
		waiter->query[11] = 1;
		len += write_opt(waiter->query + len, question->limit, question->dnssec_ok);
	}
	waiter->query_len = len;
}

static size_t refuse(const struct dns_waiter *waiter, enum dns_code code, uint8_t *answer)
{
	size_t len = kserv_dns_error(waiter->query, waiter->query_len, code, answer);

	answer[3] |= DNS_RA;
	return len;
}

static size_t chase_answer(struct kserv_dns *dns, const struct dns_waiter *waiter, const uint8_t *message, size_t len,
			   uint8_t *answer)
{
	bool tcp = waiter->client.connection;
	struct kserv_dns_reply reply;

	if (message) {
		kserv_dns_finish(dns->zone, waiter->query, waiter->query_len, tcp, message, len, answer, &reply);
		if (reply.verdict == KSERV_DNS_ANSWER)
			return reply.len;
	}
	return refuse(waiter, DNS_SERVFAIL, answer);
}

/* The answer to one who waited; @message: NULL if upstream said nothing. */
static size_t make_answer(struct kserv_dns *dns, const struct dns_waiter *waiter, const uint8_t *message, size_t len,
			  uint8_t *answer)
{
	struct kserv_dns_question question;
	struct dns_parsed parsed = { .question = &question };
	uint16_t keep = DNS_RD | DNS_CD;

	if (waiter->chase)
		return chase_answer(dns, waiter, message, len, answer);
	if (!message)
		return refuse(waiter, DNS_SERVFAIL, answer);
	kserv_dns_query_parse(waiter->query, waiter->query_len, waiter->client.connection, &parsed);
	if (len > question.limit) {
		dns->stats.truncated++;
		len = refuse(waiter, DNS_NOERROR, answer);
		answer[2] |= DNS_TC >> 8;
		return len;
	}
	memcpy(answer, message, len);
	memcpy(answer, waiter->query, 2);
	dns_put16(answer + 2, (dns_get16(message + 2) & ~keep) | (dns_get16(waiter->query + 2) & keep));
	/* The question comes back in the letters that it came in. */
	memcpy(answer + DNS_HEADER, waiter->query + DNS_HEADER, question.name_len);
	return len;
}

static void send_answer(struct kserv_dns *dns, const struct dns_waiter *waiter, const uint8_t *message, size_t len)
{
	struct dns_connection *connection = waiter->client.connection;
	uint8_t plain[KSERV_DNS_UDP_MAX];

	if (connection) {
		len = make_answer(dns, waiter, message, len, dns->scratch + 2);
		kserv_dns_tcp_hold(connection, -1);
		kserv_dns_tcp_send(dns, connection, dns->scratch, len);
	} else {
		len = make_answer(dns, waiter, message, len, plain);
		kserv_dns_udp_send(dns, &waiter->client, plain, len);
	}
}

static void close_socket(struct dns_pending *pending)
{
	pending->io = sd_event_source_disable_unref(pending->io);
	if (pending->fd >= 0)
		close(pending->fd);
	pending->fd = -1;
	free(pending->buffer);
	pending->buffer = NULL;
	pending->got = pending->sent = 0;
}

static void free_waiter(struct kserv_dns *dns, struct dns_pending *pending, struct dns_waiter *waiter)
{
	DL_DELETE(pending->waiters, waiter);
	dns->n_waiters--;
	free(waiter);
}

static void free_pending(struct dns_pending *pending)
{
	struct kserv_dns *dns = pending->dns;

	close_socket(pending);
	sd_event_source_disable_unref(pending->timer);
	HASH_DEL(dns->pendings, pending);
	while (pending->waiters)
		free_waiter(dns, pending, pending->waiters);
	free(pending);
}

/*
 * All who wait get their answer. To send one may close a connection, and so end the wait of others: each is taken off
 * the list first.
 */
static void complete(struct dns_pending *pending, const uint8_t *message, size_t len)
{
	struct kserv_dns *dns = pending->dns;
	struct dns_waiter *waiter;

	if (message)
		kserv_dns_cache_add(dns->cache, &pending->wanted, kserv_dns_now(dns), message, len);
	else
		dns->stats.upstream_failures++;
	while ((waiter = pending->waiters)) {
		DL_DELETE(pending->waiters, waiter);
		dns->n_waiters--;
		send_answer(dns, waiter, message, len);
		free(waiter);
	}
	free_pending(pending);
}

static bool is_answer(const struct dns_pending *pending, const uint8_t *message, size_t len)
{
	const struct dns_wanted *wanted = &pending->wanted;
	uint8_t name[KSERV_DNS_NAME_MAX], name_len;
	int taken;

	if (len < DNS_HEADER || memcmp(message, pending->query + 2, 2) || !(message[2] & DNS_QR >> 8) ||
	    dns_get16(message + 4) != 1)
		return false;
	taken = kserv_dns_name_read(message, len, DNS_HEADER, name, &name_len);
	return taken == wanted->name_len && name_len == wanted->name_len && !memcmp(name, wanted->name, name_len) &&
	       DNS_HEADER + name_len + 4u <= len && dns_get16(message + DNS_HEADER + name_len) == wanted->type &&
	       dns_get16(message + DNS_HEADER + name_len + 2) == ns_c_in;
}

static bool try_next(struct dns_pending *pending);

static void failed(struct dns_pending *pending)
{
	pending->upstream->down_until = kserv_dns_now(pending->dns) + DOWN_TIME;
	if (!try_next(pending))
		complete(pending, NULL, 0);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *context)
{
	struct dns_pending *pending = context;

	(void)source, (void)usec;
	pending->dns->stats.upstream_timeouts++;
	failed(pending);
	return 0;
}

static bool start_tcp(struct dns_pending *pending);

/* A server that cannot help is no reason to give up while there is another. */
static bool is_of_use(const uint8_t *message)
{
	unsigned int code = message[3] & 0xf;

	return code != DNS_SERVFAIL && code != DNS_REFUSED && code != DNS_NOTIMP;
}

static void got_answer(struct dns_pending *pending, const uint8_t *message, size_t len)
{
	bool cut = message[2] & DNS_TC >> 8;

	if (cut && pending->whole && !pending->tcp) {
		if (!start_tcp(pending))
			failed(pending);
		return;
	}
	if (!is_of_use(message) && try_next(pending))
		return;
	pending->upstream->down_until = 0;
	complete(pending, message, len);
}

static int on_udp(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct dns_pending *pending = context;
	uint8_t message[KSERV_DNS_TCP_MAX];
	ssize_t len;

	(void)source, (void)events;
	for (;;) {
		len = recv(fd, message, sizeof(message), MSG_DONTWAIT);
		if (len < 0) {
			if (errno != EAGAIN && errno != EINTR)
				failed(pending);
			return 0;
		}
		if (is_answer(pending, message, len)) {
			got_answer(pending, message, len);
			return 0;
		}
	}
}

static bool open_socket(struct dns_pending *pending, int type, uint32_t events, sd_event_io_handler_t handler)
{
	union dns_sockaddr to;
	socklen_t len = kserv_dns_sockaddr(&pending->upstream->place, &to);

	close_socket(pending);
	/* Each question from a port of its own, which the kernel picks at random. */
	pending->fd = socket(to.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (pending->fd < 0)
		return false;
	if (connect(pending->fd, &to.any, len) && errno != EINPROGRESS)
		return false;
	return sd_event_add_io(pending->dns->event, &pending->io, pending->fd, events, handler, pending) >= 0;
}

static bool start_timer(struct dns_pending *pending)
{
	if (!pending->timer)
		return sd_event_add_time_relative(pending->dns->event, &pending->timer, CLOCK_MONOTONIC, TIMEOUT, 10000,
						  on_timeout, pending) >= 0;
	return sd_event_source_set_time_relative(pending->timer, TIMEOUT) >= 0 &&
	       sd_event_source_set_enabled(pending->timer, SD_EVENT_ONESHOT) >= 0;
}

/* Return: false if the connection is no good; *@ret_done once all is there. */
static bool read_tcp(struct dns_pending *pending, bool *ret_done)
{
	size_t want;
	ssize_t len;

	*ret_done = false;
	for (;;) {
		want = pending->got < 2 ? 2 : 2u + dns_get16(pending->buffer);
		if (pending->got == want) {
			*ret_done = true;
			return true;
		}
		len = recv(pending->fd, pending->buffer + pending->got, want - pending->got, MSG_DONTWAIT);
		if (len <= 0)
			return len < 0 && (errno == EAGAIN || errno == EINTR);
		pending->got += len;
	}
}

static bool write_tcp(struct dns_pending *pending)
{
	size_t all = pending->query_len + 2;
	ssize_t len;

	if (pending->sent == all)
		return true;
	len = send(pending->fd, pending->query + pending->sent, all - pending->sent, MSG_NOSIGNAL);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	pending->sent += len;
	return pending->sent < all || sd_event_source_set_io_events(pending->io, EPOLLIN) >= 0;
}

static int on_tcp(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct dns_pending *pending = context;
	uint8_t *message;
	bool done;
	size_t len;

	(void)source, (void)fd, (void)events;
	if (!write_tcp(pending) || !read_tcp(pending, &done)) {
		failed(pending);
		return 0;
	}
	if (!done)
		return 0;
	len = pending->got - 2;
	if (!is_answer(pending, pending->buffer + 2, len)) {
		failed(pending);
		return 0;
	}
	/* The next attempt would take the buffer away. */
	message = pending->buffer;
	pending->buffer = NULL;
	got_answer(pending, message + 2, len);
	free(message);
	return 0;
}

static bool start_tcp(struct dns_pending *pending)
{
	if (!open_socket(pending, SOCK_STREAM, EPOLLIN | EPOLLOUT, on_tcp) || !start_timer(pending))
		return false;
	pending->tcp = true;
	pending->buffer = kserv_must_alloc(2 + KSERV_DNS_TCP_MAX);
	return true;
}

static bool start_udp(struct dns_pending *pending)
{
	pending->tcp = false;
	return open_socket(pending, SOCK_DGRAM, EPOLLIN, on_udp) && start_timer(pending) &&
	       send(pending->fd, pending->query + 2, pending->query_len, MSG_NOSIGNAL) == (ssize_t)pending->query_len;
}

/* Ask, or ask the next one. Return: false if all attempts are used up. */
static bool try_next(struct dns_pending *pending)
{
	struct kserv_dns *dns = pending->dns;

	while (pending->attempts++ < ATTEMPTS) {
		pending->upstream = kserv_dns_upstream_pick(dns, pending->upstreams, pending->upstream);
		if (!pending->upstream)
			return false;
		if (getrandom(pending->query + 2, 2, 0) == 2 && start_udp(pending))
			return true;
		pending->upstream->down_until = kserv_dns_now(dns) + DOWN_TIME;
	}
	return false;
}

static void write_query(struct dns_pending *pending)
{
	const struct dns_wanted *wanted = &pending->wanted;
	uint8_t *query = pending->query + 2, *at = query + DNS_HEADER;

	dns_put16(query + 2, DNS_RD | (wanted->checking_disabled ? DNS_CD : 0));
	dns_put16(query + 4, 1);
	memcpy(at, wanted->name, wanted->name_len);
	at += wanted->name_len;
	dns_put16(at, wanted->type);
	dns_put16(at + 2, ns_c_in);
	at += 4;
	if (wanted->edns) {
		query[11] = 1;
		at += write_opt(at, KSERV_DNS_UDP_MAX, wanted->dnssec_ok);
	}
	pending->query_len = at - query;
	dns_put16(pending->query, pending->query_len);
}

/* NULL if nobody can be asked. */
static struct dns_pending *need_pending(struct kserv_dns *dns, const struct dns_wanted *wanted)
{
	struct dns_pending *pending;

	HASH_FIND(hh, dns->pendings, wanted, sizeof(*wanted), pending);
	if (pending || HASH_COUNT(dns->pendings) >= PENDING_MAX)
		return pending;
	pending = kserv_must_alloc(sizeof(*pending));
	pending->dns = dns;
	pending->wanted = *wanted;
	pending->fd = -1;
	pending->upstreams = kserv_dns_upstreams_for(dns, wanted->name, wanted->name_len);
	write_query(pending);
	HASH_ADD(hh, dns->pendings, wanted, sizeof(*wanted), pending);
	dns->stats.forwarded++;
	if (try_next(pending))
		return pending;
	free_pending(pending);
	return NULL;
}

static void make_wanted(const struct kserv_dns_reply *reply, struct dns_wanted *ret)
{
	const struct kserv_dns_question *question = &reply->question;
	bool chase = reply->verdict == KSERV_DNS_CHASE;

	memset(ret, 0, sizeof(*ret));
	ret->name_len = chase ? reply->target_len : question->name_len;
	memcpy(ret->name, chase ? reply->target : question->name, ret->name_len);
	ret->type = question->type;
	ret->edns = chase || question->edns;
	ret->dnssec_ok = !chase && question->dnssec_ok;
	ret->checking_disabled = question->checking_disabled;
}

size_t kserv_dns_forward(struct kserv_dns *dns, const struct dns_client *client, const uint8_t *query,
			 const struct kserv_dns_reply *reply, uint8_t *answer)
{
	struct dns_waiter waiter = { .client = *client, .chase = reply->verdict == KSERV_DNS_CHASE }, *kept;
	uint8_t message[DNS_CACHED_MAX];
	struct dns_pending *pending;
	struct dns_wanted wanted;
	size_t len;

	make_wanted(reply, &wanted);
	keep_query(&waiter, query, &reply->question);
	len = kserv_dns_cache_find(dns->cache, &wanted, kserv_dns_now(dns), message);
	if (len) {
		dns->stats.cache_hits++;
		return make_answer(dns, &waiter, message, len, answer);
	}
	if (dns->n_waiters >= WAITERS_MAX || HASH_COUNT(dns->pendings) >= PENDING_MAX) {
		dns->stats.forward_limit++;
		return refuse(&waiter, DNS_SERVFAIL, answer);
	}
	pending = need_pending(dns, &wanted);
	if (!pending) {
		dns->stats.upstream_failures++;
		return refuse(&waiter, DNS_SERVFAIL, answer);
	}
	pending->whole |= client->connection || waiter.chase;
	kept = kserv_must_alloc(sizeof(*kept));
	*kept = waiter;
	DL_APPEND(pending->waiters, kept);
	dns->n_waiters++;
	if (client->connection)
		kserv_dns_tcp_hold(client->connection, 1);
	return 0;
}

void kserv_dns_forget_client(struct kserv_dns *dns, const struct dns_connection *connection)
{
	struct dns_waiter *waiter, *next_waiter;
	struct dns_pending *pending, *next;

	HASH_ITER(hh, dns->pendings, pending, next) {
		DL_FOREACH_SAFE(pending->waiters, waiter, next_waiter)
			if (waiter->client.connection == connection)
				free_waiter(dns, pending, waiter);
	}
}

void kserv_dns_forget_all(struct kserv_dns *dns)
{
	while (dns->pendings)
		complete(dns->pendings, NULL, 0);
}

size_t kserv_dns_forward_count(const struct kserv_dns *dns)
{
	return HASH_COUNT(dns->pendings);
}
