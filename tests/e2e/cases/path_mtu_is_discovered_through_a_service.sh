#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 300
#
# Where a link on the way is narrower, a router says so to the sender, about a packet with the addresses that it saw.
# Unless kserv translates that message, outside and inside, for either direction, connections hang after a handshake.
#
#   client --- router --- node1 --- pod1, pod2
#                    \--- node2 --- pod3
# One of these ways at a time takes only 1400 bytes.
. "$(dirname "$0")/../lib.sh"

# forget_mtus SENDER...
forget_mtus() {
	local ns

	for ns in "$@"; do
		ip -n "$ns" "-$family" route flush cache
	done
}

# Too much for the link, but not for the client's: a router says so about the service's address; then less gets through.
narrow_towards_endpoint() {
	local from=$1 frontend=$2 router=$3

	forget_mtus "$from"
	connect_says "$from" "mtu 1400, said by $router about $frontend:80" \
		udp "$frontend:80" bytes 1440 df errors expect too-big
	connect "$from" udp "$frontend:80" bytes 1340 df
	forget_mtus "$from"
	connect "$from" tcp "$frontend:80" bytes 300000
}

# The endpoint's first answer is too much; it hears of that and cuts its next one to fit.
narrow_towards_client() {
	local from=$1 frontend=$2

	forget_mtus pod1 pod3
	connect "$from" udp "$frontend:80" bytes 1450 expect timeout timeout 500
	connect "$from" udp "$frontend:80" bytes 1450
	forget_mtus pod1 pod3
	connect "$from" tcp "$frontend:80" bytes 300000
}

# set_mtu NAMESPACE NAME MTU: of the way to NAME from there.
set_mtu() {
	local route

	route=$(ip -n "$1" "-$family" route show "$(address "$2")$(in_family /32 /128)")
	# shellcheck disable=SC2086 # words
	ip -n "$1" "-$family" route replace ${route%% mtu *} mtu "$3" || die "no MTU $3 in $1 towards $2"
}

both_directions() {
	set_mtu node1 pod1 1400
	narrow_towards_endpoint pod2 "$(cluster_ip 1)" "$(address node1)"
	narrow_towards_endpoint client "$(cluster_ip 1)" "$(address node1)"
	narrow_towards_endpoint client "$(balancer_ip 2)" "$(address node1)"
	narrow_towards_endpoint node1 "$(cluster_ip 1)" "$(address node1)"
	set_mtu node1 pod1 1500

	set_mtu node2 pod3 1400
	narrow_towards_endpoint pod2 "$(cluster_ip 3)" "$(address node2)"
	narrow_towards_endpoint client "$(cluster_ip 3)" "$(address node2)"
	narrow_towards_endpoint node1 "$(cluster_ip 3)" "$(address node2)"
	set_mtu node2 pod3 1500

	ip -n router route add "$(address client)" dev client mtu 1400
	narrow_towards_client client "$(cluster_ip 1)"
	narrow_towards_client client "$(balancer_ip 2)"
	narrow_towards_client client "$(cluster_ip 3)"
	ip -n router route del "$(address client)" dev client mtu 1400

	set_mtu node1 pod2 1400
	narrow_towards_client pod2 "$(cluster_ip 1)"
	narrow_towards_client pod2 "$(cluster_ip 3)"
	set_mtu node1 pod2 1500
}

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 udp:8080
start_server pod3 tcp:8080 udp:8080
for protocol in tcp udp; do
	service default/here:$protocol $protocol at 1:80 pod1:8080
	service default/local:$protocol $protocol at 2:80 policy local balancer 2:80 pod1:8080
	service default/there:$protocol $protocol at 3:80 pod3:8080
done

both both_directions
