// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include "lib/message.h"

static_assert(KSERV_MESSAGE_HEADER == NLMSG_HDRLEN + GENL_HDRLEN, "attributes begin after both headers");

void kserv_message_init(struct kserv_message *message, uint8_t command)
{
	struct genlmsghdr *header;

	memset(message, 0, sizeof(*message));
	if (!kserv_message_grow(message, 1024))
		return;
	memset(message->data, 0, KSERV_MESSAGE_HEADER);
	header = (struct genlmsghdr *)(message->data + NLMSG_HDRLEN);
	header->cmd = command;
	header->version = KSERV_FAMILY_VERSION;
	message->len = KSERV_MESSAGE_HEADER;
}

void kserv_message_clear(struct kserv_message *message)
{
	free(message->data);
	memset(message, 0, sizeof(*message));
}

bool kserv_message_grow(struct kserv_message *message, size_t len)
{
	size_t size = message->size;
	unsigned char *data;

	if (message->error)
		return false;
	while (size < message->len + len)
		size = size ? size * 2 : 1024;
	data = realloc(message->data, size);
	if (!data) {
		message->error = -ENOMEM;
		/* What is there stays readable, and no later append fits. */
		message->size = message->len;
		return false;
	}
	message->data = data;
	message->size = size;
	return true;
}

void kserv_message_nest_end(struct kserv_message *message, size_t start)
{
	size_t len = message->len - start;

	if (message->error)
		return;
	if (len > UINT16_MAX) {
		message->error = -E2BIG;
		return;
	}
	((struct nlattr *)(message->data + start))->nla_len = len;
}
