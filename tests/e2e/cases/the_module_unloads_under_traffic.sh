#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 900
#
# rmmod in the middle of traffic is what an upgrade does. Fifty times: the kernel complains of nothing, and what the
# module allocated is given back. What is kept each time makes a count grow by as much as the module came and went, and
# does so again whenever it is tried: a kind of object, a page, an area of vmalloc, a variable of each CPU.
#
#   client --- router --- node1 --- pod1, pod2      node2 --- pod3      all of them sending all the time
. "$(dirname "$0")/../lib.sh"

rounds=20
sources=(/proc/slabinfo /proc/vmstat /proc/vmallocinfo)
trace=/sys/kernel/tracing/instances/percpu

start_all_traffic() {
	start_server pod1 tcp:8080 udp:8080 sctp:8080
	start_server pod3 tcp:8080 udp:8080 sctp:8080
	start_traffic a pod2 tcp 10.96.0.1:80 bytes 30000 timeout 300
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
	stop_server pod1
	stop_server pod3
}

# Associations that have lost their way and datagrams without their other pieces do not wait for long.
hurry() {
	local name

	modprobe sctp || die "sctp does not load"
	for name in "${namespaces[@]}"; do
		set_sysctl "$name" sctp/rto_min=50 sctp/rto_initial=50 sctp/rto_max=100 sctp/association_max_retrans=2 \
			sctp/max_init_retransmits=2 ipv4/ipfrag_time=1
	done
}

# Nobody waits for those of TCP.
no_connection_is_left() {
	local name

	for name in client node1 pod1 pod2 pod3; do
		in_netns "$name" ss -tKH state all exclude listening exclude time-wait >/dev/null
		[ -z "$(in_netns "$name" ss -tH state all exclude listening exclude time-wait)" ] || return 1
		[ "$(in_netns "$name" cat /proc/net/sctp/assocs | wc -l)" = 1 ] || return 1
	done
}

fill_tables() {
	local node filling=()

	for node in "${nodes[@]}"; do
		kservctl_on "$node" restore "$work/tables.$node" &
		filling+=($!)
	done
	for node in "${filling[@]}"; do
		wait "$node" || die "a node does not take its tables back"
	done
}

# Load, serve, and go while everybody is sending.
come_and_go() {
	modprobe kserv || die "kserv does not load"
	fill_tables
	busywait 10 probe --netns pod2 tcp 10.96.0.1:80 timeout 300 || fail "the service is not back"
	rmmod kserv || die "kserv does not unload"
}

# A kernel without tracing leaves them out.
trace_percpu() {
	mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || return
	mkdir "$trace" || die "no instance of the kernel's tracing"
	printf '%s\n' percpu:percpu_alloc_percpu percpu:percpu_free_percpu >"$trace/set_event" || die "no events of percpu"
	sources+=("$trace/trace")
}

# "NAME COUNT" for all that the module allocates from. A cache that shrinks takes back what CPUs keep of it, so that its
# number is that of objects; slab memory that no cache has is of large ones.
counts() {
	local cache

	for cache in /sys/kernel/slab/{kmalloc,kserv,skbuff,ip_dst,ip6_dst}*/shrink; do
		[ ! -e "$cache" ] || echo 1 >"$cache"
	done
	awk '
		/^(kmalloc|kserv|skbuff|ip_dst|ip6_dst)/ { print $1, $2 }
		FILENAME == "/proc/slabinfo" { pages -= $15 * $6 }
		/^nr_slab_(un)?reclaimable / { pages += $2 }
		/ vmalloc/ && !/stack/ { areas++ }
		/ percpu_alloc_percpu: / { variables++ }
		/ percpu_free_percpu: / { variables-- }
		END { print "pages", pages; print "areas", areas; print "variables", variables + 0 }
	' "${sources[@]}"
}

# The least of many counts, for others come and go, and give back late.
measure() {
	busywait 60 no_connection_is_left || fail "connections do not end"
	: >"$work/all"
	for _ in {1..10}; do
		counts >>"$work/all"
	done
	awk '!($1 in least) || $2 < least[$1] { least[$1] = $2 } END { for (name in least) print name, least[name] }' \
		"$work/all" | sort >"$work/counts"
}

# come_and_go_again N: and count.
come_and_go_again() {
	start_all_traffic
	for ((round = 0; round < $1; round++)); do
		come_and_go
	done
	stop_all_traffic
	measure
}

# What was suspected before and has grown again by an object for each round is suspected.
try_again() {
	mv "$work/counts" "$work/before"
	come_and_go_again $rounds
	join "$work/before" "$work/counts" | awk -v rounds=$rounds '
		$3 != $2 { print "# " $1 " was " $2 " and is " $3 >"/dev/stderr" }
		$3 - $2 >= rounds { print $1 }' | comm -12 - "$work/suspects" >"$work/remaining"
	mv "$work/remaining" "$work/suspects"
}

setup_cluster pod1 pod2 pod3
keep_hooks
hurry
trace_percpu
for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 node-port 31000 pod1:8080 pod3:8080
done
for node in "${nodes[@]}"; do
	kservctl_on "$node" save >"$work/tables.$node" || die "$node does not save its tables"
done
rmmod kserv || die "kserv does not unload"

# What the first rounds make stays.
come_and_go_again 10
cut -d ' ' -f 1 "$work/counts" >"$work/suspects"
try_again
try_again
# Others' memory does not grow each time.
for _ in {1..3}; do
	[ ! -s "$work/suspects" ] || try_again
done
while read -r name; do
	fail "each time more of $name: $(grep "^$name " "$work/counts")"
done <"$work/suspects"

[ ! -e "$trace" ] || rmdir "$trace"
modprobe kserv
fill_tables
start_server pod1 tcp:8080
start_server pod3 tcp:8080
family=4
connect pod2 tcp "$(cluster_ip 1):80" expect pod1,pod3
nft delete table inet hold
nft delete table netdev hold
