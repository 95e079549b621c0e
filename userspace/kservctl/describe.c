// SPDX-License-Identifier: GPL-2.0
/* describe: one object with what belongs to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/memory.h"
#include "kservctl/desired.h"
#include "source/slices.h"

#define WIDTH	26

static char *selector_text;

struct poptOption describe_options[] = {
	{ "selector", 'l', POPT_ARG_STRING, &selector_text, 0, "objects with these labels", "SELECTOR" },
	{ NULL, '\0', POPT_ARG_INCLUDE_TABLE, cluster_options, 0, NULL, NULL },
	POPT_TABLEEND
};

static void line(const char *name, const char *value)
{
	printf("%s:%*s%s\n", name, (int)(WIDTH - strlen(name)), "", *value ? value : "<none>");
}

static void line_of(const char *name, const struct kserv_value *object, const char *path)
{
	line(name, kserv_value_string(object, path));
}

/* A label a line, the first behind the name. */
static void pairs(const char *name, const struct kserv_value *map)
{
	const struct kserv_value *member = kserv_value_is(map, KSERV_VALUE_MAP) ? map->first : NULL;

	if (!member)
		line(name, "");
	for (; member; member = member->next, name = NULL)
		printf("%s%s%*s%s=%s\n", name ? name : "", name ? ":" : " ",
		       (int)(WIDTH - (name ? strlen(name) : 0)), "", member->key, member->text);
}

static void strings(const char *name, const struct kserv_value *list, const char *key)
{
	struct kserv_text text = { 0 };
	const struct kserv_value *member;

	for (member = kserv_value_first(list); member; member = member->next)
		kserv_text_printf(&text, "%s%s", text.len ? "," : "",
				  key ? kserv_value_string(member, key) : member->text);
	if (text.len)
		line(name, text.s);
	kserv_text_clear(&text);
}

static void optional(const char *name, const struct kserv_value *object, const char *path)
{
	if (*kserv_value_string(object, path))
		line_of(name, object, path);
}

static void head(const struct kserv_kind *kind, const struct kserv_value *object)
{
	line_of("Name", object, "metadata.name");
	if (kind->namespaced)
		line_of("Namespace", object, "metadata.namespace");
	pairs("Labels", kserv_value_get(object, "metadata.labels"));
	pairs("Annotations", kserv_value_get(object, "metadata.annotations"));
	optional("CreationTimestamp", object, "metadata.creationTimestamp");
}

static bool slice_of(const struct kserv_value *slice, const struct kserv_value *service)
{
	const struct kserv_value *labels = kserv_value_get(slice, "metadata.labels"), *label;

	label = kserv_value_find(labels, KSERV_LABEL_SERVICE_NAME);
	return label && !strcmp(label->text, kserv_value_string(service, "metadata.name")) &&
		!strcmp(kserv_value_string(slice, "metadata.namespace"),
			kserv_value_string(service, "metadata.namespace"));
}

static const struct kserv_value *port_of(const struct kserv_value *slice, const struct kserv_value *service_port)
{
	const struct kserv_value *port = kserv_value_first(kserv_value_find(slice, "ports"));

	for (; port; port = port->next)
		if (!strcmp(kserv_value_string(port, "name"), kserv_value_string(service_port, "name")))
			return port;
	return NULL;
}

/* Each endpoint of one port: its address, and what it is unless it is simply ready. */
static void port_endpoints(const struct kserv_value *slices, const struct kserv_value *service,
			   const struct kserv_value *service_port, struct kserv_text *text)
{
	const struct kserv_value *slice, *endpoint, *port, *address;

	for (slice = kserv_value_first(slices); slice; slice = slice->next) {
		port = slice_of(slice, service) ? port_of(slice, service_port) : NULL;
		endpoint = port ? kserv_value_first(kserv_value_find(slice, "endpoints")) : NULL;
		for (; endpoint; endpoint = endpoint->next) {
			bool ready = kserv_value_bool(endpoint, "conditions.ready", true);
			bool terminating = kserv_value_bool(endpoint, "conditions.terminating", false);
			bool v6;

			address = kserv_value_first(kserv_value_find(endpoint, "addresses"));
			if (!address)
				continue;
			v6 = strchr(address->text, ':');
			kserv_text_printf(text, "%s%s%s%s:%lld%s", text->len ? "," : "", v6 ? "[" : "", address->text,
					  v6 ? "]" : "", (long long)kserv_value_int(port, "port", 0),
					  ready ? "" : terminating ? "(terminating)" : "(not ready)");
		}
	}
}

static void service_port(const struct kserv_value *service, const struct kserv_value *port,
			 const struct kserv_value *slices)
{
	const struct kserv_value *target = kserv_value_find(port, "targetPort");
	const char *name = kserv_value_string(port, "name"), *protocol = kserv_value_string(port, "protocol");
	struct kserv_text text = { 0 };

	kserv_text_printf(&text, "%s  %lld/%s", *name ? name : "<unset>", (long long)kserv_value_int(port, "port", 0),
			  protocol);
	line("Port", text.s);
	text.len = 0;
	kserv_text_printf(&text, "%s/%s", target ? target->text : "", protocol);
	line("TargetPort", text.s);
	text.len = 0;
	if (kserv_value_int(port, "nodePort", 0)) {
		kserv_text_printf(&text, "%s  %lld/%s", *name ? name : "<unset>",
				  (long long)kserv_value_int(port, "nodePort", 0), protocol);
		line("NodePort", text.s);
	}
	kserv_text_clear(&text);
	port_endpoints(slices, service, port, &text);
	line("Endpoints", text.s ? text.s : "");
	kserv_text_clear(&text);
}

static void affinity(const struct kserv_value *service)
{
	char *text;

	line_of("Session Affinity", service, "spec.sessionAffinity");
	if (strcmp(kserv_value_string(service, "spec.sessionAffinity"), "ClientIP"))
		return;
	text = kserv_must_printf("%lld s", (long long)kserv_value_int(service,
				 "spec.sessionAffinityConfig.clientIP.timeoutSeconds", 10800));
	line("Affinity Timeout", text);
	free(text);
}

static void describe_service(const struct kserv_value *service, const struct kserv_value *slices)
{
	const struct kserv_value *port;
	char *text;

	pairs("Selector", kserv_value_get(service, "spec.selector"));
	line_of("Type", service, "spec.type");
	optional("External Name", service, "spec.externalName");
	optional("IP Family Policy", service, "spec.ipFamilyPolicy");
	strings("IP Families", kserv_value_get(service, "spec.ipFamilies"), NULL);
	optional("IP", service, "spec.clusterIP");
	strings("IPs", kserv_value_get(service, "spec.clusterIPs"), NULL);
	strings("External IPs", kserv_value_get(service, "spec.externalIPs"), NULL);
	strings("LoadBalancer Ingress", kserv_value_get(service, "status.loadBalancer.ingress"), "ip");
	strings("LoadBalancer Source Ranges", kserv_value_get(service, "spec.loadBalancerSourceRanges"), NULL);
	for (port = kserv_value_first(kserv_value_get(service, "spec.ports")); port; port = port->next)
		service_port(service, port, slices);
	affinity(service);
	optional("Internal Traffic Policy", service, "spec.internalTrafficPolicy");
	optional("External Traffic Policy", service, "spec.externalTrafficPolicy");
	optional("Traffic Distribution", service, "spec.trafficDistribution");
	if (kserv_value_int(service, "spec.healthCheckNodePort", 0)) {
		text = kserv_must_printf("%lld", (long long)kserv_value_int(service, "spec.healthCheckNodePort", 0));
		line("HealthCheck NodePort", text);
		free(text);
	}
}

static void describe_pod(const struct kserv_value *pod)
{
	const struct kserv_value *condition = kserv_value_first(kserv_value_get(pod, "status.conditions"));

	line_of("Node", pod, "spec.nodeName");
	line(kserv_value_get(pod, "metadata.deletionTimestamp") ? "Status (terminating)" : "Status",
	     kserv_value_string(pod, "status.phase"));
	line_of("IP", pod, "status.podIP");
	strings("IPs", kserv_value_get(pod, "status.podIPs"), "ip");
	for (; condition; condition = condition->next) {
		char *name = kserv_must_printf("Condition %s", kserv_value_string(condition, "type"));

		line_of(name, condition, "status");
		free(name);
	}
}

/* What has no better form: a part of the object as YAML, indented. */
static void part(const struct kserv_value *object, const char *key, const char *name)
{
	struct kserv_value *value = kserv_value_find(object, key);
	struct kserv_text text = { 0 };
	const char *s;

	if (!value || !value->n)
		return;
	kserv_emit_yaml(&text, value);
	printf("%s:\n", name);
	for (s = text.s; *s; s += strcspn(s, "\n") + 1)
		printf("  %.*s\n", (int)strcspn(s, "\n"), s);
	kserv_text_clear(&text);
}

static void describe(const struct kserv_kind *kind, const struct kserv_value *object, const struct kserv_value *slices)
{
	head(kind, object);
	if (!strcmp(kind->kind, "Service")) {
		describe_service(object, slices);
	} else if (!strcmp(kind->kind, "Pod")) {
		describe_pod(object);
	} else {
		optional("AddressType", object, "addressType");
		part(object, "ports", "Ports");
		part(object, "endpoints", "Endpoints");
		part(object, "subsets", "Subsets");
		part(object, "spec", "Spec");
		part(object, "status", "Status");
	}
}

/* Returns how many were described, or -1 with the errors printed. */
static int describe_target(struct kserv_embedded *embedded, const struct target *target,
			   const struct selector *selector,
			   const struct kserv_value *slices, bool *first)
{
	struct kserv_errors errors = { 0 };
	const struct kserv_value *object;
	struct kserv_objects objects;
	int n = 0;

	if (list_objects(embedded, target->kind, &objects, &errors)) {
		print_errors(&errors);
		kserv_objects_clear(&objects);
		return -1;
	}
	for (object = kserv_value_first(objects.tree.root); object; object = object->next) {
		if ((target->name && strcmp(kserv_value_string(object, "metadata.name"), target->name)) ||
		    (target->kind->namespaced &&
		     strcmp(kserv_value_string(object, "metadata.namespace"), chosen_namespace())) ||
		    !selector_matches(selector, object))
			continue;
		fputs(*first ? "" : "\n\n", stdout);
		*first = false;
		describe(target->kind, object, slices);
		n++;
	}
	kserv_objects_clear(&objects);
	return n;
}

static enum exit_code describe_targets(struct kserv_embedded *embedded, const struct targets *targets,
				       const struct selector *selector)
{
	struct kserv_errors errors = { 0 };
	struct kserv_objects slices;
	enum exit_code code = DONE;
	bool first = true;
	size_t i;
	int n;

	if (list_objects(embedded, kserv_kind_lookup("EndpointSlice"), &slices, &errors)) {
		print_errors(&errors);
		code = REFUSED;
	}
	for (i = 0; i < targets->n && !code; i++) {
		n = describe_target(embedded, &targets->v[i], selector, slices.tree.root, &first);
		if (n < 0)
			code = REFUSED;
		if (n || !targets->v[i].name)
			continue;
		kserv_log_error("%s \"%s\" not found", targets->v[i].kind->plural, targets->v[i].name);
		code = REFUSED;
	}
	if (!code && first)
		fprintf(stderr, "No resources found in %s namespace.\n", chosen_namespace());
	kserv_objects_clear(&slices);
	return code;
}

enum exit_code cmd_describe(int argc, const char **argv)
{
	struct kserv_embedded embedded = { 0 };
	struct selector *selector = NULL;
	struct targets targets;
	enum exit_code code = USAGE;

	if (!parse_targets(argc, argv, &targets))
		return USAGE;
	if (selector_text)
		selector = selector_parse(selector_text);
	if (!selector_text || selector)
		code = open_cluster(false, &embedded);
	if (!code) {
		code = describe_targets(&embedded, &targets, selector);
		kserv_embedded_close(&embedded);
	}
	selector_free(selector);
	targets_clear(&targets);
	return code;
}
