/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A netlink message being built. Unlike libnl's it grows, and an append is a few instructions: transactions have
 * hundreds of thousands of attributes. An append that fails for want of memory is remembered in @error and all later
 * ones do nothing, so that callers look once, at the end.
 */
#ifndef KSERV_MESSAGE_H
#define KSERV_MESSAGE_H

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lib/tables.h"

/**
 * struct kserv_message - netlink header, generic netlink header, attributes
 * @data: @len bytes used of @size
 * @error: 0 or -errno of the first append that failed
 */
struct kserv_message {
	unsigned char *data;
	size_t len, size;
	int error;
};

/* Room of both headers; attributes begin here. */
#define KSERV_MESSAGE_HEADER 20

/* Begin a message with generic netlink command @command; kserv_message_clear() it, also after an error. */
void kserv_message_init(struct kserv_message *message, uint8_t command);
void kserv_message_clear(struct kserv_message *message);
/* Make room for @len more bytes; false (and @error) if there is no memory. */
bool kserv_message_grow(struct kserv_message *message, size_t len);

/* Room for an attribute's @len bytes of payload, or NULL. */
static inline void *kserv_message_reserve(struct kserv_message *message, uint16_t type, size_t len)
{
	size_t total = NLA_ALIGN(NLA_HDRLEN + len);
	struct nlattr *attribute;

	if (message->len + total > message->size && !kserv_message_grow(message, total))
		return NULL;
	attribute = (struct nlattr *)(message->data + message->len);
	attribute->nla_len = NLA_HDRLEN + len;
	attribute->nla_type = type;
	if (total > NLA_HDRLEN)
		memset((unsigned char *)attribute + total - NLA_ALIGNTO, 0, NLA_ALIGNTO);
	message->len += total;
	return (unsigned char *)attribute + NLA_HDRLEN;
}

static inline void kserv_message_put(struct kserv_message *message, uint16_t type, const void *data, size_t len)
{
	void *to = kserv_message_reserve(message, type, len);

	if (to)
		memcpy(to, data, len);
}

static inline void kserv_message_put_u8(struct kserv_message *message, uint16_t type, uint8_t value)
{
	kserv_message_put(message, type, &value, sizeof(value));
}

static inline void kserv_message_put_u16(struct kserv_message *message, uint16_t type, uint16_t value)
{
	kserv_message_put(message, type, &value, sizeof(value));
}

static inline void kserv_message_put_u32(struct kserv_message *message, uint16_t type, uint32_t value)
{
	kserv_message_put(message, type, &value, sizeof(value));
}

/* Host order in, network order on the wire. */
static inline void kserv_message_put_be16(struct kserv_message *message, uint16_t type, uint16_t value)
{
	kserv_message_put_u16(message, type, htons(value));
}

static inline void kserv_message_put_flag(struct kserv_message *message, uint16_t type)
{
	kserv_message_reserve(message, type, 0);
}

static inline void kserv_message_put_string(struct kserv_message *message, uint16_t type, const char *text)
{
	kserv_message_put(message, type, text, strlen(text) + 1);
}

/* An address in the attribute of its family; nothing for AF_UNSPEC. */
static inline void kserv_message_put_addr(struct kserv_message *message, uint16_t type4, uint16_t type6,
					  const struct kserv_addr *addr)
{
	if (addr->family == AF_INET)
		kserv_message_put(message, type4, &addr->v4, sizeof(addr->v4));
	else if (addr->family == AF_INET6)
		kserv_message_put(message, type6, &addr->v6, sizeof(addr->v6));
}

/* Begin a nest; the result goes to kserv_message_nest_end(), or to kserv_message_nest_cancel() to take it back. */
static inline size_t kserv_message_nest(struct kserv_message *message, uint16_t type)
{
	size_t start = message->len;

	kserv_message_reserve(message, type | NLA_F_NESTED, 0);
	return start;
}

/* Longer than an attribute can be: @error becomes -E2BIG. */
void kserv_message_nest_end(struct kserv_message *message, size_t start);

static inline void kserv_message_nest_cancel(struct kserv_message *message, size_t start)
{
	if (!message->error)
		message->len = start;
}

#endif
