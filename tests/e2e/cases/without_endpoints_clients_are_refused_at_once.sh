#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A service that nobody stands behind answers "connection refused" to every protocol, promptly, so that clients fail
# over instead of hanging (rule 3.1). So does a port of a cluster IP that no service has (rule 1.6); an address of the
# service range that nobody has is dropped (rule 1.7).
#
#   client --- router --- node1 --- pod2 (client)
. "$(dirname "$0")/../lib.sh"

be_refused() {
	local from protocol

	for from in pod2 node1 client; do
		for protocol in tcp udp; do
			# Over IPv6, Linux passes over an ICMP error that comes while connect() holds the socket; the next SYN is 1 s later.
			cat <<-END
				$protocol $(cluster_ip 1):80 expect refused within 2500
				$protocol $(cluster_ip 1):81 expect refused within 2500
				$protocol $(host node1):31000 expect refused within 2500
				$protocol $(external_ip 1):80 expect refused within 2500
				$protocol $(balancer_ip 1):80 expect refused within 2500
			END
		done | connections "$from"
	done
	# Linux takes an ICMP error that comes while connect() holds an SCTP socket only after the next INIT, 3 s later.
	connect pod2 sctp "$(cluster_ip 1):80" expect refused within 4000
	connect client sctp "$(cluster_ip 1):81" expect refused within 4000
	expect_timeout pod2 tcp "$(cluster_ip 9):80"
	expect_timeout client udp "$(cluster_ip 9):80"
}

ping_is_refused() {
	local from

	for from in pod2 node1; do
		refuse "$from pings a cluster IP" 1 "Port Unreachable|Port unreachable|Connection refused" \
			in_netns "$from" ping -n -c 1 -W 1 "$(cluster_ip 1 | tr -d '[]')"
	done
}

setup_cluster pod2
for protocol in tcp udp sctp; do
	service default/empty:$protocol $protocol at 1:80 external 1:80 balancer 1:80 node-port 31000
done

both be_refused
both ping_is_refused

start_server pod2 tcp:8080
service default/empty:tcp tcp at 1:80 node-port 31000 pod2:8080
family=4
connect client tcp "$(cluster_ip 1):80" expect pod2
service default/empty:tcp tcp at 1:80 node-port 31000
expect_refused client tcp "$(cluster_ip 1):80"
