// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz SEED PACKETS WAY...: random packets, all ways at once:
 *   link:FROM:DEVICE:TO:DEVICE  out of the device in the namespace FROM, to the link address of the other
 *   tun:FROM                    into the namespace by a tun device, with what a device says of checksums
 *   raw:FROM                    by raw sockets of a process there
 * FROM is a place of tests/e2e/lib.sh. The kernel must survive it; how many it took is printed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "netns.h"
#include "packet_fuzz.h"

#define WAYS_MAX 16
#define PIECES_MAX 6

struct way {
	const char *text;
	const struct place *self;
	int fd, fd6;
	size_t link;		/* bytes of the link header */
	bool vnet;
	uint8_t dest[ETH_ALEN], source[ETH_ALEN];
};

/* Shared with the workers, one each. */
static struct figures {
	unsigned long sent, refused, pieces, offloaded;
} *figures;

static struct figures *mine;

static void hardware_address(const char *device, uint8_t *ret)
{
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		err(1, "cannot read the address of %s", device);
	memcpy(ret, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

/* ---- ways */

static void open_link(struct way *way, char *device, char *to, char *to_device)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int one = 1;

	enter_netns(to);
	hardware_address(to_device, way->dest);
	enter_netns(way->self->name);
	hardware_address(device, way->source);
	way->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	address.sll_ifindex = if_nametoindex(device);
	if (way->fd < 0 || setsockopt(way->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    bind(way->fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "cannot send by %s", way->text);
	way->link = ETH_HLEN;
	way->vnet = true;
}

static void open_tun(struct way *way)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	way->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "fuzz");
	if (way->fd < 0 || ioctl(way->fd, TUNSETIFF, &request))
		err(1, "no tun device");
	request.ifr_flags = IFF_UP;
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &request))
		err(1, "the tun device does not come up");
	close(s);
	way->vnet = true;
}

static void open_raw(struct way *way)
{
	way->fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	way->fd6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (way->fd < 0 || way->fd6 < 0)
		err(1, "no raw sockets");
}

static const struct place *place_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (name && !strcmp(places[i].name, name))
			return &places[i];
	errx(2, "there is no place '%s'", name ? name : "");
}

static void way_open(struct way *way, const char *text)
{
	char *copy = strdup(text), *kind = strsep(&copy, ":"), *from = strsep(&copy, ":");
	char *device = strsep(&copy, ":"), *to = strsep(&copy, ":");

	way->text = text;
	way->self = place_find(from);
	enter_netns(from);
	if (!strcmp(kind, "link") && to && copy)
		open_link(way, device, to, copy);
	else if (!strcmp(kind, "tun"))
		open_tun(way);
	else if (!strcmp(kind, "raw"))
		open_raw(way);
	else
		errx(2, "'%s' is no way", text);
}

/* ---- sending */

static ssize_t send_raw(const struct way *way, const struct packet *p)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };

	if (p->family == AF_INET) {
		memcpy(&to4.sin_addr, p->data + 16, 4);
		return sendto(way->fd, p->data, p->len, 0, (struct sockaddr *)&to4, sizeof(to4));
	}
	memcpy(&to6.sin6_addr, p->data + 24, 16);
	return sendto(way->fd6, p->data, p->len, 0, (struct sockaddr *)&to6, sizeof(to6));
}

static void send_packet(const struct way *way, struct packet *p, const struct virtio_net_hdr *vnet)
{
	uint16_t type = htons(p->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	uint8_t link[ETH_HLEN];
	struct iovec parts[] = {
		{ .iov_base = (void *)vnet, .iov_len = sizeof(*vnet) },
		{ .iov_base = link, .iov_len = way->link },
		{ .iov_base = p->data, .iov_len = p->len },
	};
	ssize_t did;

	memcpy(link, way->dest, ETH_ALEN);
	memcpy(link + ETH_ALEN, way->source, ETH_ALEN);
	memcpy(link + 2 * ETH_ALEN, &type, sizeof(type));
	did = way->vnet ? writev(way->fd, parts, 3) : send_raw(way, p);
	if (did < 0) {
		mine->refused++;
		return;
	}
	mine->sent++;
	mine->offloaded += way->vnet && (vnet->flags || vnet->gso_type);
}

/* The part of @p from @at on as a packet of its own. */
static bool cut(const struct packet *p, size_t at, size_t n, bool more, struct packet *piece)
{
	size_t head = p->family == AF_INET ? (p->data[0] & 15) * 4 : 40;

	if (head < 20 || head + at + n > p->len || at > 65528)
		return false;
	memcpy(piece->data, p->data, head);
	piece->len = head;
	piece->family = p->family;
	piece->proto = 0;
	piece->transport = head;
	if (p->family == AF_INET) {
		store16(piece->data + 6, at / 8 | (more ? 0x2000 : 0));
	} else {
		uint8_t *fragment = add(piece, 8);

		fragment[0] = p->data[6];
		piece->data[6] = 44;
		store16(fragment + 2, at | more);
		fragment[7] = p->data[5];
	}
	memcpy(piece->data + piece->len, p->data + head + at, n);
	piece->len += n;
	set_lengths(piece);
	sum_network(piece);
	return true;
}

/* In pieces, of which some are missing, twice there, out of order, or lie over each other. */
static void send_in_pieces(const struct way *way, const struct packet *p)
{
	static const struct virtio_net_hdr plain;
	static struct packet piece;
	size_t head = p->family == AF_INET ? 20 : 40, n, at;
	int i, pieces = 2 + chance(PIECES_MAX - 1), first = chance(4) ? 0 : chance(pieces);

	if (p->len < head + 16)
		return;
	n = ((p->len - head) / pieces + 7) & ~7u;
	for (i = 0; i < pieces; i++) {
		at = (size_t)((i + first) % pieces) * n;
		if (head + at >= p->len || !chance(12))
			continue;
		if (!chance(12) && at >= 8)
			at -= 8;
		if (!cut(p, at, p->len - head - at < n ? p->len - head - at : n, head + at + n < p->len, &piece))
			continue;
		mine->pieces++;
		send_packet(way, &piece, &plain);
		if (!chance(12))
			send_packet(way, &piece, &plain);
	}
}

static void drain_tun(const struct way *way)
{
	static uint8_t bytes[PACKET_MAX];

	while (way->vnet && !way->link && read(way->fd, bytes, sizeof(bytes)) > 0)
		;
}

static void work(struct way *way, unsigned long n)
{
	static struct packet packet;
	struct virtio_net_hdr vnet = {};

	while (n--) {
		make_packet(&packet, way->self);
		if (!chance(12)) {
			send_in_pieces(way, &packet);
			continue;
		}
		memset(&vnet, 0, sizeof(vnet));
		if (way->vnet && chance(2))
			say_offload(&vnet, &packet, way->link);
		if (!chance(3))
			spoil(&packet);
		send_packet(way, &packet, &vnet);
		if (n % 64 == 0)
			drain_tun(way);
	}
}

static pid_t start_worker(int number, const char *text, unsigned long n)
{
	struct way way = {};
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	mine = &figures[number];
	chance_state += number * 7919;
	chance(2);
	way_open(&way, text);
	work(&way, n);
	_exit(0);
}

int main(int argc, char **argv)
{
	int i, status, bad = 0;
	pid_t pids[WAYS_MAX];
	unsigned long n;

	if (argc < 4 || argc - 3 > WAYS_MAX)
		errx(2, "usage: packet_fuzz SEED PACKETS WAY...");
	chance_state = strtoull(argv[1], NULL, 0);
	n = strtoul(argv[2], NULL, 0) / (argc - 3);
	figures = mmap(NULL, WAYS_MAX * sizeof(*figures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (figures == MAP_FAILED)
		err(1, "mmap");
	for (i = 3; i < argc; i++)
		pids[i - 3] = start_worker(i - 3, argv[i], n);
	for (i = 3; i < argc; i++) {
		const struct figures *f = &figures[i - 3];

		waitpid(pids[i - 3], &status, 0);
		printf("%s: %lu packets taken, %lu refused; %lu of them pieces, %lu with offloads\n", argv[i], f->sent,
		       f->refused, f->pieces, f->offloaded);
		if (status || !f->sent)
			bad = fprintf(stderr, "%s ended with status %x\n", argv[i], status);
	}
	return bad ? 1 : 0;
}
