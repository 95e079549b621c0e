#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A pod that is terminating, or already out of the endpoints, finishes what it began: open connections go on, new ones
# go elsewhere (section 12 of the rules). A service may instead ask for a reset, so that clients notice.
#
#   client --- router --- node1 --- pod1 (leaves), pod2 (stays)
. "$(dirname "$0")/../lib.sh"

outlive() {
	service default/web tcp at 1:80 pod1:8080
	for name in a b; do
		tell client open $name tcp "$(cluster_ip 1):80"
		tell client ask $name expect pod1
	done

	service default/web tcp at 1:80 pod1:8080,state=terminating-serving,flags=local+serving pod2:8080
	tell client ask a expect pod1
	connect client tcp "$(cluster_ip 1):80" expect pod2 count 10

	service default/web tcp at 1:80 pod2:8080
	tell client ask a bytes 100000
	tell client ask a expect pod1
	connect client tcp "$(cluster_ip 1):80" expect pod2 count 10

	delete_service default/web tcp
	tell client ask a expect pod1
	tell client close a
	tell client close b
}

be_reset() {
	service default/web tcp at 1:80 pod1:8080 -- --removal reset
	tell client open c tcp "$(cluster_ip 1):80"
	tell client ask c expect pod1
	service default/web tcp at 1:80 pod2:8080 -- --removal reset
	tell client ask c expect reset
	tell client close c
	connect client tcp "$(cluster_ip 1):80" expect pod2
}

over() { [ $SECONDS -gt "$1" ]; }

be_reset_after_a_while() {
	service default/web tcp at 1:80 pod1:8080 -- --removal reset --removal-grace 8
	tell client open d tcp "$(cluster_ip 1):80"
	tell client ask d expect pod1
	service default/web tcp at 1:80 pod2:8080 -- --removal reset --removal-grace 8
	tell client ask d expect pod1
	busywait 15 over $((SECONDS + 8))
	tell client ask d expect reset
	tell client close d
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080
start_server pod2 tcp:8080

both outlive
both be_reset
family=4
be_reset_after_a_while
