// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/collect.h"
#include "lib/read.h"

#define ATTEMPTS 100

struct collection {
	struct nests *nests;
	unsigned int type;
};

void nests_add(struct nests *nests, const void *payload, size_t len)
{
	uint32_t size = NLA_ALIGN(len);

	if (nests->len + size + sizeof(size) > nests->room) {
		nests->room = (nests->len + size + sizeof(size)) * 2;
		nests->data = realloc(nests->data, nests->room);
		if (!nests->data)
			no_memory();
	}
	memcpy(nests->data + nests->len, &size, sizeof(size));
	memcpy(nests->data + nests->len + sizeof(size), payload, len);
	nests->len += sizeof(size) + size;
	nests->n++;
}

static int receive(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	struct collection *collection = context;
	const struct nlattr *nest = attributes[collection->type];

	(void)first;
	(void)len;
	if (nest)
		nests_add(collection->nests, kserv_attribute_data(nest), kserv_attribute_len(nest));
	return 0;
}

void nests_clear(struct nests *nests)
{
	free(nests->data);
	memset(nests, 0, sizeof(*nests));
}

enum exit_code collect(struct kserv_nl *nl, struct kserv_message *request, unsigned int type, struct nests *ret_nests)
{
	struct collection collection = { .nests = ret_nests, .type = type };
	struct kserv_nl_error words = { };
	int error, i = 0;

	memset(ret_nests, 0, sizeof(*ret_nests));
	do {
		ret_nests->len = 0;
		ret_nests->n = 0;
		error = kserv_nl_dump(nl, request, receive, &collection, &words);
	} while (error == -EINTR && ++i < ATTEMPTS);
	kserv_message_clear(request);
	if (!error)
		return DONE;
	nests_clear(ret_nests);
	return refused(error, &words);
}

const struct nlattr *nests_next(const struct nests *nests, size_t *pos, size_t *ret_len)
{
	const unsigned char *at = nests->data + *pos;
	uint32_t size;

	if (*pos >= nests->len)
		return NULL;
	memcpy(&size, at, sizeof(size));
	*ret_len = size;
	*pos += sizeof(size) + size;
	return (const void *)(at + sizeof(size));
}
