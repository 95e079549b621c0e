#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# Memory may run out anywhere. Each allocation of each kind of request fails once: it is refused and the tables are as
# they were, or it is done. Then a part of all that the module allocates fails while connections begin, go on and end
# and services change: packets may be lost, but no byte is wrong, and afterwards everything works as before. SOAK makes
# that so many times as long.
#
#   client --- router --- node1 --- pod1 (endpoint), pod2      node2 --- pod3 (endpoint)
. "$(dirname "$0")/../lib.sh"

faults=/sys/kernel/debug

set_faults() {
	local attr

	for attr in failslab fail_page_alloc; do
		echo "$2" >$faults/$attr/"$1" || die "fault injection takes no $1=$2"
	done
}

# Allocations that may sleep fail too, and without a report.
prepare_faults() {
	set_faults verbose 0
	set_faults ignore-gfp-wait N
	echo 0 >$faults/fail_page_alloc/min-order
}

# Those that have the module's code among their callers.
fail_ours() {
	local base size

	read -r base size < <(awk '$1 == "kserv" { print $6, $2 }' /proc/modules)
	set_faults require-start "$(printf '0x%x' "$base")"
	set_faults require-end "$(printf '0x%x' $((base + size)))"
	set_faults stacktrace-depth 32
	set_faults times 1000000
	set_faults probability "$1"
}

change_services() {
	local i words=(on off)

	for i in {1..5}; do
		service_on node1 "default/more$((i % 4))" tcp at $((3 + i % 4)):80 pod1:8080 pod3:8080 -- --affinity 10
		kservctl_on node1 service set default/web:tcp tcp --family ipv4 --scheduler maglev
		kservctl_on node1 service del default/more$((i % 4)) tcp
		kservctl_on node1 flows
		kservctl_on node1 sessions
		kservctl_on node1 config set --detect-local cidr --pod-cidr "$pods4" --fast-path "${words[i % 2]}"
	done
}

pass() {
	connect client tcp "$(cluster_ip 1):80" expect pod1,pod3
	connect client tcp "$(host node1):31000" expect pod1,pod3
	connect pod2 udp "$(cluster_ip 1):80" expect pod1,pod3
	connect node1 sctp "$(cluster_ip 1):80" expect pod1,pod3
}

[ -e $faults/failslab/require-start ] || skip "this kernel has no fault injection"
setup_cluster pod1 pod2 pod3
prepare_faults
in_netns router faults >"$work/faults" 2>&1 || fail "$(<"$work/faults")"
say "$(<"$work/faults")"
figures "one at a time: $(tail -n 1 "$work/faults")"
tally faults "$(awk 'END { print $1 }' "$work/faults")"

for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 node-port 31000 pod1:8080 pod3:8080 -- --affinity 10
done
for name in pod1 pod3; do
	start_server $name tcp:8080 udp:8080 sctp:8080
done
for node in node1 node2; do
	kservctl_on $node save >"$work/tables.$node" || die "$node does not save its tables"
done
start_traffic a client tcp 10.96.0.1:80 bytes 3000 timeout 500
start_traffic b pod2 udp "[fd00:10:96::1]:80" bytes 2000 timeout 100
start_traffic c client tcp "[fd00:50::11]:31000" timeout 500
start_traffic d node1 sctp 10.96.0.1:80 timeout 500
for ((round = 0; round < ${SOAK:-1}; round++)); do
	for part in 1 10 50; do
		fail_ours $part
		(trap - EXIT; change_services) >/dev/null 2>&1
		set_faults probability 0
		left=$(($(<$faults/failslab/times) + $(<$faults/fail_page_alloc/times)))
		figures "$part of 100: $((2000000 - left)) allocations failed"
		tally faults $((2000000 - left))
		[ $left -lt 2000000 ] || fail "no allocation failed"
	done
done
for name in a b c d; do
	stop_traffic $name
done
for node in node1 node2; do
	kservctl_on $node restore "$work/tables.$node" || fail "$node does not take its tables back"
done
both pass
