#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many pod networks put the pods of a node on a bridge. Then an answer from one pod to another would cross the bridge
# without passing the node's IP stack; br_netfilter shows it to the hooks all the same.
#
#   client --- router --- node1 --- bridge cni0 --- pod1 (endpoint), pod2
#                    \--- node2 --- bridge cni0 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

reach() {
	local from protocol

	for from in pod2 node1 client; do
		for protocol in tcp udp sctp; do
			cat <<-END
				$protocol $(cluster_ip 1):80 expect pod1,pod3 count 10
				$protocol $(cluster_ip 2):80 expect pod1 bytes 60000
				$protocol $(cluster_ip 3):80 expect pod3 bytes 60000
				$protocol $(host node1):31000 expect pod1,pod3 count 10
			END
		done | connections "$from"
	done
	connect pod2 tcp "$(cluster_ip 2):80" bytes 10000000 timeout 20000
	connect pod1 tcp "$(cluster_ip 2):80" expect pod1
	connect pod1 udp "$(cluster_ip 2):80" expect pod1
}

setup_cluster bridged pod1 pod2 pod3
# A bridge gives a pod's packet back to it only if its port is told to.
bridge -n node1 link set dev pod1 hairpin on || die "no hairpin"
start_server pod1 tcp:8080 udp:8080 sctp:8080
start_server pod3 tcp:8080 udp:8080 sctp:8080
for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 node-port 31000 pod1:8080 pod3:8080
	service default/here:$protocol $protocol at 2:80 pod1:8080
	service default/there:$protocol $protocol at 3:80 pod3:8080
done

both reach
