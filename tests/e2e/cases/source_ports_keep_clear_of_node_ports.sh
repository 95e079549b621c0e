#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A connection that left from a node port's number would be taken for one to the node port when it is answered. So neither
# masquerading nor the node's own sockets choose a source port among the node ports, wherever those lie.
#
#   client --- router --- node1 --- pod1
. "$(dirname "$0")/../lib.sh"

# hold FROM ADDRESS N: as many connections, open until let_go.
hold() {
	rm -f "$work/hold"
	mkfifo "$work/hold"
	crowd --netns "$1" "$2" "$3" at-once 20 <"$work/hold" >"$work/crowd" &
	processes+=($!)
	exec {held}>"$work/hold"
	busywait 60 grep -q '^there' "$work/crowd" || die "$3 connections from $1 do not come about"
	say "$1 to $2: $(tr '\n' ' ' <"$work/crowd")"
	check "$3 connections from $1 to $2 succeed" grep -q "^connected $3 failed 0" "$work/crowd"
}

let_go() { exec {held}>&-; }

# apply TEXT: on node1, to a cluster of its own.
apply() { in_netns node1 kservctl apply --config "$work/config" --store "$work/store" -f - <<<"$1" >"$work/applied" 2>&1 || fail "apply says $(<"$work/applied")"; }

# Source ports of the TCP connections that pod1 has, or of those of node1 to pod1.
seen_by_pod() { in_netns pod1 ss -Htn state established "( sport = :8080 )" | awk '{ n = split($4, part, ":"); print part[n] }'; }

# among MIN MAX: how many of the ports that come in.
among() { awk -v min="$1" -v max="$2" '$1 >= min && $1 <= max { n++ } END { print n + 0 }'; }

web='{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, clusterIP: 10.96.0.1, ports: [{port: 80, nodePort: NODEPORT}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}, addressType: IPv4,
 ports: [{name: "", port: 8080}], endpoints: [{addresses: [10.244.1.11], nodeName: node1}]}'

setup_cluster pod1
start_server pod1 tcp:8080

printf '%s\n' 'hostnameOverride: node1' 'serviceCIDR: 10.96.0.0/16' 'nodeIPs: [192.168.50.11]' >"$work/config"
apply "${web/NODEPORT/30080}"
check "the node ports are kept from the sockets of the node" grep -q '30000-32767' <(in_netns node1 cat /proc/sys/net/ipv4/ip_local_reserved_ports)
hold client 10.96.0.1:80 200
check "200 masqueraded connections are there" test "$(seen_by_pod | wc -l)" = 200
check "none comes from a node port" test "$(seen_by_pod | among 30000 32767)" = 0
let_go

# Node ports where masquerading has its ports otherwise.
sed -i '$a serviceNodePortRange: 1024-20899' "$work/config"
apply "${web/NODEPORT/1080}"
hold client 10.96.0.1:80 200
check "none of 200 more comes from a node port" test "$(seen_by_pod | among 1024 20899)" = 0
let_go

# And in the middle of those that sockets get.
set_sysctl node1 'ipv4/ip_local_port_range=40000 40999'
sed -i '$c serviceNodePortRange: 40000-40899' "$work/config"
apply "${web/NODEPORT/40080}"
check "other node ports are kept from sockets too" grep -q '40000-40899' <(in_netns node1 cat /proc/sys/net/ipv4/ip_local_reserved_ports)
check "and those of before as well" grep -q '1024-20899,30000-32767' <(in_netns node1 cat /proc/sys/net/ipv4/ip_local_reserved_ports)
hold node1 10.244.1.11:8080 50
check "none of the node's own comes from a node port" test "$(seen_by_pod | among 40000 40899)" = 0
check "they come from the rest" test "$(seen_by_pod | among 40900 40999)" = 50
let_go
