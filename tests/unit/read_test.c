// SPDX-License-Identifier: GPL-2.0
/* Which manifests are right, which are refused and with which words, and what is read from the right ones. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cluster/manifest.h"
#include "cluster/memory.h"
#include "cluster/read.h"
#include "cluster/schema.h"

/* The body of an object, and the errors it gets, a line each; NULL where it is right. */
struct row {
	const char *body, *errors;
};

struct document {
	struct kserv_manifests manifests;
	struct kserv_errors errors;
};

/* @first: the lines that all bodies of a test begin with. */
static void read_document(struct document *doc, const char *first, const char *body)
{
	char *text = kserv_must_printf("%s%s", first, body);

	*doc = (struct document){ 0 };
	kserv_manifests_read(&doc->manifests, "m", text, strlen(text), &doc->errors);
	if (doc->manifests.n)
		kserv_manifest_check(&doc->manifests.v[0], &doc->errors);
	free(text);
}

static void clear_document(struct document *doc)
{
	kserv_errors_clear(&doc->errors);
	kserv_manifests_clear(&doc->manifests);
}

static char *all_errors(const struct kserv_errors *errors)
{
	struct kserv_text text = { 0 };
	size_t i;
	char *line;

	for (i = 0; i < errors->n; i++) {
		line = kserv_error_format(&errors->v[i]);
		kserv_text_printf(&text, "%s%s", i ? "\n" : "", line);
		free(line);
	}
	for (i = 0; i < errors->n_notes; i++)
		kserv_text_printf(&text, "%snote: %s", text.len ? "\n" : "", errors->notes[i]);
	return kserv_text_take(&text);
}

static void check_rows(const char *first, const struct row *rows, size_t n)
{
	struct document doc;
	size_t i;
	char *got;

	for (i = 0; i < n; i++) {
		read_document(&doc, first, rows[i].body);
		got = all_errors(&doc.errors);
		if (strcmp(got, rows[i].errors ? rows[i].errors : ""))
			fail_msg("%s%s\nis refused with\n%s\nbut was\n%s", first, rows[i].body,
				 rows[i].errors ? rows[i].errors : "nothing", got);
		free(got);
		clear_document(&doc);
	}
}

#define CHECK(first, rows) check_rows(first, rows, sizeof(rows) / sizeof(*(rows)))

static const char service[] = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n";

static void right_services_pass(void **state)
{
	static const struct row rows[] = {
		{ "  ports: [{port: 80}]\n", NULL },
		{ "  selector: {app: web}\n  ports: [{name: a, port: 80, targetPort: http}, {name: b, port: 80, protocol: UDP}]\n", NULL },
		{ "  type: NodePort\n  ports: [{port: 80, nodePort: 31000}]\n", NULL },
		{ "  type: NodePort\n  ports: [{name: a, port: 53, nodePort: 31000}, {name: b, port: 53, protocol: UDP, nodePort: 31000}]\n", NULL },
		{ "  type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 32000\n  loadBalancerSourceRanges: [10.0.0.0/8, ' fd00::/8 ']\n"
		  "  loadBalancerClass: example.com/x\n  allocateLoadBalancerNodePorts: false\n  loadBalancerIP: 192.0.2.1\n  ports: [{port: 80}]\n", NULL },
		{ "  clusterIP: None\n", NULL },
		{ "  type: ExternalName\n  externalName: db.example.com.\n", NULL },
		{ "  sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 86400}}\n  ports: [{port: 80}]\n", NULL },
		{ "  sessionAffinity: None\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}\n  ports: [{port: 80}]\n", NULL },
		{ "  ipFamilyPolicy: RequireDualStack\n  ipFamilies: [IPv6, IPv4]\n  clusterIP: fd00::1\n  clusterIPs: [\"fd00::1\", 10.0.0.1]\n  ports: [{port: 80}]\n", NULL },
		{ "  externalIPs: [192.0.2.1]\n  externalTrafficPolicy: Local\n  ports: [{port: 80}]\n", NULL },
		{ "  trafficDistribution: PreferClose\n  internalTrafficPolicy: Local\n  publishNotReadyAddresses: true\n  ports: [{port: 80, appProtocol: kubernetes.io/h2c}]\n", NULL },
	};

	(void)state;
	CHECK(service, rows);
}

static void wrong_types_are_refused_with_what_was_expected(void **state)
{
	static const struct row rows[] = {
		{ "  ports:\n  - port: \"http\"\n", "m:6:11: spec.ports[0].port: expected integer, got \"http\"" },
		{ "  ports: [{port: 80.5}]\n", "m:5:18: spec.ports[0].port: expected integer, got number 80.5" },
		{ "  ports: {port: 80}\n", "m:5:10: spec.ports: expected a list, got a map" },
		{ "  ports: [80]\n", "m:5:11: spec.ports[0]: expected a map of fields, got number 80" },
		{ "  ports: [{port: 80}]\n  selector: {a: yes, b: 1}\n",
		  "m:6:17: spec.selector.a: expected string, got boolean yes; write it in quotes\n"
		  "m:6:25: spec.selector.b: expected string, got number 1; write it in quotes" },
		{ "  ports: [{port: 80}]\n  publishNotReadyAddresses: \"true\"\n",
		  "m:6:29: spec.publishNotReadyAddresses: expected true or false, got \"true\"" },
		{ "  ports: [{port: 99999999999}]\n",
		  "m:5:18: spec.ports[0].port: expected integer from -2147483648 to 2147483647, got number 99999999999\n"
		  "m:5:18: spec.ports[0].port: must be between 1 and 65535, got 99999999999" },
		{ "  ports: [{port: 80, targetPort: [1]}]\n", "m:5:34: spec.ports[0].targetPort: expected integer or string, got a list" },
		{ "  port: [{port: 80}]\n", "m:5:9: spec.port: unknown field (did you mean ports?)\nm:5:3: spec.ports: required" },
		{ "  ports: [{port: 80, portt: 1, x: 2}]\n",
		  "m:5:29: spec.ports[0].portt: unknown field (did you mean port?)\nm:5:35: spec.ports[0].x: unknown field" },
	};

	(void)state;
	CHECK(service, rows);
}

static void wrong_ports_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "  type: ClusterIP\n", "m:5:3: spec.ports: required" },
		{ "  ports: []\n", "m:5:3: spec.ports: required" },
		{ "  ports: [{}]\n", "m:5:11: spec.ports[0].port: required" },
		{ "  ports: [{port: 0}]\n", "m:5:18: spec.ports[0].port: must be between 1 and 65535, got 0" },
		{ "  ports: [{port: 70000}]\n", "m:5:18: spec.ports[0].port: must be between 1 and 65535, got 70000" },
		{ "  ports: [{port: 80, protocol: tcp}]\n", "m:5:32: spec.ports[0].protocol: must be one of TCP, UDP, SCTP, got \"tcp\"" },
		{ "  ports: [{port: 80, targetPort: 70000}]\n", "m:5:34: spec.ports[0].targetPort: must be between 1 and 65535, got 70000" },
		{ "  ports: [{port: 80, targetPort: \"80\"}]\n",
		  "m:5:34: spec.ports[0].targetPort: \"80\" must be at most 15 lower-case letters, digits and single '-', with at least one letter" },
		{ "  ports: [{port: 80, name: HTTP}]\n",
		  "m:5:28: spec.ports[0].name: \"HTTP\" must be at most 63 lower-case letters, digits and '-', with a letter or digit at both ends" },
		{ "  ports: [{port: 80}, {port: 81, name: b}]\n", "m:5:11: spec.ports[0].name: required where there are several ports" },
		{ "  ports: [{port: 80, name: a}, {port: 81, name: a}]\n", "m:5:49: spec.ports[1].name: \"a\" is the name of another port" },
		{ "  ports: [{port: 80, name: a}, {port: 80, name: b}]\n", "m:5:39: spec.ports[1].port: TCP port 80 is given twice" },
		{ "  type: NodePort\n  ports: [{port: 80, name: a, nodePort: 31000}, {port: 81, name: b, nodePort: 31000}]\n",
		  "m:6:79: spec.ports[1].nodePort: TCP node port 31000 is given twice" },
		{ "  type: LoadBalancer\n  ports: [{port: 10250}]\n",
		  "m:6:18: spec.ports[0].port: must not be 10250 in a LoadBalancer Service: the kubelet listens there" },
	};

	(void)state;
	CHECK(service, rows);
}

static void fields_that_do_not_go_together_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "  type: Foo\n  ports: [{port: 80}]\n", "m:5:9: spec.type: must be one of ClusterIP, NodePort, LoadBalancer, ExternalName, got \"Foo\"" },
		{ "  type: ExternalName\n", "m:5:3: spec.externalName: required when type is ExternalName" },
		{ "  type: ExternalName\n  externalName: under_score\n", "m:6:17: spec.externalName: \"under_score\" is not a DNS name" },
		{ "  type: NodePort\n  clusterIP: None\n  ports: [{port: 80}]\n", "m:6:14: spec.clusterIP: may not be None when type is NodePort" },
		{ "  clusterIP: 10.0.0\n  ports: [{port: 80}]\n", "m:5:14: spec.clusterIP: \"10.0.0\" is not an IPv4 or IPv6 address" },
		{ "  clusterIPs: [10.0.0.1]\n  ports: [{port: 80}]\n", "m:5:15: spec.clusterIPs: may not be set without clusterIP" },
		{ "  clusterIP: 10.0.0.2\n  clusterIPs: [10.0.0.1]\n  ports: [{port: 80}]\n",
		  "m:6:16: spec.clusterIPs[0]: must be the same as clusterIP, \"10.0.0.2\", got \"10.0.0.1\"" },
		{ "  clusterIP: 10.0.0.1\n  clusterIPs: [10.0.0.1, 10.0.0.2]\n  ports: [{port: 80}]\n", "m:6:15: spec.clusterIPs: must be one address of each family" },
		{ "  ipFamilies: [IPv4, IPv4]\n  ports: [{port: 80}]\n", "m:5:22: spec.ipFamilies[1]: IPv4 is given twice" },
		{ "  ipFamilies: [ipv4]\n  ports: [{port: 80}]\n", "m:5:16: spec.ipFamilies[0]: must be one of IPv4, IPv6, got \"ipv4\"" },
		{ "  ipFamilies: [IPv4, IPv6]\n  ipFamilyPolicy: SingleStack\n  ports: [{port: 80}]\n", "m:5:15: spec.ipFamilies: must be one when ipFamilyPolicy is SingleStack" },
		{ "  sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}\n  ports: [{port: 80}]\n",
		  "m:6:54: spec.sessionAffinityConfig.clientIP.timeoutSeconds: must be between 1 and 86400 seconds, got 86401" },
		{ "  type: LoadBalancer\n  loadBalancerSourceRanges: [10.0.0.1, 10.0.0.0/33]\n  ports: [{port: 80}]\n",
		  "m:6:30: spec.loadBalancerSourceRanges[0]: \"10.0.0.1\" is not a CIDR such as 10.0.0.0/8 or fd00::/64\n"
		  "m:6:40: spec.loadBalancerSourceRanges[1]: \"10.0.0.0/33\" is not a CIDR such as 10.0.0.0/8 or fd00::/64" },
		{ "  externalIPs: [127.0.0.1, x]\n  ports: [{port: 80}]\n",
		  "m:5:17: spec.externalIPs[0]: must not be a loopback address, got \"127.0.0.1\"\n"
		  "m:5:28: spec.externalIPs[1]: \"x\" is not an IPv4 or IPv6 address" },
		{ "  internalTrafficPolicy: local\n  ports: [{port: 80}]\n", "m:5:26: spec.internalTrafficPolicy: must be one of Cluster, Local, got \"local\"" },
	};

	(void)state;
	CHECK(service, rows);
}

static void fields_of_another_type_are_passed_over(void **state)
{
	static const struct row rows[] = {
		{ "  ports: [{port: 80, nodePort: 31000}]\n",
		  "note: m:5:32: spec.ports[0].nodePort: Kubernetes refuses a node port in a new Service of type ClusterIP" },
		{ "  type: ExternalName\n  externalName: a.b\n  clusterIP: 10.0.0.1\n  ports: [{port: 80, nodePort: 31000}]\n",
		  "note: m:8:32: spec.ports[0].nodePort: means nothing when type is ExternalName\n"
		  "note: m:7:14: spec.clusterIP: means nothing when type is ExternalName" },
		{ "  externalTrafficPolicy: Local\n  ports: [{port: 80}]\n",
		  "note: m:5:26: spec.externalTrafficPolicy: means nothing unless type is NodePort or LoadBalancer, or there are externalIPs" },
		{ "  type: LoadBalancer\n  healthCheckNodePort: 31000\n  ports: [{port: 80}]\n",
		  "note: m:6:24: spec.healthCheckNodePort: means nothing unless type is LoadBalancer and externalTrafficPolicy is Local" },
		{ "  loadBalancerSourceRanges: [10.0.0.0/8]\n  ports: [{port: 80}]\n",
		  "note: m:5:29: spec.loadBalancerSourceRanges: is meant for Services of type LoadBalancer" },
		{ "  clusterIP: 010.096.000.010\n  externalIPs: [203.000.113.010]\n  loadBalancerSourceRanges: [\" 010.0.0.0/08 \"]\n"
		  "  type: LoadBalancer\n  ports: [{port: 80}]\n", NULL },
	};

	(void)state;
	CHECK(service, rows);
}

static void metadata_is_checked(void **state)
{
	static const char first[] = "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\n";
	static const struct row rows[] = {
		{ "", "m:1:1: metadata.name: required" },
		{ "metadata: {generateName: a-}\n", "m:4:11: metadata.name: required: apply cannot work with generateName" },
		{ "metadata: {name: 1web}\n",
		  "m:4:18: metadata.name: \"1web\" must be at most 63 lower-case letters, digits and '-', begin with a letter and not end with '-'" },
		{ "metadata: {name: web, namespace: A}\n",
		  "m:4:34: metadata.namespace: \"A\" must be at most 63 lower-case letters, digits and '-', with a letter or digit at both ends" },
		{ "metadata: {name: web, labels: {-a: b}}\n",
		  "m:4:36: metadata.labels.-a: the key \"-a\" must be at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends" },
		{ "metadata: {name: web, labels: {example.com/a: \"x y\"}}\n",
		  "m:4:47: metadata.labels[example.com/a]: \"x y\" must be empty or at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends" },
		{ "metadata: {name: web, creationTimestamp: yesterday}\n",
		  "m:4:42: metadata.creationTimestamp: expected time such as 2026-01-31T12:00:00Z, got \"yesterday\"" },
		{ "metadata: {name: web, creationTimestamp: null, managedFields: [{manager: x, fieldsV1: {\"f:a\": {}}}]}\n", NULL },
		{ "metadata: {name: web, annotations: {kserv.io/weight: \"a lot\"}}\n",
		  "m:4:54: metadata.annotations[kserv.io/weight]: must be a number from 0 to 65535 (100 is ordinary), got \"a lot\"" },
	};

	(void)state;
	CHECK(first, rows);
}

static void slices_and_endpoints_are_checked(void **state)
{
	static const struct row slices[] = {
		{ "endpoints: []\n", "m:1:1: addressType: required" },
		{ "addressType: IPv4\nendpoints: null\nports: null\n", NULL },
		{ "addressType: IPv4\nports: [{port: 80}, {name: a}]\nendpoints: [{addresses: [10.0.0.1], conditions: {}, nodeName: a, zone: z, hints: {forZones: [{name: z}]}}]\n", NULL },
		{ "addressType: FQDN\nendpoints: [{addresses: [a.example.com]}]\n", NULL },
		{ "addressType: IPv5\n", "m:4:14: addressType: must be one of IPv4, IPv6, FQDN, got \"IPv5\"" },
		{ "addressType: IPv4\nendpoints: [{addresses: []}]\n", "m:5:13: endpoints[0].addresses: required" },
		{ "addressType: IPv4\nendpoints: [{addresses: [\"fd00::1\"]}]\n", "m:5:26: endpoints[0].addresses[0]: must be an IPv4 address as addressType says, got \"fd00::1\"" },
		{ "addressType: IPv6\nendpoints: [{addresses: [\"fe80::1\"]}]\n", "m:5:26: endpoints[0].addresses[0]: must not be link-local, got \"fe80::1\"" },
		{ "addressType: IPv4\nports: [{port: 80}, {port: 81}]\n", "m:5:21: ports[1].name: \"\" is the name of another port" },
		{ "addressType: IPv4\nendpoint: []\n", "m:5:11: endpoint: unknown field (did you mean endpoints?)" },
	};
	static const struct row endpoints[] = {
		{ "subsets: [{addresses: [{ip: 10.0.0.1, nodeName: a, targetRef: {kind: Pod, name: p}}], ports: [{port: 80}]}]\n", NULL },
		{ "subsets: [{ports: [{port: 80}]}]\n", "m:4:11: subsets[0].addresses: required: addresses or notReadyAddresses must hold one" },
		{ "subsets: [{addresses: [{}], ports: [{}]}]\n", "m:4:24: subsets[0].addresses[0].ip: required\nm:4:37: subsets[0].ports[0].port: required" },
		{ "subsets: [{addresses: [{ip: 127.0.0.1}]}]\n", "m:4:29: subsets[0].addresses[0].ip: must not be a loopback address, got \"127.0.0.1\"" },
	};

	(void)state;
	CHECK("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1}\n", slices);
	CHECK("apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\n", endpoints);
}

static void pods_nodes_and_workloads_are_checked(void **state)
{
	static const struct row pods[] = {
		{ "spec: {containers: [{name: a, image: b}]}\n", NULL },
		{ "", "m:1:1: spec.containers: required" },
		{ "spec: {containers: [{name: a}]}\n", "m:4:21: spec.containers[0].image: required" },
		{ "spec: {containers: [{name: a, image: b, ports: [{name: too-long-port-name, containerPort: 0}]}]}\n",
		  "m:4:91: spec.containers[0].ports[0].containerPort: must be between 1 and 65535, got 0\n"
		  "m:4:56: spec.containers[0].ports[0].name: \"too-long-port-name\" must be at most 15 lower-case letters, digits and single '-', with at least one letter" },
		{ "spec: {containers: [{name: a, image: b}, {name: a, image: c}]}\n", "m:4:49: spec.containers[1].name: \"a\" is the name of another container" },
		{ "spec: {containers: [{name: a, image: b, resources: {limits: {memory: 1Gib}}}]}\n",
		  "m:4:70: spec.containers[0].resources.limits.memory: expected quantity such as 500m or 1Gi, got \"1Gib\"" },
		{ "spec: {containers: [{name: a, image: b}]}\nstatus: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.2}]}\n",
		  "m:5:17: status.podIP: must be the first of podIPs, 10.0.0.2, got \"10.0.0.1\"" },
		{ "spec: {containers: [{name: a, image: b}]}\nstatus: {phase: Ready}\n",
		  "m:5:17: status.phase: must be one of Pending, Running, Succeeded, Failed, Unknown, got \"Ready\"" },
	};
	static const struct row nodes[] = {
		{ "spec: {podCIDR: 10.0.0.0/24}\n", NULL },
		{ "spec: {podCIDR: 10.0.0.0/24, podCIDRs: [10.0.1.0/24]}\n", "m:4:17: spec.podCIDR: must be the first of podCIDRs, 10.0.1.0/24, got \"10.0.0.0/24\"" },
		{ "spec: {podCIDRs: [10.0.0.0]}\n", "m:4:19: spec.podCIDRs[0]: \"10.0.0.0\" is not a CIDR such as 10.0.0.0/8 or fd00::/64" },
		{ "status: {addresses: [{type: InternalIP, address: x}]}\n", "m:4:50: status.addresses[0].address: \"x\" is not an IPv4 or IPv6 address" },
		{ "spec: {}\nmetadate: {}\n", "m:5:11: metadate: unknown field (did you mean metadata?)" },
	};
	static const struct row deployments[] = {
		{ "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: d}]}}}\n", NULL },
		{ "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: c, image: d}]}}}\n",
		  "m:4:51: spec.template: metadata.labels do not match spec.selector.matchLabels" },
		{ "spec: {replicas: -1}\n", "m:4:18: spec.replicas: must be 0 or more, got -1\nm:4:7: spec.selector: required\nm:4:7: spec.template: required" },
	};

	(void)state;
	CHECK("apiVersion: v1\nkind: Pod\nmetadata: {name: web-1}\n", pods);
	CHECK("apiVersion: v1\nkind: Node\nmetadata: {name: node-a}\n", nodes);
	CHECK("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n", deployments);
}

/* A Pod with something from most corners of the API. */
static void a_long_pod_passes(void **state)
{
	static const char text[] =
		"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  ownerReferences:\n"
		"  - {apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: u, controller: true, blockOwnerDeletion: true}\n"
		"spec:\n"
		"  affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: "
		"{labelSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}, topologyKey: kubernetes.io/hostname}}]}}\n"
		"  initContainers: [{name: i, image: j, command: [sh, -c, \"true\"], restartPolicy: Always}]\n"
		"  containers:\n"
		"  - name: c\n    image: d\n"
		"    env: [{name: A, value: b}, {name: B, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}, {name: C, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]\n"
		"    envFrom: [{configMapRef: {name: c}}]\n"
		"    resources: {requests: {cpu: 0.5, memory: 1e3, ephemeral-storage: 2Gi}, limits: {cpu: 2}}\n"
		"    livenessProbe: {httpGet: {path: /, port: http, httpHeaders: [{name: a, value: b}]}, periodSeconds: 5}\n"
		"    readinessProbe: {grpc: {port: 9000}}\n"
		"    lifecycle: {preStop: {sleep: {seconds: 5}}}\n"
		"    securityContext: {capabilities: {drop: [ALL]}, runAsUser: 0, seccompProfile: {type: RuntimeDefault}}\n"
		"    volumeMounts: [{name: v, mountPath: /v, readOnly: true}]\n"
		"  volumes:\n"
		"  - {name: v, emptyDir: {medium: Memory, sizeLimit: 1Mi}}\n"
		"  - {name: w, projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 3600}}, {configMap: {name: c, items: [{key: k, path: p}]}}]}}\n"
		"  - {name: x, csi: {driver: d, volumeAttributes: {a: b}}}\n"
		"  tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]\n"
		"  topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule, labelSelector: {}}]\n"
		"  dnsConfig: {nameservers: [10.0.0.1], options: [{name: ndots, value: \"5\"}]}\n"
		"  hostAliases: [{ip: 10.0.0.1, hostnames: [a]}]\n";
	const struct row row = { text, NULL };

	(void)state;
	check_rows("", &row, 1);
}

static void all_errors_of_a_manifest_are_told_at_once(void **state)
{
	struct document doc;

	(void)state;
	read_document(&doc, service, "  type: Foo\n  selector: {a: 1}\n  prots: []\n  ports: [{port: 0, protocol: X, nodePort: x}, {}]\n");
	assert_int_equal(doc.errors.n, 9);
	clear_document(&doc);
}

static bool visit_types(const char *fields, const char **ret_missing)
{
	char *copy = kserv_must_strdup(fields), *rest = copy, *word, *type;
	static char name[64];

	while ((word = strsep(&rest, " "))) {
		type = *word == '@' ? word + 1 : strchr(word, ':') + 1;
		type += *type == '[' || *type == '{' ? 2 : 0;
		if (*type < 'A' || *type > 'Z' || kserv_schema_lookup(type))
			continue;
		snprintf(name, sizeof(name), "%s", type);
		*ret_missing = name;
	}
	free(copy);
	return *ret_missing;
}

static void every_type_that_a_field_names_exists(void **state)
{
	static const struct kserv_schema *const tables[] = { kserv_schema_objects, kserv_schema_pod_spec, kserv_schema_config };
	const char *missing = NULL;
	const struct kserv_schema *row;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		for (row = tables[i]; row->name; row++)
			if (visit_types(row->fields, &missing))
				fail_msg("%s has a field of type %s, which is no row", row->name, missing);
}

static void a_service_is_read_into_the_model(void **state)
{
	struct kserv_k8s_service *read;
	struct document doc;

	(void)state;
	read_document(&doc, service, "  type: LoadBalancer\n  selector: {app: web}\n  sessionAffinity: ClientIP\n  externalTrafficPolicy: Local\n"
		      "  ports: [{name: http, port: 80, targetPort: web, nodePort: 31000}, {name: dns, port: 53, protocol: UDP}]\n"
		      "  clusterIP: 10.96.0.9\n  loadBalancerSourceRanges: [10.0.0.0/8]\n"
		      "status: {loadBalancer: {ingress: [{ip: 192.0.2.1, ipMode: Proxy}, {hostname: x}]}}\n");
	assert_int_equal(doc.errors.n, 0);
	read = kserv_read_service(doc.manifests.v[0].value);
	assert_int_equal(read->type, KSERV_SERVICE_LOAD_BALANCER);
	assert_string_equal(read->cluster_ip, "10.96.0.9");
	assert_int_equal(read->n_ports, 2);
	assert_string_equal(read->ports[0].target_port.name, "web");
	assert_int_equal(read->ports[0].node_port, 31000);
	assert_null(read->ports[1].target_port.name);
	assert_int_equal(read->ports[1].target_port.number, 53);
	assert_int_equal(read->ports[1].protocol, IPPROTO_UDP);
	assert_true(read->client_ip_affinity);
	assert_int_equal(read->affinity_timeout, 10800);
	assert_int_equal(read->external_policy, KSERV_POLICY_LOCAL);
	assert_int_equal(read->internal_policy, KSERV_POLICY_CLUSTER);
	assert_int_equal(read->n_ingress, 2);
	assert_true(read->ingress[0].proxy);
	assert_string_equal(read->ingress[1].ip, "");
	assert_int_equal(read->source_ranges.n, 1);
	assert_string_equal(kserv_labels_find(&read->selector, "app"), "web");
	kserv_k8s_service_free(read);
	clear_document(&doc);
}

static void a_slice_is_read_into_the_model(void **state)
{
	struct kserv_slice *read;
	struct document doc;

	(void)state;
	read_document(&doc, "", "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
		      "metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}\naddressType: IPv6\n"
		      "ports: [{name: http, port: 80}, {name: all}]\n"
		      "endpoints: [{addresses: [\"fd00::1\"], conditions: {ready: false, terminating: true}, nodeName: a, "
		      "hints: {forZones: [{name: z}], forNodes: [{name: a}]}}, {addresses: [\"fd00::2\"]}]\n");
	assert_int_equal(doc.errors.n, 0);
	read = kserv_read_slice(doc.manifests.v[0].value);
	assert_string_equal(read->service, "web");
	assert_int_equal(read->address_type, KSERV_ADDRESS_IPV6);
	assert_int_equal(read->n_endpoints, 2);
	assert_int_equal(read->endpoints[0].ready, KSERV_FALSE);
	assert_int_equal(read->endpoints[0].serving, KSERV_ABSENT);
	assert_int_equal(read->endpoints[0].terminating, KSERV_TRUE);
	assert_string_equal(read->endpoints[0].hint_zones.v[0], "z");
	assert_string_equal(read->endpoints[0].hint_nodes.v[0], "a");
	assert_int_equal(read->endpoints[1].weight, 100);
	assert_int_equal(read->ports[1].port, 0);
	kserv_slice_free(read);
	clear_document(&doc);
}

static void a_pod_without_a_status_is_ready_where_its_annotation_says(void **state)
{
	static const struct {
		const char *more;
		bool ready;
		enum kserv_pod_phase phase;
		size_t n_ips;
	} rows[] = {
		{ "", false, KSERV_POD_PENDING, 0 },
		{ "metadata: {name: p, annotations: {kserv.io/pod-ip: 10.0.0.1}}\n", true, KSERV_POD_RUNNING, 1 },
		{ "metadata: {name: p, annotations: {kserv.io/pod-ips: \"10.0.0.1, fd00::1\"}}\n", true, KSERV_POD_RUNNING, 2 },
		{ "metadata: {name: p}\nstatus: {podIP: 10.0.0.1}\n", true, KSERV_POD_RUNNING, 1 },
		{ "metadata: {name: p}\nstatus: {podIPs: [{ip: 10.0.0.1}, {ip: \"fd00::1\"}]}\n", true, KSERV_POD_RUNNING, 2 },
		{ "metadata: {name: p}\nstatus: {phase: Running, podIP: 10.0.0.1}\n", false, KSERV_POD_RUNNING, 1 },
		{ "metadata: {name: p}\nstatus: {phase: Running, podIP: 10.0.0.1, conditions: [{type: Ready, status: \"False\"}]}\n",
		  false, KSERV_POD_RUNNING, 1 },
		{ "metadata: {name: p}\nstatus: {phase: Failed, podIP: 10.0.0.1, conditions: [{type: Ready, status: \"True\"}]}\n",
		  true, KSERV_POD_FAILED, 1 },
	};
	struct document doc;
	struct kserv_pod *pod;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		read_document(&doc, "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: c, image: d}]}\n",
			      *rows[i].more ? rows[i].more : "metadata: {name: p}\n");
		assert_int_equal(doc.errors.n, 0);
		pod = kserv_read_pod(doc.manifests.v[0].value);
		assert_int_equal(pod->ready, rows[i].ready);
		assert_int_equal(pod->phase, rows[i].phase);
		assert_int_equal(pod->ips.n, rows[i].n_ips);
		kserv_pod_free(pod);
		clear_document(&doc);
	}
}

static void names_of_kinds_are_those_of_kubectl(void **state)
{
	static const struct { const char *name, *kind; } rows[] = {
		{ "svc", "Service" }, { "services", "Service" }, { "Service", "Service" }, { "po", "Pod" }, { "ep", "Endpoints" },
		{ "endpointslices", "EndpointSlice" }, { "endpointslice.discovery.k8s.io", "EndpointSlice" }, { "no", "Node" },
		{ "ns", "Namespace" }, { "deploy", "Deployment" }, { "deployments.apps", "Deployment" },
		{ "deployments.v1.apps", "Deployment" }, { "sts", "StatefulSet" }, { "ds", "DaemonSet" }, { "rs", "ReplicaSet" },
		{ "deployments.foo", NULL }, { "cm", NULL }, { "", NULL },
	};
	const struct kserv_kind *kind;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		kind = kserv_kind_by_name(rows[i].name);
		if (!kind != !rows[i].kind || (kind && strcmp(kind->kind, rows[i].kind)))
			fail_msg("%s is %s", rows[i].name, kind ? kind->kind : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_services_pass),
		cmocka_unit_test(wrong_types_are_refused_with_what_was_expected),
		cmocka_unit_test(wrong_ports_are_refused),
		cmocka_unit_test(fields_that_do_not_go_together_are_refused),
		cmocka_unit_test(fields_of_another_type_are_passed_over),
		cmocka_unit_test(metadata_is_checked),
		cmocka_unit_test(slices_and_endpoints_are_checked),
		cmocka_unit_test(pods_nodes_and_workloads_are_checked),
		cmocka_unit_test(a_long_pod_passes),
		cmocka_unit_test(all_errors_of_a_manifest_are_told_at_once),
		cmocka_unit_test(every_type_that_a_field_names_exists),
		cmocka_unit_test(a_service_is_read_into_the_model),
		cmocka_unit_test(a_slice_is_read_into_the_model),
		cmocka_unit_test(a_pod_without_a_status_is_ready_where_its_annotation_says),
		cmocka_unit_test(names_of_kinds_are_those_of_kubectl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
