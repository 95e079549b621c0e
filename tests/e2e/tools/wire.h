/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What serve and probe agree on.
 *
 * TCP and SCTP: the client sends lines. "hello WORD" is answered with "NAME peer ADDR:PORT local ADDR:PORT WORD",
 * "echo N" makes the server send back the next N bytes, "GET ..." is answered as HTTP/1.0 after an empty line.
 * UDP: a datagram "hello WORD" is answered with the same line; any other comes back as it is.
 */
#ifndef WIRE_H
#define WIRE_H

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "netns.h"

#define LINE_MAX_BYTES 256
#define ADDRESS_MAX 64

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static inline socklen_t address_len(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

static inline uint16_t address_port(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

/* "10.0.0.1" or "fd00::1" */
static inline const char *address_host(const union address *address, char text[ADDRESS_MAX])
{
	if (address->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, ADDRESS_MAX);
	else
		inet_ntop(AF_INET, &address->v4.sin_addr, text, ADDRESS_MAX);
	return text;
}

/* "10.0.0.1:80" or "[fd00::1]:80" */
static inline const char *address_text(const union address *address, char text[ADDRESS_MAX])
{
	bool v6 = address->any.sa_family == AF_INET6;
	char host[ADDRESS_MAX];

	snprintf(text, ADDRESS_MAX, v6 ? "[%.46s]:%u" : "%.46s:%u", address_host(address, host), address_port(address));
	return text;
}

/* Reads "10.0.0.1:80", "[fd00::1]:80", or either without a port, which is then 0. */
static inline bool address_parse(const char *text, union address *address)
{
	char host[ADDRESS_MAX], *end;
	const char *colon = strrchr(text, ':');
	unsigned long port = 0;
	size_t n;

	memset(address, 0, sizeof(*address));
	if (text[0] == '[') {
		n = strcspn(++text, "]");
		colon = text[n] == ']' && text[n + 1] == ':' ? text + n + 1 : NULL;
	} else if (strchr(text, ':') == colon) {
		n = strcspn(text, ":");
	} else {
		n = strlen(text);
		colon = NULL;
	}
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (colon) {
		port = strtoul(colon + 1, &end, 10);
		if (*end || end == colon + 1 || port > 65535)
			return false;
	}
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return true;
	}
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons(port);
	return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1;
}

/* IPPROTO_* of "tcp", "udp" or "sctp", or -1. */
static inline int protocol_parse(const char *word)
{
	if (!strcmp(word, "tcp"))
		return IPPROTO_TCP;
	if (!strcmp(word, "udp"))
		return IPPROTO_UDP;
	return strcmp(word, "sctp") ? -1 : IPPROTO_SCTP;
}

static inline int socket_type(int protocol)
{
	return protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

/* The payload is known by seed and position alone. Its first byte is never a letter, so no datagram reads "hello". */
static inline uint8_t payload_byte(uint64_t seed, size_t position)
{
	uint64_t z = seed + (position / 8 + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (z >> (position % 8 * 8)) | (position ? 0 : 0x80);
}

#endif
