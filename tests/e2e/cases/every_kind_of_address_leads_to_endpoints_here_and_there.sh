#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The core of it: whoever the client is, whatever address of the service it uses, it gets to an endpoint, and the
# endpoint sees the source that Kubernetes says it should see.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2
#                    \--- node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

# seen FROM KIND: the source that endpoints must see; nothing said where the client itself is one of many.
seen() {
	case $1/$2 in
	pod*/cluster)	echo "seen-as $(host "$1")" ;;
	*)		echo "seen-as $(host node1)" ;;
	esac
}

reach() {
	local from=$1 protocol

	for protocol in tcp udp sctp; do
		# Ten of each, so that both endpoints are among them all but once in a thousand; the next case counts.
		connections "$from" <<-END
			$protocol $(cluster_ip 1):80 expect pod1,pod3 $(seen "$from" cluster) count 10
			$protocol $(host node1):31000 expect pod1,pod3 $(seen "$from" node-port) count 10
			$protocol $(external_ip 1):80 expect pod1,pod3 $(seen "$from" external) count 10
			$protocol $(balancer_ip 1):80 expect pod1,pod3 $(seen "$from" balancer) count 10
		END
	done
}

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 udp:8080 sctp:8080
start_server pod3 tcp:8080 udp:8080 sctp:8080
for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 external 1:80 balancer 1:80 node-port 31000 pod1:8080 pod3:8080
done

both reach pod2
both reach node1
both reach client
