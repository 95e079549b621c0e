#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# All that a cluster needs besides kubelet and API server: pods that the CNI plugins connect, on nodes of one segment and
# behind a router, reach each other untranslated; Services, names and load-balancer addresses work from everywhere; a
# node comes back with another CIDR, and nothing of the former one stays.
#
#   client --- router ---+--- node1 --- pod1
#                   |    +--- node2 --- pod2
#                   +-------- node3 --- pod3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemon.sh"
. "$(dirname "$0")/../kubelet.sh"
. "$(dirname "$0")/../podnet.sh"

pods=(pod1 pod2 pod3)

# Each pod to the others, which see its own address.
reach_pods() {
	local from to

	for from in "${pods[@]}"; do
		for to in "${pods[@]}"; do
			[ "$from" != "$to" ] || continue
			echo "udp $(host "$to"):8080 expect $to seen-as $(address "$from")"
			echo "tcp $(host "$to"):8080 expect $to seen-as $(address "$from")"
			echo "udp $(host "$to"):8080 expect $to bytes 60000"
		done | connections "$from"
	done
}

# What is sent comes back, so each pair once is both ways.
transfer() {
	connections pod1 <<-END
		tcp $(host pod2):8080 expect pod2 bytes 10000000 timeout 60000
		tcp $(host pod3):8080 expect pod3 bytes 10000000 timeout 60000
	END
	connect pod2 tcp "$(host pod3):8080" expect pod3 bytes 10000000 timeout 60000
}

# The Service's addresses and names, from pods, nodes and outside.
reach_services() {
	local from

	for from in pod1 pod3 node2; do
		connections "$from" <<-END
			tcp $1:80 expect pod1,pod2,pod3 count 6
			tcp $2:80 expect pod1,pod2,pod3 count 6
		END
	done
	connect client tcp "$2:80" expect pod1,pod2,pod3 count 6
}

cluster_ip_of() { ask node1 kservctl get svc web -o json | jq -r ".spec.clusterIPs[$1]"; }
balancer_ip_of() { ask node1 kservctl get svc web -o json | jq -r ".status.loadBalancer.ingress[$1].ip"; }
# says POD PATTERN WORDS...: what curl gets there
says() {
	local pod=$1 pattern=$2

	shift 2
	in_pod "$pod" curl -sS --max-time 30 "$@" | grep -q "$pattern"
}


has_routes() { [ "$(routes_of "$1")" = "$2" ]; }
stale() { in_netns "$1" bash -c 'ip route; ip -6 route; ip neigh; ip -6 neigh; bridge fdb' | grep -E '10\.244\.3\.|fd00:10:244:3:'; }
not_stale() { ! stale "$1"; }
has_endpoint() { in_netns "$1" kservctl endpoint list -o json | grep -qF "\"$2\""; }
has_no_endpoint() { ! has_endpoint "$@"; }

setup_pod_network node1 node2 node3
write_resolv_conf
check "node1 has a direct route and one by VXLAN" \
	test "$(routes_of node1)" = "10.244.2.0/24 direct, 10.244.3.0/24 vxlan, fd00:10:244:2::/64 direct, fd00:10:244:3::/64 vxlan"
for n in 1 2 3; do
	add_pod node$n pod$n
	start_server pod$n tcp:8080 udp:8080
done
check "the plugins find a pod right" call_plugins CHECK node3 pod3
check "the MTU of pods leaves room for VXLAN" grep -q 'mtu 1450' <(ip -n pod1 link show eth0)
{
	pod_manifest pod1 web 'hostname: web-0' 'subdomain: each'
	pod_manifest pod2 web 'hostname: web-1' 'subdomain: each'
	pod_manifest pod3 web 'hostname: web-2' 'subdomain: each'
	cat <<-END
		apiVersion: v1
		kind: Service
		metadata: { name: web }
		spec: { type: LoadBalancer, ipFamilyPolicy: RequireDualStack, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
		---
		apiVersion: v1
		kind: Service
		metadata: { name: each }
		spec: { clusterIP: None, ipFamilyPolicy: RequireDualStack, selector: { app: web }, ports: [{ port: 8080 }] }
	END
} >"$work/web.yaml"
check "pods and Services are taken" ask node1 kservctl apply -f "$work/web.yaml"
for node in "${nodes[@]}"; do
	busywait 20 has_endpoint "$node" "${ip4[pod3]}" || fail "$node does not follow"
done

both reach_pods
both transfer
connections pod1 <<-END
	udp ${ip4[pod3]}:8080 expect pod3 df bytes 1422
	udp ${ip4[pod3]}:8080 expect too-big df bytes 1423
END
reach_services "$(cluster_ip_of 0)" "$(balancer_ip_of 0)"
reach_services "[$(cluster_ip_of 1)]" "[$(balancer_ip_of 1)]"
check "by name" says pod3 '^pod[123] ' http://web/
check "a pod of a headless Service by its own name" \
	says pod1 "^pod3 peer ${ip4[pod1]}:.*local ${ip4[pod3]}:" -4 http://web-2.each.default.svc.cluster.local:8080/

remove_pod pod3
stop_server pod3
ask node1 kservctl delete pod pod3 >/dev/null || fail "pod3 is not deleted"
ask node1 kservctl delete node node3 >/dev/null || fail "node3 is not deleted"
for node in node1 node2; do
	check "$node forgets node3" busywait 20 not_stale "$node"
	check "and its pod" busywait 20 has_no_endpoint "$node" "${ip4[pod3]}"
done
cidr_of[node3]=4
node_manifest node3 >"$work/node3"
check "it comes back with another CIDR" ask node1 kservctl apply -f "$work/node3"
check "node1 has the new routes" busywait 20 has_routes node1 \
	"10.244.2.0/24 direct, 10.244.4.0/24 vxlan, fd00:10:244:2::/64 direct, fd00:10:244:4::/64 vxlan"
check "node2, too" busywait 20 has_routes node2 \
	"10.244.1.0/24 direct, 10.244.4.0/24 vxlan, fd00:10:244:1::/64 direct, fd00:10:244:4::/64 vxlan"
check "and node3 the file for its pods" busywait 20 grep -q '10.244.4.0/24' "$work/node3.cni/10-kserv.conflist"
add_pod node3 pod3
start_server pod3 tcp:8080 udp:8080
pod_manifest pod3 web 'hostname: web-2' 'subdomain: each' >"$work/pod3.yaml"
check "a pod starts there" ask node1 kservctl apply -f "$work/pod3.yaml"
both reach_pods
busywait 20 has_endpoint node1 "${ip4[pod3]}" || fail "node1 does not follow"
check "its name leads to its new address" \
	busywait 10 says pod1 "^pod3 .*local ${ip4[pod3]}:" -4 http://web-2.each:8080/
for node in "${nodes[@]}"; do
	check "nothing stale stays on $node" not_stale "$node"
done
