#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Local and remote endpoints take different ways through the node (forwarded to a veth, or out of the device the
# packet came in by); each alone must work from everywhere, as must an endpoint that is the node itself.
#
#   client --- router --- node1 (a host-network endpoint) --- pod1, pod2
#                    \--- node2 (another one) --- pod3
. "$(dirname "$0")/../lib.sh"

reach() {
	local from protocol endpoint number

	for from in pod2 pod3 node1 node2 client; do
		for protocol in tcp udp sctp; do
			number=0
			for endpoint in pod1 pod3 node1 node2; do
				number=$((number + 1))
				echo "$protocol $(cluster_ip $number):80 expect $endpoint at $(host $endpoint):8080"
			done
			echo "$protocol $(host node1):31001 expect pod1"
			echo "$protocol $(host node1):31003 expect node1"
			echo "$protocol $(host node2):31002 expect pod3"
		done | connections "$from"
	done
}

setup_cluster pod1 pod2 pod3
number=0
for endpoint in pod1 pod3 node1 node2; do
	number=$((number + 1))
	start_server $endpoint tcp:8080 udp:8080 sctp:8080
	for protocol in tcp udp sctp; do
		service default/on-$endpoint:$protocol $protocol at $number:80 node-port 3100$number $endpoint:8080
	done
done

both reach
