// SPDX-License-Identifier: GPL-2.0
/* Queries over UDP, many at a time. Each answer leaves from the address that its query was sent to. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "cluster/memory.h"
#include "dns/server.h"

#define BATCH		64
/* Batches for one turn of the event loop, which others wait for. */
#define ROUNDS		8
#define RECEIVE_MAX	1500
#define SOCKET_BUFFER	(1 << 20)

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct dns_udp_batch {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_bytes[BATCH], out_bytes[BATCH];
	union dns_sockaddr peer[BATCH];
	union control in_control[BATCH], out_control[BATCH];
	uint8_t query[BATCH][RECEIVE_MAX], answer[BATCH][KSERV_DNS_UDP_MAX];
	struct dns_client client[BATCH];
};

struct dns_udp_batch *kserv_dns_udp_batch_new(void)
{
	return kserv_must_alloc(sizeof(struct dns_udp_batch));
}

/* Where the query was sent to: our answer's source. */
static void read_local(struct msghdr *header, struct dns_client *client)
{
	struct cmsghdr *control;

	client->local.family = AF_UNSPEC;
	for (control = CMSG_FIRSTHDR(header); control; control = CMSG_NXTHDR(header, control)) {
		if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
			const struct in_pktinfo *info = (const void *)CMSG_DATA(control);

			client->local.family = AF_INET;
			client->local.v4 = info->ipi_spec_dst;
			client->interface = 0;
		} else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
			const struct in6_pktinfo *info = (const void *)CMSG_DATA(control);

			client->local.family = AF_INET6;
			client->local.v6 = info->ipi6_addr;
			client->interface = info->ipi6_ifindex;
		}
	}
}

static size_t write_local(const struct dns_client *client, struct cmsghdr *control)
{
	if (client->local.family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = client->local.v4 };

		control->cmsg_level = IPPROTO_IP;
		control->cmsg_type = IP_PKTINFO;
		control->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(control), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	if (client->local.family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_addr = client->local.v6 };

		/* Elsewhere routing decides, so that answers go where they would without us. */
		if (IN6_IS_ADDR_LINKLOCAL(&client->local.v6))
			info.ipi6_ifindex = client->interface;
		control->cmsg_level = IPPROTO_IPV6;
		control->cmsg_type = IPV6_PKTINFO;
		control->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(control), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	return 0;
}

static void prepare_send(const struct dns_client *client, const uint8_t *answer, size_t len, struct iovec *bytes,
			 union control *control, struct msghdr *ret)
{
	*bytes = (struct iovec){ .iov_base = (void *)answer, .iov_len = len };
	*ret = (struct msghdr){
		.msg_name = (void *)&client->peer,
		.msg_namelen = client->peer.any.sa_family == AF_INET ? sizeof(client->peer.v4) : sizeof(client->peer.v6),
		.msg_iov = bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = write_local(client, &control->align),
	};
	if (!ret->msg_controllen)
		ret->msg_control = NULL;
}

void kserv_dns_udp_send(struct kserv_dns *dns, const struct dns_client *client, const uint8_t *answer, size_t len)
{
	union control control;
	struct msghdr header;
	struct iovec bytes;

	if (!len)
		return;
	prepare_send(client, answer, len, &bytes, &control, &header);
	if (sendmsg(client->listener->udp, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		dns->stats.send_failures++;
}

static int receive(struct dns_listener *listener, struct dns_udp_batch *batch)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		batch->in_bytes[i] = (struct iovec){ .iov_base = batch->query[i], .iov_len = RECEIVE_MAX };
		batch->in[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->peer[i],
			.msg_namelen = sizeof(batch->peer[i]),
			.msg_iov = &batch->in_bytes[i],
			.msg_iovlen = 1,
			.msg_control = &batch->in_control[i],
			.msg_controllen = sizeof(batch->in_control[i]),
		};
	}
	return recvmmsg(listener->udp, batch->in, BATCH, MSG_DONTWAIT, NULL);
}

/* Answers that the socket has no room for are lost, as they may be anywhere on their way. */
static void send_all(struct dns_listener *listener, struct dns_udp_batch *batch, int n)
{
	int sent = 0, done;

	while (sent < n) {
		done = sendmmsg(listener->udp, batch->out + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done <= 0) {
			/* One client that cannot be reached keeps no other from its answer. */
			listener->dns->stats.send_failures++;
			done = 1;
		}
		sent += done;
	}
}

static void answer_all(struct dns_listener *listener, struct dns_udp_batch *batch, int n)
{
	struct kserv_dns *dns = listener->dns;
	int i, answers = 0;

	for (i = 0; i < n; i++) {
		struct dns_client *client = &batch->client[answers];
		struct msghdr *header = &batch->in[i].msg_hdr;
		size_t len;

		dns->stats.queries_udp++;
		if (header->msg_flags & MSG_TRUNC) {
			dns->stats.malformed++;
			continue;
		}
		client->connection = NULL;
		client->listener = listener;
		client->peer = batch->peer[i];
		read_local(header, client);
		len = kserv_dns_handle(dns, client, batch->query[i], batch->in[i].msg_len, batch->answer[answers]);
		if (!len)
			continue;
		prepare_send(client, batch->answer[answers], len, &batch->out_bytes[answers],
			     &batch->out_control[answers], &batch->out[answers].msg_hdr);
		answers++;
	}
	send_all(listener, batch, answers);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct dns_listener *listener = context;
	struct dns_udp_batch *batch = listener->dns->batch;
	int round, n = BATCH;

	(void)source, (void)fd, (void)events;
	for (round = 0; round < ROUNDS && n == BATCH; round++) {
		n = receive(listener, batch);
		if (n > 0)
			answer_all(listener, batch, n);
	}
	return 0;
}

static int set_options(int fd, int family)
{
	int on = 1, size = SOCKET_BUFFER;

	/* As large as we may; less is slower under load, no more. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

int kserv_dns_udp_open(struct dns_listener *listener)
{
	union dns_sockaddr address;
	socklen_t len = kserv_dns_sockaddr(&listener->place, &address);
	int error;

	listener->udp = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener->udp < 0 || set_options(listener->udp, address.any.sa_family) ||
	    bind(listener->udp, &address.any, len))
		return -errno;
	error = sd_event_add_io(listener->dns->event, &listener->udp_source, listener->udp, EPOLLIN, on_readable,
				listener);
	return error < 0 ? error : 0;
}
