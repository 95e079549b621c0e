#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What kserv counts and what it tells as it happens must be what the sockets have seen: as many flows as connections, to
# the endpoints that answered, with their bytes; as many rejections as clients were refused, as many drops as packets
# came from where they may not.
#
#   client --- router --- node1 --- pod1, pod2
. "$(dirname "$0")/../lib.sh"

# Generic netlink sockets (16) that are in a multicast group.
count_listeners() { in_netns node1 awk '$2 == 16 && $4 != "00000000"' /proc/net/netlink | wc -l; }
more_listeners() { [ "$(count_listeners)" -gt "$1" ]; }

watch() {
	local listeners

	listeners=$(count_listeners)
	in_netns node1 kservctl monitor -o json >"$work/events" 2>"$work/events.err" &
	processes+=($!)
	busywait 20 more_listeners "$listeners" || die "monitor does not begin to listen: $(<"$work/events.err")"
}

# events FILTER: how many of the lines it holds for.
events() { jq -s "[.[] | select($1)] | length" "$work/events"; }
events_are() { [ "$(events "$2")" = "$1" ]; }

# told SENTENCE COUNT FILTER: so many events of that kind come, and no more.
told() {
	busywait 30 events_are "$2" "$3"
	check "$1: $2" events_are "$2" "$3"
}

# The number of "endpoint list": connections of the service to a pod, both families together.
connections_to() {
	kservctl_on node1 endpoint list "$1" --no-headers | awk -v pod4="${ip4[$2]}:" -v pod6="[${ip6[$2]}]" \
		'index($3, pod4) == 1 || index($3, pod6) == 1 { n += $NF } END { print n + 0 }'
}

answered() { awk -v name="$1" '$1 == name { n += $2 } END { print n + 0 }' "$work/answers"; }

talk() {
	answers client tcp "$(cluster_ip 1):80" 25 >>"$work/answers"
	answers client udp "$(cluster_ip 1):80" 15 >>"$work/answers.udp"
	connect client tcp "$(cluster_ip 1):80" bytes 100000
	connections client <<-END
		tcp $(cluster_ip 2):80 expect refused count 7
		udp $(cluster_ip 2):80 expect refused count 4
		udp $(balancer_ip 3):80 expect timeout timeout 200 count 3
	END
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080 udp:8080
start_server pod2 tcp:8080 udp:8080
kservctl_on node1 config set --tcp-close-timeout 1 || die "no shorter timeout"
service default/web:tcp tcp at 1:80 pod1:8080 pod2:8080
service default/web:udp udp at 1:80 pod1:8080 pod2:8080
for protocol in tcp udp; do
	service default/empty:$protocol $protocol at 2:80
done
service default/closed udp pod1:8080 -- \
	--load-balancer-ip "192.168.50.243:80,source=10.9.0.0/16" --load-balancer-ip "[fd00:50::f3]:80,source=fd09::/16"
created=$(counter node1 flows-created) ended=$(counter node1 flows-ended)
rejected=$(counter node1 packets-rejected) dropped=$(counter node1 dropped-source-not-allowed)
touch "$work/answers" "$work/answers.udp"
watch

both talk
told "each TCP connection is a new flow" 52 '.type == "flow-new" and .flow.service == "default/web:tcp"'
told "each datagram's socket is a new flow" 30 '.type == "flow-new" and .flow.service == "default/web:udp"'
told "each refused datagram is a rejection" 8 '.type == "reject" and .flow.service == "default/empty:udp"'
# Over IPv6 a SYN may be refused twice: Linux passes over an error that comes while connect() holds the socket.
check "each refused TCP connection is one" test \
	"$(jq -s '[.[] | select(.type == "reject" and .flow.service == "default/empty:tcp") | [.flow.client, .flow["client-port"]]] | unique | length' "$work/events")" = 14
told "each packet from where none may come is a drop" 6 '.type == "drop" and .reason == "source-not-allowed"'
told "each TCP connection ends" 52 '.type == "flow-end" and .flow.service == "default/web:tcp"'
check "two of them carried 100,000 bytes and more either way" events_are 2 \
	'.type == "flow-end" and .flow["bytes-in"] > 100000 and .flow["bytes-out"] > 100000'
check "nothing was lost" test "$(counter node1 events-lost)" = 0

check "the counters have as many flows" test $(($(counter node1 flows-created) - created)) = 82
check "as many rejections" events_are $(($(counter node1 packets-rejected) - rejected)) '.type == "reject" and .reason == "no-endpoints"'
check "and as many drops" test $(($(counter node1 dropped-source-not-allowed) - dropped)) = 6
for pod in pod1 pod2; do
	check "$pod was told of as many TCP connections as it answered" events_are \
		"$(connections_to default/web:tcp $pod)" \
		".type == \"flow-new\" and .flow.service == \"default/web:tcp\" and ([.flow.endpoint] | inside([\"${ip4[$pod]}\", \"${ip6[$pod]}\"]))"
	check "$pod answered as many datagrams as flows led to it" test \
		"$(awk -v name=$pod '$1 == name { n += $2 } END { print n + 0 }' "$work/answers.udp")" = "$(connections_to default/web:udp $pod)"
done
check "all TCP connections were to the two" test \
	$(($(connections_to default/web:tcp pod1) + $(connections_to default/web:tcp pod2))) = 52
check "which answered them" test $(($(answered pod1) + $(answered pod2))) = 50
