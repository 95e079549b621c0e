// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cluster/file.h"
#include "cluster/manifest.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "cluster_objects.h"
#include "dns_cluster.h"

static void read_file(const char *path, struct kserv_cluster *cluster)
{
	struct kserv_manifests manifests = { .skip_unknown = true };
	struct kserv_errors errors = { 0 };
	struct kserv_text text = { 0 };
	size_t i;

	if (kserv_file_read(path, &text)) {
		fprintf(stderr, "%s cannot be read\n", path);
		exit(1);
	}
	kserv_manifests_read(&manifests, path, text.s ? text.s : "", text.len, &errors);
	for (i = 0; i < manifests.n; i++)
		kserv_manifest_check(&manifests.v[i], &errors);
	for (i = 0; i < errors.n; i++)
		fprintf(stderr, "%s\n", kserv_error_format(&errors.v[i]));
	if (errors.n)
		exit(1);
	for (i = 0; i < manifests.n; i++)
		cluster_add(cluster, manifests.v[i].value);
	kserv_manifests_clear(&manifests);
	kserv_text_clear(&text);
}

void dns_cluster_read(const char *path, struct kserv_cluster *cluster)
{
	struct dirent **entries;
	struct stat status;
	char *name;
	int i, n;

	if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
		read_file(path, cluster);
		return;
	}
	n = scandir(path, &entries, NULL, alphasort);
	for (i = 0; i < n; i++) {
		name = kserv_must_printf("%s/%s", path, entries[i]->d_name);
		if (strstr(entries[i]->d_name, ".yaml"))
			read_file(name, cluster);
		free(name);
		free(entries[i]);
	}
	free(entries);
}

void dns_cluster_set(const char *path, struct kserv_zone *zone)
{
	struct kserv_cluster cluster = { 0 };
	size_t i;

	dns_cluster_read(path, &cluster);
	for (i = 0; i < cluster.n_namespaces; i++)
		kserv_zone_set_namespace(zone, cluster.namespaces[i]->meta.name);
	for (i = 0; i < cluster.n_services; i++)
		kserv_zone_set_service(zone, cluster.services[i]);
	for (i = 0; i < cluster.n_slices; i++)
		kserv_zone_set_slice(zone, cluster.slices[i]);
	for (i = 0; i < cluster.n_pods; i++)
		kserv_zone_set_pod(zone, cluster.pods[i]);
	kserv_cluster_clear(&cluster);
}
