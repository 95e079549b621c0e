#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# rmmod in the middle of traffic is what an upgrade does. Fifty times: the kernel complains of nothing, and what the
# module allocated is given back.
#
#   client --- router --- node1 --- pod1, pod2      node2 --- pod3      all of them sending all the time
. "$(dirname "$0")/../lib.sh"

# Bytes in the caches that the module allocates from.
slab_bytes() {
	awk '/^(kmalloc|kserv)/ { bytes += $2 * $4 } END { printf "%d\n", bytes }' /proc/slabinfo
}

percpu_kilobytes() { awk '/^Percpu:/ { print $2 }' /proc/meminfo; }

start_all_traffic() {
	start_traffic a pod2 tcp 10.96.0.1:80 bytes 100000 timeout 300
	start_traffic b client udp 10.96.0.1:80 bytes 3000 timeout 100
	start_traffic c node1 tcp "[fd00:10:96::1]:80" timeout 300
	start_traffic d pod3 sctp 10.96.0.1:80 timeout 300
	start_traffic e client tcp 192.168.50.11:31000 bytes 20000 timeout 300
}

stop_all_traffic() {
	local name

	for name in a b c d e; do
		stop_traffic $name
	done
}

fill_tables() {
	local node

	for node in "${nodes[@]}"; do
		kservctl_on "$node" restore "$work/tables.$node" || die "$node does not take its tables back"
	done
}

# Load, serve, and go while everybody is sending.
come_and_go() {
	modprobe kserv || die "kserv does not load"
	fill_tables
	busywait 10 probe --netns pod2 tcp 10.96.0.1:80 timeout 300 || fail "the service is not back"
	rmmod kserv || die "kserv does not unload"
}

# Sockets that wait in vain and packets in queues are gone once all traffic has stopped and RCU has had its turn.
measure() {
	modprobe kserv && rmmod kserv
	slab_bytes >"$work/slab.$1"
	percpu_kilobytes >"$work/percpu.$1"
	say "$1: $(<"$work/slab.$1") bytes in slabs, $(<"$work/percpu.$1") kB for CPUs"
}

# The kernel patches its code when the first hook of a kind comes and when the last one goes. QEMU's emulation of two
# CPUs may go on with what it translated before, for ever in a breakpoint of the patch; so other hooks stay in place.
keep_hooks() {
	nft -f - <<-END || die "no hooks can be kept in place"
		table inet hold {
			chain prerouting { type filter hook prerouting priority 0; }
			chain input { type filter hook input priority 0; }
			chain output { type filter hook output priority 0; }
			chain postrouting { type filter hook postrouting priority 0; }
		}
		table netdev hold {
			chain ingress { type filter hook ingress device lo priority 0; }
		}
	END
}

setup_cluster pod1 pod2 pod3
keep_hooks
start_server pod1 tcp:8080 udp:8080 sctp:8080
start_server pod3 tcp:8080 udp:8080 sctp:8080
for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 node-port 31000 pod1:8080 pod3:8080
done
for node in "${nodes[@]}"; do
	kservctl_on "$node" save >"$work/tables.$node" || die "$node does not save its tables"
done
rmmod kserv || die "kserv does not unload"

start_all_traffic
for _ in {1..10}; do
	come_and_go
done
stop_all_traffic
measure first
start_all_traffic
for _ in {1..40}; do
	come_and_go
done
stop_all_traffic
measure last

grown=$(($(<"$work/slab.last") - $(<"$work/slab.first")))
[ $grown -lt 300000 ] || fail "the slabs have grown by $grown bytes"
grown=$(($(<"$work/percpu.last") - $(<"$work/percpu.first")))
[ $grown -lt 64 ] || fail "memory of CPUs has grown by $grown kB"
modprobe kserv
fill_tables
family=4
connect pod2 tcp "$(cluster_ip 1):80" expect pod1,pod3
nft delete table inet hold
nft delete table netdev hold
