# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The words that the cases are written in. A case sources this, sets up, acts and checks; it goes on after a failed
# check so that one run tells everything, and ends with exit code 0, 1 or 4 (skipped).
#
#   client 192.168.60.2 ---- router ----+---- node1 192.168.50.11 ---- pod1 10.244.1.11, pod2 10.244.1.12
#          fd00:60::2                   |           fd00:50::11             fd00:10:244:1::11, ::12
#                                       +---- node2 192.168.50.12 ---- pod3 10.244.2.13, pod4 10.244.2.14
#                                                   fd00:50::12             fd00:10:244:2::13, ::14
#
# Each is a network namespace; kserv has its own state in each of the nodes. The router leads cluster IPs, external
# IPs and load-balancer IPs to node1.
set -u
# What fails at the end of a pipeline is counted as well.
shopt -s lastpipe

cluster_ips4=10.96.0.0/16 cluster_ips6=fd00:10:96::/112
pods4=10.244.0.0/16 pods6=fd00:10:244::/48
balancer_ips4=192.168.50.240/28 balancer_ips6=fd00:50::f0/124
external_ips4=203.0.113.0/24 external_ips6=2001:db8:ff::/64

declare -A ip4=([client]=192.168.60.2 [router]=192.168.50.1 [node1]=192.168.50.11 [node2]=192.168.50.12
	[pod1]=10.244.1.11 [pod2]=10.244.1.12 [pod3]=10.244.2.13 [pod4]=10.244.2.14)
declare -A ip6=([client]=fd00:60::2 [router]=fd00:50::1 [node1]=fd00:50::11 [node2]=fd00:50::12
	[pod1]=fd00:10:244:1::11 [pod2]=fd00:10:244:1::12 [pod3]=fd00:10:244:2::13 [pod4]=fd00:10:244:2::14)
declare -A node_of=([pod1]=node1 [pod2]=node1 [pod3]=node2 [pod4]=node2)
declare -A pods_of4=([node1]=10.244.1.0/24 [node2]=10.244.2.0/24)
declare -A pods_of6=([node1]=fd00:10:244:1::/64 [node2]=fd00:10:244:2::/64)

work=$(mktemp -d /tmp/case.XXXXXX)
mkfifo "$work/nothing"
exec {nothing}<>"$work/nothing"
namespaces=() processes=() nodes=()
failures=0
declare -A talker_in=() talker_out=() capture_pid=()

say() { printf '%s\n' "$*"; }

# Lines of figures that are worth telling of a case that went well: they stand in the run's output.
figures() { sed 's/^/FIGURES /' <<<"$*"; }

# tally WHAT N: more connections (probe counts them itself), messages, packets, faults. Runs end with their sums.
tally() { echo "$*" >>"${COUNTS:-/dev/null}"; }

# A check failed: say what, and go on.
fail() {
	say "FAIL $*"
	failures=$((failures + 1))
	[ $failures -lt 20 ] || { say "FAIL too many failures, the case ends here"; exit 1; }
}

# The case cannot go on.
die() {
	say "FAIL $*"
	failures=$((failures + 1))
	exit 1
}

skip() {
	say "SKIP $*"
	exit 4
}

# check SENTENCE COMMAND...: what the sentence says holds if the command succeeds.
check() {
	local sentence=$1 output

	shift
	if output=$("$@" 2>&1); then
		say "ok $sentence"
	else
		fail "$sentence: $*: ${output:-it says nothing}"
	fi
}

# refuse SENTENCE CODE WORDS COMMAND...: the command must fail with this exit code and say these words (a regex).
refuse() {
	local sentence=$1 code=$2 words=$3 output actual=0

	shift 3
	output=$("$@" 2>&1) || actual=$?
	if [ $actual != "$code" ]; then
		fail "$sentence: exit code $actual, not $code: $*: $output"
	elif ! grep -Eq -- "$words" <<<"$output"; then
		fail "$sentence: it does not say '$words': $*: $output"
	else
		say "ok $sentence: $output"
	fi
}

# busywait SECONDS COMMAND...: until the command succeeds. Seconds are longer on a machine that others use, too, and on a
# kernel that is slow on purpose. Between two tries the CPU is left to who is waited for.
busywait() {
	local end=$((SECONDS + 3 * $1 * ${PATIENCE:-1}))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		read -rt 0.02 -u "$nothing" || :
	done
}

# in_netns NAME COMMAND...
in_netns() {
	local ns=$1

	shift
	nsenter --net="/run/netns/$ns" "$@"
}

# set_sysctl NAMESPACE KEY=VALUE...: keys with slashes, below /proc/sys/net.
set_sysctl() {
	local ns=$1

	shift
	# shellcheck disable=SC2016 # expanded inside
	in_netns "$ns" bash -c 'for word; do echo "${word#*=}" >"/proc/sys/net/${word%%=*}" || exit 1; done' - "$@" ||
		die "cannot set in $ns: $*"
}

# batch NAMESPACE: lines for `ip`; "-" stands for the namespace that the case started in.
batch() {
	local where=()

	[ "$1" = - ] || where=(-n "$1")
	ip "${where[@]}" -batch - || die "the topology could not be built in $1"
}

# ---- building the cluster

# setup_cluster [bridged] POD...: with client, router, and the nodes that the pods are on (node1 always). With bridged,
# pods are on a bridge of their node with br_netfilter, as many pod networks have it; else each has a route of its own.
setup_cluster() {
	local name style=routed

	[ "$1" != bridged ] || { style=bridged; shift; }
	nodes=(node1)
	for name in "$@"; do
		[ "${node_of[$name]}" != node2 ] || nodes=(node1 node2)
	done
	make_nodes $style
	make_pods $style "$@"
	for name in "${nodes[@]}"; do
		configure_node "$name"
	done
}

# The nodes in $nodes and what is around them.
make_nodes() {
	local name new=(client router "${nodes[@]}")

	namespaces+=("${new[@]}")
	{
		printf 'netns add %s\n' "${new[@]}"
		echo "link add eth0 netns client type veth peer name client netns router"
		for name in "${nodes[@]}"; do
			echo "link add eth0 netns $name type veth peer name $name netns router"
		done
	} | batch -
	make_client | batch client
	make_router | batch router
	set_sysctl router ipv4/ip_forward=1 ipv6/conf/all/forwarding=1 ipv4/icmp_ratelimit=0 ipv6/icmp/ratelimit=0
	[ "$1" = routed ] || make_bridges
	for name in "${nodes[@]}"; do
		make_node "$name" "$1" | batch "$name"
		# Strict, to show that each packet passes with addresses that fit its way.
		set_sysctl "$name" ipv4/ip_forward=1 ipv6/conf/all/forwarding=1 \
			ipv4/conf/all/rp_filter=1 ipv4/conf/default/rp_filter=1 ipv4/icmp_ratelimit=0 ipv6/icmp/ratelimit=0
	done
}

# make_pods routed|bridged NAME...: each on its node.
make_pods() {
	local style=$1 name node

	shift
	namespaces+=("$@")
	for name in "$@"; do
		echo "netns add $name"
		echo "link add eth0 address $(mac "$name" 2) netns $name type veth" \
			"peer name $name address $(mac "$name" 1) netns ${node_of[$name]}"
	done | batch -
	for node in "${nodes[@]}"; do
		for name in "$@"; do
			[ "${node_of[$name]}" != "$node" ] || attach_pod "$name" "$node" "$style"
		done | batch "$node"
	done
	for name in "$@"; do
		make_pod "$name" "$style" | batch "$name"
	done
}

# The MAC address of a pod (2) or of the node's end of its link (1).
mac() { printf '02:00:00:00:0%d:%02d\n' "$2" "${ip4[$1]##*.}"; }

# The node's own address in the network of its pods.
bridge4() { echo "${pods_of4[$1]%.*}.1"; }
bridge6() { echo "${pods_of6[$1]%/*}1"; }

# Who forwards IPv6 must have a link-local address to ask for neighbours from; those of pods are permanent.
make_client() {
	cat <<-END
		link set lo up
		link set eth0 addrgenmode none
		link set eth0 up
		addr add 192.168.60.2/24 dev eth0
		addr add fd00:60::2/64 dev eth0 nodad
		route add default via 192.168.60.1
		route add default via fd00:60::1
	END
}

make_router() {
	local name

	cat <<-END
		link set lo up
		link add br0 type bridge
		link set br0 addrgenmode none
		link set br0 up
		addr add ${ip4[router]}/24 dev br0
		addr add ${ip6[router]}/64 dev br0 nodad
		addr add fe80::1/64 dev br0 nodad
		link set client addrgenmode none
		link set client up
		addr add 192.168.60.1/24 dev client
		addr add fd00:60::1/64 dev client nodad
		addr add fe80::1/64 dev client nodad
	END
	for name in "${nodes[@]}"; do
		echo "link set $name master br0 addrgenmode none"
		echo "link set $name up"
	done
	for name in "$cluster_ips4" "$balancer_ips4" "$external_ips4"; do
		echo "route add $name via ${ip4[${nodes[0]}]}"
	done
	for name in "$cluster_ips6" "$balancer_ips6" "$external_ips6"; do
		echo "route add $name via ${ip6[${nodes[0]}]}"
	done
	# So that a case may reach a pod directly, from outside too.
	for name in "${nodes[@]}"; do
		echo "route add ${pods_of4[$name]} via ${ip4[$name]}"
		echo "route add ${pods_of6[$name]} via ${ip6[$name]}"
	done
}

make_node() {
	local node=$1 other

	cat <<-END
		link set lo up
		link set eth0 addrgenmode none
		link set eth0 up
		addr add ${ip4[$node]}/24 dev eth0
		addr add ${ip6[$node]}/64 dev eth0 nodad
		addr add fe80::${ip4[$node]##*.}/64 dev eth0 nodad
		route add default via ${ip4[router]}
		route add default via ${ip6[router]}
	END
	for other in "${nodes[@]}"; do
		[ "$other" = "$node" ] || cat <<-END
			route add ${pods_of4[$other]} via ${ip4[$other]}
			route add ${pods_of6[$other]} via ${ip6[$other]}
		END
	done
	[ "$2" = routed ] || cat <<-END
		link set cni0 addrgenmode none
		addr add $(bridge4 "$node")/24 dev cni0
		addr add $(bridge6 "$node")/64 dev cni0 nodad
		addr add fe80::1/64 dev cni0 nodad
		link set cni0 up
	END
}

# The node's end of a pod's link.
attach_pod() {
	echo "link set $1 addrgenmode none"
	[ "$3" = routed ] || echo "link set $1 master cni0"
	echo "link set $1 up"
	[ "$3" = bridged ] || cat <<-END
		addr add 169.254.1.1/32 dev $1 scope link
		addr add fe80::1/64 dev $1 nodad
		neigh add ${ip4[$1]} lladdr $(mac "$1" 2) dev $1 nud permanent
		neigh add ${ip6[$1]} lladdr $(mac "$1" 2) dev $1 nud permanent
		route add ${ip4[$1]}/32 dev $1 src ${ip4[$2]}
		route add ${ip6[$1]}/128 dev $1 src ${ip6[$2]}
	END
}

# The bridge first, for only while it is there does its module let us ask for its packets to pass netfilter.
make_bridges() {
	local node

	modprobe br_netfilter || die "br_netfilter does not load"
	for node in "${nodes[@]}"; do
		ip -n "$node" link add cni0 type bridge || die "no bridge in $node"
		set_sysctl "$node" bridge/bridge-nf-call-iptables=1 bridge/bridge-nf-call-ip6tables=1
	done
	set_sysctl router bridge/bridge-nf-call-iptables=0 bridge/bridge-nf-call-ip6tables=0
}

make_pod() {
	local pod=$1 node=${node_of[$1]}

	cat <<-END
		link set lo up
		link set eth0 addrgenmode none
		link set eth0 up
	END
	if [ "$2" = bridged ]; then
		cat <<-END
			addr add ${ip4[$pod]}/24 dev eth0
			addr add ${ip6[$pod]}/64 dev eth0 nodad
			route add default via $(bridge4 "$node")
			route add default via $(bridge6 "$node")
		END
	else
		cat <<-END
			addr add ${ip4[$pod]}/32 dev eth0
			addr add ${ip6[$pod]}/128 dev eth0 nodad
			neigh add 169.254.1.1 lladdr $(mac "$pod" 1) dev eth0 nud permanent
			neigh add fe80::1 lladdr $(mac "$pod" 1) dev eth0 nud permanent
			route add 169.254.1.1 dev eth0 scope link
			route add default via 169.254.1.1
			route add default via fe80::1 dev eth0
		END
	fi
}

# At the end of every case, however it ends.
clean_up() {
	local code=$? name

	trap - EXIT
	[ $failures = 0 ] || { show_state; code=1; }
	for name in "${!talker_in[@]}"; do
		eval "exec ${talker_in[$name]}>&- ${talker_out[$name]}<&-"
	done
	[ ${#processes[@]} = 0 ] || kill -9 "${processes[@]}" 2>/dev/null
	wait
	for name in "${namespaces[@]}"; do
		echo "netns del $name"
	done | ip -force -batch - 2>/dev/null
	rm -rf "$work"
	exit "$code"
}

# What somebody who reads of a failure wants to see.
show_state() {
	local node

	for node in "${nodes[@]}"; do
		say "-- $node holds:"
		kservctl_on "$node" save
		kservctl_on "$node" flows -o wide | head -n 40
		kservctl_on "$node" stats
	done 2>&1 | sed 's/^/# /'
}

# The kernel patches its code when the first hook of a kind comes and when the last one goes. QEMU's emulation of two
# CPUs may go on with what it translated before, for ever in a breakpoint of the patch; so other hooks stay in place.
keep_hooks() {
	nft -f - <<-END || die "no hooks can be kept in place"
		table inet hold {
			chain prerouting { type filter hook prerouting priority 0; }
			chain input { type filter hook input priority 0; }
			chain output { type filter hook output priority 0; }
			chain postrouting { type filter hook postrouting priority 0; }
		}
		table netdev hold {
			chain ingress { type filter hook ingress device lo priority 0; }
		}
	END
}

# ---- servers

# start_server NAME PROTOCOL:PORT...: in the namespace NAME, answering with that name.
start_server() {
	start_server_as "$1" "$@"
}

# start_server_as ANSWER NAME PROTOCOL:PORT...
start_server_as() {
	local answer=$1 name=$2

	shift 2
	serve --netns "$name" --name "$answer" --pidfile "$work/serve.$answer" "$@" 2>&1 ||
		die "no server $answer in $name"
	processes+=("$(<"$work/serve.$answer")")
}

stop_server() {
	kill -9 "$(<"$work/serve.$1")"
	busywait 5 process_is_gone "$(<"$work/serve.$1")" || die "the server $1 does not end"
}

process_is_gone() { ! [ -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }

# ---- clients: see `probe --help` for the words

# connect FROM PROTOCOL ADDRESS:PORT WORDS...: must go as the words say.
connect() {
	local from=$1 output

	shift
	if output=$(probe --netns "$from" "$@" 2>&1); then
		say "ok $from $*: ${output//$'\n'/, }"
	else
		fail "$from $*: ${output//$'\n'/, }"
	fi
}

# connect_says FROM TEXT PROTOCOL ADDRESS:PORT WORDS...: and TEXT must be in what is told of the outcome.
connect_says() {
	local from=$1 text=$2 output

	shift 2
	output=$(probe --netns "$from" "$@" 2>&1) || { fail "$from $*: ${output//$'\n'/, }"; return; }
	if [[ $output == *"$text"* ]]; then
		say "ok $from $*: $output"
	else
		fail "$from $*: '$text' is not in: $output"
	fi
}

# Two outcomes that many cases are about. Linux may hear of an ICMP error at the second SYN only, a second later.
expect_refused() { connect "$@" expect refused within 2500; }
expect_timeout() { connect "$@" expect timeout timeout 1500; }

# connections FROM <<END: many at once, one a line: PROTOCOL ADDRESS:PORT WORDS.
connections() {
	local line

	while read -r line; do
		case $line in
		FAIL*) fail "$1: $line" ;;
		*) say "$1: $line" ;;
		esac
	done < <(probe --netns "$1" 2>&1)
}

# answers FROM PROTOCOL ADDRESS:PORT K: prints "NAME HOW-OFTEN" for each server that answered one of K connections.
answers() {
	probe --netns "$1" "$2" "$3" count "$4" | grep -v '^ok '
}

# tell FROM open NAME PROTOCOL ADDRESS:PORT WORDS, tell FROM ask NAME WORDS, tell FROM close NAME: connections that
# stay open, held by one process for each FROM.
tell() {
	local from=$1 line

	shift
	[ -n "${talker_in[$from]:-}" ] || start_talker "$from"
	echo "$*" >&"${talker_in[$from]}"
	read -r line <&"${talker_out[$from]}" || die "the process that holds the connections of $from is gone"
	# shellcheck disable=SC2034 # for the case to look at
	said=$line
	case $line in
	ok*) say "$from $*: $line" ;;
	*) fail "$from $*: $line" ;;
	esac
}

start_talker() {
	local in out

	mkfifo "$work/$1.in" "$work/$1.out"
	probe --netns "$1" <"$work/$1.in" >"$work/$1.out" 2>&1 &
	processes+=($!)
	exec {in}>"$work/$1.in" {out}<"$work/$1.out"
	talker_in[$1]=$in talker_out[$1]=$out
}

# start_traffic NAME FROM PROTOCOL ADDRESS:PORT WORDS: connections without end, until stop_traffic NAME.
start_traffic() {
	local name=$1 from=$2

	shift 2
	probe --netns "$from" "$@" forever >"$work/traffic.$name" 2>&1 &
	processes+=($!)
	echo $! >"$work/traffic.$name.pid"
}

# Prints who answered how many; fails if a byte was wrong.
stop_traffic() {
	local pid code=0

	pid=$(<"$work/traffic.$1.pid")
	kill -TERM "$pid"
	wait "$pid" || code=$?
	say "traffic $1: $(tr '\n' ',' <"$work/traffic.$1")"
	[ $code = 0 ] || fail "traffic $1 ended with code $code"
}

# ---- looking at packets

# start_capture NAME NAMESPACE DEVICE FILTER...
start_capture() {
	local name=$1 ns=$2 device=$3

	shift 3
	nsenter --net="/run/netns/$ns" tcpdump -n -U --immediate-mode -i "$device" -w "$work/$name.pcap" "$@" \
		2>"$work/$name.tcpdump" &
	capture_pid[$name]=$!
	processes+=($!)
	busywait 10 grep -q 'listening on' "$work/$name.tcpdump" || die "tcpdump does not start in $ns"
}

# Prints the packets, one a line.
stop_capture() {
	kill "${capture_pid[$1]}"
	wait "${capture_pid[$1]}"
	tcpdump -n -r "$work/$1.pcap" 2>/dev/null
}

# ---- address families

# both FUNCTION WORDS...: run it for IPv4 and for IPv6 with $family set and the helpers below following it.
both() {
	for family in 4 6; do
		"$@"
	done
}

# host NAME: its address in $family, as it stands before a port.
host() { in_family "${ip4[$1]}" "[${ip6[$1]}]"; }

# Addresses number N (0-9) of the ranges that services get theirs from.
cluster_ip() { in_family "10.96.0.$1" "[fd00:10:96::$1]"; }
external_ip() { in_family "203.0.113.$1" "[2001:db8:ff::$1]"; }
balancer_ip() { in_family "192.168.50.24$1" "[fd00:50::f$1]"; }

# The address of NAME as it stands alone.
address() { in_family "${ip4[$1]}" "${ip6[$1]}"; }

in_family() {
	if [ "$family" = 4 ]; then
		say "$1"
	else
		say "$2"
	fi
}

# ---- the node's tables

# kservctl_on NODE COMMAND...
kservctl_on() {
	local node=$1

	shift
	in_netns "$node" kservctl "$@"
}

# What the configuration of a real node says; the case may set $fast_path.
configure_node() {
	kservctl_on "$1" config set --detect-local cidr --pod-cidr "$pods4" --pod-cidr "$pods6" \
		--service-cidr "$cluster_ips4" --service-cidr "$cluster_ips6" \
		--node-port-address "${ip4[$1]}/32" --node-port-address "${ip6[$1]}/128" \
		--fast-path "${fast_path:-off}" || die "$1 takes no configuration"
}

# service NAME PROTOCOL WORD...: on all nodes, in both families ($families, if the case sets it), as kserv's own
# control plane would tell them:
#   at N:PORT  external N:PORT  balancer N:PORT    frontends, addresses number N of their ranges
#   node-port PORT
#   policy cluster|local                           external traffic policy, for the frontends that follow
#   pod1:8080[,state=...] node1:9090 ...           endpoints
#   -- OPTION...                                   of kservctl service set, as they are
# Called again it replaces what was there.
service() {
	local node

	for node in "${nodes[@]}"; do
		service_on "$node" "$@"
	done
}

# The same on one node.
service_on() {
	local node=$1 name=$2 protocol=$3 word policy=cluster suffix empty='' arguments=()

	shift 3
	# Rules 3.1 and 3.3: with endpoints elsewhere a node drops what it may not pass on, else it rejects.
	[[ " $* " != *\ pod[1-9]:* && " $* " != *\ node[1-9]:* ]] || empty=+drop-empty
	while [ $# -gt 0 ]; do
		word=$1
		shift
		suffix=',flags=masquerade-pod+masquerade-node+masquerade-other'
		[ "$policy" = cluster ] || suffix=",flags=local-set+short-circuit+masquerade-node$empty"
		case $word in
		at)		frontend cluster-ip cluster_ip "$1" ',flags=masquerade-node+masquerade-other'; shift ;;
		external)	frontend external-ip external_ip "$1" "$suffix"; shift ;;
		balancer)	frontend load-balancer-ip balancer_ip "$1" "$suffix"; shift ;;
		node-port)	arguments+=(--node-port "$1$suffix"); shift ;;
		policy)		policy=$1; shift ;;
		--)		arguments+=("$@"); break ;;
		*)		endpoint "$word" ;;
		esac
	done
	kservctl_on "$node" service set --replace "$name" "$protocol" "${arguments[@]}" ||
		die "$node takes no service $name: ${arguments[*]}"
}

# Parts of service_on: add to its arguments.
frontend() {
	local family

	for family in ${families:-4 6}; do
		arguments+=("--$1" "$("$2" "${3%%:*}"):${3#*:}$4")
	done
}

endpoint() {
	local family flags=cluster-set+serving name=${1%%:*} rest=${1#*:}

	[ "${node_of[$name]:-$name}" != "$node" ] || flags=local+cluster-set+local-set+serving
	[[ $rest != *flags=* ]] || flags=''
	for family in ${families:-4 6}; do
		arguments+=(--endpoint "$(host "$name"):$rest${flags:+,flags=$flags}")
	done
}

delete_service() {
	local node

	for node in "${nodes[@]}"; do
		kservctl_on "$node" service del "$1" "$2" || die "$node does not delete the service $1"
	done
}

# counter NODE NAME: the value of one of kserv's counters.
counter() {
	kservctl_on "$1" stats | awk -v name="$2" '$1 == name { print $2; found = 1 } END { exit !found }' ||
		die "$1 has no counter $2"
}

trap clean_up EXIT
trap 'exit 1' INT TERM
