#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Started with all that root may do, the daemon keeps what it works with: it programs the kernel, binds low ports, takes
# objects and another configuration as before, and neither it nor what it executes gets more again.
#
#   node1 --- pod1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"
. "$(dirname "$0")/../daemon.sh"

# The value of a line of the daemon's /proc/PID/status, without leading zeros.
its() { sed -n "s/^$1:[[:space:]]*0*//p" "/proc/${daemon_pid[node-a]}/status"; }

has() { [ "$(its "$1")" = "$2" ] || { echo "$1 is $(its "$1")"; return 1; }; }

setup_nodes_of_examples
start_daemon node-a
# 10, 12 and 13: CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW
for name in CapEff CapPrm; do
	check "of $name there is what it needs" busywait 10 has $name 3400
done
check "nothing can be inherited beyond it" has CapInh ''
check "and none is ambient" has CapAmb ''
check "nothing that it executes gets more" has NoNewPrivs 1
check "no thread of it has more" bash -c "! grep -h '^CapEff' /proc/${daemon_pid[node-a]}/task/*/status | grep -v '0*3400$'"
check "it takes objects" ask node-a kservctl apply -f "$examples"
start_pods
connect my-app-2 tcp "$(service_field my-service .spec.clusterIP):80" expect my-app-1,my-app-2,my-app-3
kill -HUP "${daemon_pid[node-a]}"
check "it reads its configuration again" busywait 10 grep -q 'the configuration was read again' "$work/kservd.node-a"
check "and is in step" ask node-a kservctl diff -f "$examples/nodeport.yaml"
stop_daemon node-a
check "it ends as it should" test $? = 0
