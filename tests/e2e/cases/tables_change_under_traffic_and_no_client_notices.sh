#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# Nothing healthy is cut by a change: while clients of a service connect without end, its scheduler, its weights, its
# session affinity and its frontends change, an endpoint comes and goes, other services come and go by the dozen, and
# somebody reads all of it. Every client's every byte arrives.
#
#   client --- router --- node1 --- pod1 (endpoint, two ports), pod2      node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

on() { kservctl_on node1 "$@" >"$work/said" 2>&1 || fail "kservctl $*: $(<"$work/said")"; }

# Other services, as commands that restore reads.
others() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++)
		printf "service set other/web%d:http tcp --cluster-ip 10.96.9.%d:80 --endpoint 10.244.1.%d:80\n", i, i, i }'
}

change_all() {
	local scheduler

	for scheduler in maglev least-connections; do
		on service set default/web:tcp tcp --family ipv4 --scheduler $scheduler
		on endpoint set default/web:tcp tcp "${ip4[pod1]}:8080,weight=$((RANDOM % 200 + 1)),flags=cluster-set+serving"
		on endpoint set default/web:tcp tcp "${ip4[pod1]}:8081"
		on service set default/web:udp udp --family ipv4 --affinity $((RANDOM % 2 * 10))
		on service set default/web:tcp tcp --external-ip 203.0.113.7:80
		on restore --merge "$work/others"
		on endpoint del default/web:tcp tcp "${ip4[pod1]}:8081"
		on explain "${ip4[pod2]}" 10.96.0.1:80
		on frontend del default/web:tcp tcp --type external-ip 203.0.113.7:80
		on restore "$work/tables"
	done
}

read_all() {
	while [ -e "$work/tables" ]; do
		kservctl_on node1 save
		kservctl_on node1 flows
		kservctl_on node1 sessions
		kservctl_on node1 stats
	done >/dev/null 2>&1
}

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 tcp:8081 udp:8080
start_server pod3 tcp:8080 udp:8080
service default/web:tcp tcp at 1:80 node-port 31000 pod1:8080 pod3:8080
service default/web:udp udp at 1:80 pod1:8080 pod3:8080
kservctl_on node1 save >"$work/tables" || die "node1 does not save its tables"
others 40 >"$work/others"
kservctl_on node1 monitor >"$work/events" 2>&1 &
processes+=($!)
read_all &
processes+=($!)

start_traffic pod pod2 tcp 10.96.0.1:80 bytes 20000
start_traffic datagrams pod2 udp 10.96.0.1:80 bytes 2000
start_traffic outside client tcp 192.168.50.11:31000
start_traffic other_family client tcp "[fd00:10:96::1]:80"
change_all
for name in pod datagrams outside other_family; do
	stop_traffic $name
	check "the client $name was served" grep -q '^ok ' "$work/traffic.$name"
done
rm "$work/tables"
check "listeners were told of it" grep -q commit "$work/events"
