// SPDX-License-Identifier: GPL-2.0
/* env: what Kubernetes puts into the environment of a new pod. */
#include <stdio.h>
#include <string.h>
#include "cluster/environment.h"
#include "kservctl/commands.h"
#include "kservctl/desired.h"

struct poptOption env_options[] = {
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, output_options, 0, NULL, NULL },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

const char env_more[] =
	"A line NAME=VALUE for each variable: of the Services with a cluster IP in the namespace, in the order of their\n"
	"names, and of default/kubernetes. In JSON one object of them.\n"
	"\n"
	"  kservctl env -n shop\n"
	"  env $(kservctl env -n shop) ./server\n";

static void print_environment(const struct kserv_environment *environment, enum output_format format)
{
	cJSON *tree;
	size_t i;

	if (format == OUTPUT_TABLE) {
		for (i = 0; i < environment->n; i++)
			printf("%s=%s\n", environment->v[i].name, environment->v[i].value);
		return;
	}
	tree = cJSON_CreateObject();
	for (i = 0; i < environment->n; i++)
		if (!cJSON_AddStringToObject(tree, environment->v[i].name, environment->v[i].value))
			no_memory();
	print_tree(tree, format);
}

static bool namespace_exists(const struct kserv_cluster *cluster, const char *namespace)
{
	size_t i;

	for (i = 0; i < cluster->n_namespaces; i++)
		if (!strcmp(cluster->namespaces[i]->meta.name, namespace))
			return true;
	return false;
}

enum exit_code cmd_env(int argc, const char **argv)
{
	struct kserv_environment environment;
	struct kserv_errors errors = { 0 };
	struct kserv_embedded embedded;
	struct kserv_cluster cluster;
	enum output_format format;
	enum exit_code code;

	if (argc)
		return usage_error("'%s' is too much; a namespace is given with -n", argv[0]);
	if (!output_format(1 << OUTPUT_TABLE | 1 << OUTPUT_JSON | 1 << OUTPUT_YAML, &format))
		return USAGE;
	code = open_cluster(false, &embedded);
	if (code)
		return code;
	if (kserv_embedded_cluster(&embedded, &cluster, &errors)) {
		print_errors(&errors);
		kserv_embedded_close(&embedded);
		return REFUSED;
	}
	if (!namespace_exists(&cluster, chosen_namespace())) {
		kserv_log_error("namespace \"%s\" not found", chosen_namespace());
		code = REFUSED;
	} else {
		kserv_environment_of(&cluster, chosen_namespace(), &environment);
		print_environment(&environment, format);
		kserv_environment_clear(&environment);
	}
	kserv_cluster_clear(&cluster);
	kserv_embedded_close(&embedded);
	return code;
}
