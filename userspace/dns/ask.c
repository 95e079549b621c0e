// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <resolv.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "dns/ask.h"
#include "dns/message.h"
#include "dns/sockaddr.h"
#include "lib/addr.h"

#define ATTEMPTS	2
#define QUERY_MAX	(DNS_HEADER + KSERV_DNS_NAME_MAX + 4 + DNS_OPT_SIZE)
#define TIMEOUT_MS	2000

struct asking {
	const struct kserv_dns_place *server;
	uint8_t query[2 + QUERY_MAX];	/* its length in front */
	size_t query_len;
	uint8_t *answer;
};

static int make_query(struct asking *asking, const char *name, uint16_t type)
{
	uint8_t *query = asking->query + 2, packed[KSERV_DNS_NAME_MAX], *at;
	struct kserv_dns_labels labels;
	size_t len;

	if (!*name || ns_name_pton(name, packed, sizeof(packed)) < 0)
		return -EINVAL;
	kserv_dns_labels_find(packed, &labels);
	len = labels.at[labels.n] + 1;
	memset(query, 0, QUERY_MAX);
	if (getrandom(query, 2, 0) != 2)
		return -errno;
	dns_put16(query + 2, DNS_RD);
	query[5] = query[11] = 1;
	memcpy(query + DNS_HEADER, packed, len);
	at = query + DNS_HEADER + len;
	dns_put16(at, type);
	dns_put16(at + 2, ns_c_in);
	dns_put16(at + 5, ns_t_opt);
	dns_put16(at + 7, KSERV_DNS_UDP_MAX);
	asking->query_len = at + 4 + DNS_OPT_SIZE - query;
	dns_put16(asking->query, asking->query_len);
	return 0;
}

static int open_socket(const struct kserv_dns_place *server, int type)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_MS / 1000 };
	union dns_sockaddr to;
	socklen_t len = kserv_dns_sockaddr(server, &to);
	int fd = socket(to.any.sa_family, type | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, &to.any, len))
		return fd;
	error = -errno;
	close(fd);
	return error == -EINPROGRESS || error == -EAGAIN ? -ETIMEDOUT : error;
}

static bool is_answer(const struct asking *asking, size_t len)
{
	return len >= DNS_HEADER && !memcmp(asking->answer, asking->query + 2, 2) && asking->answer[2] & DNS_QR >> 8;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int ask_udp(const struct asking *asking)
{
	int fd = open_socket(asking->server, SOCK_DGRAM), left;
	int64_t end = now_ms() + TIMEOUT_MS;
	ssize_t len = -1;

	if (fd < 0)
		return fd;
	if (send(fd, asking->query + 2, asking->query_len, MSG_NOSIGNAL) < 0) {
		len = -errno;
		close(fd);
		return len;
	}
	/* Anything else that comes here is not for us. */
	do {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

		left = end - now_ms();
		if (left <= 0 || !poll(&poll_fd, 1, left))
			len = -ETIMEDOUT;
		else
			len = recv(fd, asking->answer, KSERV_DNS_TCP_MAX, MSG_DONTWAIT);
		if (len == -1 && errno != EAGAIN)
			len = -errno;
	} while (len == -1 || (len >= 0 && !is_answer(asking, len)));
	close(fd);
	return len;
}

static int read_all(int fd, uint8_t *to, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = recv(fd, to + got, len - got, 0);

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (!n)
			return -ECONNRESET;
		got += n;
	}
	return 0;
}

static int ask_tcp(const struct asking *asking)
{
	int fd = open_socket(asking->server, SOCK_STREAM), error = 0, len = 0;
	uint8_t length[2];

	if (fd < 0)
		return fd;
	if (send(fd, asking->query, asking->query_len + 2, MSG_NOSIGNAL) < 0)
		error = -errno;
	if (!error)
		error = read_all(fd, length, sizeof(length));
	if (!error) {
		len = dns_get16(length);
		error = read_all(fd, asking->answer, len);
	}
	if (!error && !is_answer(asking, len))
		error = -EBADMSG;
	close(fd);
	return error ? error : len;
}

int kserv_dns_ask(const struct kserv_dns_place *server, const char *name, uint16_t type, bool *tcp, uint8_t *answer,
		  char **ret_why)
{
	struct asking asking = { .server = server, .answer = answer };
	char text[KSERV_ADDR_TEXT];
	int len = -ETIMEDOUT, attempt;

	if (make_query(&asking, name, type)) {
		*ret_why = kserv_must_printf("\"%s\" is no name that DNS can be asked for", name);
		return -EINVAL;
	}
	for (attempt = 0; attempt < ATTEMPTS && len == -ETIMEDOUT; attempt++) {
		len = *tcp ? ask_tcp(&asking) : ask_udp(&asking);
		if (len >= 0 && !*tcp && answer[2] & DNS_TC >> 8) {
			*tcp = true;
			len = ask_tcp(&asking);
		}
	}
	if (len < 0)
		*ret_why = kserv_must_printf("no answer from the DNS server at %s over %s: %s",
					     kserv_addr_port_format(&server->addr, server->port, text),
					     *tcp ? "TCP" : "UDP", strerror(-len));
	return len;
}
