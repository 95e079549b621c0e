#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# Packets come from anybody. Random ones, by all ways into a node at once and as processes of the node send them:
# services, answers, errors with whatever inside, options, extension headers, pieces, tunnels, garbage, with every state
# of a checksum. Connections next to them keep their bytes, afterwards everything works as before, and no flow is left
# that cannot be deleted. SOAK makes it so many times as long.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2      node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

ways=(link:router:node1:node1:eth0 link:pod2:eth0:node1:pod2 link:pod1:eth0:node1:pod1 link:pod3:eth0:node2:pod3
	tun:node1 raw:node1)

# Wherever a packet says that it comes from, it is to get as far as it can.
let_pass() {
	local name

	for name in node1 node2; do
		in_netns "$name" bash -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done'
	done
}

make_services() {
	local protocol

	for protocol in tcp udp sctp; do
		service default/web:$protocol $protocol at 1:80 external 1:80 node-port 31000 pod1:8080 pod3:8080
		service default/here:$protocol $protocol at 2:81 pod1:8080 -- --affinity 100 --scheduler maglev
	done
	service default/none tcp at 2:80
}

fuzz() {
	packet_fuzz "$1" $((12000 * ${SOAK:-1} / ${PATIENCE:-1})) "${ways[@]}" >"$work/figures" 2>"$work/complaints" &
	wait $! || fail "the packets: $(<"$work/complaints")"
	say "seed $1, fast path $fast_path"
	figures "$(<"$work/figures")"
	tally packets "$(awk '{ n += $2 } END { print n }' "$work/figures")"
}

no_flows_left() {
	kservctl_on node1 flows del --all && [ "$(kservctl_on node1 flows | grep -c :)" = 0 ]
}

pass() {
	connect client tcp "$(cluster_ip 1):80" expect pod1,pod3
	connect pod2 udp "$(cluster_ip 1):80" expect pod1,pod3
	connect node1 tcp "$(cluster_ip 2):81" expect pod1
}

modprobe tun || skip "this kernel has no tun devices"
setup_cluster pod1 pod2 pod3
let_pass
make_services
start_server pod1 tcp:8080 udp:8080
start_server pod3 tcp:8080 udp:8080
seed=${SEED:-$RANDOM}
for fast_path in off on; do
	configure_node node1
	start_traffic a client tcp 10.96.0.1:80 bytes 3000
	start_traffic b pod2 udp "[fd00:10:96::1]:80" bytes 2000 timeout 500
	fuzz $((seed++))
	stop_traffic a
	stop_traffic b
	both pass
done
for name in packets-translated packets-untranslated icmp-errors-translated flows-masqueraded packets-fast-path; do
	check "there were $name" test "$(counter node1 $name)" -gt 0
done
check "no flow is left" busywait 10 no_flows_left
