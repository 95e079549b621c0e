#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# The node that announces a load-balancer address loses its kservd, then another one its network. Clients that ask anew
# where the address is reach it by the other node; how long that took is printed. The endpoint is on a node of its own.
#
#   client --- router ---+--- node1
#         API server     +--- node2
#                        +--- node3 --- pod3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemon.sh"
. "$(dirname "$0")/../kubelet.sh"
. "$(dirname "$0")/../podnet.sh"

address4=192.168.50.240 address6=fd00:50::f0
lease=2

put_node() {
	local cidrs="\"10.244.${cidr_of[$1]}.0/24\",\"fd00:10:244:${cidr_of[$1]}::/64\""

	[ "$1" != node3 ] || set -- "$1" '"labels":{"node.kubernetes.io/exclude-from-external-load-balancers":""}'
	api put nodes "/$1" "{\"metadata\":{${2:-}},\"spec\":{\"podCIDRs\":[$cidrs]},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}],\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"${ip4[$1]}\"},{\"type\":\"InternalIP\",\"address\":\"${ip6[$1]}\"}]}}"
}

put_service() {
	api put services default/web "{\"metadata\":{},\"spec\":{\"type\":\"LoadBalancer\",\"clusterIP\":\"10.96.0.1\",\"clusterIPs\":[\"10.96.0.1\",\"fd00:10:96::1\"],\"ipFamilies\":[\"IPv4\",\"IPv6\"],\"ports\":[{\"port\":80,\"targetPort\":8080,\"protocol\":\"TCP\"}]},\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"$address4\",\"ipMode\":\"VIP\"},{\"ip\":\"$address6\",\"ipMode\":\"VIP\"}]}}}"
}

# put_slice FAMILY ADDRESS
put_slice() {
	api put endpointslices "default/web-$1" "{\"metadata\":{\"labels\":{\"kubernetes.io/service-name\":\"web\"}},\"addressType\":\"$1\",\"ports\":[{\"name\":\"\",\"protocol\":\"TCP\",\"port\":8080}],\"endpoints\":[{\"addresses\":[\"$2\"],\"conditions\":{\"ready\":true},\"nodeName\":\"node3\"}]}"
}

mac_of() { ip -n "$1" -j link show eth0 | jq -r '.[0].address'; }
other_than() { if [ "$1" = node1 ]; then echo node2; else echo node1; fi; }
# The node that NODE takes for the announcing one.
announcer() { ask "$1" kservctl lb -o json | jq -r --arg a "$2" '.addresses[] | select(.address == $a) | .node // ""'; }
both_may() { [ "$(ask "$1" kservctl lb -o json | jq -c '[.nodes[] | select(.eligible) | .name] | sort')" = '["node1","node2"]' ]; }
agree() {
	announcing=$(announcer node1 "$1")
	both_may node1 && both_may node2 && [[ $announcing == node[12] ]] && [ "$(announcer node2 "$1")" = "$announcing" ]
}
forget() { ip -n router neigh flush to "$1" dev br50; }
is_at() { [ "$(ip -n router -j neigh show to "$1" dev br50 | jq -r '.[0].lladdr // ""')" = "${macs[$2]}" ]; }
answers_at() { probe --netns client tcp "$2:80" expect pod3 timeout 500 && is_at "$1" "$3"; }
now() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# wait_for_other ADDRESS HOST NODE WORDS: until it answers from that node, and how long that took since $begin.
wait_for_other() {
	local took

	busywait 60 answers_at "$1" "$2" "$3" || { fail "$1 does not answer from $3 after $4"; return; }
	took=$(($(now) - begin))
	figures "$1 answers from $3 again $took ms after $4, Leases of $lease s"
	connect client tcp "$2:80" expect pod3 count 3
}

nodes=(node1 node2 node3)
make_routed_nodes
declare -A macs=([node1]=$(mac_of node1) [node2]=$(mac_of node2))
start_api router
sed -i "s/127.0.0.1/${ip4[router]}/" "$work/kubeconfig"
put_service
for name in "${nodes[@]}"; do
	put_node "$name"
	write_node_config "$name"
	sed -i "/^dns:/d; s/announce: true,/announce: true, assign: false, leaseDuration: ${lease}s,/" "$work/$name.yaml"
	echo "clientConnection: { kubeconfig: $work/kubeconfig }" >>"$work/$name.yaml"
done
for name in "${nodes[@]}"; do
	launch_daemon "$name"
done
wait_until_ready_for_pods node3
add_pod node3 pod3
start_server pod3 tcp:8080
put_slice IPv4 "${ip4[pod3]}"
put_slice IPv6 "${ip6[pod3]}"

busywait 60 agree "$address4" || die "the nodes do not agree who announces $address4"
first=$announcing other=$(other_than "$announcing")
busywait 60 answers_at "$address4" "$address4" "$first" || fail "$address4 does not answer from $first"
begin=$(now)
stop_daemon "$first" KILL
forget "$address4"
wait_for_other "$address4" "$address4" "$other" "kservd of $first is killed"

launch_daemon "$first"
busywait 60 agree "$address6" || die "the nodes do not agree who announces $address6"
first=$announcing other=$(other_than "$announcing")
busywait 60 answers_at "$address6" "[$address6]" "$first" || fail "$address6 does not answer from $first"
begin=$(now)
check "the link of $first goes down" ip -n "$first" link set eth0 down
wait_for_other "$address6" "[$address6]" "$other" "the link of $first goes down"
