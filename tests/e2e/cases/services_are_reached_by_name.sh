#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs are written with the names of Services in them. Each node's kservd answers at the cluster DNS address, which is
# itself a Service: pods, processes of a node, names of every kind, UDP and TCP, both families.
#
#   client --- router --- node-a --- my-app-1
#                    \--- node-b --- my-app-2, my-app-3, mysql-0
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"
. "$(dirname "$0")/../daemon.sh"
. "$(dirname "$0")/../kubelet.sh"

pods='^my-app-[123] '

says() { in_pod "$1" curl -sS --max-time 10 "$2" | grep -Eq "$3"; }
queries() { in_netns "$1" curl -s http://127.0.0.1:10249/metrics | sed -n 's/^kserv_dns_queries_total{transport="udp"} //p'; }
gone() { ! in_netns my-app-1 kservctl dns query --from default web2; }

cat >"$work/mysql.yaml" <<-END
	apiVersion: v1
	kind: Pod
	metadata: { name: mysql-0, labels: { app: mysql }, annotations: { kserv.io/pod-ips: "10.244.1.21,fd00:10:244:1::21" } }
	spec: { nodeName: node-b, hostname: mysql-0, subdomain: mysql, containers: [{ name: c, image: i, ports: [{ containerPort: 3306 }] }] }
END
write_resolv_conf

setup_nodes_of_examples
for node in "${nodes[@]}"; do
	echo "dns: { enabled: true }" >>"$work/$node.yaml"
	start_daemon "$node"
done
check "the manifests are applied" ask node-a kservctl apply -f "$examples" -f "$work/mysql.yaml"
start_pods

check "a pod resolves the cluster DNS service itself" \
	in_netns my-app-1 kservctl dns query kube-dns.kube-system.svc.cluster.local
check "and over TCP" in_netns my-app-1 kservctl dns query --tcp kube-dns.kube-system.svc.cluster.local
check "and over IPv6" in_netns my-app-1 kservctl dns query --server fd00:10:96::a kube-dns.kube-system.svc.cluster.local
check "and over TCP and IPv6" \
	in_netns my-app-1 kservctl dns query --tcp --server fd00:10:96::a kube-dns.kube-system.svc.cluster.local
check "a process of the node does" in_netns node-a kservctl dns query kube-dns.kube-system.svc.cluster.local

check "http://my-service" says my-app-1 http://my-service/ "$pods"
check "by its whole name" says my-app-1 http://my-service.default.svc.cluster.local/ "$pods"
check "from the other node" busywait 10 says my-app-2 http://my-service.default/ "$pods"
check "a StatefulSet's pod by its own name" says my-app-1 http://mysql-0.mysql:3306/ '^mysql-0 '
check "and by all of it" says my-app-3 http://mysql-0.mysql.default.svc.cluster.local:3306/ '^mysql-0 '
check "over IPv6, by the same name" \
	bash -c "$(declare -f in_pod); work=$work; in_pod my-app-1 curl -6 -sS --max-time 10 http://mysql-0.mysql:3306/ | grep -q '^mysql-0 '"
check "an address back to its name" \
	bash -c "nsenter --net=/run/netns/my-app-1 kservctl dns query ${ip4[mysql-0]} | grep -q mysql-0.mysql.default.svc.cluster.local"
refuse "what is not there is said to be so" 1 NXDOMAIN in_netns my-app-1 kservctl dns query web2.default.svc.cluster.local

before=$(queries node-a)
in_netns my-app-2 kservctl dns query my-service.default.svc.cluster.local >/dev/null || fail "no answer on node-b"
check "each node answers its own pods" test "$(queries node-a)" = "$before" -a "$(queries node-b)" -gt 0

printf 'apiVersion: v1\nkind: Service\nmetadata: {name: web2}\nspec: {selector: {app: my-app}, ports: [{port: 80, targetPort: 8080}]}\n' \
	>"$work/web2.yaml"
check "a Service is applied" ask node-a kservctl apply -f "$work/web2.yaml"
check "its name is there when apply returns" in_netns my-app-1 kservctl dns query --from default web2
check "and soon on the other node" busywait 10 in_netns my-app-2 kservctl dns query --from default web2
check "http://web2" says my-app-2 http://web2/ "$pods"
check "it is deleted" ask node-a kservctl delete svc web2
check "and its name with it" busywait 10 gone

stop_daemon node-a
start_daemon node-a
check "a new daemon answers at once" says my-app-1 http://my-service/ "$pods"
