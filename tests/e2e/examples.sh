# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The cluster of examples/ as namespaces, with what Kubernetes would have besides kserv: it is built from what
# `kservctl get` tells of Nodes and Pods. Sourced after lib.sh by the demo and by cases that apply manifests.
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../examples" && pwd)
# One store for all nodes, as they would have one API server; each node has a configuration of its own.
export KSERV_STORE=$work/store.db
# The network around the nodes of examples/nodes.yaml.
ip4[router]=10.0.0.1 ip6[router]=fd00:10::1
cluster_ips4=10.96.0.0/12 balancer_ips4=192.0.2.240/28 balancer_ips6=2001:db8:f::/120

# items KIND: its objects, as one JSON array.
items() { KSERV_CONFIG=/dev/null kservctl get "$1" -o json | jq '.items // [.]'; }

# Fill the arrays of lib.sh with what an object list says: the addresses of NAME are the first of each family.
learn_addresses() {
	local name=$1 address

	shift
	for address in "$@"; do
		case $address in
		*:*)	: "${ip6[$name]:=$address}" ;;
		*.*)	: "${ip4[$name]:=$address}" ;;
		esac
	done
}

read_nodes() {
	local name cidrs addresses

	while IFS=$'\t' read -r name cidrs addresses; do
		nodes+=("$name")
		pods_of4[$name]=$(tr ' ' '\n' <<<"$cidrs" | grep -v :)
		pods_of6[$name]=$(tr ' ' '\n' <<<"$cidrs" | grep :)
		# shellcheck disable=SC2086 # words
		learn_addresses "$name" $addresses
	done < <(items nodes | jq -r '.[] | [.metadata.name, (.spec.podCIDRs | join(" ")),
		([.status.addresses[] | select(.type == "InternalIP").address] | join(" "))] | @tsv')
}

# What a kubelet does, without the containers: each pod gets a namespace, its addresses, and a server on its ports.
start_pods() {
	local name node addresses ports pods=()

	while IFS=$'\t' read -r name node addresses ports; do
		node_of[$name]=$node
		# shellcheck disable=SC2086 # words
		learn_addresses "$name" $addresses
		pods+=("$name $ports")
	done < <(items pods | jq -r '.[] | [.metadata.name, .spec.nodeName,
		([.status.podIPs[]?.ip] | join(" ")),
		([.spec.containers[].ports[]? | ((.protocol // "TCP" | ascii_downcase) + ":" + (.containerPort | tostring))] | unique | join(" "))]
		| @tsv')
	make_pods routed "${pods[@]%% *}"
	for name in "${pods[@]}"; do
		# shellcheck disable=SC2086 # words
		start_server $name
		echo "${name%% *} runs on ${node_of[${name%% *}]} with ${ip4[${name%% *}]} and ${ip6[${name%% *}]}"
	done
}

# The first address of a Service: service_field NAME JQ-PATH
service_field() { items services | jq -r --arg name "$1" ".[] | select(.metadata.name == \$name) | $2"; }

write_config() {
	sed '/^ *#/d' "$examples/../deploy/kserv.yaml" >"$work/$1.yaml"
	echo "hostnameOverride: $1" >>"$work/$1.yaml"
}

# cluster_on NODE COMMAND...: there, with that node's configuration.
cluster_on() {
	local node=$1

	shift
	KSERV_CONFIG=$work/$node.yaml in_netns "$node" "$@"
}

# The nodes that examples/nodes.yaml describes.
setup_nodes_of_examples() {
	local node

	nodes=() node_of=()
	KSERV_CONFIG=/dev/null kservctl apply --no-kernel -f "$examples/nodes.yaml" >/dev/null ||
		die "examples/nodes.yaml is refused"
	read_nodes
	make_nodes routed
	for node in "${nodes[@]}"; do
		write_config "$node"
	done
}

# The other nodes take over what one of them was told.
sync_nodes() {
	local node

	for node in "${nodes[@]:1}"; do
		cluster_on "$node" kservctl sync >/dev/null || die "$node cannot be programmed"
	done
}

# ---- with the pod network: after daemon.sh and kubelet.sh

# The nodes of examples/nodes.yaml, with the routes and names that kservd gives them instead of those of lib.sh.
setup_cluster_of_examples() {
	local node other

	setup_nodes_of_examples
	write_resolv_conf
	for node in router "${nodes[@]}"; do
		for other in "${nodes[@]}"; do
			[ "$node" = "$other" ] || printf 'route del %s\n' "${pods_of4[$other]}" "${pods_of6[$other]}"
		done | batch "$node"
	done
	for node in "${nodes[@]}"; do
		set_sysctl "$node" ipv6/conf/default/accept_dad=0
		cat >>"$work/$node.yaml" <<-END
			dns: { enabled: true }
			podNetwork: { mode: auto, cni: { path: $work/$node.cni/10-kserv.conflist, dataDir: $work/$node.cni/state } }
		END
		launch_daemon "$node"
	done
	for node in "${nodes[@]}"; do
		wait_until_ready_for_pods "$node"
	done
}

# run_pod NODE POD ADDRESSES PROTOCOL:PORT...: ADDRESSES is a JSON array; empty for any that is free.
run_pod() {
	local node=$1 pod=$2 addresses=$3

	shift 3
	add_pod "$node" "$pod" '[]' "$addresses"
	start_server "$pod" "$@"
	echo "$pod runs on $node with ${ip4[$pod]} and ${ip6[$pod]}"
}

# jq: the ports of a pod's containers, as run_pod wants them.
ports='[.containers[].ports[]? | ((.protocol // "TCP" | ascii_downcase) + ":" + (.containerPort | tostring))] | unique | join(" ")'

# Pods that were applied, where and with the addresses that their objects say.
run_stored_pods() {
	local node pod addresses words

	while IFS=$'\t' read -r node pod addresses words; do
		# shellcheck disable=SC2086 # words
		run_pod "$node" "$pod" "$addresses" $words
	done < <(items pods | jq -r ".[] | [.spec.nodeName, .metadata.name, ([.status.podIPs[].ip] | tojson), (.spec | $ports)] | join(\"\t\")")
}

# What kubelet and the controllers say of a pod that they made: tell_pod KIND NODE POD SPEC
tell_pod() {
	jq -n --arg kind "$1" --arg node "$2" --arg name "$3" --argjson spec "$4" --arg ip4 "${ip4[$3]}" --arg ip6 "${ip6[$3]}" '
		$spec.template | {apiVersion: "v1", kind: "Pod", metadata: {name: $name, labels: .metadata.labels},
		spec: (.spec + {nodeName: $node} + if $kind == "StatefulSet" then {hostname: $name, subdomain: $spec.serviceName} else {} end),
		status: {phase: "Running", podIP: $ip4, podIPs: [{ip: $ip4}, {ip: $ip6}], conditions: [{type: "Ready", status: "True"}]}}'
}

# As many pods as Deployments and StatefulSets want and do not have yet, on one node after the other. Their objects are
# in $work/pods/.
run_workloads() {
	local kind pod words spec node next=0

	mkdir -p "$work/pods"
	items pods >"$work/stored.json"
	while IFS=$'\t' read -r kind pod words spec; do
		node=${nodes[next++ % ${#nodes[@]}]}
		# shellcheck disable=SC2086 # words
		run_pod "$node" "$pod" '[]' $words
		tell_pod "$kind" "$node" "$pod" "$spec" >"$work/pods/$pod.json"
	done < <({ items deployments; items statefulsets; } | jq -rs --slurpfile pods "$work/stored.json" "add | .[] |
		.kind as \$kind | .spec.selector.matchLabels as \$labels |
		([\$pods[0][] | select((.metadata.labels // {}) | contains(\$labels))] | length) as \$there |
		range(\$there; .spec.replicas // 1) as \$i |
		[\$kind, .metadata.name + \"-\" + (\$i + if \$kind == \"StatefulSet\" then 0 else 1 end | tostring),
		 (.spec.template.spec | $ports), (.spec | tojson)] | join(\"\t\")")
}
