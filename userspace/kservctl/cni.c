// SPDX-License-Identifier: GPL-2.0
/* cni write, check, remove: the file by which a container runtime gives pods their network. */
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "kservctl/arguments.h"
#include "kservctl/commands.h"
#include "kservctl/desired.h"
#include "lib/addr.h"
#include "podnet/apply.h"
#include "podnet/config.h"

static int mtu_given;

#define MTU_OPTION { "mtu", '\0', POPT_ARG_INT, &mtu_given, 0, "of the pods' devices, if not as podNetwork has it",	\
		     "BYTES" }

struct poptOption cni_write_options[] = {
	MTU_OPTION,
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct poptOption cni_check_options[] = {
	MTU_OPTION,
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

struct poptOption cni_remove_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char cni_write_more[] =
	"The file that podNetwork.cni.path names, for the plugins that podNetwork.cni.type does. The pod CIDRs are those of\n"
	"this machine's Node in the embedded cluster, unless they are given. kservd writes the file by itself once Services\n"
	"and routes are in the kernel. In JSON: {path, changed}.\n";

const char cni_check_more[] =
	"Exit code 1 if the file is not there or not what cni write would make of it. In JSON: {path, right, reason}.\n";

const char cni_remove_more[] =
	"The node takes no new pods from then on. kservd, where it runs, writes the file again.\n"
	"In JSON: {path, changed}.\n";

/**
 * struct cni - what the commands work with
 * @format: of the answer
 */
struct cni {
	struct kserv_podnet_config config;
	struct kserv_cni_config file;
	struct kserv_prefixes cidrs;
	uint32_t mtu;
	enum output_format format;
};

static void cni_clear(struct cni *cni)
{
	kserv_podnet_config_clear(&cni->config);
	kserv_cni_config_clear(&cni->file);
	free(cni->cidrs.v);
}

static enum exit_code complain(int error, char *why)
{
	kserv_log_error("%s", why ? why : strerror(-error));
	free(why);
	return REFUSED;
}

/* As kservd plans it, with the kernel as it is now. */
static enum exit_code plan_file(const struct kserv_cluster *cluster, struct cni *cni, bool want_cidrs)
{
	struct kserv_podnet_view view = { 0 };
	struct kserv_podnet_plan plan;
	struct nl_sock *socket;
	struct kserv_here here;
	char *why = NULL;
	int error;

	kserv_here_init(&here, cluster);
	if (!here.node && want_cidrs) {
		kserv_log_error("there is no Node \"%s\" in the embedded cluster; apply it, or give the pod CIDRs",
				cluster->settings.node_name);
		return REFUSED;
	}
	if (!here.node)
		return DONE;
	error = kserv_podnet_open(&socket, &why);
	if (error)
		return complain(error, why);
	error = kserv_podnet_view(socket, here.primary, &view, &why);
	if (!error) {
		kserv_podnet_plan(&cni->config, &here, cluster->nodes, cluster->n_nodes, &view, &plan, NULL);
		cni->mtu = mtu_given ? cni->mtu : plan.pod_mtu;
		if (want_cidrs) {
			cni->cidrs = plan.pod_cidrs;
			plan.pod_cidrs = (struct kserv_prefixes){ 0 };
		}
		kserv_podnet_plan_clear(&plan);
	}
	kserv_podnet_view_clear(&view);
	nl_socket_free(socket);
	return error ? complain(error, why) : DONE;
}

static enum exit_code read_cluster(struct kserv_embedded *embedded, struct cni *cni)
{
	struct kserv_errors errors = { 0 };
	struct kserv_cluster cluster;
	bool want_cidrs = !cni->cidrs.n;
	enum exit_code code;

	if (kserv_embedded_cluster(embedded, &cluster, &errors)) {
		print_errors(&errors);
		return REFUSED;
	}
	code = plan_file(&cluster, cni, want_cidrs);
	kserv_cluster_clear(&cluster);
	if (!code && !cni->cidrs.n) {
		kserv_log_error("this machine's Node has no spec.podCIDRs; give it some, or give them here");
		code = REFUSED;
	}
	return code;
}

static enum exit_code read_config(struct kserv_embedded *embedded, struct cni *cni)
{
	struct kserv_errors errors = { .source = NULL };

	/* The file may be asked for where routes are somebody else's: then it is as in mode none. */
	kserv_podnet_config_read(embedded->config.tree.root, &cni->config, &cni->file, &errors);
	if (errors.n) {
		print_errors(&errors);
		return REFUSED;
	}
	if (!*cni->file.path) {
		kserv_log_error("podNetwork.cni.path is \"\", so there is no file");
		return REFUSED;
	}
	return DONE;
}

/* Reads the command line, the configuration and, with @want_text, what the file should say. */
static enum exit_code prepare(int argc, const char **argv, bool want_text, struct cni *cni)
{
	struct kserv_embedded embedded;
	enum exit_code code;
	int i;

	memset(cni, 0, sizeof(*cni));
	if (!output_format(1 << OUTPUT_TABLE | 1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &cni->format))
		return USAGE;
	if (mtu_given && (mtu_given < 68 || mtu_given > 65535))
		return usage_error("--mtu %d: it must be between 68 and 65535", mtu_given);
	cni->mtu = mtu_given;
	if (argc && !want_text)
		return usage_error("'%s' is too much", argv[0]);
	for (i = 0; i < argc; i++) {
		cni->cidrs.v = kserv_must_grow(cni->cidrs.v, cni->cidrs.n, sizeof(*cni->cidrs.v));
		if (!parse_prefix("pod CIDR", argv[i], &cni->cidrs.v[cni->cidrs.n++]))
			return USAGE;
	}
	code = open_cluster(false, &embedded);
	if (code)
		return code;
	code = read_config(&embedded, cni);
	if (!code && want_text)
		code = read_cluster(&embedded, cni);
	kserv_embedded_close(&embedded);
	return code;
}

static void tell_change(const struct cni *cni, const char *done, bool changed)
{
	cJSON *tree;

	if (cni->format == OUTPUT_TABLE) {
		printf("%s %s\n", cni->file.path, changed ? done : "unchanged");
		return;
	}
	tree = cJSON_CreateObject();
	if (!cJSON_AddStringToObject(tree, "path", cni->file.path) || !cJSON_AddBoolToObject(tree, "changed", changed))
		no_memory();
	print_tree(tree, cni->format);
}

enum exit_code cmd_cni_write(int argc, const char **argv)
{
	struct cni cni;
	enum exit_code code = prepare(argc, argv, true, &cni);
	char *text, *why = NULL;
	bool changed;
	int error;

	if (!code) {
		text = kserv_cni_text(&cni.file, &cni.cidrs, cni.mtu);
		error = kserv_cni_write(cni.file.path, text, &changed, &why);
		free(text);
		if (error)
			code = complain(error, why);
		else
			tell_change(&cni, "written", changed);
	}
	cni_clear(&cni);
	return code;
}

enum exit_code cmd_cni_check(int argc, const char **argv)
{
	struct cni cni;
	enum exit_code code = prepare(argc, argv, true, &cni);
	char *text, *why = NULL;
	cJSON *tree;

	if (!code) {
		text = kserv_cni_text(&cni.file, &cni.cidrs, cni.mtu);
		code = kserv_cni_check(cni.file.path, text, &why) ? REFUSED : DONE;
		free(text);
		if (cni.format != OUTPUT_TABLE) {
			tree = cJSON_CreateObject();
			if (!cJSON_AddStringToObject(tree, "path", cni.file.path) ||
			    !cJSON_AddBoolToObject(tree, "right", !code) ||
			    (why && !cJSON_AddStringToObject(tree, "reason", why)))
				no_memory();
			print_tree(tree, cni.format);
		} else if (code) {
			kserv_log_error("%s", why);
		} else {
			printf("%s is as it should be\n", cni.file.path);
		}
		free(why);
	}
	cni_clear(&cni);
	return code;
}

enum exit_code cmd_cni_remove(int argc, const char **argv)
{
	struct cni cni;
	enum exit_code code = prepare(argc, argv, false, &cni);
	char *why = NULL;
	bool changed;
	int error;

	if (!code) {
		error = kserv_cni_remove(cni.file.path, &changed, &why);
		if (error)
			code = complain(error, why);
		else
			tell_change(&cni, "removed", changed);
	}
	cni_clear(&cni);
	return code;
}
