#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# Nobody outside knows the way to pods: they are seen there with their node's address, and reached at it by host ports,
# which the portmap plugin makes of what kserv's file for the plugins says. Between pods nothing is translated, and
# answers of Services keep the address that was asked. To an endpoint outside pods of its Service are masqueraded.
#
#   client --- router ---+--- node1 --- pod1, host port 8088
#                   +-------- node3 --- pod3
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemon.sh"
. "$(dirname "$0")/../kubelet.sh"
. "$(dirname "$0")/../podnet.sh"

host_port='[{"hostPort": 8088, "containerPort": 8080, "protocol": "tcp"}, {"hostPort": 8088, "containerPort": 8080, "protocol": "udp"}]'

go_out() {
	connections pod1 <<-END
		tcp $(host client):8080 expect client seen-as $(address node1)
		udp $(host client):8080 expect client seen-as $(address node1)
		tcp $(host client):8080 expect client bytes 1000000
		udp $(host client):9 expect refused
		tcp $(host node3):8080 expect node3 seen-as $(address node1)
		tcp $(host pod3):8080 expect pod3 seen-as $(address pod1)
		udp $(host pod3):8080 expect pod3 seen-as $(address pod1)
	END
	connect pod3 tcp "$(host client):8080" expect client seen-as "$(address node3)"
	check "a ping is answered" in_netns pod1 ping -c 1 -W 10 "$(address client)"
}

come_in() {
	connect client tcp "$(host node1):8088" expect pod1 seen-as "$(address client)"
	connect client udp "$(host node1):8088" expect pod1 seen-as "$(address client)"
	connect pod3 tcp "$(host node1):8088" expect pod1 seen-as "$(address node3)"
	connect node1 tcp "$(host node1):8088" expect pod1
	connect pod1 tcp "$(host node1):8088" expect pod1
}

service_ip() { ask node1 kservctl get svc "$1" -o json | jq -r ".spec.clusterIPs[${2:-0}]"; }

# The endpoints of the Services web and outside, by their addresses.
by_services() {
	connect pod3 tcp "$1:80" expect pod1 seen-as "$(address pod3)"
	connect pod3 tcp "$1:80" expect pod1 bytes 100000
	connect pod3 tcp "$2:80" expect client seen-as "$(address node3)"
	connect pod3 tcp "$2:80" expect client bytes 100000
}

has_frontend() { in_netns "$1" kservctl frontend list -o json | grep -q "$2"; }

unshare -n iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -m comment --comment x -j RETURN ||
	skip "this kernel has not what the portmap plugin asks of iptables"
setup_pod_network node1 node3
add_pod node1 pod1 "$host_port"
add_pod node3 pod3
start_server pod1 tcp:8080 udp:8080
start_server pod3 tcp:8080 udp:8080
start_server client tcp:8080 udp:8080
start_server node3 tcp:8080
both go_out
both come_in

{
	pod_manifest pod1 web
	cat <<-END
		apiVersion: v1
		kind: Service
		metadata: { name: web }
		spec: { type: NodePort, externalTrafficPolicy: Local, ipFamilyPolicy: RequireDualStack, selector: { app: web }, ports: [{ port: 80, targetPort: 8080, nodePort: 31000 }] }
		---
		apiVersion: v1
		kind: Service
		metadata: { name: outside }
		spec: { ipFamilyPolicy: RequireDualStack, ports: [{ port: 80, targetPort: 8080 }] }
		---
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata: { name: outside-1, labels: { kubernetes.io/service-name: outside } }
		addressType: IPv4
		ports: [{ port: 8080 }]
		endpoints: [{ addresses: [${ip4[client]}] }]
		---
		apiVersion: discovery.k8s.io/v1
		kind: EndpointSlice
		metadata: { name: outside-2, labels: { kubernetes.io/service-name: outside } }
		addressType: IPv6
		ports: [{ port: 8080 }]
		endpoints: [{ addresses: ["${ip6[client]}"] }]
	END
} >"$work/web.yaml"
check "Services are taken" ask node1 kservctl apply -f "$work/web.yaml"
busywait 20 has_frontend node3 31000 || fail "node3 does not follow"
connect client tcp "${ip4[node1]}:31000" expect pod1 seen-as "${ip4[client]}" at "${ip4[pod1]}"
web=$(service_ip web) web6=[$(service_ip web 1)] outside=$(service_ip outside) outside6=[$(service_ip outside 1)]
family=4 by_services "$web" "$outside"
family=6 by_services "$web6" "$outside6"

remove_pod pod1 "$host_port"
stop_server pod1
connect client tcp "${ip4[node1]}:8088" expect refused
check "nothing of the host port stays" bash -c "! nsenter --net=/run/netns/node1 nft list ruleset | grep -q 8088"
