// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kservd/health.h"

bool health_node_is_eligible(const struct kserv_node *node, bool must_be_known)
{
	size_t i;

	if (!node)
		return !must_be_known;
	for (i = 0; i < node->taints.n; i++)
		if (!strcmp(node->taints.v[i], HEALTH_TAINT))
			return false;
	return !node->meta.deleting;
}

static void add_header(struct http_answer *answer, const char *name, const char *value)
{
	size_t i = 0;

	while (answer->headers[i].name)
		i++;
	answer->headers[i].name = name;
	answer->headers[i].value = kserv_must_strdup(value);
}

/* RFC 3339, as Go writes times in JSON. */
static void add_time(struct kserv_text *text, const char *name, const struct timespec *time)
{
	char day[32];
	struct tm tm;

	gmtime_r(&time->tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	kserv_text_printf(text, "\"%s\": \"%s.%09ldZ\"", name, day, time->tv_nsec);
}

static void add_family(struct kserv_text *text, const char *family, const struct health *health)
{
	kserv_text_printf(text, "\"%s\": {", family);
	add_time(text, "lastUpdated", &health->updated);
	kserv_text_printf(text, ", \"healthy\": %s}", health->healthy ? "true" : "false");
}

void health_answer(const struct health *health, bool with_node, struct http_answer *answer)
{
	bool healthy = health->healthy && (!with_node || health->eligible);
	struct kserv_text *text = &answer->body;

	answer->status = healthy ? 200 : 503;
	answer->type = "application/json";
	add_header(answer, "X-Content-Type-Options", "nosniff");
	kserv_text_add(text, "{");
	add_time(text, "lastUpdated", healthy ? &health->now : &health->updated);
	kserv_text_add(text, ", ");
	add_time(text, "currentTime", &health->now);
	if (with_node)
		kserv_text_printf(text, ", \"nodeEligible\": %s", health->eligible ? "true" : "false");
	kserv_text_printf(text, ", \"healthy\": %s, \"status\": {", healthy ? "true" : "false");
	add_family(text, "IPv4", health);
	kserv_text_add(text, ", ");
	add_family(text, "IPv6", health);
	kserv_text_add(text, "}}\n");
}

void health_check_answer(const char *namespace, const char *name, size_t local, bool healthy,
			 struct http_answer *answer)
{
	char weight[24];

	answer->status = local && healthy ? 200 : 503;
	answer->type = "application/json";
	add_header(answer, "X-Content-Type-Options", "nosniff");
	snprintf(weight, sizeof(weight), "%zu", local);
	add_header(answer, "X-Load-Balancing-Endpoint-Weight", weight);
	kserv_text_printf(&answer->body,
			  "{\n\t\"service\": {\n\t\t\"namespace\": \"%s\",\n\t\t\"name\": \"%s\"\n\t},\n"
			  "\t\"localEndpoints\": %zu,\n\t\"serviceProxyHealthy\": %s\n}\n",
			  namespace, name, local, healthy ? "true" : "false");
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t count_distinct(const char **texts, size_t n)
{
	size_t i, distinct = n > 0;

	if (n)
		qsort(texts, n, sizeof(*texts), compare_texts);
	for (i = 1; i < n; i++)
		distinct += strcmp(texts[i - 1], texts[i]) != 0;
	return distinct;
}

size_t health_count_local(const struct kserv_k8s_service *service, struct kserv_slice *const *slices, size_t n_slices,
			  const char *node_name)
{
	bool v6 = service->ip_families.n ? !strcmp(service->ip_families.v[0], "IPv6") : strchr(service->cluster_ip, ':') != NULL;
	enum kserv_address_type type = v6 ? KSERV_ADDRESS_IPV6 : KSERV_ADDRESS_IPV4;
	const char **addresses = NULL;
	size_t i, j, n = 0;

	for (i = 0; i < n_slices; i++) {
		for (j = 0; slices[i]->address_type == type && j < slices[i]->n_endpoints; j++) {
			const struct kserv_slice_endpoint *endpoint = &slices[i]->endpoints[j];

			if (endpoint->ready == KSERV_FALSE || !endpoint->addresses.n || strcmp(endpoint->node_name, node_name))
				continue;
			addresses = kserv_must_grow(addresses, n, sizeof(*addresses));
			addresses[n++] = endpoint->addresses.v[0];
		}
	}
	n = count_distinct(addresses, n);
	free(addresses);
	return n;
}
