// SPDX-License-Identifier: GPL-2.0
/*
 * Lists and watches of any bytes, in pieces of any size: cut into objects, read, and brought into the picture of any
 * kind. What comes out must not depend on the pieces. The first byte says which kind and whether it is a list, the
 * second how large the pieces are.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/json.h"
#include "kube/picture.h"
#include "kube/refusal.h"
#include "kube/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All objects one after the other, and what they lead to. */
struct seen {
	struct kserv_text text;
	struct kserv_picture picture;
	bool is_list;
};

static void apply(struct seen *seen, const struct kserv_value *root)
{
	const struct kserv_value *object = seen->is_list ? root : kserv_value_find(root, "object");
	const char *type = kserv_value_string(root, "type");
	struct kserv_refusal refusal;

	if (!kserv_value_is(object, KSERV_VALUE_MAP))
		return;
	if (seen->is_list) {
		kserv_picture_aside_put(&seen->picture, object);
	} else if (!strcmp(type, "ERROR")) {
		kserv_refusal_read(object, 0, &refusal);
		kserv_refusal_clear(&refusal);
	} else if (!strcmp(type, "DELETED")) {
		kserv_picture_remove(&seen->picture, object);
	} else {
		kserv_picture_put(&seen->picture, object);
	}
}

static int take(void *context, const char *json, size_t len)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	struct seen *seen = context;

	kserv_text_add_bytes(&seen->text, json, len);
	if (!kserv_json_read(&tree, json, len, 1, NULL, &errors))
		apply(seen, tree.root);
	kserv_tree_clear(&tree);
	kserv_errors_clear(&errors);
	return 0;
}

static int split(struct seen *seen, const char *bytes, size_t len, size_t piece)
{
	struct kserv_split split = { .is_list = seen->is_list, .object = take, .context = seen };
	size_t at, n;
	int error = 0;

	kserv_picture_begin(&seen->picture);
	for (at = 0; at < len && !error; at += n) {
		n = len - at < piece ? len - at : piece;
		error = kserv_split_feed(&split, bytes + at, n);
	}
	if (!error)
		error = kserv_split_end(&split);
	if (!error && seen->is_list) {
		kserv_text_add_bytes(&seen->text, split.rest.s, split.rest.len);
		kserv_picture_swap(&seen->picture);
	}
	kserv_split_clear(&split);
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = { 0 }, pieces;
	int error, again;

	if (size < 2)
		return 0;
	whole.picture.kind = (data[0] >> 1) % KSERV_KUBE_KINDS;
	whole.is_list = data[0] & 1;
	pieces = whole;
	error = split(&whole, (const char *)data + 2, size - 2, size);
	again = split(&pieces, (const char *)data + 2, size - 2, 1 + data[1]);
	if (error != again || whole.text.len != pieces.text.len || whole.picture.n != pieces.picture.n ||
	    (whole.text.len && memcmp(whole.text.s, pieces.text.s, whole.text.len))) {
		fprintf(stderr, "in pieces of %u it is another: %d %d\n", 1 + data[1], error, again);
		abort();
	}
	kserv_text_clear(&whole.text);
	kserv_text_clear(&pieces.text);
	kserv_picture_clear(&whole.picture);
	kserv_picture_clear(&pieces.picture);
	return 0;
}
