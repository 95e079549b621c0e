// SPDX-License-Identifier: GPL-2.0
/*
 * Manifests of any bytes: read, checked, turned into objects of the model, printed and read again. Whatever is printed must
 * be read back as the same values.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/emit.h"
#include "cluster/json.h"
#include "cluster/manifest.h"
#include "cluster/read.h"
#include "cluster/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* YAML has no name for a number that is none; as JSON it becomes null. */
static bool has_odd_number(const struct kserv_value *value)
{
	const struct kserv_value *member;

	if (value->type == KSERV_VALUE_FLOAT)
		return true;
	if (value->type != KSERV_VALUE_LIST && value->type != KSERV_VALUE_MAP)
		return false;
	for (member = value->first; member; member = member->next)
		if (has_odd_number(member))
			return true;
	return false;
}

static void must_be_equal(const struct kserv_value *value, int error, const struct kserv_tree *again, const char *text)
{
	if (!error && (has_odd_number(value) || kserv_value_equal(value, again->root)))
		return;
	fprintf(stderr, "printed as what is not read back:\n%s\n", text);
	abort();
}

static void print_and_read(const struct kserv_value *value)
{
	struct kserv_errors errors = { 0 };
	struct kserv_text text = { 0 };
	struct kserv_tree tree = { 0 };
	int error;

	kserv_emit_json(&text, value, 0);
	error = kserv_json_read(&tree, text.s, text.len, 1, NULL, &errors);
	must_be_equal(value, error, &tree, text.s);
	kserv_tree_clear(&tree);
	kserv_text_clear(&text);
	kserv_emit_yaml(&text, value);
	error = kserv_yaml_read(&tree, text.s, text.len, 1, &errors);
	must_be_equal(value, error, &tree, text.s);
	kserv_tree_clear(&tree);
	kserv_text_clear(&text);
	kserv_errors_clear(&errors);
}

static void read_object(const struct kserv_value *value)
{
	kserv_k8s_service_free(kserv_read_service(value));
	kserv_slice_free(kserv_read_slice(value));
	kserv_node_free(kserv_read_node(value));
	kserv_pod_free(kserv_read_pod(value));
	kserv_namespace_free(kserv_read_namespace(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kserv_manifests manifests = { .skip_unknown = true };
	struct kserv_errors errors = { 0 };
	size_t i;
	char *line;

	kserv_manifests_read(&manifests, "fuzz", (const char *)data, size, &errors);
	for (i = 0; i < manifests.n; i++) {
		read_object(manifests.v[i].value);
		print_and_read(manifests.v[i].value);
		kserv_manifest_check(&manifests.v[i], &errors);
		read_object(manifests.v[i].value);
	}
	for (i = 0; i < manifests.n_trees; i++)
		if (manifests.trees[i]->root)
			print_and_read(manifests.trees[i]->root);
	for (i = 0; i < errors.n; i++) {
		line = kserv_error_format(&errors.v[i]);
		free(line);
	}
	kserv_errors_clear(&errors);
	kserv_manifests_clear(&manifests);
	return 0;
}
