// SPDX-License-Identifier: GPL-2.0
/* kservctl monitor */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "kservctl/flow.h"
#include "kservctl/services.h"
#include "lib/json.h"
#include "lib/place.h"

static char *count_text, *service_text;
static char *format_text;

struct poptOption monitor_options[] = {
	{ "output", 'o', POPT_ARG_STRING, &format_text, 0, "json: one object a line", "json" },
	{ "service", 's', POPT_ARG_STRING, &service_text, 0, "only events of this service", "NAME" },
	{ "count", 'c', POPT_ARG_STRING, &count_text, 0, "stop after so many events", "NUMBER" },
	POPT_TABLEEND
};

const char monitor_more[] =
	"EVENT is flow-new, flow-end, reject, drop or commit; without any, all are shown.\n"
	"\n"
	"  kservctl monitor reject drop\n";

/**
 * struct watch - what is shown
 * @events: bit for each enum kserv_event_type
 * @left: events until the end; 0 for no end
 */
struct watch {
	unsigned int events;
	const char *service;
	bool json, ended;
	uint32_t left;
};

struct event {
	uint8_t type, reason;
	uint32_t generation;
	uint64_t lost;
	struct flow flow;
};

static void read_event(const struct nlattr *nest, struct event *event)
{
	const struct nlattr *attribute;

	memset(event, 0, sizeof(*event));
	kserv_for_each_attribute(attribute, (const struct nlattr *)kserv_attribute_data(nest), kserv_attribute_len(nest)) {
		switch (attribute->nla_type & NLA_TYPE_MASK) {
		case KSERV_A_EVENT_TYPE:
			event->type = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_EVENT_FLOW:
			read_flow(kserv_attribute_data(attribute), kserv_attribute_len(attribute), &event->flow);
			break;
		case KSERV_A_EVENT_REASON:
			event->reason = kserv_attribute_u8(attribute);
			break;
		case KSERV_A_EVENT_GENERATION:
			event->generation = kserv_attribute_u32(attribute);
			break;
		case KSERV_A_EVENT_LOST:
			event->lost = kserv_attribute_u64(attribute);
			break;
		}
	}
}

static void format_time(const char *format, char *buffer, size_t size)
{
	struct timespec now;
	struct tm local;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	len = strftime(buffer, size, format, &local);
	snprintf(buffer + len, size - len, ".%03ld", now.tv_nsec / 1000000);
}

static void print_text(const struct event *event)
{
	char client[KSERV_ADDR_TEXT], frontend[KSERV_ADDR_TEXT], endpoint[KSERV_ADDR_TEXT], flags[96], now[32];
	const struct flow *flow = &event->flow;

	format_time("%H:%M:%S", now, sizeof(now));
	printf("%s %-8s ", now, kserv_word(&kserv_words_event_type, event->type));
	if (event->type == KSERV_EVENT_TYPE_COMMIT) {
		printf("generation %u\n", event->generation);
		return;
	}
	printf("%s %s %s -> %s", flow->service[0] ? flow->service : "-", kserv_protocol_name(flow->protocol),
	       kserv_addr_port_format(&flow->client, flow->client_port, client),
	       kserv_addr_port_format(&flow->frontend, flow->frontend_port, frontend));
	if (flow->endpoint.family)
		printf(" -> %s", kserv_addr_port_format(&flow->endpoint, flow->endpoint_port, endpoint));
	if (flow->flags)
		printf(" %s", format_flags(&kserv_words_flow_flags, flow->flags, flags, sizeof(flags)));
	if (event->type == KSERV_EVENT_TYPE_FLOW_END)
		printf(" %llu/%llu bytes in/out", (unsigned long long)flow->bytes_in,
		       (unsigned long long)flow->bytes_out);
	if (event->reason)
		printf(": %s", kserv_word(&kserv_words_reason, event->reason));
	putchar('\n');
}

static void print_json(const struct nlattr *nest)
{
	cJSON *tree = kserv_json_nest(&kserv_attributes_event, nest);
	char now[40];

	format_time("%Y-%m-%dT%H:%M:%S", now, sizeof(now));
	cJSON_AddStringToObject(tree, "time", now);
	print_line(tree);
}

static int receive(void *context, struct nlattr *const *attributes, const struct nlattr *first, size_t len)
{
	const struct nlattr *nest = attributes[KSERV_A_MESSAGE_EVENT];
	struct watch *watch = context;
	struct event event;

	(void)first;
	(void)len;
	if (!nest || watch->ended)
		return 0;
	read_event(nest, &event);
	if (event.lost)
		kserv_log_warning("%llu events could not be sent before this one", (unsigned long long)event.lost);
	if (!(watch->events & 1U << event.type))
		return 0;
	if (watch->service && strcmp(watch->service, event.flow.service))
		return 0;
	if (watch->json)
		print_json(nest);
	else
		print_text(&event);
	if (watch->left && !--watch->left)
		watch->ended = true;
	return 0;
}

static enum exit_code watch_events(struct kserv_nl *nl, struct watch *watch)
{
	struct kserv_nl_error words = { };
	int error = kserv_nl_subscribe(nl, &words);

	if (error)
		return refused(error, &words);
	while (!watch->ended) {
		error = kserv_nl_receive_event(nl, receive, watch);
		if (fflush(stdout) || ferror(stdout))
			return DONE;	/* nobody reads any more; main() says so if that is an error */
		if (error == -ENOBUFS)
			kserv_log_warning("some events were lost: they came faster than they were read");
		else if (error && error != -EINTR)
			return failed(error);
	}
	return DONE;
}

static bool read_events(const char **argv, struct watch *watch)
{
	uint8_t event;

	for (; *argv; argv++) {
		if (!parse_word("event", &kserv_words_event_type, *argv, &event))
			return false;
		watch->events |= 1U << event;
	}
	if (!watch->events)
		watch->events = ~0U;
	return true;
}

enum exit_code cmd_monitor(int argc, const char **argv)
{
	struct watch watch = { .service = service_text, .json = format_text };
	enum exit_code code;
	struct kserv_nl *nl;

	(void)argc;
	if (format_text && strcmp(format_text, "json"))
		return usage_error("-o %s: there is no such format here", format_text);
	if (count_text && !parse_number("--count", count_text, 1, UINT32_MAX, &watch.left))
		return USAGE;
	if (!read_events(argv, &watch))
		return USAGE;
	code = open_kernel(&nl);
	if (code)
		return code;
	code = watch_events(nl, &watch);
	kserv_nl_close(nl);
	return code;
}
