#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# loadBalancerSourceRanges shut out who is not in them, silently, pods and the node included; they hold for the
# load-balancer address alone (rules 1.30, 1.31), with or without endpoints (rule 1.34).
#
#   client --- router --- node1 --- pod1 (endpoint), pod2
. "$(dirname "$0")/../lib.sh"

try_all() {
	local sources

	sources=source=$(in_family 192.168.60.0/24 fd00:60::/64)+$(in_family 198.51.100.0/24 2001:db8:1::/48)
	check "the service takes source ranges" kservctl_on node1 service set default/web tcp \
		--load-balancer-ip "$(balancer_ip 2):80,$sources,flags=masquerade-pod+masquerade-node+masquerade-other"
	connect client tcp "$(balancer_ip 2):80" expect pod1
	expect_timeout pod2 tcp "$(balancer_ip 2):80"
	expect_timeout node1 tcp "$(balancer_ip 2):80"
	connect pod2 tcp "$(cluster_ip 1):80" expect pod1
	connect pod2 tcp "$(balancer_ip 1):80" expect pod1
	connect pod2 tcp "$(host node1):31000" expect pod1
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080
service default/web tcp at 1:80 balancer 1:80 node-port 31000 pod1:8080

both try_all
