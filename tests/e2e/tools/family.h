/* SPDX-License-Identifier: GPL-2.0 */
/* Netlink messages to the kserv module, built and sent without a library, so that they may be as wrong as a test likes. */
#ifndef FAMILY_H
#define FAMILY_H

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/kserv.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

/* The message being built. */
static struct {
	union {
		unsigned char data[1 << 20];
		struct nlmsghdr header;
	};
	size_t len;
} out;

static unsigned char in[1 << 18] __attribute__((aligned(4)));
static int fd;
static uint16_t family_id;
static uint32_t monitor_group;
static uint32_t sequence;
/* What the kernel said when it refused last. */
static char words[256];

static inline void put(uint16_t type, const void *data, size_t len)
{
	struct nlattr *attr = (void *)(out.data + out.len);

	memset(attr, 0, NLA_ALIGN(NLA_HDRLEN + len));
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(attr + 1, data, len);
	out.len += NLA_ALIGN(NLA_HDRLEN + len);
}

static inline void put8(uint16_t type, uint8_t value) { put(type, &value, sizeof(value)); }
static inline void put16(uint16_t type, uint16_t value) { put(type, &value, sizeof(value)); }
static inline void put32(uint16_t type, uint32_t value) { put(type, &value, sizeof(value)); }

static inline size_t nest(uint16_t type)
{
	size_t start = out.len;

	put(type | NLA_F_NESTED, NULL, 0);
	return start;
}

static inline void nest_end(size_t start)
{
	((struct nlattr *)(out.data + start))->nla_len = out.len - start;
}

static inline void begin(uint16_t type, uint8_t command, uint16_t flags)
{
	struct genlmsghdr genl = { .cmd = command, .version = 1 };

	memset(&out.header, 0, sizeof(out.header));
	out.header.nlmsg_type = type;
	out.header.nlmsg_flags = NLM_F_REQUEST | flags;
	out.header.nlmsg_seq = ++sequence;
	memcpy(out.data + NLMSG_HDRLEN, &genl, sizeof(genl));
	out.len = NLMSG_HDRLEN + GENL_HDRLEN;
}

static inline const struct nlattr *next_attr(const struct nlattr *attr, const unsigned char *end)
{
	const unsigned char *at = (const unsigned char *)attr + NLA_ALIGN(attr->nla_len);

	return at + NLA_HDRLEN <= end ? (const void *)at : NULL;
}

#define for_each_attr(attr, data, len) \
	for (attr = (len) >= NLA_HDRLEN ? (const void *)(data) : NULL; attr; \
	     attr = next_attr(attr, (const unsigned char *)(data) + (len)))

static inline uint16_t type_of(const struct nlattr *attr) { return attr->nla_type & NLA_TYPE_MASK; }
static inline size_t len_of(const struct nlattr *attr) { return attr->nla_len - NLA_HDRLEN; }
static inline const void *data_of(const struct nlattr *attr) { return attr + 1; }
static inline uint8_t get8(const struct nlattr *attr) { return *(const uint8_t *)data_of(attr); }
static inline uint16_t get16(const struct nlattr *attr) { return *(const uint16_t *)data_of(attr); }

static inline uint32_t get32(const struct nlattr *attr)
{
	uint32_t value;

	memcpy(&value, data_of(attr), sizeof(value));
	return value;
}

/* The kernel's sentence, if the error has one. */
static inline void read_words(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *error = NLMSG_DATA(nlh);
	size_t skip = sizeof(*error);
	const struct nlattr *attr;

	words[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (error->error && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - NLMSG_HDRLEN;
	for_each_attr(attr, (const unsigned char *)error + skip, nlh->nlmsg_len - NLMSG_HDRLEN - skip)
		if (type_of(attr) == NLMSGERR_ATTR_MSG)
			snprintf(words, sizeof(words), "%s", (const char *)data_of(attr));
}

typedef void receive_t(const struct nlattr *attrs, size_t len, void *arg);

/* Send what was built, hand answers to @receive. Returns the kernel's error, 0 or negative. */
static inline int request(receive_t *receive, void *arg)
{
	const struct nlmsghdr *nlh;
	ssize_t got;

	out.header.nlmsg_len = out.len;
	if (send(fd, out.data, out.len, 0) != (ssize_t)out.len)
		err(1, "send");
	for (;;) {
		got = recv(fd, in, sizeof(in), 0);
		if (got < 0)
			err(1, "recv");
		for (nlh = (void *)in; NLMSG_OK(nlh, got); nlh = NLMSG_NEXT(nlh, got)) {
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				read_words(nlh);
				return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			}
			if (nlh->nlmsg_type == NLMSG_DONE)
				return *(int *)NLMSG_DATA(nlh);
			if (receive)
				receive((const void *)((const unsigned char *)NLMSG_DATA(nlh) + GENL_HDRLEN),
					nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, arg);
		}
	}
}

/* There is one. */
static inline void read_groups(const struct nlattr *groups)
{
	const struct nlattr *group, *attr;

	for_each_attr(group, data_of(groups), len_of(groups))
		for_each_attr(attr, data_of(group), len_of(group))
			if (type_of(attr) == CTRL_ATTR_MCAST_GRP_ID)
				monitor_group = get32(attr);
}

static inline void read_family(const struct nlattr *attrs, size_t len, void *arg)
{
	const struct nlattr *attr;

	(void)arg;
	for_each_attr(attr, attrs, len) {
		if (type_of(attr) == CTRL_ATTR_FAMILY_ID)
			family_id = get16(attr);
		if (type_of(attr) == CTRL_ATTR_MCAST_GROUPS)
			read_groups(attr);
	}
}

static inline void connect_family(void)
{
	int one = 1, room = 4 << 20;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	put(CTRL_ATTR_FAMILY_NAME, KSERV_FAMILY_NAME, sizeof(KSERV_FAMILY_NAME));
	if (request(read_family, NULL) || !family_id)
		errx(1, "the kserv module is not loaded");
}

#endif
