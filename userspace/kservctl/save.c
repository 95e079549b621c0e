// SPDX-License-Identifier: GPL-2.0
/* kservctl save, restore, flush: the tables as commands of this program, and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "lib/addr.h"
#include "lib/dump.h"

static void save_flags(const char *separator, const struct kserv_words *words, uint32_t flags)
{
	const char *plus = "";
	unsigned int i;

	printf("%s", separator);
	if (!flags)
		printf("none");
	for (i = 0; i < words->n; i++) {
		if (!(flags & 1U << i))
			continue;
		printf("%s%s", plus, words->v[i]);
		plus = "+";
	}
}

static void save_prefixes(const char *option, const struct kserv_prefixes *prefixes)
{
	char text[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < prefixes->n; i++)
		printf(" %s %s", option, kserv_prefix_format(&prefixes->v[i], text));
}

static void save_config(const struct kserv_config *config)
{
	printf("config set --reset --conntrack %s --detect-local %s",
	       kserv_word(&kserv_words_conntrack, config->conntrack),
	       kserv_word(&kserv_words_detect_local, config->detect_local));
	save_prefixes("--pod-cidr", &config->pod_cidrs);
	if (config->pod_interface[0])
		printf(" --pod-interface %s", config->pod_interface);
	save_prefixes("--service-cidr", &config->service_cidrs);
	save_prefixes("--node-port-address", &config->node_port_addresses);
	printf(" --masquerade-ports %u-%u --flow-max %u --session-max %u", config->masquerade_port_min,
	       config->masquerade_port_max, config->flow_max, config->session_max);
	printf(" --tcp-syn-timeout %u --tcp-established-timeout %u --tcp-close-timeout %u", config->tcp_syn_timeout,
	       config->tcp_established_timeout, config->tcp_close_timeout);
	printf(" --udp-timeout %u --udp-stream-timeout %u --sctp-timeout %u --fast-path %s\n", config->udp_timeout,
	       config->udp_stream_timeout, config->sctp_timeout, config->fast_path ? "on" : "off");
}

static void save_route(const struct kserv_route *route)
{
	char prefix[KSERV_ADDR_TEXT], gateway[KSERV_ADDR_TEXT];

	printf("route set %s %s", kserv_prefix_format(&route->prefix, prefix),
	       kserv_word(&kserv_words_route_type, route->type));
	if (route->gateway.family != AF_UNSPEC)
		printf(" %s", kserv_addr_format(&route->gateway, gateway));
	putchar('\n');
}

static void save_frontend(const struct kserv_frontend *frontend)
{
	char text[KSERV_ADDR_TEXT];
	size_t i;

	printf(" --%s ", kserv_word(&kserv_words_frontend_type, frontend->type));
	if (frontend->type == KSERV_FRONTEND_TYPE_NODE_PORT)
		printf("%u", frontend->port);
	else
		printf("%s", kserv_addr_port_format(&frontend->addr, frontend->port, text));
	if (frontend->flags)
		save_flags(",flags=", &kserv_words_frontend_flags, frontend->flags);
	for (i = 0; i < frontend->sources.n; i++)
		printf(",source=%s", kserv_prefix_format(&frontend->sources.v[i], text));
}

static void save_endpoint(const struct kserv_endpoint *endpoint)
{
	char text[KSERV_ADDR_TEXT];

	printf(" --endpoint %s,weight=%u,state=%s", kserv_addr_port_format(&endpoint->addr, endpoint->port, text),
	       endpoint->weight, kserv_word(&kserv_words_endpoint_state, endpoint->state));
	save_flags(",flags=", &kserv_words_endpoint_flags, endpoint->flags);
	if (endpoint->cluster_reason)
		printf(",cluster-reason=%s", kserv_word(&kserv_words_reason, endpoint->cluster_reason));
	if (endpoint->local_reason)
		printf(",local-reason=%s", kserv_word(&kserv_words_reason, endpoint->local_reason));
}

static void save_service(const struct kserv_service *service)
{
	size_t i;

	printf("service set %s %s --family %s --scheduler %s --affinity %u --removal %s --removal-grace %u --slow-start %u",
	       service->name, kserv_protocol_name(service->protocol), service->family == AF_INET6 ? "ipv6" : "ipv4",
	       kserv_word(&kserv_words_scheduler, service->scheduler), service->affinity_timeout,
	       kserv_word(&kserv_words_removal, service->removal), service->removal_grace, service->slow_start);
	save_flags(" --flags ", &kserv_words_service_flags, service->flags);
	for (i = 0; i < service->n_frontends; i++)
		save_frontend(&service->frontends[i]);
	for (i = 0; i < service->n_endpoints; i++)
		save_endpoint(&service->endpoints[i]);
	putchar('\n');
}

struct poptOption save_options[] = { POPT_TABLEEND };

const char save_more[] =
	"  kservctl save > tables; kservctl flush; kservctl restore tables\n";

enum exit_code cmd_save(int argc, const char **argv)
{
	struct kserv_nl_error words = { };
	struct kserv_tables tables;
	enum exit_code code;
	struct kserv_nl *nl;
	int error;
	size_t i;

	if (argc)
		return usage_error("'%s' is too much; the tables are written to the standard output", argv[0]);
	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_dump(nl, KSERV_DUMP_ALL, NULL, &tables, &words);
	kserv_nl_close(nl);
	if (error)
		return refused(error, &words);
	printf("# kserv tables, generation %u; read by kservctl restore\n", tables.generation);
	save_config(&tables.config);
	for (i = 0; i < tables.n_routes; i++)
		save_route(&tables.routes[i]);
	for (i = 0; i < tables.n_services; i++)
		save_service(&tables.services[i]);
	kserv_tables_clear(&tables);
	return DONE;
}

static int merge;

struct poptOption restore_options[] = {
	{ "merge", '\0', POPT_ARG_NONE, &merge, 0, "keep services and routes that the input does not name", NULL },
	POPT_TABLEEND
};

const char restore_more[] =
	"Reads commands that change the tables (service, frontend, endpoint, route and config, with set or del), one a\n"
	"line, as save writes them; # begins a comment. They become one transaction: all of them are done, or none.\n"
	"An endpoint gets weight 100, state ready and the flags cluster-set+serving unless its line says otherwise.\n"
	"Without FILE, or for -, the standard input is read.\n";

/* Where restore is, for complaints: "kservctl: restore: tables:12: service set". */
static char position[512];

/* Room for the words of a line, kept from line to line. */
struct words {
	const char **v;
	int n, room;
};

static void words_add(struct words *words, const char *word)
{
	if (words->n == words->room) {
		words->room = words->room ? words->room * 2 : 64;
		words->v = realloc(words->v, words->room * sizeof(*words->v));
		if (!words->v)
			no_memory();
	}
	words->v[words->n++] = word;
}

/*
 * Cuts @line into words in its place: between blanks, but for those inside quotation marks and behind a backslash.
 * Return: how many, or -1 if a quotation mark is not closed.
 */
static int split(char *line, struct words *words)
{
	char *from = line + strspn(line, " \t"), *to = line, quote = 0;
	size_t run;

	words->n = 0;
	while (*from) {
		words_add(words, to);
		for (;;) {
			run = strcspn(from, " \t\"'\\");
			memmove(to, from, run);
			to += run;
			from += run;
			if (!*from || (!quote && (*from == ' ' || *from == '\t')))
				break;
			if (*from == quote)
				quote = 0;
			else if (!quote && (*from == '"' || *from == '\''))
				quote = *from;
			else if (*from == '\\' && from[1] && quote != '\'')
				*to++ = *++from;
			else
				*to++ = *from;
			from++;
		}
		from += strspn(from, " \t");
		*to++ = '\0';
	}
	words_add(words, NULL);
	return quote ? -1 : words->n - 1;
}

static enum exit_code restore_line(char *line, const char *name, unsigned long number, struct words *words,
				   struct kserv_transaction *transaction)
{
	const char *start = line + strspn(line, " \t");
	int n;

	if (!*start || *start == '#')
		return DONE;
	snprintf(position, sizeof(position), "kservctl: restore: %s:%lu", name, number);
	n = split(line, words);
	if (n > 0)
		return build_line(n, words->v, transaction);
	kserv_log_error("a quotation mark is not closed");
	return USAGE;
}

static enum exit_code restore_file(FILE *file, const char *name, struct kserv_transaction *transaction)
{
	struct words words = { };
	enum exit_code code = DONE;
	unsigned long number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while (!code && (len = getline(&line, &size, file)) >= 0) {
		if (len && line[len - 1] == '\n')
			line[len - 1] = '\0';
		code = restore_line(line, name, ++number, &words, transaction);
	}
	free(line);
	free(words.v);
	if (!code && ferror(file)) {
		kserv_log_error("%s: %s", name, strerror(errno));
		code = REFUSED;
	}
	return code;
}

enum exit_code cmd_restore(int argc, const char **argv)
{
	const char *name = argc && strcmp(argv[0], "-") ? argv[0] : NULL;
	struct kserv_transaction transaction;
	enum exit_code code;
	FILE *file;

	if (argc > 1)
		return usage_error("'%s' is too much", argv[1]);
	file = name ? fopen(name, "re") : stdin;
	if (!file) {
		kserv_log_error("%s: %s", name, strerror(errno));
		return REFUSED;
	}
	if (kserv_transaction_init(&transaction))
		no_memory();
	transaction.replace = !merge;
	in_batch = true;
	kserv_log_prefix(position);
	code = restore_file(file, name ? name : "standard input", &transaction);
	if (name)
		fclose(file);
	if (code) {
		kserv_transaction_clear(&transaction);
		return code;
	}
	kserv_log_prefix("kservctl: restore");
	return send_transaction(&transaction);
}

struct poptOption flush_options[] = { POPT_TABLEEND };

const char flush_more[] =
	"The configuration stays, and with it the rule that addresses of its service CIDRs are dropped when no service has\n"
	"them. To have packets left alone altogether:\n"
	"\n"
	"  kservctl flush && kservctl config set --reset\n";

enum exit_code cmd_flush(int argc, const char **argv)
{
	struct kserv_transaction transaction;

	if (argc)
		return usage_error("'%s' is too much; everything is removed, or see service del", argv[0]);
	if (kserv_transaction_init(&transaction))
		no_memory();
	transaction.replace = true;
	return send_transaction(&transaction);
}
