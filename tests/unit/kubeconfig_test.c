// SPDX-License-Identifier: GPL-2.0
/* kubeconfig files, base64, what plugins print and what the server says when it refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kube/kubeconfig.h"
#include "kube/plugin.h"
#include "kube/refusal.h"

#define CONFIG(cluster, user)								\
	"apiVersion: v1\nkind: Config\ncurrent-context: here\n"				\
	"contexts:\n- name: here\n  context: {cluster: c, user: u, namespace: shop}\n"	\
	"clusters:\n- name: c\n  cluster: {" cluster "}\n"				\
	"users:\n- name: u\n  user: {" user "}\n"
#define SERVER "server: \"https://10.0.0.1:6443/\""

/* Errors as lines; the caller frees them. */
static char *read_config(const char *text, const char *context, struct kserv_access *access)
{
	struct kserv_kubeconfig config = { 0 };
	struct kserv_errors errors = { 0 };
	struct kserv_text lines = { 0 };
	size_t i;

	kserv_access_init(access);
	if (!kserv_kubeconfig_add(&config, "/etc/kube/config", text, strlen(text), &errors))
		kserv_kubeconfig_access(&config, context, access, &errors);
	for (i = 0; i < errors.n; i++) {
		char *line = kserv_error_format(&errors.v[i]);

		kserv_text_printf(&lines, "%s\n", line);
		free(line);
	}
	kserv_errors_clear(&errors);
	kserv_kubeconfig_clear(&config);
	return kserv_text_take(&lines);
}

static void expect_fine(const char *text, struct kserv_access *access)
{
	char *errors = read_config(text, "", access);

	if (*errors)
		fail_msg("%s", errors);
	free(errors);
}

static void expect_error(const char *text, const char *error)
{
	struct kserv_access access;
	char *errors = read_config(text, "", &access);

	if (!strstr(errors, error))
		fail_msg("the errors are\n%s, without\n%s", errors, error);
	free(errors);
	kserv_access_clear(&access);
}

static void every_field_is_taken(void **state)
{
	struct kserv_access access;

	(void)state;
	expect_fine(CONFIG(SERVER ", tls-server-name: api.test, proxy-url: \"http://proxy:3128\", "
			   "certificate-authority: ca.crt, certificate-authority-data: Q0EK, disable-compression: true",
			   "client-certificate: ../u.crt, client-key: /u.key, client-certificate-data: YQ==, tokenFile: token, "
			   "token: \"t\", username: me, password: \"p\", as: them, as-uid: \"7\", as-groups: [g, h], "
			   "as-user-extra: {scopes: [a, b]}"), &access);
	assert_string_equal(access.server, "https://10.0.0.1:6443");
	assert_string_equal(access.tls_name, "api.test");
	assert_string_equal(access.proxy, "http://proxy:3128");
	assert_string_equal(access.namespace, "shop");
	assert_string_equal(access.ca.path, "/etc/kube/ca.crt");
	assert_string_equal(access.ca.content.s, "CA\n");
	assert_true(access.no_compression);
	assert_string_equal(access.cert.path, "/etc/kube/../u.crt");
	assert_string_equal(access.cert.content.s, "a");
	assert_string_equal(access.key.path, "/u.key");
	assert_null(access.key.content.s);
	assert_string_equal(access.token, "t");
	assert_string_equal(access.token_file, "/etc/kube/token");
	assert_string_equal(access.username, "me");
	assert_string_equal(access.password, "p");
	assert_string_equal(access.as, "them");
	assert_string_equal(access.as_uid, "7");
	assert_int_equal(access.as_groups.n, 2);
	assert_int_equal(access.as_extra.n, 2);
	assert_string_equal(access.as_extra.v[1].key, "scopes");
	assert_string_equal(access.as_extra.v[1].value, "b");
	kserv_access_clear(&access);
}

static void a_plugin_is_taken_with_all_it_needs(void **state)
{
	struct kserv_access access;

	(void)state;
	expect_fine(CONFIG(SERVER, "exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/get, args: [a, b], "
			   "env: [{name: X, value: \"y\"}], installHint: buy it, provideClusterInfo: true, interactiveMode: IfAvailable}"),
		    &access);
	assert_string_equal(access.plugin.command, "/etc/kube/bin/get");
	assert_string_equal(access.plugin.args.v[1], "b");
	assert_string_equal(access.plugin.env.v[0].value, "y");
	assert_string_equal(access.plugin.hint, "buy it");
	assert_true(access.plugin.provide_cluster);
	kserv_access_clear(&access);
	expect_fine(CONFIG(SERVER, "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: aws}"), &access);
	assert_string_equal(access.plugin.command, "aws");
	kserv_access_clear(&access);
}

static void mistakes_are_named_with_their_place(void **state)
{
	(void)state;
	expect_error("- a", "/etc/kube/config:1:1: a kubeconfig is a map");
	expect_error("kind: Config", "/etc/kube/config: no current-context is set");
	expect_error("current-context: x", "there is no context called \"x\"");
	expect_error(CONFIG("", ""), "server: is missing");
	expect_error("current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: null}]",
		     "server: is missing");
	expect_error(CONFIG("server: \"10.0.0.1:6443\"", ""), "/etc/kube/config:9:21: clusters[0].cluster.server: should be a URL");
	expect_error(CONFIG("server: 10", ""), "should be a string");
	expect_error(CONFIG(SERVER ", certificate-authority-data: \"a$\"", ""), "certificate-authority-data: is not valid base64");
	expect_error(CONFIG(SERVER ", insecure-skip-tls-verify: true, certificate-authority: x", ""), "cannot be true where");
	expect_error(CONFIG(SERVER ", insecure-skip-tls-verify: true", ""), "warning: anybody on the way");
	expect_error(CONFIG(SERVER, "client-certificate: x"), "need each other");
	expect_error(CONFIG(SERVER, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}"), "apiVersion should be");
	expect_error(CONFIG(SERVER, "exec: {apiVersion: client.authentication.k8s.io/v1}"), "command: is missing");
	expect_error(CONFIG(SERVER, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Always}"),
		     "there is nobody here");
	expect_error(CONFIG(SERVER, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, args: [1], env: [{name: X, value: yes}]}"),
		     "exec.args[0]: should be a string");
	expect_error(CONFIG(SERVER, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, env: [{name: X, value: yes}]}"),
		     "exec.env[0].value: should be a string");
	expect_error(CONFIG(SERVER, "auth-provider: {name: gcp}"), "no longer supported");
	expect_error(CONFIG(SERVER, "as-uid: \"1\""), "need a user");
	expect_error("current-context: a\ncontexts: [{name: a, context: {cluster: c}}]", "there is no entry called \"c\" among the clusters");
	expect_error("current-context: a\ncontexts: [{name: a, context: {}}]", "the context names no cluster");
}

static void a_warning_keeps_nobody_from_starting(void **state)
{
	struct kserv_kubeconfig config = { 0 };
	struct kserv_errors errors = { 0 };
	struct kserv_access access;
	static const char text[] = CONFIG(SERVER ", insecure-skip-tls-verify: true", "");

	(void)state;
	kserv_access_init(&access);
	assert_int_equal(kserv_kubeconfig_add(&config, "c", text, sizeof(text) - 1, &errors), 0);
	assert_int_equal(kserv_kubeconfig_access(&config, "", &access, &errors), 0);
	assert_int_equal(errors.n, 1);
	assert_int_equal(kserv_kubeconfig_access(&config, "nowhere", &access, &errors), -EINVAL);
	kserv_access_clear(&access);
	kserv_errors_clear(&errors);
	kserv_kubeconfig_clear(&config);
}

static void the_first_of_several_files_wins(void **state)
{
	static const char *const texts[] = {
		"current-context: a\nusers: [{name: u, user: {token: one}}]\n",
		"current-context: b\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
		"users: [{name: u, user: {token: two, username: two}}]\n",
		"clusters: [{name: c, cluster: {server: \"https://three\", certificate-authority: ca}}]\n",
	};
	static const char *const paths[] = { "/one/config", "/two/config", "/three/config" };
	struct kserv_kubeconfig config = { 0 };
	struct kserv_errors errors = { 0 };
	struct kserv_access access;
	size_t i;

	(void)state;
	kserv_access_init(&access);
	for (i = 0; i < 3; i++)
		assert_int_equal(kserv_kubeconfig_add(&config, paths[i], texts[i], strlen(texts[i]), &errors), 0);
	assert_int_equal(kserv_kubeconfig_access(&config, "", &access, &errors), 0);
	assert_string_equal(access.token, "one");
	assert_string_equal(access.username, "");
	assert_string_equal(access.server, "https://three");
	assert_string_equal(access.ca.path, "/three/ca");
	kserv_access_clear(&access);
	kserv_kubeconfig_clear(&config);
}

static void base64_is_read_strictly(void **state)
{
	static const struct { const char *text, *bytes; } rows[] = {
		{ "", "" }, { "YQ==", "a" }, { "YWI=", "ab" }, { "YWJj", "abc" }, { "YW\nJj\n", "abc" }, { "+/+/", "\xfb\xff\xbf" },
		{ "Y", NULL }, { "YQ", NULL }, { "YQ=", NULL }, { "YQ==YQ==", NULL }, { "Y===", NULL }, { "Y-Q=", NULL },
	};
	struct kserv_text text = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(kserv_base64_read(rows[i].text, &text), rows[i].bytes ? 0 : -EINVAL);
		if (rows[i].bytes)
			assert_string_equal(text.s ? text.s : "", rows[i].bytes);
		kserv_text_clear(&text);
	}
}

#define V1 "client.authentication.k8s.io/v1"
#define MADE(status) "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":" status "}"

static void what_a_plugin_prints_is_checked(void **state)
{
	static const struct { const char *text, *why; } rows[] = {
		{ MADE("{\"token\":\"t\"}"), NULL },
		{ MADE("{\"clientCertificateData\":\"c\",\"clientKeyData\":\"k\"}"), NULL },
		{ MADE("{\"token\":\"t\",\"expirationTimestamp\":\"2026-11-23T10:00:00Z\"}"), NULL },
		{ MADE("{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}"), "cannot be read" },
		{ MADE("{}"), "neither a token nor" }, { MADE("null"), "neither a token nor" },
		{ MADE("{\"clientKeyData\":\"k\"}"), "without its key" },
		{ "{\"kind\":\"ExecCredential\",\"apiVersion\":\"other\"}", "asks for " V1 },
		{ "{}", "no ExecCredential" }, { "", "no JSON" }, { "[]", "no ExecCredential" },
	};
	struct kserv_plugin_credential credential;
	char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int error = kserv_plugin_read(V1, rows[i].text, strlen(rows[i].text), &credential, &why);

		assert_int_equal(error, rows[i].why ? -EINVAL : 0);
		if (rows[i].why && !strstr(why, rows[i].why))
			fail_msg("\"%s\" does not say \"%s\"", why, rows[i].why);
		free(why);
		kserv_plugin_credential_clear(&credential);
	}
}

static void the_time_when_a_credential_expires_is_read_in_any_zone(void **state)
{
	static const char *const times[] = {
		"2026-11-23T10:00:00Z", "2026-11-23T10:00:00.5Z", "2026-11-23T12:30:00+02:30", "2026-11-23T05:00:00-05:00",
	};
	struct kserv_plugin_credential credential;
	char text[256], *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
		snprintf(text, sizeof(text), MADE("{\"token\":\"t\",\"expirationTimestamp\":\"%s\"}"), times[i]);
		assert_int_equal(kserv_plugin_read(V1, text, strlen(text), &credential, &why), 0);
		assert_int_equal(credential.expires, 1795428000);
		kserv_plugin_credential_clear(&credential);
	}
}

static void refusals_are_sentences(void **state)
{
	static const struct { unsigned int code; const char *body, *sentence, *reason; bool ahead; } rows[] = {
		{ 429, "Too many requests, please try again later.\n",
		  "the server answered 429 Too Many Requests: Too many requests, please try again later.", "", false },
		{ 403, "{\"kind\":\"Status\",\"message\":\"services is forbidden\",\"reason\":\"Forbidden\",\"code\":403}",
		  "the server answered 403 Forbidden: services is forbidden", "Forbidden", false },
		{ 504, "{\"message\":\"Timeout: Too large\",\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}}",
		  "the server answered 504 Gateway Timeout: Timeout: Too large", "", true },
		{ 502, "<html><body>nginx</body></html>", "the server answered 502 Bad Gateway", "", false },
		{ 418, "", "the server answered 418 refused", "", false },
		{ 500, "{broken", "the server answered 500 Internal Server Error: {broken", "", false },
	};
	struct kserv_refusal refusal;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		kserv_refusal_read_body(rows[i].code, rows[i].body, strlen(rows[i].body), &refusal);
		assert_string_equal(refusal.sentence, rows[i].sentence);
		assert_string_equal(refusal.reason, rows[i].reason);
		assert_int_equal(refusal.code, rows[i].code);
		assert_int_equal(refusal.ahead, rows[i].ahead);
		kserv_refusal_clear(&refusal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_taken),
		cmocka_unit_test(a_plugin_is_taken_with_all_it_needs),
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(a_warning_keeps_nobody_from_starting),
		cmocka_unit_test(the_first_of_several_files_wins),
		cmocka_unit_test(base64_is_read_strictly),
		cmocka_unit_test(what_a_plugin_prints_is_checked),
		cmocka_unit_test(the_time_when_a_credential_expires_is_read_in_any_zone),
		cmocka_unit_test(refusals_are_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
