#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whoever looks whether a load-balancer address is there pings it. The address is on no interface, so kserv answers: with
# the address as the source, whatever the size, from outside, for pods and for the node itself, and only as long as a
# service has it.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2
. "$(dirname "$0")/../lib.sh"

setup_cluster pod1 pod2
service default/web tcp at 1:80 balancer 1:80 pod1:8080
# Without endpoints, the address is there all the same.
service default/empty udp balancer 1:53

bare() { "$1" 1 | tr -d '[]'; }

# answered FROM BYTES
answered() {
	check "$1 pings with $2 bytes and hears from the address" \
		in_netns "$1" bash -c "ping -n -c 1 -W 5 -s $2 $(bare balancer_ip) | grep -F 'bytes from $(bare balancer_ip): '"
}

all_are_answered() {
	local before

	before=$(counter node1 pings-answered)
	answered client 0
	answered client 4000
	answered pod2 56
	answered node1 4000
	check "each was counted" test $(($(counter node1 pings-answered) - before)) = 4
	check "explain says so" grep -q '^answered  *by this node' <(kservctl_on node1 explain "$(address client)" "$(bare balancer_ip)/icmp")
}

is_silent() {
	refuse "nobody answers: $1" 1 '100% packet loss' in_netns client ping -n -c 1 -W 1 "$(bare balancer_ip)"
}

both all_are_answered
set_sysctl node1 ipv4/icmp_echo_ignore_all=1 ipv6/icmp/echo_ignore_all=1
both is_silent "the node is told to answer no pings"
set_sysctl node1 ipv4/icmp_echo_ignore_all=0 ipv6/icmp/echo_ignore_all=0
delete_service default/web tcp
both answered client 56
delete_service default/empty udp
both is_silent "no service has the address any more"
