#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# New endpoints do not move clients that are remembered, an endpoint that leaves is forgotten at once and comes back
# unremembered (rules 4.5 and 4.7), and there is room for a given number of clients and no more (rule 4.8).
#
#   client --- router --- node1 --- pod1, pod2 (endpoints in turn)
. "$(dirname "$0")/../lib.sh"

sticky() { service default/web tcp at 1:80 "$@" -- --affinity 600; }

goes_to() { connect client tcp "$(cluster_ip 1):80" expect "$1" count 20; }

follow() {
	sticky pod1:8080
	goes_to pod1
	sticky pod1:8080 pod2:8080
	goes_to pod1
	sticky pod2:8080
	goes_to pod2
	sticky pod1:8080 pod2:8080
	goes_to pod2
	sticky pod1:8080,flags=local+serving pod2:8080
	goes_to pod2
	sticky pod1:8080
	goes_to pod1

	service default/web tcp at 1:80 pod1:8080 pod2:8080 -- --affinity 0
	check "without affinity both answer" [ "$(answers client tcp "$(cluster_ip 1):80" 100 | wc -l)" = 2 ]
	sticky pod1:8080 pod2:8080
	check "with affinity again one answers" [ "$(answers client tcp "$(cluster_ip 1):80" 20 | wc -l)" = 1 ]
}

count_sessions() { kservctl_on node1 sessions --no-headers | grep -c .; }

have_a_bound() {
	local n

	family=4
	check "the bound can be set" kservctl_on node1 config set --session-max 8
	sticky pod1:8080 pod2:8080
	for n in $(seq 3 40); do
		ip -n client addr add 192.168.60.$n/24 dev eth0
		echo "tcp 10.96.0.1:80 expect pod1,pod2 from 192.168.60.$n"
	done >"$work/clients"
	connections client <"$work/clients"
	n=$(count_sessions)
	check "of 38 clients $n are remembered" [ "$n" -gt 0 -a "$n" -le 8 ]
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080
start_server pod2 tcp:8080

both follow
have_a_bound
