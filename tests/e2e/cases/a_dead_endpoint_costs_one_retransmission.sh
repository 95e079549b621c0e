#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A pod or node that died without a word stays an endpoint until Kubernetes notices. A SYN that nobody answered goes to
# another endpoint when it is sent again, so the client waits a second, not for ever; without that, every third client
# is left waiting. An endpoint that answers nobody is left out for a while, but never more than half of them.
#
#   client --- router --- node1 --- pod1 (endpoint that swallows everything), pod2 (endpoint)
#                    \--- node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

# crowd_of N K WORDS...: K connections from the client to service N, which end as soon as all are there.
crowd_of() {
	crowd --netns client "$(cluster_ip "$1"):80" "${@:2}" </dev/null >"$work/crowd"
	say "IPv$family: $(tr '\n' ' ' <"$work/crowd")"
}

# Of "connected C failed F p50 MS p99 MS max MS".
field() { awk -v name="$1" 'NR == 1 { for (i = 1; i < NF; i += 2) if ($i == name) print $(i + 1) }' "$work/crowd"; }

percentile_is_below() { awk -v ms="$(field p99)" -v limit="$1" 'BEGIN { exit !(ms < limit) }'; }
answered_only() { awk -v names="$*" 'NR > 1 && NF == 3 && index(names, $1) == 0 { bad = 1 } END { exit bad }' "$work/crowd"; }

# get_through K: IPv4 with more than IPv6, where it would be the same once more.
get_through() {
	crowd_of 1 "$1" at-once 50 timeout 20000
	check "$1 connections succeed" test "$(field connected)/$(field failed)" = "$1/0"
	check "by the two that live" answered_only pod2 pod3
	# A SYN is sent again after 1 s, and then after 3.
	check "99 of 100 wait for one retransmission at most" percentile_is_below 2900
	check "retransmitted SYNs were sent elsewhere" test "$(counter node1 syn-retries-moved)" -gt $(($1 / 5))
	crowd_of 2 60 at-once 5 timeout 20000
	check "60 more succeed" test "$(field connected)/$(field failed)" = 60/0
	check "the dead endpoint is left out after it answered some of them nothing" test "$(counter node1 endpoints-ejected)" -gt 0
}

wait_in_vain() {
	crowd_of 1 60 timeout 2500
	check "without the retry some clients wait in vain" test "$(field failed)" -gt 5
	check "and nobody was moved" test "$(counter node1 syn-retries-moved)" = "$moved"
}

setup_cluster pod1 pod2 pod3
start_server pod2 tcp:8080
start_server pod3 tcp:8080
# What the retry does alone, and what both do.
service default/web tcp at 1:80 pod1:8080 pod2:8080 pod3:8080 -- --flags no-eject
service default/both tcp at 2:80 pod1:8080 pod2:8080 pod3:8080
ip -n pod1 link set eth0 down

family=4
get_through 1000
family=6
get_through 200

service default/web tcp at 1:80 pod1:8080 pod2:8080 pod3:8080 -- --flags no-syn-retry+no-eject
for node in node1 node2; do
	kservctl_on $node flows del --all || fail "flows cannot be deleted"
done
moved=$(counter node1 syn-retries-moved)
both wait_in_vain
