// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "kservctl/past.h"
#include "lib/addr.h"
#include "lib/attributes.h"
#include "lib/dump.h"
#include "lib/place.h"
#include "lib/read.h"

/* Flows in one message: the namespace's other changes wait for it, and it is all or nothing. */
#define BATCH 4096
/* Refusals that are told one by one. */
#define TELL_MAX 10

void past_clear(struct past *past)
{
	nests_clear(&past->flows);
	nests_clear(&past->sessions);
}

enum exit_code past_collect(struct kserv_nl *nl, struct past *ret_past)
{
	struct kserv_message request;
	enum exit_code code;

	memset(ret_past, 0, sizeof(*ret_past));
	kserv_message_init(&request, KSERV_CMD_FLOW_GET);
	code = collect(nl, &request, KSERV_A_MESSAGE_FLOW, &ret_past->flows);
	if (code)
		return code;
	kserv_message_init(&request, KSERV_CMD_SESSION_GET);
	code = collect(nl, &request, KSERV_A_MESSAGE_SESSION, &ret_past->sessions);
	if (code)
		past_clear(ret_past);
	return code;
}

/* ---- as text: "flow family=ipv4 protocol=tcp client=10.0.0.1 ...", by the names of the protocol's attributes */

static void write_value(FILE *file, const struct kserv_attribute *known, const struct nlattr *attribute)
{
	char text[KSERV_ADDR_TEXT];
	struct kserv_addr addr;

	switch (known->kind) {
	case KSERV_KIND_PORT:
		fprintf(file, "%u", ntohs(kserv_attribute_u16(attribute)));
		break;
	case KSERV_KIND_ADDR4:
	case KSERV_KIND_ADDR6:
		kserv_attribute_addr(attribute, &addr);
		fputs(kserv_addr_format(&addr, text), file);
		break;
	case KSERV_KIND_STRING:
		fprintf(file, "%.*s", (int)kserv_attribute_len(attribute), (const char *)kserv_attribute_data(attribute));
		break;
	case KSERV_KIND_ENUM:
		fputs(kserv_word(known->words, kserv_attribute_number(attribute)), file);
		break;
	case KSERV_KIND_FLAGS:
		kserv_words_write(file, known->words, kserv_attribute_number(attribute));
		break;
	case KSERV_KIND_FAMILY:
		fputs(kserv_attribute_u8(attribute) == AF_INET6 ? "ipv6" : "ipv4", file);
		break;
	case KSERV_KIND_PROTOCOL:
		fputs(kserv_protocol_name(kserv_attribute_u8(attribute)), file);
		break;
	default:
		fprintf(file, "%" PRIu64, kserv_attribute_number(attribute));
	}
}

static void write_nests(FILE *file, const char *word, const struct kserv_attribute_set *set, const struct nests *nests)
{
	const struct nlattr *first, *attribute;
	size_t pos = 0, len;

	while ((first = nests_next(nests, &pos, &len))) {
		fputs(word, file);
		kserv_for_each_attribute(attribute, first, len) {
			unsigned int type = attribute->nla_type & NLA_TYPE_MASK;

			if (type > set->max || !set->v[type].name || set->v[type].kind == KSERV_KIND_PAD)
				continue;
			fprintf(file, " %s=", set->v[type].key);
			write_value(file, &set->v[type], attribute);
		}
		putc('\n', file);
	}
}

void past_write(FILE *file, const struct past *past)
{
	fprintf(file, "%s %u\n", PAST_FORMAT, PAST_VERSION);
	write_nests(file, PAST_FLOW, &kserv_attributes_flow, &past->flows);
	write_nests(file, PAST_SESSION, &kserv_attributes_session, &past->sessions);
}

bool past_is_line(const char *word)
{
	return !strcmp(word, PAST_FORMAT) || !strcmp(word, PAST_FLOW) || !strcmp(word, PAST_SESSION);
}

static bool read_u64(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && *ret_number <= max;
}

static bool read_flags(const char *text, const struct kserv_words *words, uint64_t *ret_flags)
{
	char *copy = kserv_must_strdup(text), *rest = copy, *word;
	bool good = true;
	int bit;

	*ret_flags = 0;
	while (good && strcmp(text, "none") && (word = strsep(&rest, "+"))) {
		bit = kserv_word_find(words, word);
		good = bit >= 0;
		*ret_flags |= good ? 1ULL << bit : 0;
	}
	free(copy);
	return good;
}

static bool read_number(const struct kserv_attribute *known, const char *text, uint64_t *ret_number)
{
	int word;

	switch (known->kind) {
	case KSERV_KIND_ENUM:
		word = kserv_word_find(known->words, text);
		*ret_number = word;
		return word >= 0;
	case KSERV_KIND_FLAGS:
		return read_flags(text, known->words, ret_number);
	case KSERV_KIND_FAMILY:
		*ret_number = !strcmp(text, "ipv6") ? AF_INET6 : AF_INET;
		return !strcmp(text, "ipv6") || !strcmp(text, "ipv4");
	case KSERV_KIND_PROTOCOL:
		*ret_number = kserv_protocol_parse(text);
		return *ret_number;
	case KSERV_KIND_PORT:
	case KSERV_KIND_U16:
		return read_u64(text, UINT16_MAX, ret_number);
	case KSERV_KIND_U8:
		return read_u64(text, UINT8_MAX, ret_number);
	case KSERV_KIND_U32:
		return read_u64(text, UINT32_MAX, ret_number);
	default:
		return read_u64(text, UINT64_MAX, ret_number);
	}
}

/* Words and flags have the width that the kernel's policy of that attribute has. */
static size_t width_of(const struct kserv_attribute_set *set, unsigned int type)
{
	switch (set->v[type].kind) {
	case KSERV_KIND_PORT:
	case KSERV_KIND_U16:
		return sizeof(uint16_t);
	case KSERV_KIND_U32:
		return sizeof(uint32_t);
	case KSERV_KIND_U64:
		return sizeof(uint64_t);
	default:
		return set == &kserv_attributes_flow && type == KSERV_A_FLOW_FLAGS ? sizeof(uint32_t) : sizeof(uint8_t);
	}
}

static bool put_value(struct kserv_message *message, const struct kserv_attribute_set *set, unsigned int type,
		      const char *text)
{
	const struct kserv_attribute *known = &set->v[type];
	struct kserv_addr addr;
	uint64_t number;
	uint16_t port;

	switch (known->kind) {
	case KSERV_KIND_ADDR4:
	case KSERV_KIND_ADDR6:
		/* The attribute of the other family stands next to it. */
		if (kserv_addr_parse(text, &addr))
			return false;
		kserv_message_put_addr(message, type, type + 1, &addr);
		return true;
	case KSERV_KIND_STRING:
		if (strlen(text) > KSERV_NAME_LEN)
			return false;
		kserv_message_put_string(message, type, text);
		return true;
	default:
		if (!read_number(known, text, &number))
			return false;
		port = htons(number);
		if (known->kind == KSERV_KIND_PORT)
			kserv_message_put(message, type, &port, sizeof(port));
		else
			kserv_message_put(message, type, &number, width_of(set, type));
		return true;
	}
}

static enum exit_code read_word(struct kserv_message *message, const struct kserv_attribute_set *set, const char *word)
{
	size_t len = strcspn(word, "=");
	unsigned int type;

	for (type = 1; type <= set->max; type++) {
		if (!set->v[type].name || strlen(set->v[type].key) != len || strncmp(set->v[type].key, word, len) ||
		    set->v[type].kind == KSERV_KIND_PAD)
			continue;
		if (word[len] == '=' && put_value(message, set, type, word + len + 1))
			return DONE;
		kserv_log_error("'%s' is no value for %s of a %s", word[len] ? word + len + 1 : "", set->v[type].key, set->name);
		return USAGE;
	}
	kserv_log_error("a %s has no '%.*s'", set->name, (int)len, word);
	return USAGE;
}

static enum exit_code read_format(int n, const char **words)
{
	uint64_t version;

	if (n == 2 && read_u64(words[1], UINT64_MAX, &version) && version == PAST_VERSION)
		return DONE;
	kserv_log_error("the format '%s' is not known here; this program reads format %d", n > 1 ? words[1] : "",
			PAST_VERSION);
	return REFUSED;
}

enum exit_code past_read(struct past *past, int n, const char **words)
{
	bool is_flow = !strcmp(words[0], PAST_FLOW);
	struct kserv_message message;
	enum exit_code code = DONE;
	int i;

	if (!strcmp(words[0], PAST_FORMAT))
		return read_format(n, words);
	kserv_message_init(&message, KSERV_CMD_FLOW_SET);
	for (i = 1; i < n && !code; i++)
		code = read_word(&message, is_flow ? &kserv_attributes_flow : &kserv_attributes_session, words[i]);
	if (message.error)
		no_memory();
	if (!code)
		nests_add(is_flow ? &past->flows : &past->sessions, message.data + KSERV_MESSAGE_HEADER,
			  message.len - KSERV_MESSAGE_HEADER);
	kserv_message_clear(&message);
	return code;
}

/* ---- into the kernel */

/* One of a list, with the attribute that it becomes. */
struct item {
	const struct nlattr *first;
	size_t len;
	unsigned int type, pad;
};

/**
 * struct sending - on its way into the kernel
 * @refused: how many so far; the first of them are told
 */
struct sending {
	struct kserv_nl *nl;
	uint32_t generation;
	bool lenient;
	size_t refused;
};

static size_t list(const struct nests *nests, unsigned int type, unsigned int pad, struct item *items)
{
	struct item item = { .type = type, .pad = pad };
	size_t pos = 0, n = 0;

	while ((item.first = nests_next(nests, &pos, &item.len)))
		items[n++] = item;
	return n;
}

static void put_item(struct kserv_message *message, const struct item *item)
{
	size_t nest = kserv_message_nest(message, item->type);
	const struct nlattr *attribute;

	kserv_for_each_attribute(attribute, item->first, item->len)
		if ((attribute->nla_type & NLA_TYPE_MASK) != item->pad)
			kserv_message_put(message, attribute->nla_type, kserv_attribute_data(attribute),
					  kserv_attribute_len(attribute));
	kserv_message_nest_end(message, nest);
}

static int send_items(struct sending *sending, const struct item *items, size_t n, struct kserv_nl_error *words)
{
	struct kserv_message message;
	size_t i;
	int error;

	kserv_message_init(&message, KSERV_CMD_FLOW_SET);
	kserv_message_put_u32(&message, KSERV_A_MESSAGE_GENERATION, sending->generation);
	for (i = 0; i < n; i++)
		put_item(&message, &items[i]);
	if (message.error)
		no_memory();
	/* What is too long for the socket is as good as refused: the halves may not be. */
	if (kserv_nl_send_limit(sending->nl, message.len) < message.len)
		error = -EMSGSIZE;
	else
		error = kserv_nl_request(sending->nl, &message, NULL, NULL, words);
	kserv_message_clear(&message);
	return error;
}

/* Those that are refused are found by halves. */
static enum exit_code send_list(struct sending *sending, const struct item *items, size_t n)
{
	struct kserv_nl_error words = { };
	enum exit_code code;
	int error;

	if (!n)
		return DONE;
	error = n > BATCH ? -EMSGSIZE : send_items(sending, items, n, &words);
	if (!error)
		return DONE;
	if (n > 1 && (error == -EMSGSIZE || (sending->lenient && error != -ESTALE))) {
		code = send_list(sending, items, n / 2);
		return code ? code : send_list(sending, items + n / 2, n - n / 2);
	}
	if (!sending->lenient || error == -ESTALE || error == -EMSGSIZE)
		return refused(error, &words);
	if (sending->refused++ < TELL_MAX)
		kserv_log_warning("a %s is left out: %s",
				  items[0].type == KSERV_A_MESSAGE_FLOW_SET ? "connection" : "remembered client", words.text);
	return DONE;
}

enum exit_code past_restore(struct kserv_nl *nl, const struct past *past, bool lenient, size_t *ret_refused)
{
	struct sending sending = { .nl = nl, .lenient = lenient };
	struct kserv_nl_error words = { };
	struct kserv_status status;
	struct item *items = kserv_must_alloc((past->flows.n + past->sessions.n + 1) * sizeof(*items));
	enum exit_code code;
	int error;
	size_t n;

	error = kserv_dump_status(nl, NULL, &status, &words);
	if (error) {
		free(items);
		return refused(error, &words);
	}
	sending.generation = status.generation;
	n = list(&past->flows, KSERV_A_MESSAGE_FLOW_SET, KSERV_A_FLOW_PAD, items);
	n += list(&past->sessions, KSERV_A_MESSAGE_SESSION_SET, KSERV_A_SESSION_PAD, items + n);
	code = send_list(&sending, items, n);
	free(items);
	*ret_refused = sending.refused;
	return code;
}
