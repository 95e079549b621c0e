# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
#   client 10.244.0.2 --veth-- node (the VM itself) --veth-- pod1 .. pod10  10.244.0.11 .. 20  the target's endpoints
#   outside 192.0.2.2 --veth-- 192.0.2.1                 |-- bystander 10.244.0.30             behind no service
#
# Pods have /32 addresses, routes by device and permanent neighbours: no bridge, no ARP in between.
# With the datapath floor-veth, client and pod1 share one veth pair and there is no node.

pods=10
client=10.244.0.2 outside=192.0.2.2
# shellcheck disable=SC2034 # read by guest
bystander=10.244.0.30 node=192.0.2.1 server_port=8080

pod_address() { echo "10.244.0.$((10 + $1))"; }

# The address of a device of ours: 02:00, and its number $1 at side $2 of the pair.
mac() { printf '02:00:00:00:%02x:%02x' "$1" "$2"; }

# A network namespace $1 with address $2 on a veth pair that has number $3 (2-255).
add_pod() {
	ip netns add "$1"
	ip link add "veth-$1" address "$(mac "$3" 1)" type veth peer name eth0 netns "$1" address "$(mac "$3" 2)"
	ip -batch - <<-EOF
	link set veth-$1 up
	route add $2/32 dev veth-$1
	neighbour replace $2 lladdr $(mac "$3" 2) dev veth-$1 nud permanent
	EOF
	ip -n "$1" -batch - <<-EOF
	link set lo up
	link set eth0 up
	address add $2/32 dev eth0
	route add 169.254.1.1 dev eth0 scope link
	route add default via 169.254.1.1 dev eth0 src $2
	neighbour replace 169.254.1.1 lladdr $(mac "$3" 1) dev eth0 nud permanent
	EOF
}

add_outside() {
	ip netns add outside
	ip link add uplink address "$(mac 1 1)" type veth peer name eth0 netns outside address "$(mac 1 2)"
	ip -batch - <<-EOF
	link set uplink up
	address add $node/24 dev uplink
	neighbour replace $outside lladdr $(mac 1 2) dev uplink nud permanent
	EOF
	ip -n outside -batch - <<-EOF
	link set lo up
	link set eth0 up
	address add $outside/24 dev eth0
	neighbour replace $node lladdr $(mac 1 1) dev eth0 nud permanent
	EOF
}

serve_in() { ip netns exec "$1" load serve "$2" "$server_port"; }

topology_node() {
	local i

	sysctl -qw net.ipv4.ip_forward=1
	add_pod client $client 2
	for i in $(seq $pods); do
		add_pod "pod$i" "$(pod_address "$i")" $((10 + i))
		serve_in "pod$i" "$i"
	done
	add_pod bystander $bystander 30
	serve_in bystander 30
	add_outside
}

topology_pair() {
	local target

	target=$(pod_address 1)
	ip netns add client
	ip netns add pod1
	ip link add eth0 netns client address "$(mac 2 1)" type veth peer name eth0 netns pod1 address "$(mac 2 2)"
	ip -n client -batch - <<-EOF
	link set lo up
	link set eth0 up
	address add $client/32 dev eth0
	route add $target dev eth0
	neighbour replace $target lladdr $(mac 2 2) dev eth0 nud permanent
	EOF
	ip -n pod1 -batch - <<-EOF
	link set lo up
	link set eth0 up
	address add $target/32 dev eth0
	route add $client dev eth0
	neighbour replace $client lladdr $(mac 2 1) dev eth0 nud permanent
	EOF
	serve_in pod1 1
}

topology_alone() {
	ip netns add client
	ip -n client link set lo up
	ip -n client address add "$(pod_address 1)/32" dev lo
	serve_in client 1
}
