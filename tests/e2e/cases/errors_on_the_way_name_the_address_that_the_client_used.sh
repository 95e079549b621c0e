#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A router or endpoint that cannot deliver a packet quotes it, as it was after translation. The client must find its own
# packet in that, or it takes the message for somebody else's: traceroute shows nothing, connect() hangs.
#
#   client --- router --- node1 --- pod1 (an endpoint), pod2
#                    \--- node2 --- pod3 (an endpoint)
. "$(dirname "$0")/../lib.sh"

# quoted FROM WHO SERVICE WORDS: WHO (if it is told) sends an error about a packet to that cluster IP.
quoted() {
	local from=$1 who=$2 to

	to=$(cluster_ip "$3")
	shift 3
	connect_says "$from" "${who:+said by $who }about $to:80" udp "$to:80" errors "$@"
}

expire() {
	quoted client "$(in_family 192.168.60.1 fd00:60::1)" 3 ttl 1 expect expired
	quoted client "$(address node1)" 3 ttl 2 expect expired
	quoted client "$(address node2)" 3 ttl 3 expect expired
	quoted client "$(address node1)" 1 ttl 2 expect expired
	quoted pod2 "" 1 ttl 1 expect expired
	quoted pod2 "$(address node2)" 3 ttl 2 expect expired
	quoted node1 "$(address node2)" 3 ttl 1 expect expired
	connect client udp "$(cluster_ip 3):80" ttl 4 expect pod3
}

# What the endpoint itself sends comes from the service's address, as all that it sends.
be_unreachable() {
	local from

	for from in client pod2 node1; do
		quoted "$from" "$(cluster_ip 5 | tr -d '[]')" 5 expect refused
		quoted "$from" "$(cluster_ip 6 | tr -d '[]')" 6 expect refused
		connect "$from" tcp "$(cluster_ip 5):80" expect refused within 2500
		quoted "$from" "$(address node2)" 7 expect unreachable
	done
}

trace() {
	local vip hops

	vip=$(cluster_ip 3 | tr -d '[]')
	hops=$(in_netns client traceroute -n -T -p 80 -q 1 -w 2 -m 6 "$vip" | awk 'NR > 1 { print $2 }' | tr '\n' ' ')
	if [[ $hops == "$(in_family 192.168.60.1 fd00:60::1) $(address node1) $(address node2) $vip " ]]; then
		say "ok traceroute shows $hops"
	else
		fail "traceroute to $vip shows other hops: $hops"
	fi
}

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 udp:8080
start_server pod3 tcp:8080 udp:8080
for protocol in tcp udp; do
	service default/here:$protocol $protocol at 1:80 pod1:8080
	service default/there:$protocol $protocol at 3:80 pod3:8080
	service default/closed-here:$protocol $protocol at 5:80 pod1:9999
	service default/closed-there:$protocol $protocol at 6:80 pod3:9999
	service default/gone:$protocol $protocol at 7:80 pod4:8080
done
# Linux tells each host only once a second of an unreachable route; client and node1 are one host to node2.
echo 0 >/proc/sys/net/ipv4/route/error_cost
ip -n node2 route add unreachable "${ip4[pod4]}"
ip -n node2 route add unreachable "${ip6[pod4]}"

both expire
both be_unreachable
both trace
