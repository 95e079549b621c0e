// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/check.h"
#include "cluster/memory.h"
#include "lib/addr.h"
#include "podnet/config.h"

static const char *const modes[] = {
	[KSERV_PODNET_NONE] = "none", [KSERV_PODNET_AUTO] = "auto",
	[KSERV_PODNET_DIRECT] = "direct", [KSERV_PODNET_VXLAN] = "vxlan",
};

static uint32_t read_number(const struct kserv_value *map, const char *key, uint32_t otherwise, uint32_t min,
			    uint32_t max, struct kserv_errors *errors)
{
	int64_t number = kserv_value_int(map, key, otherwise);

	if (number != otherwise && (number < min || number > max))
		kserv_error_at(errors, kserv_value_find(map, key), "must be between %u and %u", min, max);
	return number;
}

/* As the kernel takes the name of a device. */
static bool read_device(const struct kserv_value *map, const char *key, const char *otherwise, char ret[IFNAMSIZ],
			struct kserv_errors *errors)
{
	const char *name = kserv_value_string(map, key);

	if (!*name)
		name = otherwise;
	if (strlen(name) >= IFNAMSIZ || strpbrk(name, "/: \t\n") || !strcmp(name, ".") || !strcmp(name, "..")) {
		kserv_error_at(errors, kserv_value_find(map, key),
			       "\"%s\" cannot be the name of a device: up to 15 characters without '/', ':' and blanks", name);
		return false;
	}
	strcpy(ret, name);
	return true;
}

static char *read_path(const struct kserv_value *map, const char *key, const char *otherwise,
		       struct kserv_errors *errors)
{
	const struct kserv_value *value = kserv_value_find(map, key);
	const char *path = value ? kserv_value_string(map, key) : otherwise;

	if (*path && *path != '/')
		kserv_error_at(errors, value, "\"%s\" must be an absolute path", path);
	return kserv_must_strdup(path);
}

static void read_cni(const struct kserv_value *map, struct kserv_cni_config *ret, struct kserv_errors *errors)
{
	char bridge[IFNAMSIZ] = "";

	kserv_check_one_of(kserv_value_find(map, "type"), "ptp bridge", errors);
	read_device(map, "bridge", KSERV_CNI_BRIDGE, bridge, errors);
	ret->path = read_path(map, "path", KSERV_CNI_PATH, errors);
	ret->state = read_path(map, "dataDir", KSERV_CNI_STATE, errors);
	ret->bridge = kserv_must_strdup(strcmp(kserv_value_string(map, "type"), "bridge") ? "" : bridge);
}

static void read_inside(const struct kserv_value *list, struct kserv_prefixes *ret, struct kserv_errors *errors)
{
	const struct kserv_value *value;

	for (value = kserv_value_first(list); value; value = value->next) {
		if (value->type != KSERV_VALUE_STRING)
			continue;
		ret->v = kserv_must_grow(ret->v, ret->n, sizeof(*ret->v));
		if (kserv_prefix_parse(value->text, &ret->v[ret->n]))
			kserv_error_at(errors, value, "\"%s\" is not a CIDR such as 10.0.0.0/8 or fd00::/64", value->text);
		else
			ret->n++;
	}
}

bool kserv_podnet_config_read(const struct kserv_value *root, struct kserv_podnet_config *ret,
			      struct kserv_cni_config *ret_cni, struct kserv_errors *errors)
{
	const struct kserv_value *map = kserv_value_find(root, "podNetwork"), *vxlan = kserv_value_find(map, "vxlan");
	const char *mode = kserv_value_string(map, "mode"), *family = kserv_value_string(vxlan, "family");
	size_t i;

	memset(ret, 0, sizeof(*ret));
	memset(ret_cni, 0, sizeof(*ret_cni));
	kserv_check_one_of(kserv_value_find(map, "mode"), "auto direct vxlan none", errors);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(mode, modes[i]))
			ret->mode = i;
	ret->mtu = read_number(map, "mtu", 0, KSERV_PODNET_MTU_MIN, 65535, errors);
	read_device(vxlan, "device", KSERV_PODNET_DEVICE, ret->device, errors);
	ret->vni = read_number(vxlan, "id", KSERV_PODNET_VNI, 1, 0xffffff, errors);
	ret->port = read_number(vxlan, "port", KSERV_PODNET_PORT, 1, UINT16_MAX, errors);
	kserv_check_one_of(kserv_value_find(vxlan, "family"), "IPv4 IPv6", errors);
	ret->family = !strcmp(family, "IPv4") ? AF_INET : !strcmp(family, "IPv6") ? AF_INET6 : AF_UNSPEC;
	read_cni(kserv_value_find(map, "cni"), ret_cni, errors);
	/* Who has somebody else for the way to other pods has him for the way out, too, unless it says otherwise. */
	ret->masquerade = kserv_value_bool(map, "masquerade", ret->mode != KSERV_PODNET_NONE);
	read_inside(kserv_value_find(map, "nonMasqueradeCIDRs"), &ret->inside, errors);
	return *mode;
}

void kserv_podnet_config_clear(struct kserv_podnet_config *config)
{
	free(config->inside.v);
	config->inside = (struct kserv_prefixes){ 0 };
}
