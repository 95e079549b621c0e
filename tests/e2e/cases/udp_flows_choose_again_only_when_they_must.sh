#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A UDP flow leaves its endpoint when that no longer serves and another does, by whatever address it came (rules 8.4
# and 8.5), and then only: policy, topology and termination do not move it (rule 8.7), nor does a new target port alone
# (rule 8.6), nor does anything that is done for services touch a flow to the same port number elsewhere. Those that
# moved are counted (rule 8.11).
#
#   client --- router --- node1 --- pod1, pod2 (endpoints in turn; pod2 also has a server on the node port's number)
. "$(dirname "$0")/../lib.sh"

by_node_port() { service default/dns udp at 1:53 "${policy[@]}" node-port 31000 "$@"; }

repicked_is() { [ "$(counter node1 flows-repicked)" = "$1" ]; }

stay_and_move() {
	local before policy=()

	before=$(counter node1 flows-repicked)
	by_node_port pod1:8080
	tell client open dns udp "$(host node1):31000" from "$(host client):40053"
	tell client open direct udp "$(host pod2):31000" from "$(host client):40054"
	tell client ask dns expect pod1
	tell client ask direct expect direct

	by_node_port pod1:8080,flags=local+serving pod2:8080
	tell client ask dns expect pod1
	policy=(policy local)
	by_node_port pod1:8080,flags=cluster-set+serving
	tell client ask dns expect pod1
	by_node_port pod1:8080,state=terminating-serving,flags=local+serving pod2:8080
	tell client ask dns expect pod1
	by_node_port pod1:8081
	tell client ask dns expect pod1
	by_node_port
	check "no flow has moved so far" repicked_is "$before"

	by_node_port pod2:8080
	tell client ask dns expect pod2
	tell client ask dns expect pod2
	tell client ask direct expect direct
	check "one flow has moved" repicked_is $((before + 1))
	tell client close dns
	tell client close direct
	delete_service default/dns udp
}

setup_cluster pod1 pod2
start_server pod1 udp:8080
start_server pod2 udp:8080
start_server_as direct pod2 udp:31000
start_server_as pod1-new pod1 udp:8081

both stay_and_move
