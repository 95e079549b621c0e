// SPDX-License-Identifier: GPL-2.0
/* serve: the servers of the end-to-end tests; they echo bytes and say who they are (see wire.h). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include "wire.h"

#define READ_MAX 16384
#define DATAGRAM_MAX 65536

/* A listening socket, a UDP socket or a connection. */
struct port {
	int fd;
	int protocol;
	bool is_connection;
	bool http;		/* a GET line was read; answer at the empty line */
	bool ending;		/* close once all is written */
	size_t echo_left;
	char line[LINE_MAX_BYTES];
	size_t line_len;
	char *out;
	size_t out_len;
};

static const char *name = "server";
static int epoll;
static char buffer[DATAGRAM_MAX];

static void watch(struct port *port, uint32_t events, int op)
{
	struct epoll_event event = { .events = events, .data.ptr = port };

	if (epoll_ctl(epoll, op, port->fd, &event))
		err(1, "epoll_ctl");
}

static struct port *port_new(int fd, int protocol, bool is_connection)
{
	struct port *port = calloc(1, sizeof(*port));

	if (!port)
		err(1, "out of memory");
	port->fd = fd;
	port->protocol = protocol;
	port->is_connection = is_connection;
	watch(port, EPOLLIN, EPOLL_CTL_ADD);
	return port;
}

static void port_close(struct port *port)
{
	close(port->fd);
	free(port->out);
	free(port);
}

static void answer(struct port *port, const void *bytes, size_t n)
{
	port->out = realloc(port->out, port->out_len + n);
	if (!port->out)
		err(1, "out of memory");
	memcpy(port->out + port->out_len, bytes, n);
	port->out_len += n;
}

static int hello(char *text, size_t size, const union address *peer, const union address *local, const char *word)
{
	char a[ADDRESS_MAX], b[ADDRESS_MAX];

	return snprintf(text, size, "%s peer %s local %s%s%s\n", name, address_text(peer, a), address_text(local, b),
			*word ? " " : "", word);
}

static void say_hello(struct port *port, const char *word)
{
	char text[512], page[768];
	union address peer = {}, local = {};
	socklen_t peer_len = sizeof(peer), local_len = sizeof(local);
	int n;

	getpeername(port->fd, &peer.any, &peer_len);
	getsockname(port->fd, &local.any, &local_len);
	n = hello(text, sizeof(text), &peer, &local, word);
	if (port->http) {
		n = snprintf(page, sizeof(page),
			     "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", n, text);
		answer(port, page, n);
		port->ending = true;
	} else {
		answer(port, text, n);
	}
}

static void read_line(struct port *port)
{
	char *line = port->line;

	line[port->line_len] = '\0';
	if (port->line_len && line[port->line_len - 1] == '\r')
		line[port->line_len - 1] = '\0';
	port->line_len = 0;
	if (!strncmp(line, "hello ", 6))
		say_hello(port, line + 6);
	else if (!strncmp(line, "echo ", 5))
		port->echo_left = strtoull(line + 5, NULL, 10);
	else if (!strncmp(line, "GET ", 4))
		port->http = true;
	else if (!*line && port->http)
		say_hello(port, "");
}

static void take_bytes(struct port *port, const char *bytes, size_t n)
{
	size_t used;

	for (; n; bytes += used, n -= used) {
		if (port->echo_left) {
			used = n < port->echo_left ? n : port->echo_left;
			answer(port, bytes, used);
			port->echo_left -= used;
			continue;
		}
		used = 1;
		if (*bytes == '\n')
			read_line(port);
		else if (port->line_len < sizeof(port->line) - 1)
			port->line[port->line_len++] = *bytes;
	}
}

/* Returns false when the connection is broken. */
static bool write_out(struct port *port)
{
	size_t sent = 0;

	while (sent < port->out_len) {
		size_t n = port->out_len - sent < READ_MAX ? port->out_len - sent : READ_MAX;
		ssize_t did = send(port->fd, port->out + sent, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (did < 0 && errno == EAGAIN)
			break;
		if (did < 0)
			return false;
		sent += did;
	}
	if (sent)
		memmove(port->out, port->out + sent, port->out_len - sent);
	port->out_len -= sent;
	return true;
}

static void serve_connection(struct port *port, uint32_t events)
{
	ssize_t n;

	if (events & EPOLLIN) {
		n = recv(port->fd, buffer, READ_MAX, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN) {
			port_close(port);
			return;
		}
		if (!n)
			port->ending = true;
		else if (n > 0)
			take_bytes(port, buffer, n);
	}
	if (!write_out(port) || (events & EPOLLERR) || (port->ending && !port->out_len)) {
		port_close(port);
		return;
	}
	/* What is not read yet waits in the socket, so that memory stays bounded. */
	watch(port, port->out_len ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

/* Answer from the address the datagram came to: a node has several. */
static void serve_datagram(struct port *port)
{
	char control[256], text[512], word[LINE_MAX_BYTES] = "";
	union address peer = {}, local = {};
	socklen_t local_len = sizeof(local);
	struct iovec data = { .iov_base = buffer, .iov_len = sizeof(buffer) };
	struct msghdr msg = { .msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &data, .msg_iovlen = 1,
			      .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	ssize_t n = recvmsg(port->fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return;
	getsockname(port->fd, &local.any, &local_len);
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(cmsg);

			local.v4.sin_addr = info->ipi_addr;
			info->ipi_spec_dst = info->ipi_addr;
			info->ipi_ifindex = 0;
		} else if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(cmsg);

			local.v6.sin6_addr = info->ipi6_addr;
			info->ipi6_ifindex = 0;
		}
	}
	data.iov_len = n;
	if (n > 6 && !memcmp(buffer, "hello ", 6)) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(buffer, "\n") - 6, buffer + 6);
		data.iov_base = text;
		data.iov_len = hello(text, sizeof(text), &peer, &local, word);
	}
	sendmsg(port->fd, &msg, MSG_DONTWAIT);
}

static void serve_port(struct port *port, uint32_t events)
{
	int fd;

	if (port->is_connection) {
		serve_connection(port, events);
	} else if (port->protocol == IPPROTO_UDP) {
		serve_datagram(port);
	} else {
		fd = accept4(port->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			port_new(fd, port->protocol, true);
	}
}

static void open_port(int protocol, const union address *address)
{
	static const int yes = 1, big = 4 << 20;
	char text[ADDRESS_MAX];
	int fd = socket(address->any.sa_family, socket_type(protocol) | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		err(1, "socket for %s", address_text(address, text));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (protocol == IPPROTO_UDP) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
		if (address->any.sa_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof(yes));
		else
			setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof(yes));
	}
	if (bind(fd, &address->any, address_len(address)))
		err(1, "cannot bind to %s", address_text(address, text));
	if (protocol != IPPROTO_UDP && listen(fd, 1024))
		err(1, "cannot listen on %s", address_text(address, text));
	port_new(fd, protocol, false);
}

/* "tcp:8080" is both families, "tcp:10.0.0.1:8080" and "tcp:[fd00::1]:8080" one address. */
static void open_ports(char *word)
{
	union address address;
	char any[32], *rest = strchr(word, ':');
	int protocol;

	if (!rest)
		errx(2, "'%s' is not PROTOCOL:PORT or PROTOCOL:ADDRESS:PORT", word);
	*rest++ = '\0';
	protocol = protocol_parse(word);
	if (protocol < 0)
		errx(2, "'%s' is not tcp, udp or sctp", word);
	if (strspn(rest, "0123456789") == strlen(rest)) {
		snprintf(any, sizeof(any), "0.0.0.0:%.5s", rest);
		if (!address_parse(any, &address))
			errx(2, "'%s' is not a port", rest);
		open_port(protocol, &address);
		snprintf(any, sizeof(any), "[::]:%.5s", rest);
		address_parse(any, &address);
	} else if (!address_parse(rest, &address)) {
		errx(2, "'%s' is not an address and port", rest);
	}
	open_port(protocol, &address);
}

/* The parent ends when the ports are open, so whoever started us need not wait for that. */
static void go_to_background(const char *pidfile)
{
	FILE *file;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		setsid();
		if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout))
			err(1, "/dev/null");
		return;
	}
	file = pidfile ? fopen(pidfile, "w") : stdout;
	if (!file)
		err(1, "%s", pidfile);
	fprintf(file, "%d\n", pid);
	if (fclose(file))
		err(1, "%s", pidfile);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "netns", required_argument, NULL, 'n' }, { "name", required_argument, NULL, 'i' },
		{ "pidfile", required_argument, NULL, 'p' }, { "foreground", no_argument, NULL, 'f' }, { }
	};
	const char *pidfile = NULL;
	struct epoll_event events[64];
	bool foreground = false;
	int c, i, n;

	while ((c = getopt_long(argc, argv, "n:i:p:f", options, NULL)) != -1) {
		if (c == 'n')
			enter_netns(optarg);
		else if (c == 'i')
			name = optarg;
		else if (c == 'p')
			pidfile = optarg;
		else if (c == 'f')
			foreground = true;
		else
			return 2;
	}
	if (optind == argc)
		errx(2, "usage: serve [--netns NS] [--name NAME] [--pidfile FILE] [--foreground] PROTOCOL:[ADDRESS:]PORT...");
	epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = optind; i < argc; i++)
		open_ports(argv[i]);
	if (!foreground)
		go_to_background(pidfile);
	for (;;) {
		n = epoll_wait(epoll, events, 64, -1);
		for (i = 0; i < n; i++)
			serve_port(events[i].data.ptr, events[i].events);
	}
}
