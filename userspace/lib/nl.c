// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "lib/message.h"
#include "lib/nl.h"
#include "lib/place.h"

/* Only what a datagram needs of it is ever touched; answers to explain about thousands of endpoints are long. */
#define RECEIVE_BUFFER (4 << 20)
/* Notifications come in bursts, and an answer to explain in many messages at once. */
#define SOCKET_BUFFER (16 << 20)
/* Since 6.1, newer than this machine's headers may be. */
#define ATTR_MISS_TYPE 5
#define ATTR_MISS_NEST 6

/**
 * struct kserv_nl - a socket bound to the family
 * @buffer: RECEIVE_BUFFER bytes
 * @sequence: of the last request
 */
struct kserv_nl {
	struct nl_sock *socket;
	int fd, family;
	uint32_t sequence;
	unsigned char *buffer;
};

/* How far a request has come. */
struct conversation {
	struct kserv_nl *nl;
	const struct kserv_message *request;
	kserv_nl_receive_t *receive;
	void *context;
	struct kserv_nl_error *ret_error;
	bool done, interrupted;
	int error;
};

static void say(struct kserv_nl_error *ret_error, int error, const char *text)
{
	if (!ret_error)
		return;
	memset(ret_error, 0, sizeof(*ret_error));
	ret_error->error = error;
	snprintf(ret_error->text, sizeof(ret_error->text), "%s", text);
}

/* What to say where the kernel said nothing. */
static const char *default_text(int error)
{
	switch (error) {
	case EPERM:
		return "this needs CAP_NET_ADMIN in the user namespace that owns this network namespace; run it as root";
	case EMSGSIZE:
		return "the message is longer than the socket's limit";
	case EOPNOTSUPP:
		return "the loaded kserv module does not know this request; its version differs from this program's";
	default:
		return strerror(error);
	}
}

static int open_failed(struct kserv_nl *nl, int error, struct kserv_nl_error *ret_error)
{
	if (error == ENOENT)
		say(ret_error, error, "the kserv module is not loaded; try modprobe kserv");
	else
		say(ret_error, error, default_text(error));
	kserv_nl_close(nl);
	return -error;
}

static void set_options(int fd)
{
	const int on = 1, size = SOCKET_BUFFER;

	/* Only the initial user namespace may exceed net.core.rmem_max. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* Kernels without one of them still answer, with fewer words. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

int kserv_nl_open(struct kserv_nl **ret_nl, struct kserv_nl_error *ret_error)
{
	struct kserv_nl *nl = calloc(1, sizeof(*nl));
	int error;

	if (!nl)
		return open_failed(NULL, ENOMEM, ret_error);
	nl->socket = nl_socket_alloc();
	nl->buffer = malloc(RECEIVE_BUFFER);
	if (!nl->socket || !nl->buffer)
		return open_failed(nl, ENOMEM, ret_error);
	error = genl_connect(nl->socket);
	if (error < 0)
		return open_failed(nl, error == -NLE_NOMEM ? ENOMEM : EPROTONOSUPPORT, ret_error);
	nl->family = genl_ctrl_resolve(nl->socket, KSERV_FAMILY_NAME);
	if (nl->family < 0)
		return open_failed(nl, nl->family == -NLE_PERM ? EPERM : ENOENT, ret_error);
	nl->fd = nl_socket_get_fd(nl->socket);
	set_options(nl->fd);
	*ret_nl = nl;
	return 0;
}

void kserv_nl_close(struct kserv_nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->socket);
	free(nl->buffer);
	free(nl);
}

int kserv_nl_fd(const struct kserv_nl *nl)
{
	return nl->fd;
}

size_t kserv_nl_send_limit(struct kserv_nl *nl, size_t len)
{
	/* The kernel wants 32 bytes more than the message, and doubles what it is told. */
	const size_t slack = 4096;
	socklen_t size = sizeof(int);
	int limit = 0, want;

	if (getsockopt(nl->fd, SOL_SOCKET, SO_SNDBUF, &limit, &size) < 0)
		return len;
	if (len + slack > (size_t)limit && len < INT_MAX - slack) {
		want = (len + slack) / 2 + 1;
		if (setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) < 0)
			setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
		getsockopt(nl->fd, SOL_SOCKET, SO_SNDBUF, &limit, &size);
	}
	return len + slack <= (size_t)limit ? len : (size_t)limit - slack;
}

static int transmit(struct kserv_nl *nl, struct kserv_message *message, uint16_t flags)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message->data;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;

	if (message->error)
		return message->error;
	header->nlmsg_len = message->len;
	header->nlmsg_type = nl->family;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++nl->sequence;
	do {
		sent = sendto(nl->fd, message->data, message->len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Copies the strings and numbers of an extended acknowledgement that lie in @len bytes from @first on. */
static void read_words(const struct kserv_message *request, const struct nlattr *first, size_t len,
		       struct kserv_nl_error *words)
{
	uint32_t offset = 0, missing = 0, nest = 0;
	const struct nlattr *attribute;

	kserv_for_each_attribute(attribute, first, len) {
		size_t size = attribute->nla_len - NLA_HDRLEN;

		if (attribute->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(words->text, sizeof(words->text), "%.*s", (int)size, (const char *)(attribute + 1));
		else if (attribute->nla_type == NLMSGERR_ATTR_OFFS && size >= sizeof(offset))
			memcpy(&offset, attribute + 1, sizeof(offset));
		else if (attribute->nla_type == ATTR_MISS_TYPE && size >= sizeof(missing))
			memcpy(&missing, attribute + 1, sizeof(missing));
		else if (attribute->nla_type == ATTR_MISS_NEST && size >= sizeof(nest))
			memcpy(&nest, attribute + 1, sizeof(nest));
	}
	if (missing)
		kserv_place_missing(request->data, request->len, nest, missing, words->place, sizeof(words->place));
	else if (offset)
		kserv_place_find(request->data, request->len, offset, words->place, sizeof(words->place));
}

/* @error from the kernel, negative; @first and @len: what followed it. */
static void note_refusal(struct conversation *conversation, int error, const struct nlattr *first, size_t len)
{
	struct kserv_nl_error words;

	say(&words, -error, "");
	if (first)
		read_words(conversation->request, first, len, &words);
	if (!words.text[0])
		snprintf(words.text, sizeof(words.text), "%s",
			 words.place[0] && error == -EINVAL ? "an attribute is missing or wrong" : default_text(-error));
	conversation->error = error;
	if (conversation->ret_error)
		*conversation->ret_error = words;
}

static void take_acknowledgement(struct conversation *conversation, const struct nlmsghdr *header)
{
	const struct nlmsgerr *ack = NLMSG_DATA(header);
	size_t skip = sizeof(*ack);

	conversation->done = true;
	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*ack)))
		conversation->error = -EBADMSG;
	if (conversation->error || !ack->error)
		return;
	/* Unless capped, the whole request stands before the words. */
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(ack->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS) || header->nlmsg_len < NLMSG_HDRLEN + skip)
		note_refusal(conversation, ack->error, NULL, 0);
	else
		note_refusal(conversation, ack->error, (const void *)((const char *)ack + skip),
			     header->nlmsg_len - NLMSG_HDRLEN - skip);
}

static void take_done(struct conversation *conversation, const struct nlmsghdr *header)
{
	const int *error = NLMSG_DATA(header);

	conversation->done = true;
	if (conversation->error || header->nlmsg_len < NLMSG_LENGTH(sizeof(*error)) || *error >= 0)
		return;
	note_refusal(conversation, *error, header->nlmsg_flags & NLM_F_ACK_TLVS ? (const void *)(error + 1) : NULL,
		     header->nlmsg_len - NLMSG_LENGTH(sizeof(*error)));
}

static int take_data(const struct nlmsghdr *header, kserv_nl_receive_t *receive, void *context)
{
	struct nlattr *attributes[KSERV_A_MESSAGE_MAX + 1] = { NULL };
	const struct nlattr *first = (const void *)((const char *)header + KSERV_MESSAGE_HEADER);
	const struct nlattr *attribute;
	size_t len;

	if (header->nlmsg_len < KSERV_MESSAGE_HEADER)
		return -EBADMSG;
	len = header->nlmsg_len - KSERV_MESSAGE_HEADER;
	kserv_for_each_attribute(attribute, first, len) {
		unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

		if (type <= KSERV_A_MESSAGE_MAX && !attributes[type])
			attributes[type] = (struct nlattr *)attribute;
	}
	return receive(context, attributes, first, len);
}

static void take(struct conversation *conversation, const struct nlmsghdr *header)
{
	int error;

	if (header->nlmsg_seq != conversation->nl->sequence)
		return;
	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		conversation->interrupted = true;
	if (header->nlmsg_type == NLMSG_ERROR) {
		take_acknowledgement(conversation, header);
	} else if (header->nlmsg_type == NLMSG_DONE) {
		take_done(conversation, header);
	} else if (header->nlmsg_type == conversation->nl->family && conversation->receive && !conversation->error) {
		error = take_data(header, conversation->receive, conversation->context);
		if (error)
			note_refusal(conversation, error, NULL, 0);
	}
}

/* One datagram from the kernel into the buffer. Return: its length or -errno. */
static ssize_t receive_datagram(struct kserv_nl *nl)
{
	struct sockaddr_nl from = { };
	struct iovec part = { .iov_base = nl->buffer, .iov_len = RECEIVE_BUFFER };
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1,
	};
	ssize_t len;

	do {
		len = recvmsg(nl->fd, &message, 0);
		if (len < 0)
			return -errno;
	} while (from.nl_pid);
	return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : len;
}

static int converse(struct conversation *conversation, struct kserv_message *request, uint16_t flags)
{
	struct kserv_nl *nl = conversation->nl;
	ssize_t len = transmit(nl, request, flags);

	while (!len && !conversation->done) {
		const struct nlmsghdr *header = (const void *)nl->buffer;

		len = receive_datagram(nl);
		if (len == -EINTR)
			len = 0;
		if (len <= 0)
			continue;
		for (; NLMSG_OK(header, len); header = NLMSG_NEXT(header, len))
			take(conversation, header);
		len = 0;
	}
	if (len < 0)
		note_refusal(conversation, len, NULL, 0);
	if (!conversation->error && conversation->interrupted)
		conversation->error = -EINTR;
	return conversation->error;
}

int kserv_nl_request(struct kserv_nl *nl, struct kserv_message *message, kserv_nl_receive_t *receive, void *context,
		     struct kserv_nl_error *ret_error)
{
	struct conversation conversation = {
		.nl = nl, .request = message, .receive = receive, .context = context, .ret_error = ret_error,
	};

	return converse(&conversation, message, NLM_F_ACK);
}

int kserv_nl_dump(struct kserv_nl *nl, struct kserv_message *message, kserv_nl_receive_t *receive, void *context,
		  struct kserv_nl_error *ret_error)
{
	struct conversation conversation = {
		.nl = nl, .request = message, .receive = receive, .context = context, .ret_error = ret_error,
	};

	return converse(&conversation, message, NLM_F_DUMP);
}

int kserv_nl_subscribe(struct kserv_nl *nl, struct kserv_nl_error *ret_error)
{
	int group = genl_ctrl_resolve_grp(nl->socket, KSERV_FAMILY_NAME, KSERV_MCGRP_MONITOR);
	int error;

	if (group < 0) {
		say(ret_error, ENOENT, "the loaded kserv module has no notifications");
		return -ENOENT;
	}
	if (setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		error = errno;
		say(ret_error, error, default_text(error));
		return -error;
	}
	return 0;
}

int kserv_nl_receive_event(struct kserv_nl *nl, kserv_nl_receive_t *receive, void *context)
{
	ssize_t len = receive_datagram(nl);
	const struct nlmsghdr *header = (const void *)nl->buffer;
	int error;

	if (len < 0)
		return len;
	for (; NLMSG_OK(header, len); header = NLMSG_NEXT(header, len)) {
		if (header->nlmsg_type != nl->family)
			continue;
		error = take_data(header, receive, context);
		if (error)
			return error;
	}
	return 0;
}
