#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One impossible Service must not keep the others of a node from changing: it is left out, everybody who asks is told,
# and it is in the kernel as soon as it is possible. Here: one with more endpoints than the kernel takes.
#
#   node1 --- pod1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemon.sh"

spec() { echo "\"spec\":{\"clusterIP\":\"$1\",\"clusterIPs\":[\"$1\"],\"ipFamilies\":[\"IPv4\"],\"ports\":[{\"port\":80,\"targetPort\":8080,\"protocol\":\"TCP\"}]}"; }

# slice NAME SERVICE ENDPOINTS: their addresses are 10.128.0.0 and those that follow.
slice() {
	api put endpointslices "default/$1" "$(awk -v n="$3" -v service="$2" 'BEGIN {
		printf "{\"metadata\":{\"labels\":{\"kubernetes.io/service-name\":\"%s\"}},\"addressType\":\"IPv4\",", service
		printf "\"ports\":[{\"name\":\"\",\"protocol\":\"TCP\",\"port\":8080}],\"endpoints\":["
		for (i = 1; i <= n; i++)
			printf "%s{\"addresses\":[\"10.%d.%d.%d\"]}", (i > 1) ? "," : "", 128 + i / 65536, i / 256 % 256, i % 256
		printf "]}" }')"
}

count() { kservctl_on node1 endpoint list "default/$1" --no-headers | wc -l; }
has() { [ "$(count "$1")" = "$2" ]; }
is_degraded() { daemon_status node1 '.degraded[]' | grep -q "$1"; }

is_well() { [ "$(daemon_status node1 '.degraded | length')" = 0 ]; }

setup_cluster pod1
echo "clientConnection: {kubeconfig: $work/kubeconfig}" >"$work/node1.yaml"
start_api node1
api put services default/small "{\"metadata\":{},$(spec 10.96.0.1)}"
slice small-1 small 3
api put services default/huge "{\"metadata\":{},$(spec 10.96.0.2)}"
slice huge-1 huge 2
start_daemon node1
check "both are in the kernel" has huge 2
slice huge-1 huge 66000
check "that it has become too large is told" busywait 60 is_degraded 'Service default/huge: the kernel does not take it: .*65536 endpoints'
check "the kernel has it as it was" has huge 2
slice small-1 small 5
check "the other changes as ever" busywait 20 has small 5
event_is_posted() { api posted; [[ $api_said == *'"name":"huge"'*KservRefused* || $api_said == *KservRefused*'"name":"huge"'* ]]; }
busywait 20 event_is_posted || fail "no event tells of it: $api_said"

# A daemon that begins with it.
stop_daemon node1 KILL 2>/dev/null
start_daemon node1
check "a new daemon has the other" has small 5
check "and leaves what it cannot change" has huge 2
slice small-1 small 1
check "and changes it" busywait 20 has small 1
slice huge-1 huge 4
check "once it is possible it is there" busywait 60 has huge 4
check "and nothing is wrong any more" busywait 20 is_well
