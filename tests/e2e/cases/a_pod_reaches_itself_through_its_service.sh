#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A pod that is chosen as the endpoint of its own connection would get a packet from itself over the wire, and answer
# to itself inside: so such a packet is masqueraded, and only such a one (rule 5.9).
#
#   node1 --- pod1 (client and endpoint)
. "$(dirname "$0")/../lib.sh"

reach_itself() {
	local protocol

	for protocol in tcp udp sctp; do
		connections pod1 <<-END
			$protocol $(cluster_ip 1):80 expect pod1 seen-as $(host node1)
			$protocol $(host node1):31000 expect pod1 seen-as $(host node1)
			$protocol $(balancer_ip 1):80 expect pod1 seen-as $(host node1)
			$protocol $(cluster_ip 1):80 bytes 60000
			$protocol $(cluster_ip 1):80 count 20
		END
	done
}

setup_cluster pod1
start_server pod1 tcp:8080 udp:8080 sctp:8080
for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 node-port 31000 balancer 1:80 pod1:8080
done

both reach_itself
