#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Only the first fragment of a datagram has ports. All must follow it, whatever their order and number, to the endpoint
# and back, from everywhere.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2
#                    \--- node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

# Links of 1280 bytes make 48 fragments of 60000 bytes.
shrink_links() {
	local ns device

	for ns in client router pod2; do
		for device in eth0 client br0; do
			ip -n $ns link set "$device" mtu 1280 2>/dev/null
		done
	done
}

pass() {
	local from port size

	for from in client pod2 node1; do
		for port in 81 83; do
			for size in 1473 1500 5000 60000; do
				echo "udp $(cluster_ip 1):$port bytes $size"
			done
		done | connections "$from"
	done
}

# The router lets the second of each two packets overtake the first.
shuffle() {
	tc -n router qdisc add dev node1 root netem delay 3ms reorder 50% gap 2 || die "no packets can be shuffled"
	tc -n router qdisc add dev client root netem delay 3ms reorder 50% gap 2 || die "no packets can be shuffled"
}

setup_cluster pod1 pod2 pod3
start_server pod1 udp:8080
start_server pod3 udp:8080
service default/here udp at 1:81 pod1:8080
service default/there udp at 1:83 pod3:8080

both pass
shrink_links
both pass
shuffle
both pass
