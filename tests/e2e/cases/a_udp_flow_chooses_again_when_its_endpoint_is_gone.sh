#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# UDP clients keep their port for ever (DNS resolvers do), so a flow to a pod that has gone must not swallow their
# packets: the next one goes to an endpoint that serves. From one to none to one as well.
#
#   client --- router --- node1 --- pod1, pod2 (endpoints in turn)
. "$(dirname "$0")/../lib.sh"

move_on() {
	service default/dns udp at 1:53 pod1:8080
	tell client open dns udp "$(cluster_ip 1):53" from "$(host client):40053"
	tell client ask dns expect pod1
	tell client ask dns expect pod1

	service default/dns udp at 1:53 pod2:8080
	tell client ask dns expect pod2

	service default/dns udp at 1:53 pod1:8080,state=terminating,flags=local pod2:8080
	tell client ask dns expect pod2

	# The endpoint stays, but serves no more while another does.
	service default/dns udp at 1:53 pod1:8080 pod2:8080,state=terminating,flags=local
	tell client ask dns expect pod1
	tell client close dns
}

return_from_none() {
	service default/dns udp at 1:53 pod1:8080
	tell client open dns udp "$(cluster_ip 1):53" from "$(host client):40054"
	tell client ask dns expect pod1
	delete_service default/dns udp
	service default/dns udp at 1:53
	service default/dns udp at 1:53 pod2:8080
	tell client ask dns expect pod2
	tell client close dns

	service default/dns udp at 1:53
	tell client open early udp "$(cluster_ip 1):53" from "$(host client):40055"
	tell client ask early expect refused
	service default/dns udp at 1:53 pod1:8080
	tell client ask early expect pod1
	tell client close early
}

setup_cluster pod1 pod2
start_server pod1 udp:8080
start_server pod2 udp:8080

both move_on
both return_from_none
