# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a kubelet and its container runtime do, without containers: a pod is a namespace that the reference CNI plugins
# connect by the file that kservd has written, with a resolv.conf of the cluster. Sourced after lib.sh and daemon.sh.
# The file of NODE is $work/NODE.cni/10-kserv.conflist.
plugins=/usr/lib/cni

# call_plugins ADD|CHECK|DEL NODE POD [PORT-MAPPINGS [ADDRESSES]]: all plugins of the file, as the CNI specification says;
# the last two are JSON arrays.
call_plugins() {
	local command=$1 node=$2 pod=$3 result=$work/$3.result file=$work/$2.cni/10-kserv.conflist order=. type config

	[ "$command" != DEL ] || order=reverse
	while IFS=$'\t' read -r type config; do
		[ ! -s "$result" ] || config=$(jq -c --slurpfile result "$result" '.prevResult = $result[0]' <<<"$config")
		CNI_COMMAND=$command CNI_CONTAINERID=$pod CNI_NETNS=/run/netns/$pod CNI_IFNAME=eth0 CNI_PATH=$plugins \
			CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=$pod" \
			in_netns "$node" "$plugins/$type" <<<"$config" >"$work/$pod.answer" ||
			{ cat "$work/$pod.answer"; return 1; }
		[ "$command" != ADD ] || mv "$work/$pod.answer" "$result"
	done < <(jq -r --argjson ports "${4:-[]}" --argjson ips "${5:-[]}" ". as \$list | .plugins | $order | .[] |
		[.type, (. + {cniVersion: \$list.cniVersion, name: \$list.name} + if .capabilities.portMappings
			then {runtimeConfig: {portMappings: \$ports}} else {args: {cni: {ips: \$ips}}} end | del(.capabilities) | tojson)] | join(\"\t\")" "$file")
}

# add_pod NODE POD [PORT-MAPPINGS [ADDRESSES]]: ip4 and ip6 hold its addresses from then on.
add_pod() {
	local node=$1 pod=$2

	namespaces+=("$pod")
	printf '%s\n' "netns add $pod" "-n $pod link set lo up" | while read -r words; do
		# shellcheck disable=SC2086 # words
		ip $words || die "no namespace for $pod"
	done
	# An address would be on trial for a second.
	set_sysctl "$pod" ipv6/conf/default/accept_dad=0
	rm -f "$work/$pod.result"
	call_plugins ADD "$@" || die "$pod is not connected"
	node_of[$pod]=$node
	ip4[$pod]=$(jq -r '[.ips[].address | select(contains(".")) | sub("/.*"; "")][0] // ""' "$work/$pod.result")
	ip6[$pod]=$(jq -r '[.ips[].address | select(contains(":")) | sub("/.*"; "")][0] // ""' "$work/$pod.result")
}

# remove_pod POD [PORT-MAPPINGS]
remove_pod() {
	call_plugins DEL "${node_of[$1]}" "$@" || fail "$1 is not disconnected"
	ip netns del "$1"
	rm -f "$work/$1.result"
}

is_ready_for_pods() { [ -s "$work/$1.cni/10-kserv.conflist" ]; }

wait_until_ready_for_pods() {
	busywait 60 is_ready_for_pods "$1" || die "$1 does not get ready for pods: $(<"$work/kservd.$1")"
}

# in_pod POD COMMAND...: there, with the resolv.conf that kubelet writes, and names from DNS.
in_pod() {
	local name=$1

	shift
	nsenter --net="/run/netns/$name" unshare -m bash -c "mount --bind $work/resolv.conf /etc/resolv.conf &&
		mount --bind $work/nsswitch.conf /etc/nsswitch.conf && exec \"\$@\"" - "$@"
}

# To be mounted over the machine's own, which therefore must be there.
write_resolv_conf() {
	local file

	cat >"$work/resolv.conf" <<-END
		nameserver 10.96.0.10
		search default.svc.cluster.local svc.cluster.local cluster.local
		options ndots:5
	END
	echo "hosts: files dns" >"$work/nsswitch.conf"
	for file in resolv.conf nsswitch.conf; do
		[ -e "/etc/$file" ] || : >"/etc/$file"
	done
}

# pod_manifest POD APP [FIELD...]: what kubelet tells of a pod that runs; FIELD is of its spec, as "hostname: db-0".
pod_manifest() {
	local pod=$1 app=$2 addresses

	shift 2
	addresses="{ ip: \"${ip4[$pod]}\" }, { ip: \"${ip6[$pod]}\" }"
	cat <<-END
		apiVersion: v1
		kind: Pod
		metadata: { name: $pod, labels: { app: $app } }
		spec: { nodeName: ${node_of[$pod]}, ${*/%/,} containers: [{ name: c, image: i, ports: [{ containerPort: 8080 }] }] }
		status: { phase: Running, podIP: "${ip4[$pod]}", podIPs: [$addresses], conditions: [{ type: Ready, status: "True" }] }
		---
	END
}
