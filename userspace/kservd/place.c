// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "kservd/place.h"

/* The kind whose plural is @plural in the group and version that @prefix ends with. */
static const struct kserv_kind *find_kind(const char *prefix, size_t prefix_len, const char *plural)
{
	const struct kserv_kind *kind;

	for (kind = kserv_kinds; kind->kind; kind++)
		if (strlen(kind->api_version) == prefix_len && !strncmp(kind->api_version, prefix, prefix_len) &&
		    !strcmp(kind->plural, plural))
			return kind;
	return NULL;
}

bool place_read(const char *path, struct place *ret)
{
	char rest[256] = "", plural[64] = "", extra;
	const char *version;
	size_t len;

	*ret = (struct place){ 0 };
	if (!strncmp(path, "/api/", 5)) {
		version = path + 5;
		len = strcspn(version, "/");
	} else if (!strncmp(path, "/apis/", 6)) {
		version = path + 6;
		len = strcspn(version, "/");
		if (version[len])
			len += 1 + strcspn(version + len + 1, "/");
	} else {
		return false;
	}
	if (sscanf(version + len, "/namespaces/%255[^/]/%63[^/]%255s", ret->namespace, plural, rest) < 2) {
		ret->namespace[0] = '\0';
		if (sscanf(version + len, "/%63[^/]%255s", plural, rest) < 1)
			return false;
	}
	if (*rest && (sscanf(rest, "/%255[^/]%c", ret->name, &extra) != 1))
		return false;
	ret->kind = find_kind(version, len, plural);
	return ret->kind && (ret->kind->namespaced || !*ret->namespace) &&
		!(ret->kind->namespaced && *ret->name && !*ret->namespace);
}
