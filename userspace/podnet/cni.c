// SPDX-License-Identifier: GPL-2.0
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cluster/file.h"
#include "cluster/memory.h"
#include "lib/addr.h"
#include "podnet/cni.h"

void kserv_cni_config_clear(struct kserv_cni_config *config)
{
	free(config->path);
	free(config->bridge);
	free(config->state);
	memset(config, 0, sizeof(*config));
}

static cJSON *must(cJSON *json)
{
	if (!json)
		abort();
	return json;
}

static cJSON *add_map(cJSON *list)
{
	cJSON *map = must(cJSON_CreateObject());

	cJSON_AddItemToArray(list, map);
	return map;
}

static cJSON *write_ipam(const struct kserv_cni_config *config, const struct kserv_prefixes *cidrs)
{
	cJSON *ipam = must(cJSON_CreateObject()), *ranges, *routes, *range;
	bool has[2] = { false };
	char text[KSERV_ADDR_TEXT];
	size_t i;

	cJSON_AddStringToObject(ipam, "type", "host-local");
	cJSON_AddStringToObject(ipam, "dataDir", config->state);
	ranges = must(cJSON_AddArrayToObject(ipam, "ranges"));
	for (i = 0; i < cidrs->n; i++) {
		bool is_v6 = cidrs->v[i].addr.family == AF_INET6;

		/* A pod gets an address of each list of ranges, so of the first CIDR of a family. */
		if (has[is_v6])
			continue;
		has[is_v6] = true;
		range = must(cJSON_CreateArray());
		cJSON_AddItemToArray(ranges, range);
		cJSON_AddStringToObject(add_map(range), "subnet", kserv_prefix_format(&cidrs->v[i], text));
	}
	routes = must(cJSON_AddArrayToObject(ipam, "routes"));
	for (i = 0; i < 2; i++)
		if (has[i])
			cJSON_AddStringToObject(add_map(routes), "dst", i ? "::/0" : "0.0.0.0/0");
	return ipam;
}

static void write_interface(const struct kserv_cni_config *config, const struct kserv_prefixes *cidrs, uint32_t mtu,
			    cJSON *plugin)
{
	bool is_bridge = *config->bridge;

	cJSON_AddStringToObject(plugin, "type", is_bridge ? "bridge" : "ptp");
	if (is_bridge) {
		cJSON_AddStringToObject(plugin, "bridge", config->bridge);
		/* The default route is among those of ipam; isDefaultGateway would add it a second time. */
		cJSON_AddBoolToObject(plugin, "isGateway", true);
		/* A pod that is its own Service's endpoint comes back by the port it left. */
		cJSON_AddBoolToObject(plugin, "hairpinMode", true);
	}
	cJSON_AddBoolToObject(plugin, "ipMasq", false);
	if (mtu)
		cJSON_AddNumberToObject(plugin, "mtu", mtu);
	cJSON_AddItemToObject(plugin, "ipam", write_ipam(config, cidrs));
}

char *kserv_cni_text(const struct kserv_cni_config *config, const struct kserv_prefixes *cidrs, uint32_t mtu)
{
	cJSON *root = must(cJSON_CreateObject()), *plugins, *plugin;
	char *json, *text;

	/* From 0.4.0 on there is CHECK; plugins before 1.2 do not know 1.1.0. */
	cJSON_AddStringToObject(root, "cniVersion", "1.0.0");
	cJSON_AddStringToObject(root, "name", "kserv");
	plugins = must(cJSON_AddArrayToObject(root, "plugins"));
	write_interface(config, cidrs, mtu, add_map(plugins));
	plugin = add_map(plugins);
	cJSON_AddStringToObject(plugin, "type", "portmap");
	cJSON_AddBoolToObject(must(cJSON_AddObjectToObject(plugin, "capabilities")), "portMappings", true);
	json = cJSON_Print(root);
	if (!json)
		abort();
	text = kserv_must_printf("%s\n", json);
	cJSON_free(json);
	cJSON_Delete(root);
	return text;
}

static int fail(char **ret_why, int error, const char *path, const char *what)
{
	*ret_why = kserv_must_printf("%s cannot be %s: %s", path, what, strerror(-error));
	return error;
}

int kserv_cni_check(const char *path, const char *text, char **ret_why)
{
	struct kserv_text held = { 0 };
	int error = kserv_file_read(path, &held);

	if (error == -ENOENT)
		*ret_why = kserv_must_printf("%s is not there, so no pod can be started", path);
	else if (error)
		fail(ret_why, error, path, "read");
	else if (!held.s || strcmp(held.s, text))
		*ret_why = kserv_must_printf("%s says something else than it should; kservctl cni write makes it anew", path);
	if (!error && *ret_why)
		error = -ESTALE;
	kserv_text_clear(&held);
	return error;
}

int kserv_cni_write(const char *path, const char *text, bool *ret_changed, char **ret_why)
{
	/* Runtimes read what ends in .conf, .conflist or .json, so not what is there meanwhile. */
	int error = kserv_file_replace(path, text, ret_changed);

	*ret_why = NULL;
	return error ? fail(ret_why, error, path, "written") : 0;
}

int kserv_cni_remove(const char *path, bool *ret_changed, char **ret_why)
{
	*ret_why = NULL;
	*ret_changed = !unlink(path);
	return *ret_changed || errno == ENOENT ? 0 : fail(ret_why, -errno, path, "removed");
}
