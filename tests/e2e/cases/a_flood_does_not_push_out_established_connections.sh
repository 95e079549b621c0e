#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The flow table is bounded. Whoever fills it with connections that nobody answers loses those, not the connections that
# work; and new ones still find room.
#
#   client --- router --- node1 --- pod1 (answers), pod2 (swallows everything)
. "$(dirname "$0")/../lib.sh"

flows() { in_netns node1 kservctl flows --no-headers | wc -l; }

use_both() {
	tell pod1 ask tcp expect pod1
	tell pod1 ask udp expect pod1
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080 udp:8080
check "the table can be small" kservctl_on node1 config set --flow-max 1000
service default/good:tcp tcp at 1:80 pod1:8080
service default/good:udp udp at 1:80 pod1:8080
service default/bad tcp at 2:80 pod2:8080
ip -n pod2 link set eth0 down

family=4
tell pod1 open tcp tcp "$(cluster_ip 1):80"
tell pod1 open udp udp "$(cluster_ip 1):80"
use_both
connect client tcp "$(cluster_ip 2):80" count 3000 timeout 1 expect timeout
# CPUs count on their own for a while, so it may be exceeded by some.
check "the table is not much larger than that" test "$(flows)" -le 1150
use_both
check "room was made for new flows" test "$(counter node1 flows-early-dropped)" -gt 0
family=6
connect client tcp "$(cluster_ip 1):80" expect pod1 count 20
family=4
connect client udp "$(cluster_ip 1):80" expect pod1 count 20
