// SPDX-License-Identifier: GPL-2.0
/* The variables of a new pod, as in the manual of Kubernetes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/environment.h"
#include "cluster/memory.h"
#include "plan_model.h"

static void add(const char *namespace, const char *name, const char *spec)
{
	char *manifest = kserv_must_printf("apiVersion: v1\nkind: Service\nmetadata: { namespace: %s, name: %s }\nspec: %s\n",
					   namespace, name, spec);

	model_add(&model.cluster, manifest);
	free(manifest);
}

/* "NAME=VALUE " for each variable of a pod in @namespace. */
static void expect(const char *namespace, const char *words)
{
	struct kserv_environment environment;
	struct kserv_text text = { 0 };
	size_t i;

	kserv_environment_of(&model.cluster, namespace, &environment);
	for (i = 0; i < environment.n; i++)
		kserv_text_printf(&text, "%s=%s ", environment.v[i].name, environment.v[i].value);
	assert_string_equal(text.s ? text.s : "", words);
	kserv_text_clear(&text);
	kserv_environment_clear(&environment);
}

static void a_service_is_told_by_host_port_and_link(void **state)
{
	(void)state;
	add("default", "redis-primary", "{ clusterIP: 10.0.0.11, ports: [{ port: 6379 }] }");
	expect("default", "REDIS_PRIMARY_SERVICE_HOST=10.0.0.11 REDIS_PRIMARY_SERVICE_PORT=6379 "
	       "REDIS_PRIMARY_PORT=tcp://10.0.0.11:6379 REDIS_PRIMARY_PORT_6379_TCP=tcp://10.0.0.11:6379 "
	       "REDIS_PRIMARY_PORT_6379_TCP_PROTO=tcp REDIS_PRIMARY_PORT_6379_TCP_PORT=6379 "
	       "REDIS_PRIMARY_PORT_6379_TCP_ADDR=10.0.0.11 ");
}

static void each_named_port_has_its_own_variables(void **state)
{
	(void)state;
	add("default", "dns", "{ clusterIP: \"fd00::a\", ports: [{ name: dns, protocol: UDP, port: 53 }, "
	    "{ name: dns-tcp, port: 53 }] }");
	expect("default", "DNS_SERVICE_HOST=fd00::a DNS_SERVICE_PORT=53 DNS_SERVICE_PORT_DNS=53 DNS_SERVICE_PORT_DNS_TCP=53 "
	       "DNS_PORT=udp://[fd00::a]:53 DNS_PORT_53_UDP=udp://[fd00::a]:53 DNS_PORT_53_UDP_PROTO=udp "
	       "DNS_PORT_53_UDP_PORT=53 DNS_PORT_53_UDP_ADDR=fd00::a DNS_PORT_53_TCP=tcp://[fd00::a]:53 "
	       "DNS_PORT_53_TCP_PROTO=tcp DNS_PORT_53_TCP_PORT=53 DNS_PORT_53_TCP_ADDR=fd00::a ");
}

#define KUBERNETES(ip) "KUBERNETES_SERVICE_HOST=" ip " KUBERNETES_SERVICE_PORT=443 KUBERNETES_PORT=tcp://" ip ":443 " \
	"KUBERNETES_PORT_443_TCP=tcp://" ip ":443 KUBERNETES_PORT_443_TCP_PROTO=tcp KUBERNETES_PORT_443_TCP_PORT=443 " \
	"KUBERNETES_PORT_443_TCP_ADDR=" ip " "

static void the_api_server_is_told_everywhere_and_nothing_else_of_other_namespaces(void **state)
{
	(void)state;
	add("default", "kubernetes", "{ clusterIP: 10.96.0.1, ports: [{ port: 443 }] }");
	add("default", "other", "{ clusterIP: 10.96.0.2, ports: [{ port: 80 }] }");
	expect("shop", KUBERNETES("10.96.0.1"));
	add("shop", "kubernetes", "{ clusterIP: 10.96.0.3, ports: [{ port: 443 }] }");
	expect("shop", KUBERNETES("10.96.0.3"));
}

static void services_without_an_address_are_not_told(void **state)
{
	(void)state;
	add("default", "headless", "{ clusterIP: None, ports: [{ port: 80 }] }");
	add("default", "outside", "{ type: ExternalName, externalName: www.example.com }");
	expect("default", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_service_is_told_by_host_port_and_link),
		TEST(each_named_port_has_its_own_variables),
		TEST(the_api_server_is_told_everywhere_and_nothing_else_of_other_namespaces),
		TEST(services_without_an_address_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
