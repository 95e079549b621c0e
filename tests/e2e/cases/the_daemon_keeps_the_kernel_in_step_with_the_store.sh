#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A node runs kservd, and several shells apply manifests to it: what is stored is in the kernel, at once and whoever
# else meddles with either; what cannot be is refused and stored nowhere.
#
#   client --- router --- node-a --- my-app-1
#                    \--- node-b --- my-app-2, my-app-3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"
. "$(dirname "$0")/../daemon.sh"

pods=my-app-1,my-app-2,my-app-3

services() { in_netns "$1" kservctl service list --no-headers | wc -l; }
has_services() { [ "$(services "$1")" = "$2" ]; }
has_no_endpoint() { ! in_netns "$1" kservctl endpoint list --no-headers | grep -qF " $2"; }
is_in_step() { [ "$(daemon_status "$1" '.degraded | length')" = 0 ] && [ "$(daemon_status "$1" .sync.lagUs)" = 0 ]; }

setup_nodes_of_examples
start_daemon node-a
start_daemon node-b
check "an apply through the socket is taken" ask node-a kservctl apply -f "$examples"
before=$(services node-a)
check "its services are in the kernel when it returns" test "$before" -gt 10
check "the daemon that shares the store follows" busywait 10 has_services node-b "$before"
start_pods
busywait 10 is_in_step node-b || fail "node-b is not in step: $(daemon_status node-b .)"
connections client <<-END
	tcp ${ip4[node-a]}:31000 expect $pods count 6
	tcp ${ip4[node-b]}:31001 expect $pods count 6
END
connect my-app-2 tcp "$(service_field my-service .spec.clusterIP):80" expect "$pods" count 6

check "the kernel is what the store leads to" busywait 20 ask node-a kservctl diff
check "what is applied again changes nothing" bash -c "KSERV_SOCKET=$work/node-a.sock kservctl apply -f $examples | tail -n 1 | grep ' 0 changed'"
check "diff says that nothing would change" ask node-a kservctl diff -f "$examples"
ask node-a kservctl get svc my-nodeport -o yaml | sed 's/nodePort: 31000/nodePort: 31010/' >"$work/moved.yaml"
refuse "diff shows what would" 1 'nodePort: 31010' ask node-a kservctl diff -f "$work/moved.yaml"
check "a dry run does not" ask node-a kservctl apply --dry-run=server -f "$work/moved.yaml"
connect client tcp "${ip4[node-a]}:31000" expect "$pods"
check "it is applied" ask node-a kservctl apply -f "$work/moved.yaml"
connect client tcp "${ip4[node-a]}:31010" expect "$pods"
expect_refused client tcp "${ip4[node-a]}:31000"

printf 'apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n' >"$work/bad.yaml"
refuse "a bad manifest is refused with its place" 1 'bad.yaml:4:.*spec.ports' ask node-a kservctl apply -f "$work/bad.yaml"
refuse "and is not there" 1 'not found' ask node-a kservctl get svc bad

# Others: one who writes into the kernel, one who writes into the store.
in_netns node-a kservctl flush
check "who empties the kernel's tables is set right" busywait 20 has_services node-a "$before"
in_netns node-a kservctl service set stranger/x tcp 192.0.2.99:80
check "what a stranger adds goes" busywait 20 has_services node-a "$before"
check "kservctl deletes in the store alone" \
	env KSERV_CONFIG="$work/node-a.yaml" kservctl delete --no-kernel svc my-nodeport
check "and the daemon takes it from the kernel" busywait 10 has_services node-a $((before - 1))

check "a Pod goes" ask node-a kservctl delete pod my-app-3
refuse "it cannot go twice" 1 'not found' ask node-a kservctl delete pod my-app-3
check "the other daemon knows" busywait 10 has_no_endpoint node-b "${ip4[my-app-3]}:"
connect client tcp "${ip4[node-b]}:31001" count 40 expect my-app-1,my-app-2

check "the API's own paths lead there" \
	test "$(curl -s --unix-socket "$work/node-a.sock" http://k/api/v1/namespaces/default/services/my-service | jq -r .metadata.name)" = my-service
check "and away" test "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE --unix-socket "$work/node-a.sock" \
	http://k/api/v1/namespaces/default/services/my-service)" = 200
check "with the kernel" has_services node-a $((before - 2))

stop_daemon node-a
check "TERM ends it" test $? = 0
check "and the kernel goes on" has_services node-a $((before - 2))
connect client tcp "${ip4[node-a]}:31001" expect my-app-1,my-app-2
check "without a daemon it can be compared, too" cluster_on node-a kservctl diff
in_netns node-a kservctl service set stranger/x tcp 192.0.2.99:80
refuse "which shows what is not of the store" 1 'stranger/x, tcp, IPv4: it is in the kernel and should not be' \
	cluster_on node-a kservctl diff
check "--cleanup takes all of it away" in_netns node-a kservd --config "$work/node-a.yaml" --cleanup
check "nothing is left" has_services node-a 0
