#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Only the first fragment of a datagram has ports. All must follow it, whatever their order and number, to the endpoint
# and back, from everywhere.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2
#                    \--- node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

# Links of 1280 bytes make 48 fragments of 60000 bytes; both ends, as a veth drops what is longer than its own MTU.
shrink_links() {
	ip -n router link set client mtu 1280
	ip -n client link set eth0 mtu 1280
	ip -n node1 link set pod2 mtu 1280
	ip -n pod2 link set eth0 mtu 1280
}

# Over IPv6 only the sender makes fragments, so endpoints must have heard of the narrow link; kernels forget it when
# they clear up, every 30 seconds.
find_mtu() {
	local from port

	for from in client pod2; do
		for port in 81 83; do
			echo "udp $(cluster_ip 1):$port bytes 1473 expect timeout,ok timeout 500"
		done | connections "$from"
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

find_mtu_and_pass() {
	find_mtu
	pass
}

both pass
shrink_links
both find_mtu_and_pass
shuffle
both find_mtu_and_pass
