#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A node of a Kubernetes cluster: what the API server says is in the kernel a moment later; what an earlier daemon left
# there stays until all is known; while the server is away nothing changes, and when it comes back without its history
# the difference is made good without a packet noticing.
#
#   client --- router --- node1 --- pod1, pod2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../daemon.sh"

put_service() { api put services default/web "{\"metadata\":{},\"spec\":{\"type\":\"$1\",\"clusterIP\":\"10.96.0.1\",\"clusterIPs\":[\"10.96.0.1\"],\"ipFamilies\":[\"IPv4\"],\"ports\":[{\"port\":80,\"targetPort\":8080,\"protocol\":\"TCP\"}]${2:-}}}"; }

# put_slice POD...: endpoints of the Service.
put_slice() {
	local pod list=''

	for pod in "$@"; do
		list+="${list:+,}{\"addresses\":[\"${ip4[$pod]}\"],\"conditions\":{\"ready\":true},\"nodeName\":\"${node_of[$pod]}\"}"
	done
	api put endpointslices default/web-1 "{\"metadata\":{\"labels\":{\"kubernetes.io/service-name\":\"web\"}},\"addressType\":\"IPv4\",\"ports\":[{\"name\":\"\",\"protocol\":\"TCP\",\"port\":8080}],\"endpoints\":[$list]}"
}

has_endpoints() { [ "$(kservctl_on node1 endpoint list default/web -o json | jq -r '[.. | objects | .address // empty] | sort | join(" ")')" = "$1" ]; }
is_connected() { [ "$(daemon_status node1 .source.connected)" = "$1" ]; }
is_there() { { kservctl_on node1 service list --no-headers; kservctl_on node1 frontend list --no-headers; } | grep -qF "$1"; }
is_gone() { ! is_there "$1"; }

setup_cluster pod1 pod2
start_server pod1 tcp:8080
start_server pod2 tcp:8080
cat >"$work/node1.yaml" <<-END
	hostnameOverride: node1
	serviceCIDR: $cluster_ips4
	clusterCIDR: $pods4
	clientConnection: {kubeconfig: $work/kubeconfig}
END
start_api node1
api put nodes /node1 "{\"metadata\":{},\"spec\":{\"podCIDRs\":[\"${pods_of4[node1]}\"]},\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"${ip4[node1]}\"}]}}"
put_service ClusterIP
put_slice pod1
api away

# An earlier daemon left this.
kservctl_on node1 service set default/web tcp 10.96.0.1:80 --endpoint "${ip4[pod2]}:8080,flags=local+cluster-set+local-set+serving"
launch_daemon node1
check "it answers on its socket while the server is away" busywait 30 daemon_status node1 .pid
check "and says that it is not connected" busywait 30 is_connected false
connect client tcp 10.96.0.1:80 expect pod2
tell client open old tcp 10.96.0.1:80 expect pod2
api back
check "with all objects the kernel is in step" busywait 60 has_endpoints "${ip4[pod1]}"
connect client tcp 10.96.0.1:80 expect pod1 count 5
check "it is connected" busywait 20 is_connected true
tell client ask old expect pod2

put_slice pod1 pod2
check "an endpoint comes" busywait 10 has_endpoints "${ip4[pod1]} ${ip4[pod2]}"
connections client <<-END
	tcp 10.96.0.1:80 expect pod1,pod2 count 20
END
put_slice pod2
check "another goes" busywait 10 has_endpoints "${ip4[pod2]}"
put_service NodePort ',"externalIPs":["203.0.113.7"]'
check "the Service gets an external IP" busywait 10 is_there 203.0.113.7
connect client tcp 203.0.113.7:80 expect pod2

# The server away with its history lost.
start_traffic steady client tcp 10.96.0.1:80 expect pod1,pod2
api away
check "the daemon notices" busywait 60 is_connected false
check "and keeps what it has" has_endpoints "${ip4[pod2]}"
put_slice pod1 pod2
api put services default/late '{"metadata":{},"spec":{"clusterIP":"10.96.0.9","clusterIPs":["10.96.0.9"],"ipFamilies":["IPv4"],"ports":[{"port":80,"protocol":"TCP"}]}}'
api expire
api back
check "what changed meanwhile is in the kernel" busywait 90 has_endpoints "${ip4[pod1]} ${ip4[pod2]}"
check "and what is new" busywait 10 is_there default/late
stop_traffic steady
tell client ask old expect pod2

# Two Services want one address: the one that does not get it is told of it.
api put services default/zweb '{"metadata":{},"spec":{"clusterIP":"10.96.0.10","clusterIPs":["10.96.0.10"],"ipFamilies":["IPv4"],"externalIPs":["203.0.113.7"],"ports":[{"port":80,"protocol":"TCP"}]}}'
event_is_posted() { api posted; [[ $api_said == *'"name":"zweb"'*203.0.113.7* ]]; }
busywait 20 event_is_posted || fail "no event tells of the address that two Services want: $api_said"
api del services default/web
check "a Service goes" busywait 10 is_gone default/web
check "and its rival gets the address" busywait 10 is_there 203.0.113.7

check "kubectl is for the API's objects" bash -c "KSERV_SOCKET=$work/node1.sock kservctl get svc 2>&1 | grep kubectl"
check "status is on one screen" bash -c "KSERV_SOCKET=$work/node1.sock nsenter --net=/run/netns/node1 kservctl status | grep -q 'API server http://127.0.0.1:8001, connected'"
