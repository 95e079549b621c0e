#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# Whoever may open a socket may send the module anything: users who must not change a thing, namespaces that are
# somebody else's, processes that are killed while they are answered. Random requests from all of them at once, while
# connections go through the services that the requests change; nobody's bytes are wrong, nobody gets past what his
# privileges allow, and in the end nothing is left. SOAK makes it so many times as long.
#
#   client --- router --- node1 --- pod1, pod2      node2 --- pod3      messages to node1 and node2
. "$(dirname "$0")/../lib.sh"

setup_cluster pod1 pod2 pod3
sysctl -qw kernel.unprivileged_userns_clone=1 2>/dev/null
start_server pod1 tcp:8080 udp:8080
start_server pod2 tcp:8080 tcp:80
service default/web:http tcp at 1:80 node-port 31000 pod1:8080 pod3:8080
service default/web:dns udp at 2:80 pod1:8080
start_traffic a client tcp 10.96.0.1:80 timeout 200
start_traffic b pod2 udp 10.96.0.2:80 timeout 50
start_traffic c client tcp "[fd00:10:96::1]:80" timeout 200
seed=${SEED:-$RANDOM}
say "seed $seed"
netlink_fuzz "$seed" $((20000 * ${SOAK:-1} / ${PATIENCE:-1})) node1 node2 >"$work/figures" 2>"$work/complaints" &
wait $! || fail "the messages: $(<"$work/complaints")"
figures "$(<"$work/figures")"
tally messages "$(awk 'NR == 1 { print $1 }' "$work/figures")"
for name in a b c; do
	stop_traffic $name
done
