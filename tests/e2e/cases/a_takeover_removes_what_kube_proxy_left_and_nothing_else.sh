#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A node that kube-proxy has run on, in one mode after the other: its rules would go on translating packets beside
# kserv. What kubelet and other people have put beside them is none of our business.
#
#   node1
. "$(dirname "$0")/../lib.sh"

on_node() { in_netns node1 "$@"; }
saved() { on_node "$1"-save | grep -v '^#' | sed 's/\[[0-9:]*\]//'; }

# As kube-proxy 1.2x leaves them in a node with two Services; $1 is an iptables of either family.
kube_proxys_rules() {
	on_node "$1-restore" --noflush <<-END
		*filter
		:KUBE-FIREWALL - [0:0]
		:KUBE-FORWARD - [0:0]
		:KUBE-SERVICES - [0:0]
		:KUBE-PROXY-CANARY - [0:0]
		:KUBE-EXTERNAL-SERVICES - [0:0]
		-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
		-A INPUT -j KUBE-FIREWALL
		-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
		-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "a -j of no meaning" -j KUBE-SERVICES
		-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
		-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP
		COMMIT
		*nat
		:KUBE-SERVICES - [0:0]
		:KUBE-NODEPORTS - [0:0]
		:KUBE-POSTROUTING - [0:0]
		:KUBE-MARK-MASQ - [0:0]
		:KUBE-SVC-ABCDEFGHIJKLMNOP - [0:0]
		:KUBE-SEP-ABCDEFGHIJKLMNOP - [0:0]
		:KUBE-KUBELET-CANARY - [0:0]
		:MINE - [0:0]
		-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
		-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
		-A POSTROUTING -p tcp --dport 99 -j MINE
		-A KUBE-SERVICES -p tcp --dport 80 -j KUBE-SVC-ABCDEFGHIJKLMNOP
		-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
		-A KUBE-SVC-ABCDEFGHIJKLMNOP -j KUBE-MARK-MASQ
		-A KUBE-SVC-ABCDEFGHIJKLMNOP -j KUBE-SEP-ABCDEFGHIJKLMNOP
		-A KUBE-SEP-ABCDEFGHIJKLMNOP -p tcp -j DNAT --to-destination $2
		-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
		-A KUBE-POSTROUTING -j MASQUERADE
		COMMIT
	END
}

check_left() {
	local left

	left=$(saved "$1")
	check "$1: chains of kubelet stay" grep -q '^:KUBE-FIREWALL' <<<"$left"
	check "$1: and its rules" grep -q '^-A INPUT -j KUBE-FIREWALL' <<<"$left"
	check "$1: and what others have" grep -q '^-A POSTROUTING -p tcp .*-j MINE' <<<"$left"
	check "$1: nothing else of kube-proxy" bash -c '! grep KUBE- <<<"$1" | grep -vE "KUBE-(FIREWALL|KUBELET-CANARY)"' - "$left"
}

setup_cluster pod1
check "nothing is found where nothing is" bash -c "[ \"\$(nsenter --net=/run/netns/node1 kservctl takeover)\" = 'kube-proxy left nothing behind' ]"
for program in iptables-nft iptables-legacy; do
	kube_proxys_rules $program 10.244.1.11:8080 || die "$program takes no rules here"
	kube_proxys_rules "ip6tables${program#iptables}" '[fd00:10:244:1::11]:8080' || die "ip6${program#ip} takes no rules here"
done
on_node nft -f - <<-END || die "nft takes no tables here"
	table ip kube-proxy { chain services { type nat hook prerouting priority dstnat; }; }
	table ip6 kube-proxy { }
	table inet mine { }
END
ip -n node1 link add kube-ipvs0 type dummy || die "no dummy device"
ip -n node1 addr add 10.96.0.1/32 dev kube-ipvs0
on_node ipvsadm -A -t 10.96.0.1:80 -s rr || die "no ipvs"
on_node ipset create KUBE-CLUSTER-IP hash:ip,port
on_node ipset create MINE hash:ip

before=$(saved iptables-nft; saved ip6tables-legacy; on_node nft list tables; on_node ipset list -name)
on_node kservctl takeover --dry-run >"$work/said"
check "a dry run says what would go" grep -q 'iptables-restore\|iptables-nft-restore --noflush' "$work/said"
check "and takes nothing away" test "$(saved iptables-nft; saved ip6tables-legacy; on_node nft list tables; on_node ipset list -name)" = "$before"
refuse "the doctor complains" 1 'BAD +kube-proxy left .*iptables-legacy' on_node kservctl doctor

check "it is taken over" on_node kservctl takeover
for program in iptables-nft iptables-legacy ip6tables-nft ip6tables-legacy; do
	check_left $program
done
check "the tables of nftables are gone, mine is there" \
	bash -c "nsenter --net=/run/netns/node1 nft list tables | grep -v ' \(nat\|filter\|mangle\|raw\|security\)$' | grep -xq 'table inet mine'"
check "no table kube-proxy" bash -c "! nsenter --net=/run/netns/node1 nft list tables | grep kube-proxy"
check "ipvs has nothing" test "$(on_node ipvsadm -Ln | grep -c '^TCP')" = 0
check "nor its device" bash -c "! ip -n node1 link show kube-ipvs0"
check "the set of somebody else is there alone" test "$(on_node ipset list -name)" = MINE
check "a second time there is nothing to do" bash -c "[ \"\$(nsenter --net=/run/netns/node1 kservctl takeover)\" = 'kube-proxy left nothing behind' ]"
