// SPDX-License-Identifier: GPL-2.0
/* The columns that kubectl shows for each kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/memory.h"
#include "kservctl/desired.h"

static const struct {
	const char *kind, *headings, *wide;
} columns[] = {
	{ "Namespace", "NAME\tSTATUS\tAGE", "" },
	{ "Node", "NAME\tSTATUS\tROLES\tAGE\tVERSION", "\tINTERNAL-IP\tEXTERNAL-IP\tPOD-CIDRS" },
	{ "ServiceCIDR", "NAME\tCIDRS\tAGE", "" },
	{ "Service", "NAME\tTYPE\tCLUSTER-IP\tEXTERNAL-IP\tPORT(S)\tAGE", "\tSELECTOR" },
	{ "EndpointSlice", "NAME\tADDRESSTYPE\tPORTS\tENDPOINTS\tAGE", "" },
	{ "Endpoints", "NAME\tENDPOINTS\tAGE", "" },
	{ "Pod", "NAME\tREADY\tSTATUS\tRESTARTS\tAGE", "\tIP\tNODE" },
	{ "Deployment", "NAME\tREADY\tUP-TO-DATE\tAVAILABLE\tAGE", "\tCONTAINERS\tIMAGES\tSELECTOR" },
	{ "ReplicaSet", "NAME\tDESIRED\tCURRENT\tREADY\tAGE", "\tCONTAINERS\tIMAGES\tSELECTOR" },
	{ "StatefulSet", "NAME\tREADY\tAGE", "\tCONTAINERS\tIMAGES" },
	{ "DaemonSet", "NAME\tDESIRED\tCURRENT\tREADY\tUP-TO-DATE\tAVAILABLE\tNODE SELECTOR\tAGE",
	  "\tCONTAINERS\tIMAGES\tSELECTOR" },
};

const char *get_headings(const struct kserv_kind *kind, bool wide)
{
	static char headings[160];
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		if (!strcmp(columns[i].kind, kind->kind))
			snprintf(headings, sizeof(headings), "%s%s", columns[i].headings, wide ? columns[i].wide : "");
	return headings;
}

static const char *or_none(const char *s)
{
	return s && *s ? s : "<none>";
}

/* Strings under @key of each member of a list, or the members themselves, with commas. */
static char *join(const struct kserv_value *list, const char *key)
{
	struct kserv_text text = { 0 };
	const struct kserv_value *member;

	for (member = kserv_value_first(list); member; member = member->next) {
		const char *s = key ? kserv_value_string(member, key) : member->text;

		if (*s)
			kserv_text_printf(&text, "%s%s", text.len ? "," : "", s);
	}
	return kserv_text_take(&text);
}

static char *labels_text(const struct kserv_value *labels)
{
	struct kserv_text text = { 0 };
	const struct kserv_value *label;

	for (label = kserv_value_is(labels, KSERV_VALUE_MAP) ? labels->first : NULL; label; label = label->next)
		kserv_text_printf(&text, "%s%s=%s", text.len ? "," : "", label->key, label->text);
	return kserv_text_take(&text);
}

char *service_ports(const struct kserv_value *service)
{
	const struct kserv_value *port = kserv_value_first(kserv_value_get(service, "spec.ports"));
	struct kserv_text text = { 0 };

	for (; port; port = port->next) {
		kserv_text_printf(&text, "%s%lld", text.len ? "," : "", (long long)kserv_value_int(port, "port", 0));
		if (kserv_value_int(port, "nodePort", 0))
			kserv_text_printf(&text, ":%lld", (long long)kserv_value_int(port, "nodePort", 0));
		kserv_text_printf(&text, "/%s", kserv_value_string(port, "protocol"));
	}
	return kserv_text_take(&text);
}

char *service_external_ips(const struct kserv_value *service)
{
	char *external = join(kserv_value_get(service, "spec.externalIPs"), NULL), *balancer, *both;
	const char *type = kserv_value_string(service, "spec.type");

	if (!strcmp(type, "ExternalName")) {
		free(external);
		return kserv_must_strdup(kserv_value_string(service, "spec.externalName"));
	}
	if (strcmp(type, "LoadBalancer"))
		return external;
	balancer = join(kserv_value_get(service, "status.loadBalancer.ingress"), "ip");
	if (!*balancer && !*external)
		both = kserv_must_strdup("<pending>");
	else
		both = kserv_must_printf("%s%s%s", balancer, *balancer && *external ? "," : "", external);
	free(balancer);
	free(external);
	return both;
}

static char *service_row(const struct kserv_value *object, const char *name, const char *age, bool wide)
{
	char *ports = service_ports(object), *external = service_external_ips(object);
	char *selector = labels_text(kserv_value_get(object, "spec.selector")), *row;

	row = kserv_must_printf("%s\t%s\t%s\t%s\t%s\t%s%s%s", name, kserv_value_string(object, "spec.type"),
				or_none(kserv_value_string(object, "spec.clusterIP")), or_none(external),
				or_none(ports), age,
				wide ? "\t" : "", wide ? or_none(selector) : "");
	free(ports);
	free(external);
	free(selector);
	return row;
}

static const char *node_status(const struct kserv_value *object)
{
	const struct kserv_value *condition = kserv_value_first(kserv_value_get(object, "status.conditions"));
	bool cordoned = kserv_value_bool(object, "spec.unschedulable", false), ready = false, known = false;

	for (; condition; condition = condition->next) {
		if (strcmp(kserv_value_string(condition, "type"), "Ready"))
			continue;
		known = true;
		ready = !strcmp(kserv_value_string(condition, "status"), "True");
	}
	if (!known)
		return cordoned ? "Unknown,SchedulingDisabled" : "Unknown";
	if (ready)
		return cordoned ? "Ready,SchedulingDisabled" : "Ready";
	return cordoned ? "NotReady,SchedulingDisabled" : "NotReady";
}

static char *node_addresses(const struct kserv_value *object, const char *type)
{
	const struct kserv_value *entry = kserv_value_first(kserv_value_get(object, "status.addresses"));
	struct kserv_text text = { 0 };

	for (; entry; entry = entry->next)
		if (!strcmp(kserv_value_string(entry, "type"), type))
			kserv_text_printf(&text, "%s%s", text.len ? "," : "", kserv_value_string(entry, "address"));
	return kserv_text_take(&text);
}

static char *node_roles(const struct kserv_value *object)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	const struct kserv_value *labels = kserv_value_get(object, "metadata.labels"), *label;
	struct kserv_text text = { 0 };

	for (label = kserv_value_is(labels, KSERV_VALUE_MAP) ? labels->first : NULL; label; label = label->next)
		if (!strncmp(label->key, prefix, sizeof(prefix) - 1) && label->key[sizeof(prefix) - 1])
			kserv_text_printf(&text, "%s%s", text.len ? "," : "", label->key + sizeof(prefix) - 1);
	return kserv_text_take(&text);
}

static char *node_row(const struct kserv_value *object, const char *name, const char *age, bool wide)
{
	char *internal = node_addresses(object, "InternalIP"), *external = node_addresses(object, "ExternalIP");
	char *cidrs = join(kserv_value_get(object, "spec.podCIDRs"), NULL), *roles = node_roles(object), *row;

	row = kserv_must_printf("%s\t%s\t%s\t%s\t%s", name, node_status(object), or_none(roles), age,
				or_none(kserv_value_string(object, "status.nodeInfo.kubeletVersion")));
	if (wide) {
		char *narrow = row;

		row = kserv_must_printf("%s\t%s\t%s\t%s", narrow, or_none(internal), or_none(external), or_none(cidrs));
		free(narrow);
	}
	free(internal);
	free(external);
	free(cidrs);
	free(roles);
	return row;
}

static char *slice_row(const struct kserv_value *object, const char *name, const char *age)
{
	const struct kserv_value *v = kserv_value_first(kserv_value_find(object, "endpoints"));
	struct kserv_text addresses = { 0 }, ports = { 0 };
	unsigned int n = 0;
	char *row;

	/* kubectl shows three addresses of a slice and counts the rest. */
	for (; v; v = v->next, n++) {
		const struct kserv_value *first = kserv_value_first(kserv_value_find(v, "addresses"));

		if (n < 3 && first)
			kserv_text_printf(&addresses, "%s%s", addresses.len ? "," : "", first->text);
	}
	if (n > 3)
		kserv_text_printf(&addresses, " + %u more...", n - 3);
	for (v = kserv_value_first(kserv_value_find(object, "ports")); v; v = v->next)
		kserv_text_printf(&ports, "%s%lld", ports.len ? "," : "", (long long)kserv_value_int(v, "port", 0));
	row = kserv_must_printf("%s\t%s\t%s\t%s\t%s", name, kserv_value_string(object, "addressType"),
				ports.len ? ports.s : "<unset>", addresses.len ? addresses.s : "<unset>", age);
	kserv_text_clear(&addresses);
	kserv_text_clear(&ports);
	return row;
}

static unsigned int add_subset(const struct kserv_value *subset, unsigned int shown, struct kserv_text *text)
{
	const struct kserv_value *address = kserv_value_first(kserv_value_find(subset, "addresses")), *port;
	unsigned int n = 0;

	for (; address; address = address->next) {
		const char *ip = kserv_value_string(address, "ip");
		bool v6 = strchr(ip, ':');

		port = kserv_value_first(kserv_value_find(subset, "ports"));
		do {
			if (shown + n < 3) {
				kserv_text_printf(text, "%s%s%s%s", text->len ? "," : "", v6 && port ? "[" : "", ip,
						  v6 && port ? "]" : "");
				if (port)
					kserv_text_printf(text, ":%lld", (long long)kserv_value_int(port, "port", 0));
			}
			n++;
			port = port ? port->next : NULL;
		} while (port);
	}
	return n;
}

char *endpoints_text(const struct kserv_value *endpoints)
{
	const struct kserv_value *subset = kserv_value_first(kserv_value_find(endpoints, "subsets"));
	struct kserv_text text = { 0 };
	unsigned int n = 0;

	for (; subset; subset = subset->next)
		n += add_subset(subset, n, &text);
	if (n > 3)
		kserv_text_printf(&text, " + %u more...", n - 3);
	return kserv_text_take(&text);
}

static char *endpoints_row(const struct kserv_value *object, const char *name, const char *age)
{
	char *text = endpoints_text(object), *row = kserv_must_printf("%s\t%s\t%s", name, or_none(text), age);

	free(text);
	return row;
}

static bool pod_is_ready(const struct kserv_value *object)
{
	const struct kserv_value *condition = kserv_value_first(kserv_value_get(object, "status.conditions"));

	for (; condition; condition = condition->next)
		if (!strcmp(kserv_value_string(condition, "type"), "Ready"))
			return !strcmp(kserv_value_string(condition, "status"), "True");
	return false;
}

/* Where no kubelet reports on containers, all of them are as ready as the Pod. */
static char *pod_row(const struct kserv_value *object, const char *name, const char *age, bool wide)
{
	const struct kserv_value *containers = kserv_value_get(object, "spec.containers"), *status;
	size_t n = kserv_value_is(containers, KSERV_VALUE_LIST) ? containers->n : 0;
	size_t ready = pod_is_ready(object) ? n : 0;
	char *ips = join(kserv_value_get(object, "status.podIPs"), "ip"), *row;
	long long restarts = 0;

	status = kserv_value_first(kserv_value_get(object, "status.containerStatuses"));
	if (status)
		ready = 0;
	for (; status; status = status->next) {
		ready += kserv_value_bool(status, "ready", false);
		restarts += kserv_value_int(status, "restartCount", 0);
	}
	row = kserv_must_printf("%s\t%zu/%zu\t%s\t%lld\t%s%s%s%s%s", name, ready, n,
				kserv_value_get(object, "metadata.deletionTimestamp") ? "Terminating" :
				or_none(kserv_value_string(object, "status.phase")), restarts, age, wide ? "\t" : "",
				wide ? or_none(ips) : "", wide ? "\t" : "",
				wide ? or_none(kserv_value_string(object, "spec.nodeName")) : "");
	free(ips);
	return row;
}

static long long count(const struct kserv_value *object, const char *path, long long otherwise)
{
	return kserv_value_int(object, path, otherwise);
}

/* Nothing runs here, so all but the wish is 0 unless a manifest brought a status along. */
static char *replicas_cells(const struct kserv_value *object, const char *kind)
{
	long long wanted = count(object, "spec.replicas", 1), ready = count(object, "status.readyReplicas", 0);
	char *selector, *cells;

	if (!strcmp(kind, "Deployment"))
		return kserv_must_printf("%lld/%lld\t%lld\t%lld", ready, wanted,
					 count(object, "status.updatedReplicas", 0),
					 count(object, "status.availableReplicas", 0));
	if (!strcmp(kind, "ReplicaSet"))
		return kserv_must_printf("%lld\t%lld\t%lld", wanted, count(object, "status.replicas", 0), ready);
	if (!strcmp(kind, "StatefulSet"))
		return kserv_must_printf("%lld/%lld", ready, wanted);
	selector = labels_text(kserv_value_get(object, "spec.template.spec.nodeSelector"));
	cells = kserv_must_printf("%lld\t%lld\t%lld\t%lld\t%lld\t%s", count(object, "status.desiredNumberScheduled", 0),
				  count(object, "status.currentNumberScheduled", 0),
				  count(object, "status.numberReady", 0),
				  count(object, "status.updatedNumberScheduled", 0),
				  count(object, "status.numberAvailable", 0),
				  or_none(selector));
	free(selector);
	return cells;
}

static char *workload_row(const struct kserv_value *object, const char *name, const char *age, bool wide)
{
	const struct kserv_value *containers = kserv_value_get(object, "spec.template.spec.containers");
	const char *kind = kserv_value_string(object, "kind");
	char *names = join(containers, "name"), *images = join(containers, "image");
	char *cells = replicas_cells(object, kind);
	char *selector = labels_text(kserv_value_get(object, "spec.selector.matchLabels")), *row, *narrow;
	bool selects = strcmp(kind, "StatefulSet");

	row = kserv_must_printf("%s\t%s\t%s", name, cells, age);
	if (wide) {
		narrow = row;
		row = kserv_must_printf("%s\t%s\t%s%s%s", narrow, or_none(names), or_none(images), selects ? "\t" : "",
					selects ? or_none(selector) : "");
		free(narrow);
	}
	free(names);
	free(images);
	free(cells);
	free(selector);
	return row;
}

static char *service_cidr_row(const struct kserv_value *object, const char *name, const char *age)
{
	const struct kserv_value *cidr = kserv_value_first(kserv_value_get(object, "spec.cidrs"));
	struct kserv_text text = { 0 };
	char *row;

	for (; cidr; cidr = cidr->next)
		kserv_text_printf(&text, "%s%s", text.len ? "," : "", cidr->text);
	row = kserv_must_printf("%s\t%s\t%s", name, or_none(text.s), age);
	kserv_text_clear(&text);
	return row;
}

char *get_row(const struct kserv_kind *kind, const struct kserv_value *object, bool wide)
{
	const char *name = kserv_value_string(object, "metadata.name");
	char *age = age_of(object), *row;

	if (!strcmp(kind->kind, "Service"))
		row = service_row(object, name, age, wide);
	else if (!strcmp(kind->kind, "Node"))
		row = node_row(object, name, age, wide);
	else if (!strcmp(kind->kind, "EndpointSlice"))
		row = slice_row(object, name, age);
	else if (!strcmp(kind->kind, "Endpoints"))
		row = endpoints_row(object, name, age);
	else if (!strcmp(kind->kind, "Pod"))
		row = pod_row(object, name, age, wide);
	else if (!strcmp(kind->kind, "ServiceCIDR"))
		row = service_cidr_row(object, name, age);
	else if (!strcmp(kind->kind, "Namespace"))
		row = kserv_must_printf("%s\t%s\t%s", name, or_none(kserv_value_string(object, "status.phase")), age);
	else
		row = workload_row(object, name, age, wide);
	free(age);
	return row;
}
