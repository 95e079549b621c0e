#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything between the two edges of the node sees one connection of the client with the endpoint, both ways: a network
# policy and a stateful firewall work with pod addresses, as they do without services, also where kserv masquerades.
#
#   client --- router --- node1 (stateful firewall) --- pod1 (endpoint), pod2 (allowed), pod3 on node2 (not allowed)
. "$(dirname "$0")/../lib.sh"

build_firewall() {
	in_netns node1 nft -f - <<-END
		table inet guard {
			chain forward {
				type filter hook forward priority 0; policy drop;
				ct state established,related accept
				ct state invalid counter drop
				ip daddr ${ip4[pod1]} ip saddr { ${ip4[pod2]}, ${ip4[client]} } meta l4proto { tcp, udp, sctp } th dport 8080 accept
				ip6 daddr ${ip6[pod1]} ip6 saddr { ${ip6[pod2]}, ${ip6[client]} } meta l4proto { tcp, udp, sctp } th dport 8080 accept
				meta l4proto ipv6-icmp accept
			}
		}
	END
}

pass_firewall() {
	local from protocol

	for from in pod2 client; do
		for protocol in tcp udp sctp; do
			echo "$protocol $(cluster_ip 1):80 expect pod1"
			echo "$protocol $(cluster_ip 1):80 bytes 50000"
			echo "$protocol $(balancer_ip 1):80 expect pod1"
		done | connections "$from"
	done
	expect_timeout pod3 tcp "$(host pod1):8080"
	expect_timeout pod3 tcp "$(balancer_ip 1):81"
}

# The kernel's connection tracking, which nft has switched on, knows the client by its own address.
tracked() { in_netns node1 conntrack -L -p tcp --orig-src "$1" --orig-dst "$2" 2>/dev/null | grep -q .; }

setup_cluster pod1 pod2 pod3
start_server pod1 tcp:8080 udp:8080 sctp:8080
for protocol in tcp udp sctp; do
	service default/web:$protocol $protocol at 1:80 balancer 1:80 policy local balancer 1:81 pod1:8080
done
build_firewall || die "no firewall"

both pass_firewall
check "client and endpoint are tracked as one connection" tracked "${ip4[client]}" "${ip4[pod1]}"
check "nothing was invalid" bash -c "nsenter --net=/run/netns/node1 nft list chain inet guard forward | grep -q 'invalid counter packets 0 '"

in_netns node1 conntrack -F 2>/dev/null
check "connection tracking can be kept off flows" kservctl_on node1 config set --conntrack bypass
in_netns node1 nft add rule inet guard forward ct state untracked accept
both pass_firewall
check "then flows are not tracked" bash -c "! nsenter --net=/run/netns/node1 conntrack -L -p tcp 2>/dev/null | grep -q 8080"
