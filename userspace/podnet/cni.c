// SPDX-License-Identifier: GPL-2.0
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static int make_folder(const char *folder)
{
	char *copy = kserv_must_strdup(folder), *slash;
	int error = 0;

	for (slash = copy + 1; !error && (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		error = mkdir(copy, 0755) && errno != EEXIST ? -errno : 0;
	}
	if (!error && mkdir(copy, 0755) && errno != EEXIST)
		error = -errno;
	free(copy);
	return error;
}

static int write_whole(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t written;
	int fd, error;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	written = write(fd, text, len);
	error = written < 0 || fsync(fd) ? -errno : (size_t)written < len ? -ENOSPC : 0;
	close(fd);
	return error;
}

static int sync_folder(const char *folder)
{
	int error, fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	error = fsync(fd) ? -errno : 0;
	close(fd);
	return error;
}

int kserv_cni_write(const char *path, const char *text, bool *ret_changed, char **ret_why)
{
	char *folder_of = kserv_must_strdup(path), *folder = dirname(folder_of);
	/* Runtimes read what ends in .conf, .conflist or .json. */
	char *temporary = kserv_must_printf("%s.temp", path);
	int error;

	*ret_why = NULL;
	*ret_changed = kserv_cni_check(path, text, ret_why) != 0;
	free(*ret_why);
	*ret_why = NULL;
	error = *ret_changed ? make_folder(folder) : 0;
	if (*ret_changed && !error)
		error = write_whole(temporary, text);
	if (*ret_changed && !error && rename(temporary, path))
		error = -errno;
	if (*ret_changed && !error)
		error = sync_folder(folder);
	if (error) {
		unlink(temporary);
		fail(ret_why, error, path, "written");
	}
	free(temporary);
	free(folder_of);
	return error;
}

int kserv_cni_remove(const char *path, bool *ret_changed, char **ret_why)
{
	*ret_why = NULL;
	*ret_changed = !unlink(path);
	return *ret_changed || errno == ENOENT ? 0 : fail(ret_why, -errno, path, "removed");
}
