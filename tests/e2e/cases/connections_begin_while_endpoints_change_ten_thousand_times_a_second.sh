#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 300
#
# Endpoints of a service change as often as the machine lets them, up to ten thousand times a second, each time in a
# transaction of a hundred, while connections to it begin and end without a pause. Each is answered by an endpoint that
# may have it, with its own bytes. SOAK makes it so many times as long.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2      node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080
start_server pod3 tcp:8080
service default/web tcp at 1:80 node-port 31000 pod1:8080 pod3:8080
kservctl_on node1 save >"$work/before" || die "node1 does not save its tables"
begun=${EPOCHREALTIME/./}
start_traffic a client tcp 10.96.0.1:80 expect pod1,pod3
start_traffic b pod2 tcp 10.96.0.1:80 expect pod1,pod3 bytes 100
start_traffic c node1 tcp 10.96.0.1:80 expect pod1,pod3
start_traffic d client tcp 192.168.50.11:31000 expect pod1,pod3
in_netns node1 changes default/web $((300 * ${SOAK:-1})) >"$work/changes" 2>&1 || fail "$(<"$work/changes")"
for name in a b c d; do
	stop_traffic $name
	check "the client $name was served" grep -q '^ok [1-9]' "$work/traffic.$name"
done
took=$((${EPOCHREALTIME/./} - begun))
connections=$(awk '/^ok [0-9]+$/ { n += $2 } END { print n }' "$work"/traffic.[abcd])
figures "$(<"$work/changes")"
figures "$connections connections meanwhile, $((connections * 1000000 / took)) a second"
kservctl_on node1 save | grep -v '^#' >"$work/after"
check "in the end the tables are what they were" diff <(grep -v '^#' "$work/before") "$work/after"
connect client tcp 10.96.0.1:80 expect pod1,pod3
