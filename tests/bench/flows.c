// SPDX-License-Identifier: GPL-2.0
/*
 * flows udp|syn COUNT ADDRESS PORT: start COUNT connections to a service, each from an address and
 * port of its own out of 10.241.0.0/16, by packets made by hand: UDP requests that the server answers,
 * or TCP SYNs that nobody goes on with. One section of the plugin's counts, one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mark.h"

#define PAYLOAD 32
#define ASK 1
#define FIRST_PORT 10000
#define PORTS 50000
/* Packets after which the servers may run, long before their buffers are full. */
#define TURN 16

struct packet {
	struct iphdr ip;
	union {
		struct {
			struct udphdr udp;
			uint8_t payload[PAYLOAD];
		};
		struct tcphdr tcp;
	};
} __attribute__((packed));

static void die(const char *what)
{
	fprintf(stderr, "flows: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t sum_words(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return sum;
}

/* The checksum of a TCP or UDP header and what follows it, RFC 1071 with the pseudo header. */
static uint16_t checksum(const struct packet *packet, size_t len)
{
	uint32_t sum = sum_words(&packet->ip.saddr, 8, packet->ip.protocol + len);

	sum = sum_words(&packet->udp, len, sum);
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return htons(~sum);
}

static size_t fill_udp(struct packet *packet, uint16_t from, uint16_t to)
{
	size_t len = sizeof(packet->udp) + PAYLOAD;

	packet->udp = (struct udphdr){ .source = htons(from), .dest = htons(to), .len = htons(len) };
	packet->payload[0] = ASK;
	packet->udp.check = checksum(packet, len);
	return len;
}

static size_t fill_syn(struct packet *packet, uint16_t from, uint16_t to, uint32_t number)
{
	size_t len = sizeof(packet->tcp);

	packet->tcp = (struct tcphdr){ .source = htons(from), .dest = htons(to), .seq = htonl(number),
				       .doff = len / 4, .syn = 1, .window = htons(65535) };
	packet->tcp.check = checksum(packet, len);
	return len;
}

static void start_flow(int fd, bool udp, uint32_t number, const struct sockaddr_in *to)
{
	uint16_t from_port = FIRST_PORT + number % PORTS, to_port = ntohs(to->sin_port);
	struct packet packet = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = udp ? IPPROTO_UDP : IPPROTO_TCP,
			.saddr = htonl(0x0af10001 + number / PORTS), .daddr = to->sin_addr.s_addr },
	};
	size_t len = udp ? fill_udp(&packet, from_port, to_port) : fill_syn(&packet, from_port, to_port, number);

	len += sizeof(packet.ip);
	if (sendto(fd, &packet, len, 0, (const struct sockaddr *)to, sizeof(*to)) != (ssize_t)len)
		die("send");
	if (number % TURN == 0)
		sched_yield();
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint32_t count;
	bool udp;
	int fd;

	if (argc != 5 || inet_pton(AF_INET, argv[3], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: flows udp|syn COUNT ADDRESS PORT\n");
		return 2;
	}
	udp = !strcmp(argv[1], "udp");
	count = atoi(argv[2]);
	to.sin_port = htons(atoi(argv[4]));
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		die("open a raw socket");
	/* So that servers that have something to do go first. */
	if (nice(19) < 0)
		die("be nice");
	mark_start();
	for (uint32_t i = 0; i < count; i++)
		start_flow(fd, udp, i, &to);
	mark_stop();
	printf("{\"step\": \"flows.%s\", \"times\": %u}\n", argv[1], count);
	return 0;
}
