#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What save writes, restore reads: the tables come back as they were, all at once or not at all, also when a service has
# more endpoints than one message of a dump holds. An upgrade of the module rests on this.
#
#   node (no cluster needed)
. "$(dirname "$0")/../lib.sh"

# What save writes, without the line that has the generation.
saved() { kservctl save | tail -n +2; }

many_endpoints() { for i in {1..3000}; do echo "--endpoint 10.9.$((i / 250)).$((i % 250 + 1)):8080"; done; }

make_tables() {
	kservctl config set --detect-local cidr --pod-cidr 10.244.0.0/16 --pod-cidr fd00:244::/48 --flow-max 5000 \
		--node-port-address 192.168.1.0/24 --tcp-syn-timeout 33 --masquerade-ports 40000-50000 --fast-path on
	kservctl route set 10.244.1.0/24 local
	kservctl route set fd00:244:2::/64 vxlan fd00::2
	kservctl service set default/web:http tcp 10.96.0.10:80 '[fd00:96::10]:80' --node-port 31000,flags=local-set \
		--load-balancer-ip 192.168.1.240:80,flags=short-circuit+drop-empty,source=10.0.0.0/8+192.168.0.0/16 \
		--external-ip 203.0.113.7:80 --endpoint 10.244.1.5:8080,weight=0,state=not-ready,flags=none,cluster-reason=not-ready \
		--endpoint 10.244.1.6:8080,weight=7,flags=local+local-set+serving,cluster-reason=topology \
		--endpoint '[fd00:244::5]:8080,state=terminating-serving' \
		--scheduler maglev --affinity 3h --removal reset --removal-grace 5 --slow-start 1m --flags no-eject+no-syn-retry
	kservctl service set default/dns udp 10.96.0.11:53
	# shellcheck disable=SC2046 # one word for each
	kservctl service set default/big sctp 10.96.0.12:5000 $(many_endpoints)
}

make_tables || die "the tables cannot be made"
saved >"$work/before"
check "all endpoints of a large service are saved" test "$(grep -c 'default/big' "$work/before")" = 1
check "none of them is lost" test "$(grep -o -- '--endpoint 10.9' "$work/before" | wc -l)" = 3000
check "flush removes services and routes" kservctl flush
check "nothing is left" test "$(kservctl status -o json | jq '.services + .frontends + .endpoints + .routes')" = 0
kservctl config set --reset || fail "settings cannot be reset"

check "restore reads what save wrote" kservctl restore "$work/before"
check "the tables are as before" diff "$work/before" <(saved)
check "restoring them once more changes nothing" kservctl restore "$work/before"
check "the tables are still as before" diff "$work/before" <(saved)

echo "service set default/extra tcp 10.96.0.13:80" >"$work/extra"
check "with --merge the rest stays" kservctl restore --merge "$work/extra"
check "the extra service is there" kservctl service list default/extra
check "without, it goes" kservctl restore "$work/before"
refuse "it is gone" 1 "the service does not exist" kservctl service list default/extra

{ cat "$work/before"; printf 'service set default/%s tcp 10.96.0.13:80\n' one two; } >"$work/conflict"
refuse "a frontend that two services claim refuses all of it" 1 "another service .* the same address" \
	kservctl restore "$work/conflict"
check "nothing of it was done" diff "$work/before" <(saved)
{ cat "$work/before"; echo "service set default/typo tcp 10.96.0.300:80"; } >"$work/typo"
refuse "a line that is wrong is named" 2 "typo:[0-9]+: cluster-ip '10.96.0.300:80'" kservctl restore "$work/typo"
check "nothing was changed by it" diff "$work/before" <(saved)
kservctl restore </dev/null || fail "empty tables cannot be restored"
check "an empty file restores empty tables" test "$(kservctl status -o json | jq '.services + .routes')" = 0
kservctl config set --reset
