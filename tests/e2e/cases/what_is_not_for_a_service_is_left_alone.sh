#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Traffic between pods, nodes and the world that has nothing to do with services keeps its addresses, makes no flow, and
# is not dropped for being strange: another port, another protocol, the middle of a connection.
#
#   client --- router --- node1 --- pod1, pod2      node2 --- pod3
. "$(dirname "$0")/../lib.sh"

pass() {
	local from

	for from in client pod2 node1 pod3; do
		for protocol in tcp udp sctp; do
			echo "$protocol $(host pod1):9000 expect pod1 seen-as $(host $from)"
			echo "$protocol $(host pod1):8080 expect pod1 seen-as $(host $from)"
			echo "$protocol $(host node1):9000 expect node1 seen-as $(host $from)"
		done | connections "$from"
		check "$from pings pod1" in_netns "$from" ping -n -c 1 -W 10 "$(host pod1 | tr -d '[]')"
	done
}

flows() { kservctl_on node1 flows --no-headers | wc -l; }

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 udp:8080 sctp:8080 tcp:9000 udp:9000 sctp:9000
start_server node1 tcp:9000 udp:9000 sctp:9000

family=4
# Begun before there is a service; it goes on after.
tell pod2 open old tcp "$(host pod1):8080"
tell pod2 ask old expect pod1
for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 external 1:80 balancer 1:80 node-port 31000 pod1:8080
done
both pass
family=4
tell pod2 ask old expect pod1
check "no flow was made" test "$(flows)" = 0
