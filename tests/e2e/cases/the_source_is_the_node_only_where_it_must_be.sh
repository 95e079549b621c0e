#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Masquerading hides the client, so it happens only where answers would not come back otherwise (rules 5.1 to 5.9):
# external addresses with policy Cluster, and cluster IPs used by others than pods. With policy Local the endpoint sees
# the client, and a node without endpoints drops what comes from outside but still serves pods and itself (rule 2.18).
#
#   client --- router --- node1 --- pod1 (endpoint), pod2
#                    \--- node2 --- pod3
. "$(dirname "$0")/../lib.sh"

see_sources() {
	connections client <<-END
		tcp $(cluster_ip 1):80 expect pod1 seen-as $(host node1)
		tcp $(balancer_ip 1):80 expect pod1 seen-as $(host node1)
		tcp $(balancer_ip 2):80 expect pod1 seen-as $(host client)
		tcp $(external_ip 2):80 expect pod1 seen-as $(host client)
		tcp $(host node1):31002 expect pod1 seen-as $(host client)
		udp $(balancer_ip 2):80 expect pod1 seen-as $(host client)
		tcp $(host node1):31001 expect pod1 seen-as $(host node1)
		tcp $(host node2):31001 expect pod1 seen-as $(host node2)
		tcp $(host node2):31002 expect timeout timeout 1500
	END
	connections pod2 <<-END
		tcp $(cluster_ip 1):80 expect pod1 seen-as $(host pod2)
		tcp $(cluster_ip 2):80 expect pod1 seen-as $(host pod2)
		tcp $(balancer_ip 1):80 expect pod1 seen-as $(host node1)
		tcp $(balancer_ip 2):80 expect pod1 seen-as $(host pod2)
	END
	connections pod3 <<-END
		tcp $(cluster_ip 1):80 expect pod1 seen-as $(host pod3)
		tcp $(balancer_ip 2):80 expect pod1 seen-as $(host pod3)
		tcp $(balancer_ip 1):80 expect pod1 seen-as $(host node2)
	END
	connect node2 tcp "$(balancer_ip 2):80" expect pod1 seen-as "$(host node2)"
}

# The range of source ports keeps clear of everything else on the node.
use_ports() {
	connect client tcp "$(cluster_ip 1):80" seen-as "$(host node1):50000"
}

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 udp:8080
for protocol in tcp udp; do
	service default/cluster:$protocol $protocol at 1:80 balancer 1:80 node-port 31001 pod1:8080
	service default/local:$protocol $protocol at 2:80 policy local balancer 2:80 external 2:80 node-port 31002 pod1:8080
done

both see_sources
check "the source ports for masquerading can be set" kservctl_on node1 config set --masquerade-ports 50000-50000
both use_ports
