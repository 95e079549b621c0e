#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who looks for the one slow Pod behind a Service sees how long each takes to accept a connection.
#
#   client --- router --- node1 --- pod1, pod2
. "$(dirname "$0")/../lib.sh"

# latency POD: milliseconds that "endpoint list" has for its address of this family, nothing if there is none.
latency() {
	kservctl_on node1 endpoint list default/web:tcp -o json |
		jq -r --arg address "${ip4[$1]}" '.[] | select(.address == $address) | .["connect-latency"] // empty' |
		awk '{ print int($1 / 1000) }'
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080
start_server pod2 tcp:8080
service default/web:tcp tcp at 1:80 pod1:8080 pod2:8080
check "nobody has asked yet" test -z "$(latency pod1)$(latency pod2)"
in_netns pod2 tc qdisc add dev eth0 root netem delay 300ms || die "there is no netem"
connect client tcp 10.96.0.1:80 count 20 expect pod1,pod2
say "pod1: $(latency pod1) ms, pod2: $(latency pod2) ms"
check "pod2 takes more than 300 ms" test "$(latency pod2)" -ge 300
check "pod1 is faster" test "$(latency pod1)" -lt "$(latency pod2)"
check "the table says so" test \
	"$(kservctl_on node1 endpoint list -o wide --no-headers | awk -v pod="${ip4[pod2]}:8080" '$3 == pod { print ($NF > 300) }')" = 1
