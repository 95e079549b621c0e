#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# With the scheduler maglev a connection may come in at any node: all of them choose the same endpoint for one client
# address and port, in whatever order they learned of the endpoints.
#
#   client --- router --- node1 --- pod1, pod2
#                    \--- node2 --- pod3, pod4
. "$(dirname "$0")/../lib.sh"

# answer NODE PORT: who answers the client's port at the node's node port.
answer() { probe --netns client udp "$(host "$1"):31000" from "$(host client):$2" count 1 | awk '!/^ok/ { print $1 }'; }

choose_alike() {
	local port first second

	: >"$work/chosen"
	for port in {41001..41008}; do
		first=$(answer node1 $port) second=$(answer node2 $port)
		[ -n "$first" ] && [ "$first" = "$second" ] || fail "IPv$family port $port: ${first:-nobody} by node1, ${second:-nobody} by node2"
		echo "$first" >>"$work/chosen"
	done
	check "the ports are spread over several endpoints" test "$(sort -u "$work/chosen" | wc -l)" -gt 1
}

setup_cluster pod1 pod2 pod3 pod4
for pod in pod1 pod2 pod3 pod4; do
	start_server $pod udp:8080
done
service_on node1 default/web udp at 1:80 node-port 31000 pod1:8080 pod2:8080 pod3:8080 pod4:8080 -- --scheduler maglev
service_on node2 default/web udp at 1:80 node-port 31000 pod4:8080 pod2:8080 -- --scheduler maglev
kservctl_on node2 endpoint set default/web/udp "${ip4[pod3]}:8080" "${ip4[pod1]}:8080" || die "no more endpoints"
kservctl_on node2 endpoint set default/web/udp "[${ip6[pod1]}]:8080" "[${ip6[pod3]}]:8080" || die "no more endpoints"

both choose_alike
