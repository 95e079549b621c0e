#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that kserv knows belongs to one network namespace. Two nodes on one kernel give the same cluster IP to
# different services; each leads its own pods to its own endpoint, and flushing one leaves the other alone.
#
#   node1 --- pod1 (endpoint there), pod2 (client there)
#   node2 --- pod3 (endpoint there), pod4 (client there)
. "$(dirname "$0")/../lib.sh"

each_has_its_own() {
	connect pod2 tcp "$(cluster_ip 1):80" expect pod1 count 20
	connect pod4 tcp "$(cluster_ip 1):80" expect pod3 count 20
}

setup_cluster pod1 pod2 pod3 pod4
start_server pod1 tcp:8080
start_server pod3 tcp:8080
service_on node1 default/one tcp at 1:80 pod1:8080
service_on node2 default/two tcp at 1:80 pod3:8080

both each_has_its_own
check "flows of node2 are not among those of node1" \
	bash -c "! nsenter --net=/run/netns/node1 kservctl flows | grep -q 10.244.2"
kservctl_on node1 flush || fail "node1 cannot be flushed"
family=4
connect pod4 tcp "$(cluster_ip 1):80" expect pod3
