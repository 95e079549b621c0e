#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# Offloads decide what a packet looks like when it is rewritten: checksums to be filled in later or complete, segments
# joined into 64 kB or apart, datagrams in fragments. Whatever it is, every byte must arrive, and no checksum be wrong.
#
#   client --- router --- node1 --- pod1, pod2
#                    \--- node2 --- pod3
. "$(dirname "$0")/../lib.sh"

# Ports 81 and 83 lead to pod1 and pod3 alone.
pass_bytes() {
	local from port protocol size

	for from in pod2 node1 client; do
		for port in 81 83; do
			for size in 1 1000 65536 "$1"; do
				echo "tcp $(cluster_ip 1):$port bytes $size timeout 20000"
			done
			for size in 1 1000 65536 300000; do
				echo "sctp $(cluster_ip 1):$port bytes $size timeout 20000"
			done
			for size in 1 1472 2000 60000; do
				echo "udp $(cluster_ip 1):$port bytes $size"
			done
		done | connections "$from"
	done
}

# switch_offloads on|off: of every link of every namespace
switch_offloads() {
	local ns

	for ns in "${namespaces[@]}"; do
		# shellcheck disable=SC2016 # expanded inside
		in_netns "$ns" bash -c 'for device in $(ip -o link show | sed -E "s/^[0-9]+: ([^:@]+).*/\1/"); do
			[ "$device" = lo ] || ethtool -K "$device" rx "$1" tx "$1" sg "$1" tso "$1" gso "$1" gro "$1" || exit 1
		done' - "$1" >"$work/ethtool" 2>&1 || die "ethtool does not switch offloads $1 in $ns: $(<"$work/ethtool")"
	done
}

no_checksum_is_wrong() {
	local ns bad

	for ns in pod1 pod2 pod3 client node1; do
		in_netns "$ns" nstat -asz '*CsumErrors' '*ChecksumErrors' >"$work/errors"
		bad=$(awk '!/^#/ && $2 { print $1, $2 }' "$work/errors")
		grep -q TcpInCsumErrors "$work/errors" || fail "$ns counts no wrong checksums"
		[ -z "$bad" ] || fail "wrong checksums in $ns: $bad"
	done
}

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 udp:8080 sctp:8080
start_server pod3 tcp:8080 udp:8080 sctp:8080
for protocol in tcp udp sctp; do
	service default/here:$protocol $protocol at 1:81 pod1:8080
	service default/there:$protocol $protocol at 1:83 pod3:8080
done

say "offloads on"
both pass_bytes 10000000
switch_offloads off
say "offloads off"
both pass_bytes 1000000
no_checksum_is_wrong
