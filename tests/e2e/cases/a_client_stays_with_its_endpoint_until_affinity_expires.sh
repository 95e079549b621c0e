#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ClientIP session affinity: new connections of a client go where its last one went, by whatever address it comes
# (rule 4.1), each of them starts the timer anew (rule 4.4), and after the timeout the client is free again.
#
#   client --- router --- node1 --- pod1, pod2      node2 --- pod3, pod4 (endpoints, all of them)
. "$(dirname "$0")/../lib.sh"

endpoints="pod1:8080 pod2:8080 pod3:8080 pod4:8080"

# Prints the one server that answers; fails if there are several.
one_server() {
	answers "$1" tcp "$2" "$3" | awk '{ print $1; n++ } END { exit n != 1 }'
}

stick() {
	local pod

	pod=$(one_server client "$(cluster_ip 1):80" 30) || fail "the client of $(cluster_ip 1) has several endpoints: $pod"
	connect client tcp "$(host node1):31000" expect "$pod" count 10
	connect client tcp "$(balancer_ip 1):80" expect "$pod" count 10
	check "the client is listed" bash -c "nsenter --net=/run/netns/node1 kservctl sessions | grep -F '$(address client)'"
}

# Some client is elsewhere than another; asked for with many source addresses, so that chance has no part in it.
others_differ() {
	local n

	for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		ip -n client addr replace 192.168.60.$n/24 dev eth0
		echo "tcp 10.96.0.1:80 from 192.168.60.$n"
	done >"$work/clients"
	[ "$(probe --netns client <"$work/clients" | awk '{ print $2 }' | sort -u | wc -l)" -gt 1 ]
}

expired() { ! kservctl_on node1 sessions | grep -qw "192.168.60.2"; }

all_answer() { [ "$(answers client tcp 10.96.0.1:80 "$1" | wc -l)" = 4 ]; }

# Comes again for three times as long as the timeout of 3 s. Between two connections of a machine that is too busy the
# client may become free: then it stays with the next endpoint.
stays_beyond_the_timeout() {
	local end=$((SECONDS + 9)) bound='' pod last=$SECONDS

	while [ $SECONDS -lt $end ]; do
		pod=$(one_server client 10.96.0.1:80 5) || [ $((SECONDS - last)) -ge 2 ] || return 1
		[ "$pod" = "${bound:-$pod}" ] || [ $((SECONDS - last)) -ge 2 ] || return 1
		bound=$pod last=$SECONDS
	done
}

# Each connection from a port of its own after the last session has gone: the endpoints differ in the end.
moves_after_expiry() {
	local before after

	before=$(one_server client 10.96.0.1:80 1)
	busywait 10 expired || return 1
	after=$(one_server client 10.96.0.1:80 1)
	[ "$before" != "$after" ]
}

setup_cluster pod1 pod2 pod3 pod4
for pod in pod1 pod2 pod3 pod4; do
	start_server $pod tcp:8080
done
# shellcheck disable=SC2086 # words
service default/web tcp at 1:80 balancer 1:80 node-port 31000 $endpoints -- --affinity 600

both stick
check "clients are bound one by one" others_differ

# shellcheck disable=SC2086
service default/web tcp at 1:80 balancer 1:80 node-port 31000 $endpoints -- --affinity 3
check "the timer of a client that comes again starts anew" stays_beyond_the_timeout
check "a client is free after the timeout" busywait 90 moves_after_expiry

# shellcheck disable=SC2086
service default/web tcp at 1:80 balancer 1:80 node-port 31000 $endpoints -- --affinity 0
check "without affinity all endpoints answer" all_answer 100
