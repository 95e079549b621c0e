// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bgp/config.h"
#include "cluster/format.h"
#include "cluster/memory.h"
#include "kservd/balance.h"
#include "kservd/names.h"
#include "kservd/options.h"
#include "lib/addr.h"
#include "podnet/config.h"
#include "source/store.h"

#define DEFAULT_SYNC_PERIOD	30.0

/* What a flag's word becomes in the configuration. */
enum flag_type { STRING, LIST, BOOLEAN, NUMBER };

/**
 * struct flag - a row of the command line that has a field in the configuration
 * @name: as in kube-proxy, where that has it
 * @path: of the field
 * @help: NULL for names that are taken so that a command line of kube-proxy works, and mean nothing here
 */
struct flag {
	const char *name, *path;
	enum flag_type type;
	const char *argument, *help;
};

static const struct flag flags[] = {
	{ "kubeconfig", "clientConnection.kubeconfig", STRING, "FILE", "objects come from the API server that this file names" },
	{ "master", "clientConnection.server", STRING, "URL", "the API server's own address, whatever the file says" },
	{ "store", "store", STRING, "FILE", "without an API: the embedded cluster (/var/lib/kserv/store.db)" },
	{ "socket", "controlSocket", STRING, "FILE", "where kservctl speaks to this daemon (" KSERV_CONTROL_PATH ")" },
	{ "hostname-override", "hostnameOverride", STRING, "NAME", "the Node that this machine is, if not its host name" },
	{ "bind-address", "bindAddress", STRING, "ADDRESS", "this node's primary address, if not that of its Node" },
	{ "cluster-cidr", "clusterCIDR", STRING, "CIDR,CIDR", "addresses of pods, one CIDR of each family" },
	{ "service-cidr", "serviceCIDR", STRING, "CIDR,CIDR", "addresses of Services, one CIDR of each family" },
	{ "nodeport-addresses", "nodePortAddresses", LIST, "CIDR,...", "addresses that accept node ports, or primary" },
	{ "detect-local-mode", "detectLocalMode", STRING, "MODE",
	  "how a source is known as a pod: ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix" },
	{ "pod-bridge-interface", "detectLocal.bridgeInterface", STRING, "NAME", "for the mode BridgeInterface" },
	{ "pod-interface-name-prefix", "detectLocal.interfaceNamePrefix", STRING, "PREFIX", "for the mode InterfaceNamePrefix" },
	{ "masquerade-all", "masqueradeAll", BOOLEAN, NULL, "masquerade all traffic to cluster IPs" },
	{ "healthz-bind-address", "healthzBindAddress", STRING, "ADDRESS:PORT", "for /healthz and /livez (0.0.0.0:10256)" },
	{ "metrics-bind-address", "metricsBindAddress", STRING, "ADDRESS:PORT", "for /metrics and /proxyMode (127.0.0.1:10249)" },
	{ "bind-address-hard-fail", "bindAddressHardFail", BOOLEAN, NULL, "end if one of them cannot be listened on" },
	{ "sync-period", "syncPeriod", STRING, "TIME", "how often the kernel is looked at, longest wait after a failure (30s)" },
	{ "min-sync-period", "minSyncPeriod", STRING, "TIME", "least time between two syncs (0s)" },
	{ "conntrack-tcp-timeout-established", "conntrack.tcpEstablishedTimeout", STRING, "TIME", "of flows" },
	{ "conntrack-udp-timeout", "conntrack.udpTimeout", STRING, "TIME", "of flows" },
	{ "conntrack-udp-timeout-stream", "conntrack.udpStreamTimeout", STRING, "TIME", "of flows" },
	{ "cluster-dns", "dns.enabled", BOOLEAN, NULL, "serve cluster DNS at 10.96.0.10, or dns.clusterIPs" },
	{ "cluster-domain", "dns.domain", STRING, "DOMAIN", "of cluster DNS (cluster.local)" },
	{ "oom-score-adj", "oomScoreAdj", NUMBER, "NUMBER", "of this process, -1000 to 1000" },
	{ "proxy-mode", "mode", STRING, "MODE", NULL },
	{ "profiling", "enableProfiling", BOOLEAN, NULL, NULL },
	{ "config-sync-period", "configSyncPeriod", STRING, "TIME", NULL },
	{ "iptables-sync-period", "iptables.syncPeriod", STRING, "TIME", NULL },
	{ "iptables-min-sync-period", "iptables.minSyncPeriod", STRING, "TIME", NULL },
	{ "iptables-masquerade-bit", "iptables.masqueradeBit", NUMBER, "NUMBER", NULL },
	{ "iptables-localhost-nodeports", "iptables.localhostNodePorts", BOOLEAN, NULL, NULL },
	{ "conntrack-max-per-core", "conntrack.maxPerCore", NUMBER, "NUMBER", NULL },
	{ "conntrack-min", "conntrack.min", NUMBER, "NUMBER", NULL },
	{ "conntrack-tcp-timeout-close-wait", "conntrack.tcpCloseWaitTimeout", STRING, "TIME", NULL },
	{ "conntrack-tcp-be-liberal", "conntrack.tcpBeLiberal", BOOLEAN, NULL, NULL },
	{ "kube-api-qps", "clientConnection.qps", NUMBER, "NUMBER", NULL },
	{ "kube-api-burst", "clientConnection.burst", NUMBER, "NUMBER", NULL },
};

#define N_FLAGS		(sizeof(flags) / sizeof(flags[0]))

/* Values of popt's rows: those of flags[] come first. */
enum { CONFIG = N_FLAGS + 1, SET, WRITE, CLEANUP, HELP, VERSION_OPTION, N_ROWS = VERSION_OPTION };

static void fill_rows(struct poptOption *rows)
{
	const struct poptOption others[] = {
		{ "config", '\0', POPT_ARG_STRING, NULL, CONFIG, "the configuration (" KSERV_CONFIG_PATH ")", "FILE" },
		{ "set", '\0', POPT_ARG_STRING, NULL, SET, "any field of it, as kernel.fastPath=true", "FIELD=VALUE" },
		{ "write-config-to", '\0', POPT_ARG_STRING, NULL, WRITE, "write file and flags as one file, and end", "FILE" },
		{ "cleanup", '\0', POPT_ARG_NONE, NULL, CLEANUP, "take everything of kserv out of the kernel, and end", NULL },
		{ "help", 'h', POPT_ARG_NONE, NULL, HELP, "show this help", NULL },
		{ "version", 'V', POPT_ARG_NONE, NULL, VERSION_OPTION, "show the version of this program", NULL },
		POPT_TABLEEND
	};
	size_t i;

	for (i = 0; i < N_FLAGS; i++) {
		rows[i] = (struct poptOption){
			.longName = flags[i].name, .val = i + 1, .descrip = flags[i].help, .argDescrip = flags[i].argument,
			.argInfo = POPT_ARG_STRING,
		};
		if (flags[i].type == BOOLEAN)
			rows[i].argInfo |= POPT_ARGFLAG_OPTIONAL;
		if (!flags[i].help)
			rows[i].argInfo |= POPT_ARGFLAG_DOC_HIDDEN;
	}
	memcpy(rows + N_FLAGS, others, sizeof(others));
}

/* "masqueradeAll=true"; a word that is a string stays one whatever it looks like. */
static char *make_set(const struct flag *flag, const char *word)
{
	struct kserv_text text = { 0 };

	kserv_text_printf(&text, "%s=", flag->path);
	if (flag->type != STRING) {
		kserv_text_add(&text, word ? word : "true");
		return kserv_text_take(&text);
	}
	kserv_text_add(&text, "'");
	for (; *word; word++)
		kserv_text_printf(&text, "%s%c", *word == '\'' ? "'" : "", *word);
	kserv_text_add(&text, "'");
	return kserv_text_take(&text);
}

/* The last of @sets is NULL, which its number does not count. */
static void add_set(struct options *options, char *set)
{
	options->sets.v = reallocarray(options->sets.v, options->sets.n + 2, sizeof(*options->sets.v));
	if (!options->sets.v)
		abort();
	options->sets.v[options->sets.n++] = set;
	options->sets.v[options->sets.n] = NULL;
}

static void take_option(struct options *options, int row, char *word)
{
	switch (row) {
	case CONFIG:
		free(options->config_path);
		options->config_path = kserv_must_strdup(word);
		break;
	case WRITE:
		options->write_to = kserv_must_strdup(word);
		break;
	case CLEANUP:
		options->cleanup = true;
		break;
	case HELP:
		options->help = true;
		break;
	case VERSION_OPTION:
		options->version = true;
		break;
	case SET:
		add_set(options, kserv_must_strdup(word));
		break;
	default:
		add_set(options, make_set(&flags[row - 1], word));
	}
}

/* The same variables as kservctl's; options go before them. */
static void read_environment(struct options *options)
{
	static const struct flag node = { .path = "hostnameOverride", .type = STRING };
	const char *name = getenv("KSERV_NODE_NAME"), *config = getenv("KSERV_CONFIG"), *store = getenv("KSERV_STORE");
	static const struct flag store_flag = { .path = "store", .type = STRING };

	if (name && *name)
		add_set(options, make_set(&node, name));
	if (store && *store)
		add_set(options, make_set(&store_flag, store));
	if (config && *config)
		options->config_path = kserv_must_strdup(config);
}

int options_parse(struct options *options, int argc, const char **argv, char **ret_why)
{
	struct poptOption rows[N_ROWS + 1];
	poptContext context;
	int row;

	*options = (struct options){ .oom_score = INT32_MIN };
	read_environment(options);
	fill_rows(rows);
	context = poptGetContext("kservd", argc, argv, rows, 0);
	while ((row = poptGetNextOpt(context)) > 0) {
		char *word = poptGetOptArg(context);

		take_option(options, row, word);
		free(word);
	}
	*ret_why = NULL;
	if (row < -1)
		*ret_why = kserv_must_printf("%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(row));
	else if (poptPeekArg(context))
		*ret_why = kserv_must_printf("'%s' is too much: everything is an option", poptPeekArg(context));
	poptFreeContext(context);
	return *ret_why ? -EINVAL : 0;
}

void options_print_help(void)
{
	const char *argv[] = { "kservd", NULL };
	struct poptOption rows[N_ROWS + 1];
	poptContext context;

	fill_rows(rows);
	context = poptGetContext("kservd", 1, argv, rows, 0);
	poptPrintHelp(context, stdout, 0);
	poptFreeContext(context);
	puts("\nWhat kube-proxy calls otherwise or has no use here is taken and passed over.\n"
	     "Exit codes: 0 ended as it was told, 1 something failed, 2 the command line or the configuration is wrong.");
}

/* "" is nowhere, ":80" and an unspecified address are all addresses, as Go's net.Listen() takes them. */
static void read_listen(const struct kserv_value *root, const char *path, const char *otherwise,
			struct listen_address *ret, struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_get(root, path);
	const char *text = value ? kserv_value_string(root, path) : otherwise, *why = "";
	uint32_t port;

	*ret = (struct listen_address){ 0 };
	if (!*text)
		return;
	if (*text == ':' && !kserv_number_parse(text + 1, UINT16_MAX, &port) && port) {
		ret->port = port;
	} else if (kserv_addr_port_parse(text, &ret->addr, &ret->port, &why)) {
		kserv_error_at(errors, value, "\"%s\" is not an address with a port such as 127.0.0.1:10249 or [::]:10256: %s",
			       text, why);
	} else if (!memcmp(&ret->addr.v6, &in6addr_any, sizeof(ret->addr.v6))) {
		ret->addr = (struct kserv_addr){ 0 };
	}
}

static uint64_t read_period(const struct kserv_value *root, const char *path, const char *also, double otherwise,
			    struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_get(root, path);
	double seconds;

	value = value ? value : kserv_value_get(root, also);
	if (!kserv_value_is(value, KSERV_VALUE_STRING) || !*value->text)
		return otherwise * 1000000;
	seconds = kserv_duration_seconds(value->text);
	if (seconds < 0 || seconds > 86400)
		kserv_error_at(errors, value, "\"%s\" is not a time such as 100ms, 30s or 1h, of a day at most", value->text);
	return (seconds > 0 ? seconds : otherwise) * 1000000;
}

static char *path_or(const struct kserv_value *root, const char *path, const char *otherwise)
{
	const char *text = kserv_value_string(root, path);

	return kserv_must_strdup(*text ? text : otherwise);
}

static void read_daemon(struct options *options, struct kserv_errors *errors)
{
	const struct kserv_value *root = options->config.tree.root;
	struct kserv_podnet_config podnet;
	struct kserv_cni_config cni;
	struct balance_config balance;
	struct kserv_bgp_config bgp;
	struct names_config names;
	int64_t score = kserv_value_int(root, "oomScoreAdj", INT32_MIN);

	read_listen(root, "healthzBindAddress", "0.0.0.0:10256", &options->healthz, errors);
	read_listen(root, "metricsBindAddress", "127.0.0.1:10249", &options->metrics, errors);
	options->hard_fail = kserv_value_bool(root, "bindAddressHardFail", false);
	options->sync_period_us = read_period(root, "syncPeriod", "nftables.syncPeriod", DEFAULT_SYNC_PERIOD, errors);
	options->min_sync_period_us = read_period(root, "minSyncPeriod", "nftables.minSyncPeriod", 0, errors);
	options->kubeconfig = path_or(root, "clientConnection.kubeconfig", "");
	options->server = path_or(root, "clientConnection.server", "");
	options->store = path_or(root, "store", KSERV_STORE_PATH);
	options->socket = path_or(root, "controlSocket", KSERV_CONTROL_PATH);
	options->from_api = *options->kubeconfig || *options->server || getenv("KUBERNETES_SERVICE_HOST");
	if (score != INT32_MIN && (score < -1000 || score > 1000))
		kserv_error_at(errors, kserv_value_find(root, "oomScoreAdj"), "must be between -1000 and 1000");
	options->oom_score = score;
	/* Read again by whoever needs it. */
	names_config_read(root, &options->config.service_cidrs, &names, errors);
	names_config_clear(&names);
	kserv_podnet_config_read(root, &podnet, &cni, errors);
	kserv_cni_config_clear(&cni);
	kserv_podnet_config_clear(&podnet);
	balance_config_read(root, &balance, errors);
	kserv_bgp_config_read(root, &bgp, errors);
	kserv_bgp_config_clear(&bgp);
}

int options_read(struct options *options, struct kserv_errors *errors)
{
	size_t before = errors->n;

	if (kserv_embedded_config_read(&options->config, options->config_path, (const char *const *)options->sets.v, errors))
		return -EINVAL;
	read_daemon(options, errors);
	return errors->n > before ? -EINVAL : 0;
}

void options_clear(struct options *options)
{
	size_t i;

	kserv_embedded_config_clear(&options->config);
	for (i = 0; i < options->sets.n; i++)
		free(options->sets.v[i]);
	free(options->sets.v);
	free(options->config_path);
	free(options->write_to);
	free(options->kubeconfig);
	free(options->server);
	free(options->store);
	free(options->socket);
	*options = (struct options){ 0 };
}
