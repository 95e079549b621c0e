// SPDX-License-Identifier: GPL-2.0
/*
 * load serve NUMBER PORT: answer on UDP and TCP PORT, in the background; returns when both listen.
 * load run TEST ADDRESS PORT OPERATIONS: act as client and print one line of JSON.
 *
 * In a VM that counts instructions rdtsc is that count, and on one CPU what the client sees pass is
 * what both ends and the node between them spent. The words of the protocol: a UDP request starts
 * with ASK or KEEP_SILENT, a TCP request with ASK or BULK, which says how long it is. Every answer
 * starts with the server's NUMBER.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#include "mark.h"

#define UDP_BYTES 32
#define BURST 64
#define CHUNK_BYTES 65536
/* Chunks that are written before an answer is awaited. */
#define CHUNKS 16
#define WARM_UP 20
/* Seconds after which a run has failed: an answer was lost. */
#define PATIENCE 300
/* Below the kernel's own choice of ports, so that no other test has used them. */
#define FIRST_NEW_PORT 10000

enum { ASK = 1, KEEP_SILENT, BULK };

struct test {
	const char *name;
	bool each;	/* one figure for each operation, rather than for all together */
	int per_op;	/* packets or chunks that one operation is divided by */
	int type;	/* of the socket kept through all operations; 0 for none */
	void (*op)(int fd, const struct sockaddr_in *to, int nr);
};

static uint64_t seen[256 / 64];
static uint8_t buffer[CHUNK_BYTES];

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(bool ok, const char *what)
{
	if (!ok)
		die(what);
}

static void note_server(uint8_t number)
{
	seen[number / 64] |= 1ULL << number % 64;
}

static int open_socket(int type)
{
	int fd = socket(AF_INET, type, 0);

	must(fd >= 0, "socket");
	return fd;
}

static void send_at_once(int fd)
{
	int one = 1;

	must(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), "setsockopt");
}

static int open_connected(int type, const struct sockaddr_in *to)
{
	int fd = open_socket(type);

	if (type == SOCK_STREAM)
		send_at_once(fd);
	must(!connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	return fd;
}

static void receive_answer(int fd)
{
	uint8_t answer[UDP_BYTES];

	must(recv(fd, answer, sizeof(answer), 0) > 0, "receive an answer");
	note_server(answer[0]);
}

static void send_datagram(int fd, uint8_t word)
{
	uint8_t datagram[UDP_BYTES] = { word };

	must(send(fd, datagram, sizeof(datagram), 0) == sizeof(datagram), "send");
}

static void udp_rr(int fd, const struct sockaddr_in *to, int nr)
{
	(void)to, (void)nr;
	send_datagram(fd, ASK);
	receive_answer(fd);
}

static void udp_stream(int fd, const struct sockaddr_in *to, int nr)
{
	(void)to, (void)nr;
	for (int i = 1; i < BURST; i++)
		send_datagram(fd, KEEP_SILENT);
	send_datagram(fd, ASK);
	receive_answer(fd);
}

static void write_all(int fd, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t n = write(fd, buffer + done, bytes - done);

		must(n > 0, "write");
		done += n;
	}
}

static void read_answer(int fd)
{
	uint8_t number;

	must(read(fd, &number, 1) == 1, "read an answer");
	note_server(number);
}

static void tcp_rr(int fd, const struct sockaddr_in *to, int nr)
{
	(void)to, (void)nr;
	buffer[0] = ASK;
	write_all(fd, 1);
	read_answer(fd);
}

static void tcp_bulk(int fd, const struct sockaddr_in *to, int nr)
{
	(void)to, (void)nr;
	buffer[0] = BULK;
	for (int i = 0; i < CHUNKS; i++)
		write_all(fd, CHUNK_BYTES);
	read_answer(fd);
}

static void tcp_crr(int fd, const struct sockaddr_in *to, int nr)
{
	(void)nr;
	fd = open_connected(SOCK_STREAM, to);
	tcp_rr(fd, to, nr);
	close(fd);
}

static void tcp_cc(int fd, const struct sockaddr_in *to, int nr)
{
	(void)nr;
	fd = open_connected(SOCK_STREAM, to);
	close(fd);
}

static void udp_new(int fd, const struct sockaddr_in *to, int nr)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(FIRST_NEW_PORT + nr) };

	fd = open_socket(SOCK_DGRAM);
	must(!bind(fd, (struct sockaddr *)&from, sizeof(from)), "bind");
	must(!connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	udp_rr(fd, to, nr);
	close(fd);
}

static const struct test tests[] = {
	{ "udp_rr", true, 1, SOCK_DGRAM, udp_rr },
	{ "udp_stream", true, BURST, SOCK_DGRAM, udp_stream },
	{ "tcp_rr", true, 1, SOCK_STREAM, tcp_rr },
	{ "tcp_bulk", true, CHUNKS, SOCK_STREAM, tcp_bulk },
	{ "tcp_crr", false, 1, 0, tcp_crr },
	{ "tcp_cc", false, 1, 0, tcp_cc },
	{ "udp_new", false, 1, 0, udp_new },
};

static const struct test *find_test(const char *name)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (!strcmp(tests[i].name, name))
			return &tests[i];
	fprintf(stderr, "load: there is no test %s\n", name);
	exit(2);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(const struct test *test, uint64_t *spent, int count, uint64_t sum)
{
	int servers = 0;

	for (int i = 0; i < 4; i++)
		servers += __builtin_popcountll(seen[i]);
	qsort(spent, count, sizeof(*spent), compare);
	printf("{\"test\": \"%s\", \"operations\": %d, \"value\": %.1f, \"mean\": %.1f, \"p10\": %.1f, "
	       "\"median\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"max\": %.1f, \"endpoints\": %d}\n",
	       test->name, count,
	       (test->each ? (double)spent[count / 2] : (double)sum / count) / test->per_op,
	       (double)sum / count / test->per_op, (double)spent[count / 10] / test->per_op,
	       (double)spent[count / 2] / test->per_op,
	       (double)spent[count - 1 - count / 10] / test->per_op,
	       (double)spent[count - 1 - count / 100] / test->per_op, (double)spent[count - 1] / test->per_op,
	       servers);
}

static void run(const struct test *test, const struct sockaddr_in *to, int count)
{
	uint64_t *spent = calloc(count, sizeof(*spent)), sum = 0, start, end;
	int fd = -1;

	must(spent, "memory");
	/* A time limit of the socket would cost each operation a timer. */
	alarm(PATIENCE);
	/* Touched now, or the page faults would be counted. */
	memset(spent, 1, count * sizeof(*spent));
	memset(buffer, 1, sizeof(buffer));
	if (test->type)
		fd = open_connected(test->type, to);
	for (int i = 0; i < WARM_UP; i++)
		test->op(fd, to, i);
	mark_start();
	sum = start = __rdtsc();
	for (int i = 0; i < count; i++) {
		test->op(fd, to, WARM_UP + i);
		end = __rdtsc();
		spent[i] = end - start;
		start = end;
	}
	mark_stop();
	report(test, spent, count, start - sum);
}

static void serve_udp(int fd, uint8_t number)
{
	uint8_t datagram[UDP_BYTES];
	struct sockaddr_in from;
	socklen_t length;

	for (;;) {
		length = sizeof(from);
		must(recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &length) > 0,
		     "receive a request");
		if (datagram[0] != ASK)
			continue;
		datagram[0] = number;
		must(sendto(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, length) > 0,
		     "send an answer");
	}
}

static void serve_connection(int fd, uint8_t number)
{
	ssize_t n, left = 0;

	send_at_once(fd);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (!left)
			left = buffer[0] == BULK ? CHUNKS * CHUNK_BYTES : 1;
		left -= n;
		if (!left)
			must(write(fd, &number, 1) == 1, "write an answer");
	}
	close(fd);
}

static void serve_tcp(int fd, uint8_t number)
{
	for (;;) {
		int connection = accept(fd, NULL, NULL);

		must(connection >= 0, "accept");
		serve_connection(connection, number);
	}
}

static int open_bound(int type, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = open_socket(type), one = 1;

	must(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "setsockopt");
	must(!bind(fd, (struct sockaddr *)&at, sizeof(at)), "bind");
	return fd;
}

static void serve(int number, int port)
{
	int udp = open_bound(SOCK_DGRAM, port), tcp = open_bound(SOCK_STREAM, port);

	must(!listen(tcp, 1024), "listen");
	memset(buffer, 1, sizeof(buffer));
	signal(SIGPIPE, SIG_IGN);
	for (int type = 0; type < 2; type++) {
		if (fork())
			continue;
		setsid();
		if (type)
			serve_tcp(tcp, number);
		serve_udp(udp, number);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (argc == 4 && !strcmp(argv[1], "serve")) {
		serve(atoi(argv[2]), atoi(argv[3]));
	} else if (argc == 6 && !strcmp(argv[1], "run") && inet_pton(AF_INET, argv[3], &to.sin_addr) == 1) {
		to.sin_port = htons(atoi(argv[4]));
		run(find_test(argv[2]), &to, atoi(argv[5]));
	} else {
		fprintf(stderr, "usage: load serve NUMBER PORT | load run TEST ADDRESS PORT OPERATIONS\n");
		return 2;
	}
	return 0;
}
