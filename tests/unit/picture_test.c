// SPDX-License-Identifier: GPL-2.0
/* The picture of one kind: events, and lists that are swapped in by their differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/json.h"
#include "cluster/memory.h"
#include "kube/picture.h"

static struct kserv_text told;

static void note(void *context, enum kserv_kube_kind kind, union kserv_kube_object old, union kserv_kube_object new)
{
	const struct kserv_picture *picture = context;
	const struct kserv_meta *meta = new.meta ? new.meta : old.meta;

	(void)kind;
	/* The picture is that after the change. */
	assert_ptr_equal(kserv_picture_find(picture, meta->namespace, meta->name), new.meta);
	if (old.meta && new.meta)
		assert_string_equal(old.meta->name, new.meta->name);
	kserv_text_printf(&told, "%c%s ", !old.meta ? '+' : new.meta ? '~' : '-', meta->name);
}

static const struct kserv_kube_events events = { .changed = note };

static void make(struct kserv_picture *picture)
{
	*picture = (struct kserv_picture){ .kind = KSERV_KUBE_SERVICES, .events = &events, .context = picture };
}

static void clear(struct kserv_picture *picture)
{
	kserv_picture_clear(picture);
	kserv_text_clear(&told);
}

/* A Service, its version and its port; what a watch adds to it if @watched. */
static void with(const char *name, unsigned int version, unsigned int port, bool watched,
		 void (*call)(struct kserv_picture *, const struct kserv_value *), struct kserv_picture *picture)
{
	struct kserv_errors errors = { 0 };
	struct kserv_tree tree = { 0 };
	char text[512];

	snprintf(text, sizeof(text), "{%s\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"resourceVersion\":\"%u\","
		 "\"managedFields\":[{\"time\":\"%u\"}]},\"spec\":{\"ports\":[{\"port\":%u}]}}",
		 watched ? "\"kind\":\"Service\",\"apiVersion\":\"v1\"," : "", name, version, version, port);
	assert_int_equal(kserv_json_read(&tree, text, strlen(text), 1, NULL, &errors), 0);
	call(picture, tree.root);
	kserv_tree_clear(&tree);
}

static void call_put(struct kserv_picture *picture, const struct kserv_value *value)
{
	assert_int_equal(kserv_picture_put(picture, value), 0);
}

static void call_aside(struct kserv_picture *picture, const struct kserv_value *value)
{
	assert_int_equal(kserv_picture_aside_put(picture, value), 0);
}

#define put(name, version, port) with(name, version, port, true, call_put, &picture)
#define gone(name) with(name, 1, 1, true, kserv_picture_remove, &picture)
#define aside(name, version, port) with(name, version, port, false, call_aside, &picture)
#define aside_gone(name) with(name, 1, 1, true, kserv_picture_aside_remove, &picture)

static void expect(const char *changes)
{
	assert_string_equal(told.s ? told.s : "", changes);
	kserv_text_clear(&told);
}

static void events_are_told_and_kept(void **state)
{
	struct kserv_picture picture;

	(void)state;
	make(&picture);
	put("a", 1, 80);
	put("b", 2, 80);
	put("c", 3, 80);
	put("b", 4, 81);
	gone("a");
	gone("nobody");
	expect("+a +b +c ~b -a ");
	assert_int_equal(picture.n, 2);
	assert_string_equal(((struct kserv_meta *)picture.v[0])->name, "c");
	clear(&picture);
}

static void versions_alone_are_kept_and_not_told(void **state)
{
	const struct kserv_meta *meta;
	struct kserv_picture picture;

	(void)state;
	make(&picture);
	put("a", 1, 80);
	meta = kserv_picture_find(&picture, "default", "a");
	put("a", 2, 80);
	expect("+a ");
	assert_ptr_equal(meta, kserv_picture_find(&picture, "default", "a"));
	assert_string_equal(meta->resource_version, "2");
	clear(&picture);
}

static void a_list_is_swapped_in_by_its_differences(void **state)
{
	struct kserv_picture picture;

	(void)state;
	make(&picture);
	put("a", 1, 80);
	put("b", 2, 80);
	put("c", 3, 80);
	expect("+a +b +c ");
	kserv_picture_begin(&picture);
	aside("d", 9, 80);
	aside("b", 8, 81);
	aside("a", 1, 80);
	expect("");
	assert_int_equal(picture.n, 3);
	kserv_picture_swap(&picture);
	expect("-c +d ~b ");
	assert_int_equal(picture.n, 3);
	clear(&picture);
}

static void a_list_that_is_given_up_changes_nothing(void **state)
{
	struct kserv_picture picture;

	(void)state;
	make(&picture);
	put("a", 1, 80);
	put("b", 2, 80);
	kserv_picture_begin(&picture);
	aside("a", 1, 80);
	aside("x", 5, 80);
	kserv_picture_begin(&picture);
	aside("b", 2, 80);
	kserv_picture_swap(&picture);
	expect("+a +b -a ");
	clear(&picture);
}

static void what_changes_while_a_list_streams_counts_once(void **state)
{
	struct kserv_picture picture;

	(void)state;
	make(&picture);
	put("a", 1, 80);
	put("b", 2, 80);
	expect("+a +b ");
	kserv_picture_begin(&picture);
	aside("a", 1, 80);
	aside("b", 2, 80);
	aside("c", 3, 80);
	aside("c", 4, 81);
	aside_gone("a");
	aside("b", 5, 82);
	aside("b", 6, 80);
	aside("d", 7, 80);
	aside_gone("d");
	kserv_picture_swap(&picture);
	expect("-a +c ");
	assert_string_equal(((const struct kserv_meta *)kserv_picture_find(&picture, "default", "b"))->resource_version, "6");
	clear(&picture);
}

static void the_same_version_of_another_history_is_another_object(void **state)
{
	struct kserv_picture picture;

	(void)state;
	make(&picture);
	put("a", 7, 80);
	kserv_picture_begin(&picture);
	aside("a", 7, 81);
	kserv_picture_swap(&picture);
	expect("+a ~a ");
	clear(&picture);
}

static void any_order_of_changes_leads_to_the_same_objects(void **state)
{
	unsigned int port[20] = { 0 }, i, step, random = 1;
	struct kserv_picture picture;
	char name[8];

	(void)state;
	make(&picture);
	for (step = 0; step < 3000; step++) {
		random = random * 1103515245 + 12345;
		i = random >> 16 & 0xffff;
		snprintf(name, sizeof(name), "s%u", i % 20);
		if (i & 0x100) {
			port[i % 20] = 1 + (i >> 9);
			put(name, step, port[i % 20]);
		} else {
			port[i % 20] = 0;
			gone(name);
		}
	}
	for (i = 0, step = 0; i < 20; i++) {
		const struct kserv_k8s_service *service;

		snprintf(name, sizeof(name), "s%u", i);
		service = kserv_picture_find(&picture, "default", name);
		assert_int_equal(service ? service->ports[0].port : 0, port[i]);
		step += !!service;
	}
	assert_int_equal(picture.n, step);
	for (i = 0; i < picture.n; i++)
		assert_ptr_equal(picture.v[i], kserv_picture_find(&picture, "default", ((struct kserv_meta *)picture.v[i])->name));
	clear(&picture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_told_and_kept),
		cmocka_unit_test(versions_alone_are_kept_and_not_told),
		cmocka_unit_test(a_list_is_swapped_in_by_its_differences),
		cmocka_unit_test(a_list_that_is_given_up_changes_nothing),
		cmocka_unit_test(what_changes_while_a_list_streams_counts_once),
		cmocka_unit_test(the_same_version_of_another_history_is_another_object),
		cmocka_unit_test(any_order_of_changes_leads_to_the_same_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
