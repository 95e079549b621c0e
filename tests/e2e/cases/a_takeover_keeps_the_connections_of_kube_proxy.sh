#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kserv takes over on a node at work: connections that kube-proxy's rules translate go on by connection tracking, with
# every byte, and new ones are kserv's. As with iptables in IPv4 where the kernel has it, else as with nftables.
#
#   client --- router --- node1 --- pod1 (kube-proxy's choice), pod2 (kserv's)
. "$(dirname "$0")/../lib.sh"

with_iptables() {
	in_netns node1 iptables-nft-restore --noflush <<-END
		*nat
		:KUBE-SERVICES - [0:0]
		:KUBE-POSTROUTING - [0:0]
		:KUBE-SEP-ABCDEFGHIJKLMNOP - [0:0]
		-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
		-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SEP-ABCDEFGHIJKLMNOP
		-A KUBE-SEP-ABCDEFGHIJKLMNOP -j MARK --or-mark 0x4000
		-A KUBE-SEP-ABCDEFGHIJKLMNOP -p tcp -m tcp --dport 80 -j DNAT --to-destination ${ip4[pod1]}:8080
		-A KUBE-SEP-ABCDEFGHIJKLMNOP -p udp -m udp --dport 53 -j DNAT --to-destination ${ip4[pod1]}:8080
		-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
		COMMIT
	END
}

# with_nftables ip|ip6 FRONTEND ENDPOINT
with_nftables() {
	in_netns node1 nft -f - <<-END
		table $1 kube-proxy {
			chain services {
				$1 daddr $2 tcp dport 80 dnat to $3
				$1 daddr $2 udp dport 53 dnat to $3
			}
			chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
			chain nat-output { type nat hook output priority -100; jump services; }
		}
	END
}

as_kube_proxy4() { with_iptables 2>/dev/null || with_nftables ip 10.96.0.1 "${ip4[pod1]}:8080"; }
as_kube_proxy6() { with_nftables ip6 fd00:10:96::1 "[${ip6[pod1]}]:8080"; }

# A datagram socket counts as in use when it has been so for 2 s.
udp_lasts() {
	tell client ask udp$family expect pod1 >/dev/null
	in_netns node1 grep -q "^ipv$family .* udp .*dport=53 .*ASSURED" /proc/net/nf_conntrack
}

begin() {
	"as_kube_proxy$family" || die "the rules of kube-proxy are not taken"
	tell client open outer$family tcp "$(cluster_ip 1):80"
	tell node1 open inner$family tcp "$(cluster_ip 1):80"
	tell client open udp$family udp "$(cluster_ip 1):53"
	tell client ask outer$family expect pod1
	tell node1 ask inner$family expect pod1
	busywait 20 udp_lasts || die "connection tracking does not see the datagrams"
}

go_on() {
	tell client ask outer$family bytes 200000
	tell client ask outer$family expect pod1
	tell node1 ask inner$family bytes 200000
	tell node1 ask inner$family expect pod1
	tell client ask udp$family bytes 1000
	tell client ask udp$family expect pod1
}

kservs_own() {
	connect client tcp "$(cluster_ip 1):80" expect pod2 count 5
	connect node1 tcp "$(cluster_ip 1):80" expect pod2
	connect client udp "$(cluster_ip 1):53" expect pod2 count 5
}

take_over() {
	configure_node node1
	service default/web tcp at 1:80 pod2:8080
	service default/dns udp at 1:53 pod1:8080,state=terminating-serving,flags=local+serving pod2:8080
	go_on
	kservs_own
	check "it is taken over" kservctl_on node1 takeover
	go_on
	kservs_own
	check "nothing translates new connections any more" bash -c "! nsenter --net=/run/netns/node1 nft list ruleset | grep -i 'dnat to'"
	refuse "what keeps them is told of" 0 'connections that kube-proxy translated go on' kservctl_on node1 takeover
	delete_service default/web tcp
	service default/web tcp at 1:80 pod2:8080
	go_on
}

# As with flows of kserv's own: kube-proxy would have made connection tracking forget it.
lose_the_endpoint() {
	service default/dns udp at 1:53 pod2:8080
	tell client ask udp$family expect pod2
	tell client ask outer$family expect pod1
}

end() {
	tell client close outer$family
	tell node1 close inner$family
	tell client close udp$family
}

is_gone() {
	kservctl_on node1 takeover >"$work/said"
	! in_netns node1 nft list tables | grep -q kserv-takeover
}

modprobe nf_conntrack || die "nf_conntrack does not load"
nodes=(node1)
make_nodes routed
make_pods routed pod1 pod2
# Those of the other family are silent meanwhile.
set_sysctl node1 netfilter/nf_conntrack_udp_timeout_stream=3600
start_server pod1 tcp:8080 udp:8080
start_server pod2 tcp:8080 udp:8080

both begin
both take_over
both lose_the_endpoint
both end
# Whatever state they are left in.
check "connection tracking forgets them" in_netns node1 conntrack -F
check "the table that kept them is not needed any more" is_gone
both kservs_own
