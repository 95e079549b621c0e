// SPDX-License-Identifier: GPL-2.0
/* The pure parts of the daemon: when it syncs, what its model notes, what its ports answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/memory.h"
#include "cluster/read.h"
#include "control/answer.h"
#include "kservd/health.h"
#include "kservd/metrics.h"
#include "kservd/model.h"
#include "kservd/options.h"
#include "kservd/place.h"
#include "kservd/window.h"

static struct window usual(void)
{
	return (struct window){ .quiet = 1000, .longest = 20000, .retry_max = 30000000 };
}

static void a_change_is_synced_after_a_moment_of_quiet(void **state)
{
	struct window window = usual();

	(void)state;
	assert_int_equal(window_due(&window), WINDOW_NEVER);
	window_note(&window, 5000);
	assert_int_equal(window_due(&window), 6000);
	window_note(&window, 5900);
	assert_int_equal(window_due(&window), 6900);
	window_ended(&window, 7000, 0);
	assert_int_equal(window_due(&window), WINDOW_NEVER);
}

static void no_change_waits_longer_than_the_maximum(void **state)
{
	struct window window = usual();
	uint64_t now;

	(void)state;
	for (now = 5000; now < 100000; now += 500)
		window_note(&window, now);
	assert_int_equal(window_due(&window), 25000);
}

static void the_least_period_counts_from_the_end_of_a_sync(void **state)
{
	struct window window = usual();

	(void)state;
	window.min_period = 1000000;
	window_note(&window, 5000);
	window_ended(&window, 8000, 0);
	window_note(&window, 9000);
	assert_int_equal(window_due(&window), 1008000);
}

static void a_failed_sync_is_tried_again_ever_more_rarely(void **state)
{
	const uint64_t waits[] = { 100000, 200000, 400000, 800000, 1600000, 3200000, 6400000, 12800000, 25600000, 30000000,
				   30000000 };
	struct window window = usual();
	size_t i;

	(void)state;
	window_note(&window, 5000);
	for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		window_ended(&window, 1000000 * i + 6000, -1);
		assert_int_equal(window_due(&window), 1000000 * i + 6000 + waits[i]);
	}
	window_ended(&window, 50000000, 0);
	window_note(&window, 50000001);
	assert_int_equal(window_due(&window), 50001001);
}

static void count_call(void *context)
{
	++*(int *)context;
}

static struct kserv_k8s_service *make_service(const char *name)
{
	struct kserv_k8s_service *service = kserv_must_alloc(sizeof(*service));

	service->meta.namespace = kserv_must_strdup("default");
	service->meta.name = kserv_must_strdup(name);
	service->cluster_ip = kserv_must_strdup("10.96.0.1");
	return service;
}

static struct kserv_slice *make_slice(const char *name, const char *service, size_t n)
{
	struct kserv_slice *slice = kserv_must_alloc(sizeof(*slice));
	char address[40];
	size_t i;

	slice->meta.namespace = kserv_must_strdup("default");
	slice->meta.name = kserv_must_strdup(name);
	slice->service = kserv_must_strdup(service);
	slice->n_endpoints = n;
	slice->endpoints = kserv_must_alloc(n * sizeof(*slice->endpoints));
	for (i = 0; i < n; i++) {
		snprintf(address, sizeof(address), "10.244.0.%zu", i + 1);
		kserv_strings_add(&slice->endpoints[i].addresses, address);
		slice->endpoints[i].node_name = kserv_must_strdup(i % 2 ? "node-b" : "node-a");
		slice->endpoints[i].ready = KSERV_TRUE;
	}
	return slice;
}

static size_t count_dirty(const struct model *model)
{
	const struct entry *entry;
	size_t n = 0;

	for (entry = model->dirty; entry; entry = entry->next_dirty)
		n++;
	return n;
}

static void a_change_makes_its_own_service_dirty_and_no_other(void **state)
{
	struct kserv_k8s_service *web = make_service("web"), *db = make_service("db");
	struct kserv_slice *one = make_slice("web-1", "web", 2), *moved = make_slice("web-1", "db", 1);
	struct model model;
	int calls = 0;

	(void)state;
	kserv_model_init(&model, count_call, &calls);
	kserv_model_set_service(&model, web);
	kserv_model_set_service(&model, db);
	kserv_model_settled(&model);
	assert_int_equal(calls, 2);
	kserv_model_set_slice(&model, one);
	assert_int_equal(count_dirty(&model), 1);
	assert_string_equal(model.dirty->name, "default/web");
	assert_int_equal(model.dirty->n_slices, 1);
	assert_int_equal(model.slices_pending, 1);
	kserv_model_settled(&model);

	/* A slice that goes over to another Service changes both. */
	kserv_model_set_slice(&model, moved);
	assert_int_equal(count_dirty(&model), 2);
	assert_int_equal(kserv_model_find(&model, "default/web")->n_slices, 0);
	assert_int_equal(kserv_model_find(&model, "default/db")->n_slices, 1);
	kserv_model_settled(&model);

	kserv_model_delete_slice(&model, "default", "web-1");
	kserv_model_delete_service(&model, "default", "db");
	assert_int_equal(count_dirty(&model), 1);
	kserv_model_settled(&model);
	assert_null(kserv_model_find(&model, "default/db"));
	assert_non_null(kserv_model_find(&model, "default/web"));
	assert_int_equal(model.slice_changes, 3);
	kserv_model_clear(&model);
	kserv_k8s_service_free(web);
	kserv_k8s_service_free(db);
	kserv_slice_free(one);
	kserv_slice_free(moved);
}

static struct kserv_node *make_node(const char *name, const char *cidr)
{
	struct kserv_node *node = kserv_must_alloc(sizeof(*node));

	node->meta.name = kserv_must_strdup(name);
	node->meta.namespace = kserv_must_strdup("");
	kserv_strings_add(&node->pod_cidrs, cidr);
	return node;
}

static void a_heartbeat_of_a_node_is_no_change(void **state)
{
	struct kserv_node *node = make_node("node-b", "10.244.2.0/24"), *again = make_node("node-b", "10.244.2.0/24");
	struct kserv_node *other = make_node("node-b", "10.244.3.0/24");
	struct kserv_settings settings = { .node_name = kserv_must_strdup("node-a") };
	struct model model;
	int calls = 0;

	(void)state;
	kserv_model_init(&model, count_call, &calls);
	kserv_model_set_settings(&model, &settings);
	kserv_model_set_node(&model, node);
	kserv_model_settled(&model);
	calls = 0;
	kserv_model_set_node(&model, again);
	assert_int_equal(calls, 0);
	kserv_model_set_node(&model, other);
	assert_int_equal(calls, 1);
	assert_true(model.nodes_changed);
	/* It is not our own: services stay as they are. */
	assert_false(model.all_changed);
	kserv_model_clear(&model);
	kserv_node_free(node);
	kserv_node_free(again);
	kserv_node_free(other);
}

static void a_replacement_forgets_what_is_not_in_it(void **state)
{
	struct kserv_k8s_service *old = make_service("old"), *new = make_service("new");
	struct kserv_cluster cluster = { .services = &new, .n_services = 1 };
	struct model model;
	int calls = 0;

	(void)state;
	kserv_model_init(&model, count_call, &calls);
	kserv_model_set_service(&model, old);
	kserv_model_settled(&model);
	kserv_model_replace(&model, &cluster);
	assert_true(model.all_changed);
	assert_null(kserv_model_find(&model, "default/old")->service);
	assert_ptr_equal(kserv_model_find(&model, "default/new")->service, new);
	kserv_model_settled(&model);
	assert_null(kserv_model_find(&model, "default/old"));
	kserv_model_clear(&model);
	kserv_k8s_service_free(old);
	kserv_k8s_service_free(new);
}

static void clear_answer(struct http_answer *answer)
{
	size_t i;

	for (i = 0; i < HTTP_HEADERS && answer->headers[i].name; i++)
		free(answer->headers[i].value);
	kserv_text_clear(&answer->body);
}

static void the_health_check_answers_as_kube_proxy_does(void **state)
{
	struct http_answer answer = { .status = 200 };

	(void)state;
	health_check_answer("shop", "web", 2, true, &answer);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.type, "application/json");
	assert_string_equal(answer.headers[0].name, "X-Content-Type-Options");
	assert_string_equal(answer.headers[0].value, "nosniff");
	assert_string_equal(answer.headers[1].name, "X-Load-Balancing-Endpoint-Weight");
	assert_string_equal(answer.headers[1].value, "2");
	assert_string_equal(answer.body.s,
			    "{\n\t\"service\": {\n\t\t\"namespace\": \"shop\",\n\t\t\"name\": \"web\"\n\t},\n"
			    "\t\"localEndpoints\": 2,\n\t\"serviceProxyHealthy\": true\n}\n");
	clear_answer(&answer);
}

static void the_health_check_is_503_without_endpoints_and_when_the_daemon_is_not_well(void **state)
{
	static const struct { size_t local; bool healthy; unsigned int status; } rows[] = {
		{ 0, true, 503 }, { 1, false, 503 }, { 0, false, 503 }, { 1, true, 200 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_answer answer = { .status = 200 };

		health_check_answer("a", "b", rows[i].local, rows[i].healthy, &answer);
		assert_int_equal(answer.status, rows[i].status);
		clear_answer(&answer);
	}
}

static void ready_endpoints_on_this_node_count_once(void **state)
{
	struct kserv_k8s_service *service = make_service("web");
	struct kserv_slice *slices[] = { make_slice("web-1", "web", 4), make_slice("web-2", "web", 4) };

	(void)state;
	assert_int_equal(health_count_local(service, slices, 2, "node-a"), 2);
	assert_int_equal(health_count_local(service, slices, 2, "node-c"), 0);
	/* A terminating one is not ready, although it may still serve. */
	slices[0]->endpoints[0].ready = KSERV_FALSE;
	slices[1]->endpoints[0].ready = KSERV_FALSE;
	assert_int_equal(health_count_local(service, slices, 2, "node-a"), 1);
	slices[0]->address_type = KSERV_ADDRESS_IPV6;
	slices[1]->endpoints[2].ready = KSERV_FALSE;
	assert_int_equal(health_count_local(service, slices, 2, "node-a"), 0);
	kserv_k8s_service_free(service);
	kserv_slice_free(slices[0]);
	kserv_slice_free(slices[1]);
}

static void a_node_that_is_going_is_unhealthy_but_alive(void **state)
{
	struct kserv_node *node = make_node("node-a", "10.244.1.0/24");
	struct health health = { .healthy = true };
	struct http_answer answer = { .status = 200 }, live = { .status = 200 };

	(void)state;
	assert_true(health_node_is_eligible(node, true));
	assert_true(health_node_is_eligible(NULL, false));
	assert_false(health_node_is_eligible(NULL, true));
	kserv_strings_add(&node->taints, "ToBeDeletedByClusterAutoscaler");
	assert_false(health_node_is_eligible(node, true));
	health_answer(&health, true, &answer);
	health_answer(&health, false, &live);
	assert_int_equal(answer.status, 503);
	assert_int_equal(live.status, 200);
	assert_non_null(strstr(answer.body.s, "\"nodeEligible\": false"));
	assert_null(strstr(live.body.s, "nodeEligible"));
	clear_answer(&answer);
	clear_answer(&live);
	kserv_node_free(node);
}

static void histograms_count_into_their_bounds(void **state)
{
	struct histogram histogram = { 0 };

	(void)state;
	histogram_add(&histogram, 0.0005);
	histogram_add(&histogram, 0.001);
	histogram_add(&histogram, 0.0011);
	histogram_add(&histogram, 1000);
	assert_int_equal(histogram.bucket[0], 2);
	assert_int_equal(histogram.bucket[1], 1);
	assert_int_equal(histogram.bucket[METRICS_BUCKETS], 1);
	assert_int_equal(histogram.count, 4);
}

static void labels_of_metrics_are_escaped(void **state)
{
	struct kserv_endpoint endpoint = { .addr = { .family = AF_INET }, .port = 80, .stats = { .connections = 7 } };
	struct kserv_service service = {
		.name = (char *)"a/b:\"x\\y", .family = AF_INET, .protocol = IPPROTO_TCP, .endpoints = &endpoint, .n_endpoints = 1,
		.rejects = 3,
	};
	const struct kserv_tables tables = { .services = &service, .n_services = 1 };
	struct kserv_text text = { 0 };

	(void)state;
	metrics_write_tables(&text, &tables);
	assert_non_null(strstr(text.s, "kserv_service_rejects_total{service=\"a/b:\\\"x\\\\y\",protocol=\"tcp\",family=\"IPv4\"} 3\n"));
	assert_non_null(strstr(text.s, "endpoint=\"0.0.0.0:80\"} 7\n"));
	kserv_text_clear(&text);
}

/* The options of a command line; false if it or the configuration is refused. */
static bool read_options(struct options *options, int argc, const char **argv)
{
	struct kserv_errors errors = { 0 };
	char *why;
	bool right = !options_parse(options, argc, argv, &why) && !options_read(options, &errors);

	free(why);
	kserv_errors_clear(&errors);
	return right;
}

static void flags_of_kube_proxy_mean_the_same(void **state)
{
	const char *argv[] = { "kservd", "--config=/dev/null", "--hostname-override=Node-A", "--masquerade-all",
			       "--nodeport-addresses=192.0.2.0/24,fd00::/64", "--min-sync-period=250ms",
			       "--healthz-bind-address=:11256", "--metrics-bind-address=", "--proxy-mode=nftables",
			       "--iptables-min-sync-period=1s", "--detect-local-mode=NodeCIDR" };
	struct kserv_settings settings;
	struct options options;

	(void)state;
	assert_true(read_options(&options, sizeof(argv) / sizeof(argv[0]), argv));
	kserv_embedded_config_settings(&options.config, &settings);
	assert_string_equal(settings.node_name, "node-a");
	assert_true(settings.masquerade_all);
	assert_true(settings.detect_node_cidr);
	assert_int_equal(settings.node_port_addresses.n, 2);
	assert_int_equal(options.min_sync_period_us, 250000);
	assert_int_equal(options.sync_period_us, 30000000);
	assert_int_equal(options.healthz.port, 11256);
	assert_int_equal(options.healthz.addr.family, AF_UNSPEC);
	assert_int_equal(options.metrics.port, 0);
	kserv_settings_clear(&settings);
	options_clear(&options);
}

static void wrong_options_are_refused(void **state)
{
	static const char *const words[] = {
		"--no-such-option", "--min-sync-period=soon", "--healthz-bind-address=1.2.3.4", "--oom-score-adj=2000",
		"--detect-local-mode=Guess", "too-much", "--set=nonsense", "--masquerade-all=perhaps",
	};
	struct options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *argv[] = { "kservd", "--config=/dev/null", words[i] };

		if (read_options(&options, 3, argv))
			fail_msg("%s was taken", words[i]);
		options_clear(&options);
	}
}

static void requests_and_answers_come_through_the_socket_unchanged(void **state)
{
	struct kserv_control_file file = { (char *)"web.yaml", (char *)"kind: \"Service\"\n\t\xc3\xa4", 0 };
	struct kserv_change change = { .verb = KSERV_DELETED, .kind = kserv_kind_lookup("Service"),
		.namespace = (char *)"shop", .name = (char *)"web", .before = (char *)"{\"a\":1}" };
	const struct kserv_control_request request = {
		.files = &file, .n_files = 1, .namespace = (char *)"shop", .dry = true, .objects = { .v = &change, .n = 1 },
	};
	struct kserv_control_answer answer = { .outcome = KSERV_OUTCOME_NO_MODULE, .programmed = true, .generation = 7,
		.changes = { .v = &change, .n = 1 }, .words = (char *)"no" }, read_answer;
	struct kserv_control_request read;
	struct kserv_errors errors = { 0 };
	struct kserv_text text = { 0 };

	(void)state;
	kserv_control_write_request(&text, &request);
	assert_int_equal(kserv_control_read_request(text.s, text.len, &read, &errors), 0);
	assert_string_equal(read.files[0].text, file.text);
	assert_string_equal(read.namespace, "shop");
	assert_true(read.dry);
	assert_string_equal(read.objects.v[0].name, "web");
	kserv_text_clear(&text);
	kserv_control_write_answer(&text, &answer);
	assert_int_equal(kserv_control_read_answer(text.s, text.len, &read_answer, &errors), 0);
	assert_int_equal(read_answer.outcome, KSERV_OUTCOME_NO_MODULE);
	assert_int_equal(read_answer.generation, 7);
	assert_string_equal(read_answer.words, "no");
	assert_string_equal(read_answer.changes.v[0].before, "{\"a\":1}");
	assert_null(read_answer.changes.v[0].after);
	kserv_control_request_clear(&read);
	kserv_control_answer_clear(&read_answer);
	kserv_text_clear(&text);
	kserv_errors_clear(&errors);
}

static void paths_of_the_api_are_understood(void **state)
{
	static const struct { const char *path, *kind, *namespace, *name; } rows[] = {
		{ "/api/v1/services", "Service", "", "" },
		{ "/api/v1/namespaces/shop/services", "Service", "shop", "" },
		{ "/api/v1/namespaces/shop/services/web", "Service", "shop", "web" },
		{ "/api/v1/nodes/node-a", "Node", "", "node-a" },
		{ "/api/v1/namespaces", "Namespace", "", "" },
		{ "/api/v1/namespaces/shop", "Namespace", "", "shop" },
		{ "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/web-1", "EndpointSlice", "shop", "web-1" },
		{ "/apis/apps/v1/deployments", "Deployment", "", "" },
		{ "/api/v1/services/web", NULL, NULL, NULL },
		{ "/api/v1/namespaces/shop/nodes", NULL, NULL, NULL },
		{ "/api/v1/namespaces/shop/services/web/status", NULL, NULL, NULL },
		{ "/api/v1/deployments", NULL, NULL, NULL },
		{ "/apis/apps", NULL, NULL, NULL },
		{ "/apis/", NULL, NULL, NULL },
		{ "/api/", NULL, NULL, NULL },
		{ "", NULL, NULL, NULL },
	};
	struct place place;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (place_read(rows[i].path, &place) != !!rows[i].kind)
			fail_msg("%s", rows[i].path);
		if (!rows[i].kind)
			continue;
		assert_string_equal(place.kind->kind, rows[i].kind);
		assert_string_equal(place.namespace, rows[i].namespace);
		assert_string_equal(place.name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_synced_after_a_moment_of_quiet),
		cmocka_unit_test(no_change_waits_longer_than_the_maximum),
		cmocka_unit_test(the_least_period_counts_from_the_end_of_a_sync),
		cmocka_unit_test(a_failed_sync_is_tried_again_ever_more_rarely),
		cmocka_unit_test(a_change_makes_its_own_service_dirty_and_no_other),
		cmocka_unit_test(a_heartbeat_of_a_node_is_no_change),
		cmocka_unit_test(a_replacement_forgets_what_is_not_in_it),
		cmocka_unit_test(the_health_check_answers_as_kube_proxy_does),
		cmocka_unit_test(the_health_check_is_503_without_endpoints_and_when_the_daemon_is_not_well),
		cmocka_unit_test(ready_endpoints_on_this_node_count_once),
		cmocka_unit_test(a_node_that_is_going_is_unhealthy_but_alive),
		cmocka_unit_test(histograms_count_into_their_bounds),
		cmocka_unit_test(labels_of_metrics_are_escaped),
		cmocka_unit_test(flags_of_kube_proxy_mean_the_same),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(paths_of_the_api_are_understood),
		cmocka_unit_test(requests_and_answers_come_through_the_socket_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
