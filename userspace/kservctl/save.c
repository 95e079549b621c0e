// SPDX-License-Identifier: GPL-2.0
/* kservctl save, restore, flush: the tables as commands of this program, and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "kservctl/gate.h"
#include "kservctl/past.h"
#include "kservctl/save.h"
#include "lib/addr.h"
#include "lib/dump.h"

/* Where lines go. */
static FILE *out;

static void save_flags(const char *separator, const struct kserv_words *words, uint32_t flags)
{
	fputs(separator, out);
	kserv_words_write(out, words, flags);
}

static void save_prefixes(const char *option, const struct kserv_prefixes *prefixes)
{
	char text[KSERV_ADDR_TEXT];
	size_t i;

	for (i = 0; i < prefixes->n; i++)
		fprintf(out, " %s %s", option, kserv_prefix_format(&prefixes->v[i], text));
}

static void save_config(const struct kserv_config *config)
{
	fprintf(out, "config set --reset --conntrack %s --detect-local %s",
	       kserv_word(&kserv_words_conntrack, config->conntrack),
	       kserv_word(&kserv_words_detect_local, config->detect_local));
	save_prefixes("--pod-cidr", &config->pod_cidrs);
	if (config->pod_interface[0])
		fprintf(out, " --pod-interface %s", config->pod_interface);
	save_prefixes("--service-cidr", &config->service_cidrs);
	save_prefixes("--node-port-address", &config->node_port_addresses);
	fprintf(out, " --masquerade-ports %u-%u --flow-max %u --session-max %u", config->masquerade_port_min,
	       config->masquerade_port_max, config->flow_max, config->session_max);
	fprintf(out, " --tcp-syn-timeout %u --tcp-established-timeout %u --tcp-close-timeout %u", config->tcp_syn_timeout,
	       config->tcp_established_timeout, config->tcp_close_timeout);
	fprintf(out, " --udp-timeout %u --udp-stream-timeout %u --sctp-timeout %u --fast-path %s\n", config->udp_timeout,
	       config->udp_stream_timeout, config->sctp_timeout, config->fast_path ? "on" : "off");
}

static void save_route(const struct kserv_route *route)
{
	char prefix[KSERV_ADDR_TEXT], gateway[KSERV_ADDR_TEXT];

	fprintf(out, "route set %s %s", kserv_prefix_format(&route->prefix, prefix),
	       kserv_word(&kserv_words_route_type, route->type));
	if (route->gateway.family != AF_UNSPEC)
		fprintf(out, " %s", kserv_addr_format(&route->gateway, gateway));
	putc('\n', out);
}

static void save_frontend(const struct kserv_frontend *frontend)
{
	char text[KSERV_ADDR_TEXT];
	size_t i;

	fprintf(out, " --%s ", kserv_word(&kserv_words_frontend_type, frontend->type));
	if (frontend->type == KSERV_FRONTEND_TYPE_NODE_PORT)
		fprintf(out, "%u", frontend->port);
	else
		fprintf(out, "%s", kserv_addr_port_format(&frontend->addr, frontend->port, text));
	if (frontend->flags)
		save_flags(",flags=", &kserv_words_frontend_flags, frontend->flags);
	for (i = 0; i < frontend->sources.n; i++)
		fprintf(out, ",source=%s", kserv_prefix_format(&frontend->sources.v[i], text));
}

static void save_endpoint(const struct kserv_endpoint *endpoint)
{
	char text[KSERV_ADDR_TEXT];

	fprintf(out, " --endpoint %s,weight=%u,state=%s", kserv_addr_port_format(&endpoint->addr, endpoint->port, text),
	       endpoint->weight, kserv_word(&kserv_words_endpoint_state, endpoint->state));
	save_flags(",flags=", &kserv_words_endpoint_flags, endpoint->flags);
	if (endpoint->cluster_reason)
		fprintf(out, ",cluster-reason=%s", kserv_word(&kserv_words_reason, endpoint->cluster_reason));
	if (endpoint->local_reason)
		fprintf(out, ",local-reason=%s", kserv_word(&kserv_words_reason, endpoint->local_reason));
}

static void save_service(const struct kserv_service *service)
{
	size_t i;

	fprintf(out, "service set %s %s --family %s --scheduler %s --affinity %u --removal %s --removal-grace %u --slow-start %u",
	       service->name, kserv_protocol_name(service->protocol), service->family == AF_INET6 ? "ipv6" : "ipv4",
	       kserv_word(&kserv_words_scheduler, service->scheduler), service->affinity_timeout,
	       kserv_word(&kserv_words_removal, service->removal), service->removal_grace, service->slow_start);
	save_flags(" --flags ", &kserv_words_service_flags, service->flags);
	for (i = 0; i < service->n_frontends; i++)
		save_frontend(&service->frontends[i]);
	for (i = 0; i < service->n_endpoints; i++)
		save_endpoint(&service->endpoints[i]);
	putc('\n', out);
}

void write_tables(FILE *file, const struct kserv_tables *tables)
{
	size_t i;

	out = file;
	fprintf(out, "# kserv tables, generation %u; read by kservctl restore\n", tables->generation);
	save_config(&tables->config);
	for (i = 0; i < tables->n_routes; i++)
		save_route(&tables->routes[i]);
	for (i = 0; i < tables->n_services; i++)
		save_service(&tables->services[i]);
}

static int with_flows;

struct poptOption save_options[] = {
	{ "flows", '\0', POPT_ARG_NONE, &with_flows, 0, "and connections and remembered clients", NULL },
	POPT_TABLEEND
};

const char save_more[] =
	"  kservctl save > tables; kservctl flush; kservctl restore tables\n"
	"\n"
	"Connections are lines that begin with flow, remembered clients of session affinity with session, behind a line\n"
	"\"format 1\" that tells the version of both. What they have are names and values of the protocol's attributes.\n";

enum exit_code cmd_save(int argc, const char **argv)
{
	struct kserv_nl_error words = { };
	struct kserv_tables tables;
	struct past past = { };
	enum exit_code code;
	struct kserv_nl *nl;
	int error;

	if (argc)
		return usage_error("'%s' is too much; the tables are written to the standard output", argv[0]);
	code = open_kernel(&nl);
	if (code)
		return code;
	error = kserv_dump(nl, KSERV_DUMP_ALL, NULL, &tables, &words);
	if (error)
		code = refused(error, &words);
	else if (with_flows)
		code = past_collect(nl, &past);
	kserv_nl_close(nl);
	if (error)
		return code;
	if (!code) {
		write_tables(stdout, &tables);
		if (with_flows)
			past_write(stdout, &past);
	}
	past_clear(&past);
	kserv_tables_clear(&tables);
	return code;
}

static int merge;

struct poptOption restore_options[] = {
	{ "merge", '\0', POPT_ARG_NONE, &merge, 0, "keep services and routes that the input does not name", NULL },
	{ "flows", '\0', POPT_ARG_NONE, &with_flows, 0, "and put back its connections and remembered clients", NULL },
	POPT_TABLEEND
};

const char restore_more[] =
	"Reads commands that change the tables (service, frontend, endpoint, route and config, with set or del), one a\n"
	"line, as save writes them; # begins a comment. They become one transaction: all of them are done, or none.\n"
	"An endpoint gets weight 100, state ready and the flags cluster-set+serving unless its line says otherwise.\n"
	"Without FILE, or for -, the standard input is read.\n"
	"Lines of save --flows are passed over unless --flows is given here as well. With it, packets for the services of\n"
	"the file are dropped until all is back, so that none is answered by a reset; and as the tables, connections are put\n"
	"back all of them or none: one whose frontend or endpoint there is not refuses them.\n";

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
				   struct kserv_transaction *transaction, struct past *past)
{
	const char *start = line + strspn(line, " \t");
	int n;

	if (!*start || *start == '#')
		return DONE;
	snprintf(position, sizeof(position), "kservctl: restore: %s:%lu", name, number);
	n = split(line, words);
	if (n > 0 && past_is_line(words->v[0]))
		return with_flows ? past_read(past, n, words->v) : DONE;
	if (n > 0)
		return build_line(n, words->v, transaction);
	kserv_log_error("a quotation mark is not closed");
	return USAGE;
}

static enum exit_code restore_file(FILE *file, const char *name, struct kserv_transaction *transaction,
				   struct past *past)
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
		code = restore_line(line, name, ++number, &words, transaction, past);
	}
	free(line);
	free(words.v);
	if (!code && ferror(file)) {
		kserv_log_error("%s: %s", name, strerror(errno));
		code = REFUSED;
	}
	return code;
}

static enum exit_code put_back(const struct past *past)
{
	enum exit_code code;
	struct kserv_nl *nl;
	size_t refusals;

	code = open_kernel(&nl);
	if (code)
		return code;
	code = past_restore(nl, past, false, &refusals);
	kserv_nl_close(nl);
	return code;
}

/* Nobody is answered by a reset while his connection is not there yet: packets are kept off. */
static enum exit_code send_with_past(struct kserv_transaction *transaction, const struct past *past)
{
	struct kserv_tables after = { };
	enum exit_code code;

	if (dry_run || !(past->flows.n + past->sessions.n))
		return send_transaction(transaction);
	if (!gate_close(&after, past))
		return REFUSED;
	code = send_transaction(transaction);
	if (!code)
		code = put_back(past);
	gate_open();
	return code;
}

enum exit_code cmd_restore(int argc, const char **argv)
{
	const char *name = argc && strcmp(argv[0], "-") ? argv[0] : NULL;
	struct kserv_transaction transaction;
	struct past past = { };
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
	code = restore_file(file, name ? name : "standard input", &transaction, &past);
	if (name)
		fclose(file);
	kserv_log_prefix("kservctl: restore");
	if (code)
		kserv_transaction_clear(&transaction);
	else
		code = send_with_past(&transaction, &past);
	past_clear(&past);
	return code;
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
