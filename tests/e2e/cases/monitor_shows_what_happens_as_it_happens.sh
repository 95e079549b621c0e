#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kservctl monitor is how one sees what kserv does with packets: each flow that begins and ends, each packet refused with
# its reason, each transaction, as text or as one JSON object a line, while it happens.
#
#   node1 --- pod1 (server), pod2 (client)
. "$(dirname "$0")/../lib.sh"

# monitor NAME ARGUMENT...: in the background on node1, to $work/NAME; returns when it listens.
monitor() {
	local name=$1 listeners

	shift
	listeners=$(count_listeners)
	in_netns node1 kservctl monitor "$@" >"$work/$name" 2>"$work/$name.err" &
	processes+=($!)
	busywait 20 more_listeners "$listeners" || die "monitor does not begin to listen: $(cat "$work/$name.err")"
}

# Generic netlink sockets (16) that are in a multicast group.
count_listeners() { in_netns node1 awk '$2 == 16 && $4 != "00000000"' /proc/net/netlink | wc -l; }
more_listeners() { [ "$(count_listeners)" -gt "$1" ]; }

# shown NAME REGEX: some line matches.
shown() { busywait 20 grep -Eq -- "$2" "$work/$1"; }

setup_cluster pod1 pod2
start_server pod1 tcp:8080
service_on node1 default/web tcp at 1:80 pod1:8080
service_on node1 default/empty tcp at 2:80
monitor text
monitor json -o json
monitor rejects -o json --count 1 reject

family=4
connect pod2 tcp "$(cluster_ip 1):80" expect pod1
connect pod2 tcp "$(cluster_ip 2):80" expect refused
kservctl_on node1 flows del --all || fail "flows cannot be deleted"
kservctl_on node1 route set 10.9.0.0/16 local || fail "a route cannot be set"

address="${ip4[pod2]//./\\.}:[0-9]+ -> ${cluster_ips4%.*.*}\\.0\\.[0-9]+:80"
check "a new flow is shown with its endpoint" \
	shown text "flow-new +default/web tcp $address -> ${ip4[pod1]//./\\.}:8080"
check "its end is shown with its bytes" shown text "flow-end +default/web tcp .* bytes in/out"
check "a refused packet is shown with its reason" shown text "reject +default/empty tcp $address: no-endpoints"
check "a transaction is shown with its number" shown text "commit +generation [0-9]+$"
check "JSON has a line for each" shown json '^\{"type":"commit","generation":[0-9]+,.*"time":"'
check "each line of JSON is whole" jq -e . "$work/json"
check "the reason is there too" jq -es 'any(.type == "reject" and .reason == "no-endpoints" and
	.flow.service == "default/empty" and .flow["frontend-port"] == 80)' "$work/json"
check "monitor of one kind ends after as many as were asked for" busywait 20 test -s "$work/rejects"
check "and shows only that" jq -es 'length == 1 and .[0].type == "reject"' "$work/rejects"
