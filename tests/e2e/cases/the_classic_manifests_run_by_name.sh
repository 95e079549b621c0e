#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# What every introduction to Kubernetes shows: a Deployment behind a Service, a StatefulSet whose pods have names. Their
# manifests are applied as they are, somebody plays kubelet and the controllers, and the names work from a pod.
#
#   node-a --- my-app-1, nginx-deployment-1, mysql-0
#   node-b --- my-app-2, my-app-3, nginx-deployment-2, mysql-1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"
. "$(dirname "$0")/../daemon.sh"
. "$(dirname "$0")/../kubelet.sh"

# says POD PATTERN WORDS...: what curl gets there
says() {
	local pod=$1 pattern=$2

	shift 2
	in_pod "$pod" curl -sS --max-time 30 "$@" | grep -Eq "$pattern"
}

has_endpoint() { in_netns "$1" kservctl endpoint list -o json | grep -qF "\"$2\""; }
runs() { [ -e "/run/netns/$1" ]; }

setup_cluster_of_examples
check "the manifests are applied" ask node-a kservctl apply -f "$examples/clusterip.yaml" -f "$examples/nginx.yaml" \
	-f "$examples/statefulset.yaml" -f "$examples/pods.yaml"
run_stored_pods
run_workloads
check "pods have the addresses that their objects say" test "${ip4[my-app-3]}" = 10.244.1.12 -a "${ip6[my-app-1]}" = fd00:10:244::10
check "a Deployment has its pods" runs nginx-deployment-2
check "a StatefulSet has its own" runs mysql-1
check "their objects are applied" ask node-a kservctl apply -f "$work/pods"
for node in "${nodes[@]}"; do
	busywait 20 has_endpoint "$node" "${ip4[nginx-deployment-2]}" || fail "$node does not follow"
done

for pod in my-app-1 mysql-1; do
	check "http://my-service from $pod" says $pod '^my-app-[123] ' http://my-service
	check "http://nginx-service.default.svc.cluster.local" \
		says $pod '^nginx-deployment-[12] ' http://nginx-service.default.svc.cluster.local
done
check "mysql-0.mysql.default.svc.cluster.local" says nginx-deployment-2 '^mysql-0 ' -4 http://mysql-0.mysql.default.svc.cluster.local:3306
check "over IPv6" says nginx-deployment-2 "^mysql-1 peer \[${ip6[nginx-deployment-2]}\]" -6 http://mysql-1.mysql:3306
check "the Service of all of them" says my-app-2 '^mysql-[01] ' http://mysql:3306
refuse "no pod, no name" 1 NXDOMAIN in_netns my-app-1 kservctl dns query mysql-2.mysql.default.svc.cluster.local
