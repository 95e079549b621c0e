#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 500
#
# Pods die with their namespaces and devices, nodes' namespaces go while flows are in them, CPUs are taken away, and who
# listens to events does not read them. All of it while connections go on elsewhere, whose bytes stay right.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2      node2 --- pod3 (endpoint), pod4
. "$(dirname "$0")/../lib.sh"

fast_path=on

# A pod goes without a word, and one with its name and addresses comes.
replace_pod() {
	ip netns del "$1"
	! ip -n "${node_of[$1]}" link show "$1" >/dev/null 2>&1 || ip -n "${node_of[$1]}" link del "$1"
	make_pods routed "$1" || die "$1 does not come back"
}

# The CPU that the caches of half of all flows are on.
take_cpu() {
	local cpu=/sys/devices/system/cpu/cpu1/online

	[ -e $cpu ] || return 0
	echo 0 >$cpu || fail "the CPU does not go"
	echo 1 >$cpu || fail "the CPU does not come back"
}

# Another node of the same addresses, with flows of its own, that is gone as soon as it has some.
short_lived_node() {
	ip netns add brief || die "no namespace"
	namespaces+=(brief)
	ip -n brief link set lo up
	ip -n brief addr add 10.0.0.1/32 dev lo
	kservctl_on brief config set --fast-path on
	kservctl_on brief service set brief/web tcp --cluster-ip 10.96.0.1:80 --endpoint 10.0.0.1:80
	kservctl_on brief service set brief/dns udp --cluster-ip 10.96.0.1:53 --endpoint 10.0.0.1:53 --affinity 100
	probe --netns brief tcp 10.96.0.1:80 count 20 expect refused >/dev/null
	probe --netns brief udp 10.96.0.1:53 count 20 timeout 1 >/dev/null
	ip netns del brief
}

# A generic netlink socket (16) of a group.
listens() { in_netns node1 awk '$2 == 16 && $4 !~ /^0+$/ { found = 1 } END { exit !found }' /proc/net/netlink; }

pass() {
	connect client tcp "$(cluster_ip 1):80" expect pod1,pod3
	connect pod2 udp "$(cluster_ip 1):80" expect pod1,pod3
}

setup_cluster pod1 pod2 pod3 pod4
service default/web:tcp tcp at 1:80 node-port 31000 pod1:8080 pod3:8080
service default/web:udp udp at 1:80 pod1:8080 pod3:8080 -- --affinity 10
start_server pod1 tcp:8080 udp:8080
start_server pod3 tcp:8080 udp:8080
# It listens and is stopped, so that its socket overflows.
kservctl_on node1 monitor >"$work/events" 2>&1 &
processes+=($!)
monitor=$!
busywait 10 listens || die "kservctl monitor does not listen"
kill -STOP $monitor
start_traffic a client tcp 10.96.0.1:80 bytes 3000 timeout 300
start_traffic b pod2 udp "[fd00:10:96::1]:80" bytes 2000 timeout 100
start_traffic c client tcp 192.168.50.11:31000 timeout 300
for round in {1..3}; do
	start_traffic brief pod4 tcp 10.96.0.1:80 timeout 300
	take_cpu
	short_lived_node
	kill -9 "$(<"$work/traffic.brief.pid")"
	replace_pod pod4
	take_cpu
	replace_pod pod3
	start_server pod3 tcp:8080 udp:8080
done
for name in a b c; do
	stop_traffic $name
	check "the client $name was served" grep -q '^ok ' "$work/traffic.$name"
done
say "events lost: $(counter node1 events-lost)"
both pass
