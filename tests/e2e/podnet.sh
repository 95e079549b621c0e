# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Nodes whose pod network is kserv's. Sourced after lib.sh, daemon.sh and kubelet.sh.
#
#   client 192.168.60.2 ---- router ----+---- node1 192.168.50.11   pods 10.244.1.0/24
#          fd00:60::2           |       |           fd00:50::11          fd00:10:244:1::/64
#                               |       +---- node2 192.168.50.12   pods 10.244.2.0/24
#                               |                   fd00:50::12          fd00:10:244:2::/64
#                               +------------ node3 192.168.70.13   pods 10.244.3.0/24
#                                                   fd00:70::13          fd00:10:244:3::/64
#
# The router knows no pods and no Services. Load-balancer addresses are of the segment of node1 and node2, so node3 does
# not announce any.
export KSERV_STORE=$work/store.db
ip4[node3]=192.168.70.13 ip6[node3]=fd00:70::13
declare -A cidr_of=([node1]=1 [node2]=2 [node3]=3)
declare -A labels_of=([node3]='node.kubernetes.io/exclude-from-external-load-balancers: ""')

make_segment() {
	local bridge=$1 number=$2 name

	shift 2
	cat <<-END
		link add $bridge type bridge mcast_snooping 0
		link set $bridge addrgenmode none
		link set $bridge up
		addr add 192.168.$number.1/24 dev $bridge
		addr add fd00:$number::1/64 dev $bridge nodad
		addr add fe80::1/64 dev $bridge nodad
	END
	for name in "$@"; do
		echo "link set $name master $bridge addrgenmode none"
		echo "link set $name up"
	done
}

# The nodes with an address there.
on_segment() {
	local name

	for name in "${nodes[@]}"; do
		[[ ${ip4[$name]} != 192.168.$1.* ]] || echo "$name"
	done
}

make_host() {
	local name=$1 number=${ip4[$1]#192.168.}

	number=${number%.*}
	cat <<-END
		link set lo up
		link set eth0 addrgenmode none
		link set eth0 up
		addr add ${ip4[$name]}/24 dev eth0
		addr add ${ip6[$name]}/64 dev eth0 nodad
		addr add fe80::${ip4[$name]##*.}/64 dev eth0 nodad
		route add default via 192.168.$number.1
		route add default via fd00:$number::1
	END
}

make_routed_nodes() {
	local name

	namespaces+=(client router "${nodes[@]}")
	{
		printf 'netns add %s\n' client router "${nodes[@]}"
		for name in client "${nodes[@]}"; do
			echo "link add eth0 netns $name type veth peer name $name netns router"
		done
	} | batch -
	{
		echo "link set lo up"
		# shellcheck disable=SC2046 # words
		make_segment br50 50 $(on_segment 50)
		make_segment br60 60 client
		# shellcheck disable=SC2046 # words
		make_segment br70 70 $(on_segment 70)
	} | batch router
	set_sysctl router ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
	for name in client "${nodes[@]}"; do
		make_host "$name" | batch "$name"
		# The plugins' addresses as well would be on trial for a second.
		set_sysctl "$name" ipv6/conf/default/accept_dad=0
	done
}

node_manifest() {
	cat <<-END
		apiVersion: v1
		kind: Node
		metadata: { name: $1, labels: { ${labels_of[$1]:-} } }
		spec: { podCIDRs: [10.244.${cidr_of[$1]}.0/24, "fd00:10:244:${cidr_of[$1]}::/64"] }
		status: { addresses: [{ type: InternalIP, address: ${ip4[$1]} }, { type: InternalIP, address: "${ip6[$1]}" }] }
		---
	END
}

write_node_config() {
	cat >"$work/$1.yaml" <<-END
		hostnameOverride: $1
		serviceCIDR: 10.96.0.0/16,fd00:10:96::/112
		clusterCIDR: 10.244.0.0/16,fd00:10:244::/48
		dns: { enabled: true }
		podNetwork: { mode: auto, cni: { path: $work/$1.cni/10-kserv.conflist, dataDir: $work/$1.cni/state } }
		loadBalancer: { announce: true, pools: [{ name: all, addresses: [192.168.50.240-192.168.50.249, "fd00:50::f0/125"] }] }
	END
}

# setup_pod_network NODE...: with their daemons, ready for pods.
setup_pod_network() {
	local name

	nodes=("$@")
	make_routed_nodes
	for name in "${nodes[@]}"; do
		write_node_config "$name"
		node_manifest "$name"
	done >"$work/nodes"
	KSERV_CONFIG=$work/node1.yaml kservctl apply --no-kernel -f "$work/nodes" >/dev/null || die "the nodes are refused"
	for name in "${nodes[@]}"; do
		launch_daemon "$name"
	done
	for name in "${nodes[@]}"; do
		wait_until_ready_for_pods "$name"
	done
}

# The prefixes that a node's routes of ours lead to, with how.
routes_of() { in_netns "$1" kservctl routes -o json | jq -r '[.[] | "\(.prefix) \(.type)"] | join(", ")'; }
