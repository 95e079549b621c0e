// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cluster/check.h"
#include "cluster/file.h"
#include "cluster/format.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "cluster/schema.h"
#include "cluster/yaml.h"
#include "lib/addr.h"
#include "source/config.h"
#include "source/node_cidr.h"

#define DEFAULT_SERVICE_CIDR	"10.96.0.0/12,fd00:10:96::/112"
#define DEFAULT_CLUSTER_CIDR	"10.244.0.0/16,fd00:10:244::/56"

struct port_range {
	uint16_t min, max;
};

static void add_prefix(struct kserv_prefixes *prefixes, const struct kserv_prefix *prefix)
{
	prefixes->v = kserv_must_grow(prefixes->v, prefixes->n, sizeof(*prefixes->v));
	prefixes->v[prefixes->n++] = *prefix;
}

/* CIDRs with commas in between. @value: for errors; absent stands for @otherwise. */
static void read_cidrs(const struct kserv_value *value, const char *otherwise, bool one_each,
		       struct kserv_prefixes *ret, struct kserv_errors *errors)
{
	const char *given = kserv_value_is(value, KSERV_VALUE_STRING) ? value->text : otherwise;
	char *text = kserv_must_strdup(given), *rest = text;
	struct kserv_prefix prefix;
	const char *part;
	size_t i;

	while ((part = strsep(&rest, ","))) {
		part += strspn(part, " ");
		if (!*part && !rest && !ret->n)
			break;
		if (!strchr(part, '/') || kserv_prefix_parse(part, &prefix)) {
			kserv_error_at(errors, value, "\"%s\" is not a CIDR such as 10.0.0.0/8 or fd00::/64", part);
			continue;
		}
		for (i = 0; one_each && i < ret->n; i++)
			if (ret->v[i].addr.family == prefix.addr.family)
				kserv_error_at(errors, value, "must hold at most one CIDR of each family");
		add_prefix(ret, &prefix);
	}
	free(text);
}

static bool parse_range(const char *text, struct port_range *ret)
{
	char *copy = kserv_must_strdup(text), *dash = strchr(copy, '-');
	uint32_t min, max;
	bool right;

	if (dash)
		*dash = '\0';
	right = dash && !kserv_number_parse(copy, UINT16_MAX, &min) &&
		!kserv_number_parse(dash + 1, UINT16_MAX, &max) && min && min <= max;
	if (right)
		*ret = (struct port_range){ min, max };
	free(copy);
	return right;
}

static struct port_range read_range(const struct kserv_value *root, const char *path, struct port_range otherwise,
				    struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_get(root, path);

	if (kserv_value_is(value, KSERV_VALUE_STRING) && *value->text && !parse_range(value->text, &otherwise))
		kserv_error_at(errors, value, "\"%s\" is not a range of ports such as 30000-32767", value->text);
	return otherwise;
}

static uint32_t read_seconds(const struct kserv_value *root, const char *path, struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_get(root, path);
	double seconds;

	if (!kserv_value_is(value, KSERV_VALUE_STRING) || !*value->text)
		return 0;
	seconds = kserv_duration_seconds(value->text);
	if (seconds < 0 || seconds > INT32_MAX || (seconds > 0 && seconds < 1)) {
		kserv_error_at(errors, value, "\"%s\" is not a time such as 30s, 2m or 24h0m0s of a second or more",
			       value->text);
		return 0;
	}
	return seconds;
}

static uint32_t read_count(const struct kserv_value *root, const char *path, struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_get(root, path);

	if (!kserv_value_is(value, KSERV_VALUE_INT))
		return 0;
	if (value->integer < 1 || value->integer > UINT32_MAX) {
		kserv_error_at(errors, value, "must be between 1 and 4294967295, got %s", value->text);
		return 0;
	}
	return value->integer;
}

/* "10.0.0.1-10.0.0.9", a CIDR or one address. */
static bool parse_span(const char *text, struct kserv_span *ret)
{
	char *copy = kserv_must_strdup(text), *dash = strchr(copy, '-'), *first = copy, *last;
	struct kserv_prefix prefix;
	bool right = true;
	unsigned int bit;

	if (dash) {
		*dash = '\0';
		last = dash + 1 + strspn(dash + 1, " ");
		first[strcspn(first, " ")] = '\0';
		right = !kserv_addr_parse(first, &ret->first) && !kserv_addr_parse(last, &ret->last) &&
			ret->first.family == ret->last.family &&
			memcmp(&ret->first.v6, &ret->last.v6, sizeof(ret->first.v6)) <= 0;
	} else if (kserv_prefix_parse(first, &prefix)) {
		right = false;
	} else {
		ret->first = prefix.addr;
		ret->last = prefix.addr;
		for (bit = prefix.len; bit < (prefix.addr.family == AF_INET ? 32U : 128U); bit++)
			ret->last.v6.s6_addr[bit / 8] |= 0x80 >> bit % 8;
	}
	free(copy);
	return right;
}

static void read_pool(const struct kserv_value *value, struct kserv_pool *pool, struct kserv_errors *errors)
{
	const struct kserv_value *address;
	struct kserv_span span;

	pool->name = kserv_read_string(value, "name");
	pool->auto_assign = kserv_value_bool(value, "autoAssign", true);
	if (!*pool->name)
		kserv_error_missing(errors, value, "name", "required");
	if (!kserv_value_first(kserv_value_find(value, "addresses")))
		kserv_error_missing(errors, value, "addresses", "required");
	for (address = kserv_value_first(kserv_value_find(value, "addresses")); address; address = address->next) {
		if (address->type != KSERV_VALUE_STRING)
			continue;
		if (!parse_span(address->text, &span)) {
			kserv_error_at(errors, address,
				       "\"%s\" is neither an address, a CIDR nor a range such as 192.0.2.10-192.0.2.20",
				       address->text);
			continue;
		}
		pool->spans = kserv_must_grow(pool->spans, pool->n_spans, sizeof(*pool->spans));
		pool->spans[pool->n_spans++] = span;
	}
}

static void read_pools(struct kserv_embedded_config *config, struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_get(config->tree.root, "loadBalancer.pools");

	for (value = kserv_value_first(value); value; value = value->next) {
		config->pools = kserv_must_grow(config->pools, config->n_pools, sizeof(*config->pools));
		read_pool(value, &config->pools[config->n_pools++], errors);
	}
}

static void check_detector(const struct kserv_value *root, struct kserv_errors *errors)
{
	const struct kserv_value *mode = kserv_value_find(root, "detectLocalMode"), *name;
	const char *key;

	kserv_check_one_of(mode, "ClusterCIDR NodeCIDR BridgeInterface InterfaceNamePrefix", errors);
	if (!strcmp(kserv_value_string(root, "detectLocalMode"), "BridgeInterface"))
		key = "detectLocal.bridgeInterface";
	else if (!strcmp(kserv_value_string(root, "detectLocalMode"), "InterfaceNamePrefix"))
		key = "detectLocal.interfaceNamePrefix";
	else
		return;
	name = kserv_value_get(root, key);
	if (!*kserv_value_string(root, key))
		kserv_error_missing(errors, root, key, "required when detectLocalMode is %s", mode->text);
	else if (strlen(name->text) > 15)
		kserv_error_at(errors, name, "must be at most 15 characters, as names of interfaces are");
}

static void check_kind(const struct kserv_value *root, struct kserv_errors *errors)
{
	kserv_check_one_of(kserv_value_find(root, "kind"), "KservConfiguration KubeProxyConfiguration", errors);
	kserv_check_one_of(kserv_value_find(root, "apiVersion"), "kserv.io/v1alpha1 kubeproxy.config.k8s.io/v1alpha1",
			   errors);
}

static void read_node_port_addresses(const struct kserv_value *root, struct kserv_settings *settings,
				     struct kserv_errors *errors)
{
	const struct kserv_value *list = kserv_value_find(root, "nodePortAddresses"), *entry;

	/* As in kube-proxy's nftables mode, the default is the primary addresses (rule 1.12). */
	settings->node_port_primary = !kserv_value_first(list);
	for (entry = kserv_value_first(list); entry; entry = entry->next) {
		if (kserv_value_is(entry, KSERV_VALUE_STRING) && !strcmp(entry->text, "primary")) {
			settings->node_port_primary = true;
			if (list->n > 1)
				kserv_error_at(errors, entry, "primary must stand alone");
		} else if (entry->type == KSERV_VALUE_STRING) {
			read_cidrs(entry, "", false, &settings->node_port_addresses, errors);
		}
	}
}

static void read_node(const struct kserv_value *root, struct kserv_settings *settings, struct kserv_errors *errors)
{
	const char *name = kserv_value_string(root, "hostnameOverride");
	const struct kserv_value *ip;
	char host[256] = "";
	struct kserv_addr addr;
	char *c;

	gethostname(host, sizeof(host) - 1);
	settings->node_name = kserv_must_strdup(*name ? name : host);
	/* Names of Nodes are in lower case, whatever the host's is. */
	for (c = settings->node_name; *c; c++)
		*c = tolower((unsigned char)*c);
	for (ip = kserv_value_first(kserv_value_find(root, "nodeIPs")); ip; ip = ip->next)
		if (kserv_check_address(ip, &addr, errors))
			kserv_strings_add(&settings->node_ips, ip->text);
	ip = kserv_value_find(root, "bindAddress");
	if (!settings->node_ips.n && ip && *ip->text && kserv_check_address(ip, &addr, errors) &&
	    memcmp(&addr.v6, &in6addr_any, sizeof(addr.v6)))
		kserv_strings_add(&settings->node_ips, ip->text);
}

static void read_detector(const struct kserv_value *root, struct kserv_settings *settings)
{
	const char *mode = kserv_value_string(root, "detectLocalMode"), *interface = "";

	settings->detect_local = KSERV_DETECT_LOCAL_CIDR;
	settings->detect_node_cidr = !strcmp(mode, "NodeCIDR");
	if (!strcmp(mode, "BridgeInterface")) {
		settings->detect_local = KSERV_DETECT_LOCAL_INTERFACE;
		interface = kserv_value_string(root, "detectLocal.bridgeInterface");
	} else if (!strcmp(mode, "InterfaceNamePrefix")) {
		settings->detect_local = KSERV_DETECT_LOCAL_INTERFACE_PREFIX;
		interface = kserv_value_string(root, "detectLocal.interfaceNamePrefix");
	}
	settings->pod_interface = kserv_must_strdup(interface);
}

/* A timeout of kube-proxy's own section counts where ours does not say otherwise. */
static uint32_t read_timeout(const struct kserv_value *root, const char *ours, const char *theirs,
			     struct kserv_errors *errors)
{
	uint32_t seconds = read_seconds(root, ours, errors);

	return seconds || !theirs ? seconds : read_seconds(root, theirs, errors);
}

static void read_kernel(const struct kserv_value *root, struct kserv_config *kernel, struct kserv_errors *errors)
{
	struct port_range masquerade = read_range(root, "kernel.masqueradePortRange", (struct port_range){ 0 }, errors);
	const char *conntrack = kserv_value_string(root, "kernel.conntrack");

	kserv_check_one_of(kserv_value_get(root, "kernel.conntrack"), "auto track bypass", errors);
	kernel->conntrack = !strcmp(conntrack, "bypass") ? KSERV_CONNTRACK_BYPASS :
		!strcmp(conntrack, "track") ? KSERV_CONNTRACK_TRACK : KSERV_CONNTRACK_AUTO;
	kernel->fast_path_set = kserv_value_get(root, "kernel.fastPath") != NULL;
	kernel->fast_path = kserv_value_bool(root, "kernel.fastPath", false);
	kernel->masquerade_port_min = masquerade.min;
	kernel->masquerade_port_max = masquerade.max;
	kernel->flow_max = read_count(root, "kernel.flowMax", errors);
	kernel->session_max = read_count(root, "kernel.sessionMax", errors);
	kernel->tcp_syn_timeout = read_timeout(root, "kernel.tcpSynTimeout", NULL, errors);
	kernel->tcp_established_timeout = read_timeout(root, "kernel.tcpEstablishedTimeout",
						       "conntrack.tcpEstablishedTimeout", errors);
	kernel->tcp_close_timeout = read_timeout(root, "kernel.tcpCloseTimeout", NULL, errors);
	kernel->udp_timeout = read_timeout(root, "kernel.udpTimeout", "conntrack.udpTimeout", errors);
	kernel->udp_stream_timeout = read_timeout(root, "kernel.udpStreamTimeout", "conntrack.udpStreamTimeout",
						  errors);
	kernel->sctp_timeout = read_timeout(root, "kernel.sctpTimeout", NULL, errors);
}

/* Pods' CIDRs: kube-proxy's own file has none unless it says so, and its v1alpha2 has a list. */
static void read_cluster_cidrs(const struct kserv_value *root, struct kserv_settings *settings,
			       struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_find(root, "clusterCIDR"), *entry;
	bool theirs = !strcmp(kserv_value_string(root, "kind"), "KubeProxyConfiguration");

	entry = kserv_value_first(kserv_value_get(root, "detectLocal.clusterCIDRs"));
	if (value || !entry) {
		read_cidrs(value, theirs ? "" : DEFAULT_CLUSTER_CIDR, false, &settings->cluster_cidrs, errors);
		return;
	}
	for (; entry; entry = entry->next)
		read_cidrs(entry, "", false, &settings->cluster_cidrs, errors);
}

static void read_settings(const struct kserv_value *root, struct kserv_settings *settings, struct kserv_errors *errors)
{
	const struct port_range usual = { 30000, 32767 };
	struct port_range range = read_range(root, "serviceNodePortRange", usual, errors);

	read_node(root, settings, errors);
	read_detector(root, settings);
	read_cluster_cidrs(root, settings, errors);
	read_cidrs(kserv_value_find(root, "serviceCIDR"), DEFAULT_SERVICE_CIDR, true, &settings->service_cidrs, errors);
	settings->masquerade_all = kserv_value_bool(root, "masqueradeAll", false) ||
		kserv_value_bool(root, "nftables.masqueradeAll", false) ||
		kserv_value_bool(root, "iptables.masqueradeAll", false);
	read_node_port_addresses(root, settings, errors);
	settings->node_port_min = range.min;
	settings->node_port_max = range.max;
	read_kernel(root, &settings->kernel, errors);
}

void kserv_embedded_config_settings(const struct kserv_embedded_config *config, struct kserv_settings *ret)
{
	struct kserv_errors errors = { 0 };

	memset(ret, 0, sizeof(*ret));
	read_settings(config->tree.root, ret, &errors);
	kserv_errors_clear(&errors);
}

static void finish(struct kserv_embedded_config *config, struct kserv_errors *errors)
{
	const struct kserv_value *root = config->tree.root;
	struct kserv_settings settings = { 0 };
	struct kserv_node_cidrs node_cidrs;

	kserv_schema_check("KservConfiguration", root, errors);
	check_kind(root, errors);
	check_detector(root, errors);
	read_pools(config, errors);
	read_settings(root, &settings, errors);
	kserv_node_cidrs_read(root, &settings.cluster_cidrs, &node_cidrs, errors);
	if (!settings.service_cidrs.n)
		kserv_error_missing(errors, root, "serviceCIDR", "must hold at least one CIDR");
	config->service_cidrs = settings.service_cidrs;
	settings.service_cidrs = (struct kserv_prefixes){ 0 };
	config->limits = (struct kserv_allocator_limits){
		.cluster = config->service_cidrs.v,
		.n_cluster = config->service_cidrs.n,
		.node_port_min = settings.node_port_min,
		.node_port_max = settings.node_port_max,
		.pools = config->pools,
		.n_pools = config->n_pools,
	};
	kserv_settings_clear(&settings);
}

/* A list field may be given as its members with commas in between. */
static struct kserv_value *split_list(struct kserv_tree *tree, const char *text)
{
	struct kserv_value *list = kserv_value_new(tree, KSERV_VALUE_LIST);
	size_t len;

	for (; *text; text += strspn(text, ", ")) {
		len = strcspn(text, ", ");
		if (len)
			kserv_value_append(list, kserv_value_new_string(tree, kserv_tree_strndup(tree, text, len)));
		text += len;
	}
	return list;
}

static struct kserv_value *read_set_value(struct kserv_tree *tree, const char *field, const char *text,
					  struct kserv_errors *errors)
{
	static const char *const lists[] = { "nodePortAddresses", "nodeIPs", "detectLocal.clusterCIDRs" };
	struct kserv_value *value = NULL;
	struct kserv_tree given = { 0 };
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (!strcmp(field, lists[i]) && *text != '[')
			return split_list(tree, text);
	if (!*text)
		return kserv_value_new_string(tree, "");
	if (!kserv_yaml_read(&given, text, strlen(text), 1, errors)) {
		value = kserv_value_copy(tree, given.root);
		kserv_value_unplace(value);
	}
	kserv_tree_clear(&given);
	return value;
}

/* "detectLocal.bridgeInterface=cni0" */
static void set_field(struct kserv_tree *tree, const char *set, struct kserv_errors *errors)
{
	const char *equal = strchr(set, '='), *key = set, *dot;
	struct kserv_value *map = tree->root, *value;
	char *field;

	if (!equal || equal == set) {
		kserv_errors_add(errors, 0, 0, "", "\"%s\" is not FIELD=VALUE, as hostnameOverride=node1", set);
		return;
	}
	field = kserv_tree_strndup(tree, set, equal - set);
	value = read_set_value(tree, field, equal + 1, errors);
	if (!value)
		return;
	for (key = field; (dot = strchr(key, '.')); key = dot + 1)
		map = kserv_value_need_map(tree, map, kserv_tree_strndup(tree, key, dot - key));
	kserv_value_set(map, key, value);
}

static int parse(struct kserv_embedded_config *config, const char *source, const char *text, size_t len,
		 const char *const *sets, struct kserv_errors *errors)
{
	size_t before = errors->n;

	memset(config, 0, sizeof(*config));
	errors->source = source;
	if (kserv_yaml_read(&config->tree, text, len, 1, errors))
		return -EINVAL;
	if (config->tree.root->type == KSERV_VALUE_NULL)
		config->tree.root = kserv_value_new(&config->tree, KSERV_VALUE_MAP);
	errors->source = "--set";
	for (; sets && *sets && config->tree.root->type == KSERV_VALUE_MAP; sets++)
		set_field(&config->tree, *sets, errors);
	errors->source = source;
	finish(config, errors);
	return errors->n > before ? -EINVAL : 0;
}

int kserv_embedded_config_parse(struct kserv_embedded_config *config, const char *source, const char *text, size_t len,
				struct kserv_errors *errors)
{
	return parse(config, source, text, len, NULL, errors);
}

int kserv_embedded_config_read(struct kserv_embedded_config *config, const char *path, const char *const *sets,
			       struct kserv_errors *errors)
{
	const char *name = path ? path : KSERV_CONFIG_PATH;
	struct kserv_text text = { 0 };
	int error = kserv_file_read(name, &text), result;

	memset(config, 0, sizeof(*config));
	if (error && (path || error != -ENOENT)) {
		errors->source = name;
		kserv_errors_add(errors, 0, 0, "", "cannot be read: %s", strerror(-error));
		return -EINVAL;
	}
	result = parse(config, name, text.s ? text.s : "", text.len, sets, errors);
	kserv_text_clear(&text);
	return result;
}

void kserv_embedded_config_clear(struct kserv_embedded_config *config)
{
	size_t i;

	for (i = 0; i < config->n_pools; i++) {
		free(config->pools[i].name);
		free(config->pools[i].spans);
	}
	free(config->pools);
	free(config->service_cidrs.v);
	kserv_tree_clear(&config->tree);
	memset(config, 0, sizeof(*config));
}
