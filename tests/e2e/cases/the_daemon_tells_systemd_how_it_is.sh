#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# systemd starts what needs Services once the kernel has them, restarts a daemon that hangs, and reloads its
# configuration: it goes by what the daemon tells it.
#
#   node1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemon.sh"

heard() { tr '\0' '\n' <"$work/heard" | grep -q "$1"; }
pods_are() { kservctl_on node1 config show | grep -qF "$1"; }

setup_cluster pod1
echo "clusterCIDR: 10.244.0.0/16" >"$work/node1.yaml"
socat -u "UNIX-RECV:$work/notify" "CREATE:$work/heard" &
processes+=($!)
busywait 10 test -S "$work/notify" || die "socat does not listen"

mkdir -p /run/modprobe.d
echo 'install kserv false' >/run/modprobe.d/away.conf
rmmod kserv || die "the module cannot be unloaded"
export NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=2000000
launch_daemon node1 --store "$work/store.db"
check "without the module it says what it waits for" busywait 20 heard 'STATUS=.*not loaded'
check "and asks for more time" busywait 20 heard EXTEND_TIMEOUT_USEC=
check "it is not ready" bash -c "! tr '\0' '\n' <$work/heard | grep -q READY=1"
rm /run/modprobe.d/away.conf
check "with the module it is" busywait 40 heard READY=1
check "it keeps the watchdog quiet" busywait 20 heard WATCHDOG=1
check "its state is in words" heard 'STATUS=In step with the kernel'

check "the pods of the configuration are in the kernel" busywait 10 pods_are 10.244.0.0/16
echo "clusterCIDR: 10.245.0.0/16" >"$work/node1.yaml"
kill -HUP "${daemon_pid[node1]}"
check "HUP is told" busywait 20 heard RELOADING=1
check "and those of the new one take their place" busywait 20 pods_are 10.245.0.0/16
echo "clusterCIDR: nonsense" >"$work/node1.yaml"
kill -HUP "${daemon_pid[node1]}"
check "a wrong configuration is refused with its place" busywait 20 grep -q 'node1.yaml:1:.*nonsense' "$work/kservd.node1"
check "and that of before stays" pods_are 10.245.0.0/16
stop_daemon node1
check "TERM ends it" test $? = 0
check "and it said so" busywait 10 heard STOPPING=1
refuse "a daemon with a wrong configuration does not start" 2 nonsense in_netns node1 kservd --config "$work/node1.yaml"
start_daemon_fails() { in_netns node1 kservd --config /dev/null --store "$work/store.db" --socket "$work/other.sock" "$@"; }
refuse "nor one with an address that is not its own, if that is to be fatal" 1 'cannot listen' \
	start_daemon_fails --healthz-bind-address=192.0.2.1:10256 --bind-address-hard-fail
