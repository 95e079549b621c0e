#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What people have is Kubernetes YAML. Each manifest of examples/ is applied as it is, on one node; the other takes it
# over from the store; and every address that was allocated answers, from pods, nodes and outside.
#
#   client --- router --- node-a --- my-app-1
#                    \--- node-b --- my-app-2, my-app-3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../examples.sh"

pods=my-app-1,my-app-2,my-app-3

# One line for each address of a Service of examples/ and each of its ports: NAME ADDRESS:PORT
addresses() {
	items services | jq -r '.[] | select(.spec.selector.app == "my-app") | .metadata.name as $name | .spec as $spec |
		($spec.clusterIPs[], .status.loadBalancer.ingress[]?.ip) as $address | $spec.ports[] |
		"\($name) " + if $address | contains(":") then "[\($address)]" else $address end + ":\(.port)"'
}

reach() {
	local name address

	while read -r name address; do
		echo "tcp $address expect $pods count 4"
	done <"$work/addresses" | connections "$1"
}

use_node_ports() {
	local node

	for node in "${nodes[@]}"; do
		connections client <<-END
			tcp ${ip4[$node]}:31000 expect $pods count 4
			tcp ${ip4[$node]}:31001 expect $pods count 4
			tcp [${ip6[$node]}]:31001 expect $pods count 4
		END
	done
}

setup_nodes_of_examples
check "the examples are taken" cluster_on node-a kservctl apply -f "$examples"
sync_nodes
start_pods
addresses >"$work/addresses"
cat "$work/addresses"
check "there are addresses of both families" grep -q '\[' "$work/addresses"

reach my-app-2
reach node-a
reach node-b
reach client
use_node_ports
check "all three pods serve" test "$(answers client tcp "${ip4[node-a]}:31000" 60 | wc -l)" = 3
check "one client of the sticky service has one pod" \
	test "$(answers my-app-2 tcp "$(service_field my-sticky .spec.clusterIP):80" 10 | wc -l)" = 1
check "the headless Service is none of the kernel's business" \
	bash -c "! nsenter --net=/run/netns/node-a kservctl service list | grep -q postgres"

# The database of without-selector.yaml is outside.
ip -n client addr add 192.0.2.42/32 dev lo
ip -n client addr add 192.0.2.43/32 dev lo
ip -n router route add 192.0.2.42/31 via "${ip4[client]}"
start_server client tcp:3306
connect my-app-1 tcp "$(service_field external-db .spec.clusterIP):3306" expect client

generation() { in_netns node-a kservctl status | awk '$1 == "generation" { print $2 }'; }
before=$(generation)
check "what is applied again changes nothing" \
	bash -c "[ \"\$(KSERV_CONFIG=$work/node-a.yaml nsenter --net=/run/netns/node-a kservctl apply -f $examples | grep -c unchanged)\" -ge 19 ]"
check "nor does the kernel get a transaction" test "$(generation)" = "$before"

check "a pod is deleted" cluster_on node-a kservctl delete pod my-app-3
sync_nodes
check "it serves no more" \
	bash -c "[ \"\$(probe --netns client tcp ${ip4[node-b]}:31000 count 40 expect my-app-1,my-app-2 | grep -c my-app)\" = 2 ]"
check "all of it is deleted" cluster_on node-a kservctl delete -f "$examples" --ignore-not-found
check "nothing is left in the kernel" test "$(in_netns node-a kservctl service list --no-headers | wc -l)" = 0
