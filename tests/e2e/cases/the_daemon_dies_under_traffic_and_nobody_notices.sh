#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 300
#
# The daemon may die at any moment: packets go by what the kernel holds, its successor finds out what is missing, and no
# connection is touched. Killed while it is syncing, too: changes are on their way at each death; the first time by the
# kernel, as when memory runs out. SOAK makes it die so many times as often.
#
#   client --- router --- node-a --- my-app-1
#                    \--- node-b --- my-app-2, my-app-3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"
. "$(dirname "$0")/../daemon.sh"

rounds=$((6 * ${SOAK:-1}))

weights() {
	ask node-a kservctl get pod my-app-3 -o json |
		jq --arg weight "$1" '.metadata.annotations["kserv.io/weight"] = $weight' >"$work/pod.json"
}

# The table that the store leads to is what the kernel holds: nothing differs, and a sync has nothing to do.
is_the_same() {
	local before

	ask node-a kservctl diff || return 1
	before=$(in_netns node-a kservctl status | awk '$1 == "generation" { print $2 }')
	cluster_on node-a kservctl sync >/dev/null || return 1
	[ "$(in_netns node-a kservctl status | awk '$1 == "generation" { print $2 }')" = "$before" ]
}

# The kernel chooses one as if there were no memory left.
kill_for_memory() {
	echo 1000 >"/proc/${daemon_pid[$1]}/oom_score_adj"
	echo f >/proc/sysrq-trigger
	busywait 20 process_is_gone "${daemon_pid[$1]}" || die "the daemon is not killed for memory"
	check "it is killed for memory" busywait 10 bash -c "dmesg | grep -q 'Killed process ${daemon_pid[$1]} (kservd)'"
}

setup_nodes_of_examples
start_daemon node-a
start_daemon node-b
check "the examples are taken" ask node-a kservctl apply -f "$examples"
start_pods
address=$(service_field my-service .spec.clusterIP):80
tell my-app-2 open long tcp "$address" expect my-app-1,my-app-2,my-app-3
tell client open outer tcp "${ip4[node-a]}:31000" expect my-app-1,my-app-2,my-app-3
start_traffic inner my-app-2 tcp "$address" expect my-app-1,my-app-2,my-app-3
start_traffic outer client tcp "${ip4[node-a]}:31000" expect my-app-1,my-app-2,my-app-3

for ((round = 1; round <= rounds; round++)); do
	weights $round
	ask node-a kservctl apply -f "$work/pod.json" >/dev/null 2>&1 &
	applying=$!
	# At another moment of the apply each time.
	for ((i = 0; i < RANDOM % 400; i++)); do :; done
	[ $round != 1 ] || kill_for_memory node-a
	stop_daemon node-a KILL 2>/dev/null
	wait $applying
	start_daemon node-a
	is_the_same || fail "round $round: the kernel is not what the store says"
done
say "killed and started $rounds times"

stop_traffic inner
stop_traffic outer
tell my-app-2 ask long expect my-app-1,my-app-2,my-app-3
tell client ask outer expect my-app-1,my-app-2,my-app-3
check "nothing would change" ask node-a kservctl diff -f "$examples/nodeport.yaml"
