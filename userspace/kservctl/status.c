// SPDX-License-Identifier: GPL-2.0
/* kservctl status: the daemon, if there is one, and the module, on one screen. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "kservctl/commands.h"
#include "kservctl/desired.h"
#include "lib/dump.h"

static int watching;

struct poptOption status_options[] = {
	{ "watch", 'w', POPT_ARG_NONE, &watching, 0, "show it again every second, until interrupted", NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, socket_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char status_more[] =
	"Exit code 0: all is well; 1: something is degraded, or the daemon does not answer; 3: the module is not loaded.\n";

#define WIDTH	12

static const char *text_of(const cJSON *map, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(map, key));

	return text ? text : "";
}

static double number_of(const cJSON *map, const char *key)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(map, key);

	return cJSON_IsNumber(number) ? number->valuedouble : 0;
}

static bool is_true(const cJSON *map, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(map, key));
}

static void print_source(const cJSON *source)
{
	const cJSON *kind;

	if (strcmp(text_of(source, "kind"), "api")) {
		printf("%-*sembedded store %s\n", WIDTH, "source", text_of(source, "store"));
	} else {
		printf("%-*sAPI server %s, %s", WIDTH, "source", text_of(source, "server"),
		       is_true(source, "connected") ? "connected" : "NOT CONNECTED");
		if (cJSON_HasObjectItem(source, "lastEventMs"))
			printf(", last event %.1f s ago", number_of(source, "lastEventMs") / 1000);
		putchar('\n');
	}
	cJSON_ArrayForEach(kind, cJSON_GetObjectItemCaseSensitive(source, "kinds"))
		printf("%-*s%s: %s, %.0f objects, %.0f failures\n", WIDTH, "", text_of(kind, "resource"),
		       text_of(kind, "phase"), number_of(kind, "objects"), number_of(kind, "failures"));
	printf("%-*s%.0f Services, %.0f EndpointSlices, %.0f Nodes; %.0f changes so far\n", WIDTH, "",
	       number_of(source, "services"), number_of(source, "slices"), number_of(source, "nodes"),
	       number_of(source, "changes"));
}

static void print_sync(const cJSON *sync)
{
	printf("%-*s%.0f Services and %.0f EndpointSlices pending, lag %.1f ms\n", WIDTH, "sync",
	       number_of(sync, "pendingServices"), number_of(sync, "pendingSlices"), number_of(sync, "lagUs") / 1000);
	if (*text_of(sync, "lastTime"))
		printf("%-*slast %s, %s, %.1f ms; %.0f have failed\n", WIDTH, "", text_of(sync, "lastTime"),
		       is_true(sync, "lastWasFull") ? "all of it" : "what had changed",
		       number_of(sync, "lastDurationUs") / 1000, number_of(sync, "failures"));
}

static void print_daemon(const cJSON *tree)
{
	const cJSON *sentence;

	printf("%-*s%s, pid %.0f, node %s, since %s\n", WIDTH, "kservd", text_of(tree, "version"), number_of(tree, "pid"),
	       text_of(tree, "node"), text_of(tree, "started"));
	print_source(cJSON_GetObjectItemCaseSensitive(tree, "source"));
	print_sync(cJSON_GetObjectItemCaseSensitive(tree, "sync"));
	cJSON_ArrayForEach(sentence, cJSON_GetObjectItemCaseSensitive(tree, "degraded"))
		printf("%-*s%s\n", WIDTH, "DEGRADED", cJSON_GetStringValue(sentence));
}

static void print_module(const struct kserv_status *status, cJSON *tree)
{
	const struct {
		const char *name;
		uint32_t value;
	} rows[] = {
		{ "generation", status->generation }, { "services", status->services },
		{ "frontends", status->frontends }, { "endpoints", status->endpoints }, { "routes", status->routes },
		{ "flows", status->flows }, { "sessions", status->sessions },
	};
	size_t i;

	if (tree)
		cJSON_AddStringToObject(tree, "version", status->version);
	else
		printf("%-*s%s\n%-*s%s\n", WIDTH, "module", status->version, WIDTH, "kservctl", KSERV_VERSION);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (tree)
			cJSON_AddNumberToObject(tree, rows[i].name, rows[i].value);
		else
			printf("%-*s%u\n", WIDTH, rows[i].name, rows[i].value);
	}
}

/* What the daemon says; @ret_tree: NULL if there is none. */
static enum exit_code ask_status(cJSON **ret_tree)
{
	struct kserv_text text = { 0 };
	enum exit_code code;

	*ret_tree = NULL;
	if (!daemon_socket())
		return DONE;
	code = get_from_daemon(KSERV_CONTROL_STATUS, &text);
	if (!code) {
		*ret_tree = cJSON_Parse(text.s);
		if (!*ret_tree || cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(*ret_tree, "degraded")))
			code = REFUSED;
	}
	kserv_text_clear(&text);
	return code;
}

static enum exit_code ask_module(struct kserv_status *ret)
{
	struct kserv_nl_error words = { };
	struct kserv_nl *nl;
	enum exit_code code = open_kernel(&nl);
	int error;

	if (code)
		return code;
	error = kserv_dump_status(nl, NULL, ret, &words);
	kserv_nl_close(nl);
	return error ? refused(error, &words) : DONE;
}

static enum exit_code show(enum output_format format)
{
	cJSON *tree = format == OUTPUT_TABLE ? NULL : cJSON_CreateObject(), *daemon;
	enum exit_code code = ask_status(&daemon), module_code;
	struct kserv_status status;

	if (daemon && !tree)
		print_daemon(daemon);
	module_code = ask_module(&status);
	if (!module_code)
		print_module(&status, tree);
	if (tree && daemon) {
		cJSON_AddItemToObject(tree, "kservd", daemon);
		daemon = NULL;
	}
	if (tree)
		print_tree(tree, format);
	cJSON_Delete(daemon);
	return module_code ? module_code : code;
}

enum exit_code cmd_status(int argc, const char **argv)
{
	const struct timespec second = { .tv_sec = 1 };
	enum output_format format;
	enum exit_code code;

	if (argc)
		return usage_error("'%s' is too much", argv[0]);
	if (!output_format(1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format))
		return USAGE;
	do {
		/* From the top of a terminal; one after the other into a file. */
		if (watching && format == OUTPUT_TABLE && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		code = show(format);
	} while (watching && !fflush(stdout) && !nanosleep(&second, NULL));
	return code;
}
