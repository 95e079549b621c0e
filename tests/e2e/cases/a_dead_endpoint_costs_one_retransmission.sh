#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A pod or node that died without a word stays an endpoint until Kubernetes notices. A SYN that nobody answered goes to
# another endpoint when it is sent again, so the client waits a second, not for ever.
#
#   client --- router --- node1 --- pod1 (endpoint that swallows everything), pod2 (endpoint)
. "$(dirname "$0")/../lib.sh"

get_through() {
	connect client tcp "$(cluster_ip 1):80" expect pod2 count 12 timeout 8000
}

setup_cluster pod1 pod2
start_server pod2 tcp:8080
service default/web tcp at 1:80 pod1:8080 pod2:8080
ip -n pod1 link set eth0 down

both get_through
check "retransmitted SYNs were sent elsewhere" test "$(counter node1 syn-retries-moved)" -gt 0
