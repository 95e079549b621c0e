// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan/address.h"
#include "plan/frontend.h"
#include "plan/prefixes.h"
#include "plan/warning.h"

/* The parts that all the readers below need. */
struct reader {
	const struct kserv_here *here;
	const struct kserv_k8s_service *service;
	struct kserv_warnings *warnings;
};

/* Reads an address that packets can be sent to; says why not if it is none. */
static bool read_destination(const struct reader *reader, const char *field, size_t i, const char *text,
			     struct kserv_addr *ret_addr)
{
	if (!kserv_address_read(text, ret_addr)) {
		kserv_warn(reader->warnings, "Service", &reader->service->meta,
			   "%s[%zu] \"%s\" is not an address and was skipped", field, i, text);
		return false;
	}
	if (kserv_address_is_unusable(ret_addr) || kserv_address_is_loopback(ret_addr)) {
		kserv_warn(reader->warnings, "Service", &reader->service->meta,
			   "%s[%zu] %s cannot be served: it is a loopback, multicast or unspecified address", field, i, text);
		return false;
	}
	return true;
}

static const char *ip_family(const struct kserv_k8s_service *service, size_t i)
{
	return i < service->ip_families.n ? service->ip_families.v[i] : NULL;
}

/* Rule 1.16: by position in ipFamilies; an object without them is old and takes the family of its address. */
static void read_cluster_ip(const struct reader *reader, struct kserv_reach *reach, size_t i, const char *text)
{
	const char *family = ip_family(reader->service, i);
	struct kserv_addr addr;

	if (reader->service->ip_families.n && !family)
		return;
	if (!read_destination(reader, "spec.clusterIPs", i, text, &addr))
		return;
	if (family && strcmp(family, addr.family == AF_INET ? "IPv4" : "IPv6")) {
		kserv_warn(reader->warnings, "Service", &reader->service->meta,
			   "spec.clusterIPs[%zu] %s is not of family spec.ipFamilies[%zu] %s and was skipped", i, text, i, family);
		return;
	}
	if (reach->cluster[kserv_family_index(addr.family)].family == AF_UNSPEC)
		reach->cluster[kserv_family_index(addr.family)] = addr;
}

static void read_cluster_ips(const struct reader *reader, struct kserv_reach *reach)
{
	const struct kserv_k8s_service *service = reader->service;
	size_t i;

	if (!service->cluster_ips.n)
		read_cluster_ip(reader, reach, 0, service->cluster_ip);
	for (i = 0; i < service->cluster_ips.n; i++)
		read_cluster_ip(reader, reach, i, service->cluster_ips.v[i]);
}

static bool contains(const struct kserv_addrs *addrs, const struct kserv_addr *addr)
{
	size_t i;

	for (i = 0; i < addrs->n; i++)
		if (kserv_addr_is_equal(&addrs->v[i], addr))
			return true;
	return false;
}

/* Rule 1.9: only what the balancer sends to this node as it is; spec.loadBalancerIP is only a wish. */
static int read_vips(const struct reader *reader, struct kserv_reach *reach)
{
	const struct kserv_k8s_service *service = reader->service;
	struct kserv_addr addr;
	size_t i;

	reach->vips.v = calloc(service->n_ingress + 1, sizeof(*reach->vips.v));
	if (!reach->vips.v)
		return -ENOMEM;
	for (i = 0; i < service->n_ingress; i++) {
		if (!*service->ingress[i].ip || service->ingress[i].proxy)
			continue;
		if (read_destination(reader, "status.loadBalancer.ingress", i, service->ingress[i].ip, &addr) &&
		    !contains(&reach->vips, &addr))
			reach->vips.v[reach->vips.n++] = addr;
	}
	return 0;
}

/* An address that is a VIP too is served as one, since its source ranges hold for every packet to it (rule 1.30). */
static int read_external_ips(const struct reader *reader, struct kserv_reach *reach)
{
	const struct kserv_strings *texts = &reader->service->external_ips;
	struct kserv_addr addr;
	size_t i;

	reach->external.v = calloc(texts->n + 1, sizeof(*reach->external.v));
	if (!reach->external.v)
		return -ENOMEM;
	for (i = 0; i < texts->n; i++)
		if (read_destination(reader, "spec.externalIPs", i, texts->v[i], &addr) &&
		    !contains(&reach->external, &addr) && !contains(&reach->vips, &addr))
			reach->external.v[reach->external.n++] = addr;
	return 0;
}

/*
 * Rule 1.32: where this node itself is among the allowed sources, so is each VIP: a node that has the VIP as a local
 * address talks to it from it.
 */
static int allow_vips(const struct kserv_here *here, struct kserv_reach *reach, unsigned int family)
{
	struct kserv_prefixes *sources = &reach->sources[family];
	size_t i, n = sources->n;
	bool allowed = false;
	int error;

	for (i = 0; i < n && here->primary[family].family != AF_UNSPEC; i++)
		allowed |= kserv_cidr_contains(&sources->v[i], &here->primary[family]);
	for (i = 0; allowed && i < reach->vips.n; i++) {
		struct kserv_prefix prefix = kserv_cidr_of(&reach->vips.v[i]);

		if (kserv_family_index(prefix.addr.family) != family)
			continue;
		error = kserv_prefixes_add(sources, &prefix);
		if (error)
			return error;
	}
	return 0;
}

/*
 * What the ranges of a family become when none of them can be read: nobody is allowed, rather than everybody. The
 * unspecified address is the source of no packet to a service.
 */
static int allow_nobody(struct kserv_prefixes *sources, uint8_t family)
{
	struct kserv_addr addr = { .family = family };
	struct kserv_prefix nobody = kserv_cidr_of(&addr);

	return kserv_prefixes_add(sources, &nobody);
}

/* Rule 1.33: a family without a range of its own is open to all. */
static int read_sources(const struct reader *reader, struct kserv_reach *reach)
{
	const struct kserv_strings *texts = &reader->service->source_ranges;
	bool unreadable[2] = { false, false };
	struct kserv_prefix prefix;
	unsigned int family;
	int error = 0;
	size_t i;

	for (i = 0; i < texts->n && !error; i++) {
		if (kserv_cidr_read(texts->v[i], &prefix)) {
			error = kserv_prefixes_add(&reach->sources[kserv_family_index(prefix.addr.family)], &prefix);
			continue;
		}
		unreadable[!!strchr(texts->v[i], ':')] = true;
		kserv_warn(reader->warnings, "Service", &reader->service->meta,
			   "spec.loadBalancerSourceRanges[%zu] \"%s\" is not a CIDR; it allows nobody", i, texts->v[i]);
	}
	for (family = 0; family < 2 && !error; family++) {
		error = allow_vips(reader->here, reach, family);
		if (!error && unreadable[family] && !reach->sources[family].n)
			error = allow_nobody(&reach->sources[family], family ? AF_INET6 : AF_INET);
		kserv_prefixes_sort(&reach->sources[family]);
	}
	return error;
}

int kserv_reach_init(struct kserv_reach *reach, const struct kserv_here *here,
		     const struct kserv_k8s_service *service, struct kserv_warnings *warnings)
{
	struct reader reader = { here, service, warnings };
	int error;

	memset(reach, 0, sizeof(*reach));
	read_cluster_ips(&reader, reach);
	error = read_vips(&reader, reach);
	if (!error)
		error = read_external_ips(&reader, reach);
	if (!error)
		error = read_sources(&reader, reach);
	if (error)
		kserv_reach_clear(reach);
	return error;
}

void kserv_reach_clear(struct kserv_reach *reach)
{
	free(reach->external.v);
	free(reach->vips.v);
	free(reach->sources[0].v);
	free(reach->sources[1].v);
	memset(reach, 0, sizeof(*reach));
}
