// SPDX-License-Identifier: GPL-2.0
/*
 * Queries over TCP: as many as a client likes on one connection, without waiting for answers, which come as they are
 * ready (RFC 7766). Connections, what they hold and how long they may be idle are bounded; when there are too many, the
 * one that was used longest ago gives way.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>
#include "cluster/memory.h"
#include "dns/server.h"

#define CONNECTIONS_MAX	256
/* Of one client's address, so that it leaves something for others. */
#define CLIENT_MAX	64
#define IDLE_TIME	(10 * DNS_SECOND)
/* Queries of one connection that wait for upstream. */
#define HELD_MAX	32
/* With more than this to be sent, nothing is read. */
#define OUT_MAX		(128 << 10)

/**
 * struct dns_connection - a client's connection
 * @in: queries, as far as they have come
 * @out: what is to be sent, from @out_at on
 * @held: queries that wait for upstream
 * @busy: its queries are being answered
 * @ended: the client sends no more
 * @broken: to be closed by whoever is busy with it
 */
struct dns_connection {
	struct kserv_dns *dns;
	struct dns_client client;
	int fd;
	sd_event_source *io, *timer;
	uint64_t used;
	uint8_t in[2 + DNS_QUERY_MAX];
	size_t in_len;
	struct kserv_text out;
	size_t out_at;
	int held;
	bool busy, ended, broken;
	struct dns_connection *prev, *next;
};

static void close_connection(struct dns_connection *connection)
{
	struct kserv_dns *dns = connection->dns;

	if (connection->busy) {
		connection->broken = true;
		return;
	}
	if (connection->held)
		kserv_dns_forget_client(dns, connection);
	sd_event_source_disable_unref(connection->io);
	sd_event_source_disable_unref(connection->timer);
	close(connection->fd);
	DL_DELETE(dns->connections, connection);
	dns->stats.tcp_connections--;
	kserv_text_clear(&connection->out);
	free(connection);
}

void kserv_dns_tcp_close_all(struct kserv_dns *dns)
{
	while (dns->connections)
		close_connection(dns->connections);
}

static void touch(struct dns_connection *connection)
{
	struct kserv_dns *dns = connection->dns;

	connection->used = kserv_dns_now(dns);
	DL_DELETE(dns->connections, connection);
	DL_APPEND(dns->connections, connection);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *context)
{
	struct dns_connection *connection = context;
	uint64_t now = kserv_dns_now(connection->dns);

	(void)usec;
	if (now >= connection->used + IDLE_TIME) {
		close_connection(connection);
		return 0;
	}
	sd_event_source_set_time(source, connection->used + IDLE_TIME);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static size_t out_len(const struct dns_connection *connection)
{
	return connection->out.len - connection->out_at;
}

static bool may_read(const struct dns_connection *connection)
{
	return !connection->ended && connection->held < HELD_MAX && out_len(connection) < OUT_MAX;
}

/* Return: false if the connection is no good any more. */
static bool flush(struct dns_connection *connection)
{
	ssize_t len;

	while (out_len(connection)) {
		len = send(connection->fd, connection->out.s + connection->out_at, out_len(connection),
			   MSG_DONTWAIT | MSG_NOSIGNAL);
		if (len < 0)
			return errno == EAGAIN || errno == EINTR;
		connection->out_at += len;
		touch(connection);
	}
	kserv_text_clear(&connection->out);
	connection->out_at = 0;
	return true;
}

/* Answers every query that is here in full, as far as there is room for answers. Return: false if it is no good. */
static bool answer_queries(struct dns_connection *connection)
{
	struct kserv_dns *dns = connection->dns;
	size_t at = 0, len, done;

	while (connection->in_len - at >= 2 && (may_read(connection) || connection->ended)) {
		len = dns_get16(connection->in + at);
		if (len > DNS_QUERY_MAX || len < DNS_HEADER) {
			dns->stats.malformed++;
			return false;
		}
		if (connection->in_len - at < 2 + len)
			break;
		dns->stats.queries_tcp++;
		done = kserv_dns_handle(dns, &connection->client, connection->in + at + 2, len, dns->scratch + 2);
		at += 2 + len;
		if (done) {
			dns_put16(dns->scratch, done);
			kserv_text_add_bytes(&connection->out, (const char *)dns->scratch, done + 2);
		}
	}
	memmove(connection->in, connection->in + at, connection->in_len - at);
	connection->in_len -= at;
	return true;
}

static bool read_queries(struct dns_connection *connection)
{
	ssize_t len;

	for (;;) {
		if (!answer_queries(connection) || !flush(connection))
			return false;
		if (!may_read(connection) || connection->in_len == sizeof(connection->in))
			return true;
		len = recv(connection->fd, connection->in + connection->in_len,
			   sizeof(connection->in) - connection->in_len, MSG_DONTWAIT);
		if (len < 0)
			return errno == EAGAIN || errno == EINTR;
		if (!len) {
			connection->ended = true;
			return true;
		}
		connection->in_len += len;
		touch(connection);
	}
}

/* Everything that can go on does; afterwards the connection may be gone. */
static void go_on(struct dns_connection *connection)
{
	bool good;

	if (connection->busy)
		return;
	connection->busy = true;
	good = flush(connection) && read_queries(connection);
	connection->busy = false;
	if (!good || connection->broken || (connection->ended && !connection->held && !out_len(connection))) {
		close_connection(connection);
		return;
	}
	sd_event_source_set_io_events(connection->io, (may_read(connection) ? EPOLLIN : 0) |
						      (out_len(connection) ? EPOLLOUT : 0));
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct dns_connection *connection = context;

	(void)source, (void)fd;
	/* Without interest in reading or writing, only an error comes here. */
	if (events & EPOLLERR)
		close_connection(connection);
	else if (events & EPOLLHUP && !may_read(connection))
		close_connection(connection);
	else
		go_on(connection);
	return 0;
}

void kserv_dns_tcp_hold(struct dns_connection *connection, int by)
{
	connection->held += by;
}

void kserv_dns_tcp_send(struct kserv_dns *dns, struct dns_connection *connection, uint8_t *answer, size_t len)
{
	(void)dns;
	if (len) {
		dns_put16(answer, len);
		kserv_text_add_bytes(&connection->out, (const char *)answer, len + 2);
	}
	go_on(connection);
}

static unsigned int count_of_client(const struct kserv_dns *dns, const struct kserv_addr *addr)
{
	const struct dns_connection *connection;
	struct kserv_addr other;
	unsigned int n = 0;

	DL_FOREACH(dns->connections, connection) {
		kserv_dns_addr_of(&connection->client.peer, &other, NULL);
		n += !memcmp(&other, addr, sizeof(other));
	}
	return n;
}

/* Return: false if there is no place, even after another connection gave way. */
static bool make_place(struct kserv_dns *dns, const union dns_sockaddr *peer)
{
	struct kserv_addr addr;

	kserv_dns_addr_of(peer, &addr, NULL);
	if (count_of_client(dns, &addr) >= CLIENT_MAX) {
		dns->stats.tcp_limit++;
		return false;
	}
	if (dns->stats.tcp_connections < CONNECTIONS_MAX)
		return true;
	dns->stats.tcp_limit++;
	close_connection(dns->connections);
	return dns->stats.tcp_connections < CONNECTIONS_MAX;
}

static void add_connection(struct dns_listener *listener, int fd, const union dns_sockaddr *peer)
{
	struct kserv_dns *dns = listener->dns;
	struct dns_connection *connection = kserv_must_alloc(sizeof(*connection));
	union dns_sockaddr local;
	socklen_t len = sizeof(local);
	int on = 1;

	if (!getsockname(fd, &local.any, &len))
		kserv_dns_addr_of(&local, &connection->client.local, NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	connection->dns = dns;
	connection->fd = fd;
	connection->client.connection = connection;
	connection->client.listener = listener;
	connection->client.peer = *peer;
	connection->used = kserv_dns_now(dns);
	DL_APPEND(dns->connections, connection);
	dns->stats.tcp_connections++;
	if (sd_event_add_io(dns->event, &connection->io, fd, EPOLLIN, on_ready, connection) < 0 ||
	    sd_event_add_time_relative(dns->event, &connection->timer, CLOCK_MONOTONIC, IDLE_TIME, DNS_SECOND, on_idle,
				       connection) < 0)
		close_connection(connection);
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct dns_listener *listener = context;
	struct kserv_dns *dns = listener->dns;
	union dns_sockaddr peer;
	socklen_t len;
	int client;

	(void)source, (void)events;
	for (;;) {
		len = sizeof(peer);
		client = accept4(fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client < 0 && (errno == EMFILE || errno == ENFILE) && dns->connections) {
			dns->stats.tcp_limit++;
			close_connection(dns->connections);
			continue;
		}
		if (client < 0)
			return 0;
		if (make_place(dns, &peer))
			add_connection(listener, client, &peer);
		else
			close(client);
	}
}

int kserv_dns_tcp_open(struct dns_listener *listener)
{
	union dns_sockaddr address;
	socklen_t len = kserv_dns_sockaddr(&listener->place, &address);
	int on = 1, error;

	listener->tcp = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->tcp < 0 || setsockopt(listener->tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (address.any.sa_family == AF_INET6 &&
	     setsockopt(listener->tcp, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    bind(listener->tcp, &address.any, len) || listen(listener->tcp, CONNECTIONS_MAX))
		return -errno;
	error = sd_event_add_io(listener->dns->event, &listener->tcp_source, listener->tcp, EPOLLIN, on_connection,
				listener);
	return error < 0 ? error : 0;
}
