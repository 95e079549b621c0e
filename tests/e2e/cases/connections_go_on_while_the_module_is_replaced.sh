#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# kservctl upgrade takes the module out and puts another one in, in the midst of traffic: streams of bytes go on and are
# right, flows are what they were (masqueraded ones by the same port), remembered clients too. A module that does not
# load is no harm: the former one is back.
#
#   client --- router --- node1 --- pod1, pod2
. "$(dirname "$0")/../lib.sh"

# stream NAME FROM PROTOCOL ADDRESS:PORT: asks and checks what comes back, by one connection, until there is $work/stop.
stream() {
	local name=$1 from=$2 in out line

	shift 2
	mkfifo "$work/$name.in" "$work/$name.out"
	probe --netns "$from" <"$work/$name.in" >"$work/$name.out" 2>&1 &
	exec {in}>"$work/$name.in" {out}<"$work/$name.out"
	echo "open s $* timeout 60000" >&"$in"
	read -r line <&"$out"
	echo "$line"
	until [ -e "$work/stop" ]; do
		echo "ask s bytes 30000 timeout 110000" >&"$in"
		read -r line <&"$out" || break
		echo "$line"
	done
	exec {in}>&-
	wait
}

start_streams() {
	local name

	streams=()
	rm -f "$work/stop"
	stream inner pod2 tcp 10.96.0.1:80 >"$work/stream.inner" &
	streams+=($!)
	stream outer client tcp 192.168.50.11:31000 >"$work/stream.outer" &
	streams+=($!)
	stream six client tcp "[fd00:10:96::1]:80" >"$work/stream.six" &
	streams+=($!)
	stream own node1 tcp "[fd00:10:96::1]:80" >"$work/stream.own" &
	streams+=($!)
	for name in inner outer six own; do
		busywait 60 streams_on $name 3 || fail "the stream $name does not begin: $(cat "$work/stream.$name")"
	done
}

# streams_on NAME N: so many answers have come.
streams_on() { [ "$(grep -c ^ok "$work/stream.$1")" -ge "$2" ]; }

# Another three answers, and then the end.
end_streams() {
	local name n

	for name in inner outer six own; do
		n=$(grep -c ^ok "$work/stream.$name")
		busywait 120 streams_on $name $((n + 3)) || fail "the stream $name does not go on: $(tail -n 2 "$work/stream.$name")"
	done
	touch "$work/stop"
	wait "${streams[@]}"
	for name in inner outer six own; do
		check "every byte of the stream $name was right" test "$(grep -vc ^ok "$work/stream.$name")" = 0
		rm "$work/$name.in" "$work/$name.out"
	done
}

# What TCP sent again, all hosts together.
sent_again() {
	local host

	for host in client node1 pod1 pod2; do
		in_netns $host cat /proc/net/snmp
	done | awk '$1 == "Tcp:" && $13 ~ /^[0-9]+$/ { sum += $13 } END { print sum + 0 }'
}

# Flows and clients of node1, without what changes from packet to packet.
flows_now() {
	kservctl_on node1 save --flows | grep -E '^(flow|session) ' |
		sed -E 's/ (expires-ms|packets-in|bytes-in|packets-out|bytes-out)=[0-9]+//g' | sort
}

# All that were there before are so again; those of the streams come and go.
nothing_is_lost() { [ -z "$(comm -23 "$work/flows" <(flows_now))" ] || { comm -3 "$work/flows" <(flows_now); false; }; }

# Flows with answers in both directions, so that only their timeout changes from now on.
open_some() {
	local family

	for family in 4 6; do
		tell client open "near$family" tcp "$(cluster_ip 1):80"
		tell client open "far$family" tcp "$(host node1):31000"
		tell client open "log$family" udp "$(host node1):31000"
		tell node1 open "own$family" udp "$(cluster_ip 1):80"
		tell client open "sticky$family" tcp "$(cluster_ip 2):80"
	done
	ask_all
	ask_all
}

ask_all() {
	local family

	for family in 4 6; do
		tell client ask "near$family" bytes 5000
		tell client ask "far$family" bytes 5000
		tell client ask "log$family" bytes 500
		tell node1 ask "own$family" bytes 500
		tell client ask "sticky$family" bytes 500
	done
}

fast_path=on
setup_cluster pod1 pod2
keep_hooks
# However slow this machine is, no flow may expire meanwhile.
kservctl_on node1 config set --udp-timeout 3600 --udp-stream-timeout 3600
for name in pod1 pod2; do
	start_server $name tcp:8080 udp:8080
done
for protocol in tcp udp; do
	service default/web:$protocol $protocol at 1:80 node-port 31000 pod1:8080 pod2:8080
done
service default/sticky tcp at 2:80 pod1:8080 pod2:8080 -- --affinity 600
module=$(modinfo -n kserv)

open_some
flows_now >"$work/flows"
check "flows are masqueraded" grep -q ' masquerade=192.168.50.11 masquerade-port=' "$work/flows"
check "clients are remembered" test "$(grep -c '^session ' "$work/flows")" = 2
start_streams
before=$(sent_again)
kservctl upgrade --module "$module" >"$work/upgraded" || fail "the module is not replaced"
end_streams
figures "$(cat "$work/upgraded")"
figures "$(($(sent_again) - before)) segments were sent again"
check "its tables are back" test "$(kservctl_on node1 status -o json | jq .frontends)" -ge 8
check "flows and clients are what they were" nothing_is_lost
ask_all

say "a module that does not load"
head -c 30000 "$module" >"$work/broken.ko"
refuse "the former one is back" 1 "the former module, .*, is in place again" kservctl upgrade --module "$work/broken.ko"
check "the gate is open" test -z "$(in_netns node1 nft list tables | grep kserv-upgrade)"
ask_all
say "by a file"
kservctl_on node1 save --flows >"$work/saved" || fail "node1 does not save its flows"
check "the module goes and comes" eval "rmmod kserv && modprobe kserv"
check "all is restored" kservctl_on node1 restore --flows "$work/saved"
check "flows and clients are what they were" nothing_is_lost
ask_all
nft delete table inet hold
nft delete table netdev hold
