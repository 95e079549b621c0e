#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Changes of a service are for new connections: those that exist keep their endpoint while policies, source ranges,
# topology and session affinity change, when the last endpoint has gone (rule 3.6 and section 12), and when whoever
# fills the tables starts over.
#
#   client --- router --- node1 --- pod1 (has the connections), pod2
. "$(dirname "$0")/../lib.sh"

# Linux believes an ICMP error at once only if it comes when connect() has left the socket alone; else at the next SYN.
refused() { connect client tcp "$1" expect refused within 3000; }

go_on() {
	tell client ask inner expect pod1
	tell client ask outer expect pod1
}

# The service as it was, for what follows the sentence that a change begins with.
with() {
	say "$1"
	shift
	service default/web tcp at 1:80 "$@"
}

start_over() {
	kservctl_on node1 save >"$work/tables" || fail "node1 does not save its tables"
	check "the tables are put there once more" kservctl_on node1 restore "$work/tables"
}

shut_out() {
	check "the service takes source ranges" kservctl_on node1 service set default/web tcp \
		--load-balancer-ip "$(balancer_ip 1):80,source=$(in_family 198.51.100.0/24 2001:db8:1::/48)"
}

live_through() {
	with "as it begins" balancer 1:80 pod1:8080
	tell client open inner tcp "$(cluster_ip 1):80"
	tell client open outer tcp "$(balancer_ip 1):80"
	go_on

	with "external policy Local, and no local endpoint" policy local balancer 1:80 pod1:8080,flags=cluster-set+serving
	go_on
	expect_timeout client tcp "$(balancer_ip 1):80"

	with "source ranges that leave the client out" balancer 1:80 pod1:8080
	shut_out
	go_on
	expect_timeout client tcp "$(balancer_ip 1):80"

	with "topology that keeps the endpoint for others" balancer 1:80 pod1:8080,flags=local+serving pod2:8080
	go_on
	connect client tcp "$(cluster_ip 1):80" expect pod2 count 10

	with "session affinity" balancer 1:80 pod1:8080 pod2:8080 -- --affinity 600 --scheduler maglev
	go_on
	with "no session affinity" balancer 1:80 pod1:8080 pod2:8080 -- --affinity 0 --scheduler random
	go_on

	with "no balancer address any more" pod1:8080
	go_on

	with "no endpoint any more" balancer 1:80
	go_on
	refused "$(cluster_ip 1):80"
	refused "$(balancer_ip 1):80"
	start_over
	go_on

	with "an endpoint again" balancer 1:80 pod2:8080
	go_on
	connect client tcp "$(cluster_ip 1):80" expect pod2 count 10
	tell client close inner
	tell client close outer
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080
start_server pod2 tcp:8080

both live_through
