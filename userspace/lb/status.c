// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/read.h"
#include "lb/elect.h"
#include "lb/status.h"
#include "lib/addr.h"
#include "source/balancer.h"

/* A Service in the works. */
struct claim {
	const struct kserv_k8s_service *service;
	struct kserv_tree tree;
	struct kserv_errors errors;
	struct kserv_strings notes;
	struct kserv_assign assign;
	struct kserv_value *before;
	char *holder;
};

static void put(struct kserv_tree *tree, struct kserv_value *map, const char *key, const char *text)
{
	if (text && *text)
		kserv_value_set(map, key, kserv_value_new_string(tree, text));
}

static void write_ports(struct kserv_tree *tree, struct kserv_value *spec, const struct kserv_k8s_service *service)
{
	struct kserv_value *list = kserv_value_new(tree, KSERV_VALUE_LIST), *port;
	size_t i;

	for (i = 0; i < service->n_ports; i++) {
		const char *name = kserv_protocol_name(service->ports[i].protocol);

		port = kserv_value_new(tree, KSERV_VALUE_MAP);
		put(tree, port, "protocol", !strcmp(name, "udp") ? "UDP" : !strcmp(name, "sctp") ? "SCTP" : "TCP");
		kserv_value_set(port, "port", kserv_value_new_int(tree, service->ports[i].port));
		kserv_value_append(list, port);
	}
	kserv_value_set(spec, "ports", list);
}

static void write_spec(struct kserv_tree *tree, const struct kserv_k8s_service *service)
{
	struct kserv_value *spec = kserv_value_need_map(tree, tree->root, "spec");
	struct kserv_value *list = kserv_value_new(tree, KSERV_VALUE_LIST);
	size_t i;

	put(tree, spec, "type", "LoadBalancer");
	put(tree, spec, "loadBalancerClass", service->load_balancer_class);
	put(tree, spec, "loadBalancerIP", service->load_balancer_ip);
	for (i = 0; i < service->ip_families.n; i++)
		kserv_value_append(list, kserv_value_new_string(tree, service->ip_families.v[i]));
	kserv_value_set(spec, "ipFamilies", list);
	write_ports(tree, spec, service);
}

static void write_status(struct kserv_tree *tree, const struct kserv_k8s_service *service)
{
	struct kserv_value *status = kserv_value_need_map(tree, tree->root, "status"), *balancer, *list, *entry;
	size_t i;

	balancer = kserv_value_need_map(tree, status, "loadBalancer");
	if (!service->n_ingress)
		return;
	list = kserv_value_new(tree, KSERV_VALUE_LIST);
	for (i = 0; i < service->n_ingress; i++) {
		entry = kserv_value_new(tree, KSERV_VALUE_MAP);
		put(tree, entry, "ip", service->ingress[i].ip);
		put(tree, entry, "hostname", service->ingress[i].hostname);
		if (*service->ingress[i].ip)
			put(tree, entry, "ipMode", service->ingress[i].proxy ? "Proxy" : "VIP");
		kserv_value_append(list, entry);
	}
	kserv_value_set(balancer, "ingress", list);
}

static void begin(struct claim *claim, const struct kserv_k8s_service *service, struct kserv_allocator *allocator)
{
	struct kserv_value *meta, *annotations;
	struct kserv_tree *tree = &claim->tree;
	size_t i;

	*claim = (struct claim){ .service = service };
	tree->root = kserv_value_new(tree, KSERV_VALUE_MAP);
	meta = kserv_value_need_map(tree, tree->root, "metadata");
	put(tree, meta, "namespace", service->meta.namespace);
	put(tree, meta, "name", service->meta.name);
	annotations = kserv_value_need_map(tree, meta, "annotations");
	for (i = 0; i < service->meta.annotations.n; i++)
		put(tree, annotations, service->meta.annotations.v[i].key, service->meta.annotations.v[i].value);
	write_spec(tree, service);
	write_status(tree, service);
	claim->before = kserv_value_copy(tree, kserv_value_get(tree->root, "status"));
	claim->holder = kserv_assign_holder(tree->root);
	claim->assign = (struct kserv_assign){
		.tree = tree, .object = tree->root, .allocator = allocator, .errors = &claim->errors,
		.notes = &claim->notes,
	};
}

static void tell_patch(struct claim *claim, const struct kserv_lb_teller *teller)
{
	struct kserv_value *status = kserv_value_get(claim->tree.root, "status"), *balancer, *root;
	struct kserv_tree tree = { 0 };
	struct kserv_text body = { 0 };

	root = tree.root = kserv_value_new(&tree, KSERV_VALUE_MAP);
	/* Another who wrote meanwhile makes the server refuse; then we look again. */
	put(&tree, kserv_value_need_map(&tree, root, "metadata"), "resourceVersion", claim->service->meta.resource_version);
	kserv_value_set(root, "status", kserv_value_copy(&tree, status));
	balancer = kserv_value_need_map(&tree, kserv_value_find(root, "status"), "loadBalancer");
	if (!kserv_value_find(balancer, "ingress"))
		kserv_value_set(balancer, "ingress", kserv_value_new(&tree, KSERV_VALUE_NULL));
	kserv_emit_json(&body, root, 0);
	teller->set(teller->context, claim->service, body.s, body.len);
	kserv_text_clear(&body);
	kserv_tree_clear(&tree);
}

static void end(struct claim *claim, const struct kserv_lb_teller *teller)
{
	size_t i;

	if (!kserv_value_equal(claim->before, kserv_value_get(claim->tree.root, "status")))
		tell_patch(claim, teller);
	for (i = 0; i < claim->errors.n; i++)
		teller->note(teller->context, claim->service, claim->errors.v[i].text);
	for (i = 0; i < claim->notes.n; i++)
		teller->note(teller->context, claim->service, claim->notes.v[i]);
	kserv_errors_clear(&claim->errors);
	kserv_strings_clear(&claim->notes);
	kserv_tree_clear(&claim->tree);
	free(claim->holder);
}

/* Those that have something before the others, and each in the order of names: every node would do it alike. */
static int compare(const void *a, const void *b)
{
	const struct kserv_k8s_service *left = *(const struct kserv_k8s_service *const *)a;
	const struct kserv_k8s_service *right = *(const struct kserv_k8s_service *const *)b;
	int order = strcmp(left->meta.namespace, right->meta.namespace);

	if (!left->n_ingress != !right->n_ingress)
		return !left->n_ingress ? 1 : -1;
	return order ? order : strcmp(left->meta.name, right->meta.name);
}

void kserv_lb_assign(const struct kserv_k8s_service *const *services, size_t n,
		     const struct kserv_allocator_limits *limits, const struct kserv_lb_teller *teller)
{
	const struct kserv_k8s_service **ours = kserv_must_alloc((n + 1) * sizeof(*ours));
	struct kserv_allocator *allocator = kserv_allocator_new(limits);
	struct claim *claims;
	size_t i, n_ours = 0;

	for (i = 0; i < n; i++)
		if (kserv_lb_is_ours(services[i]) && !services[i]->meta.deleting)
			ours[n_ours++] = services[i];
	qsort(ours, n_ours, sizeof(*ours), compare);
	claims = kserv_must_alloc((n_ours + 1) * sizeof(*claims));
	for (i = 0; i < n_ours; i++)
		begin(&claims[i], ours[i], allocator);
	for (i = 0; i < n_ours; i++)
		kserv_balancer_requested(&claims[i].assign, claims[i].holder);
	for (i = 0; i < n_ours; i++)
		kserv_balancer_rest(&claims[i].assign, claims[i].holder);
	for (i = 0; i < n_ours; i++)
		end(&claims[i], teller);
	kserv_allocator_free(allocator);
	free(claims);
	free(ours);
}
