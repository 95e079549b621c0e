#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A client that uses one source port for a service and directly for one of its endpoints makes two connections which
# look the same behind the node. Both must work, whichever was first, and never carry each other's bytes.
#
#   node1 --- pod2 (client)
#        \--- pod1 (endpoint)
. "$(dirname "$0")/../lib.sh"

talk_in_both() {
	tell pod2 ask "$1" expect pod1
	tell pod2 ask "$2" expect pod1
	tell pod2 ask "$1" bytes 30000 seed 1
	tell pod2 ask "$2" bytes 30000 seed 2
	tell pod2 ask "$1" expect pod1
	tell pod2 close "$1"
	tell pod2 ask "$2" bytes 100 seed 3
	tell pod2 ask "$2" expect pod1
	tell pod2 close "$2"
}

both_orders() {
	local protocol=$1 port=$2

	tell pod2 open service-first "$protocol" "$(cluster_ip 1):80" from "$(host pod2):$port"
	tell pod2 ask service-first expect pod1
	tell pod2 open direct-second "$protocol" "$(host pod1):8080" from "$(host pod2):$port"
	talk_in_both service-first direct-second

	port=$((port + 1))
	tell pod2 open direct-first "$protocol" "$(host pod1):8080" from "$(host pod2):$port"
	tell pod2 ask direct-first expect pod1
	tell pod2 open service-second "$protocol" "$(cluster_ip 1):80" from "$(host pod2):$port"
	talk_in_both direct-first service-second
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080 udp:8080
service default/web:tcp tcp at 1:80 pod1:8080
service default/web:udp udp at 1:80 pod1:8080

both both_orders tcp 40000
both both_orders udp 40000
