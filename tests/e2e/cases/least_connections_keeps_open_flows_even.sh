#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The scheduler least-connections goes by the flows that are open: with 200 long-lived connections, of which those of a
# slow endpoint end a tenth as often as those of the others, each endpoint has as many, within 10 percent. Choosing at
# random the slow one would gather most of them.
#
#   client --- router --- node1 --- pod1 (slow), pod2
#                    \--- node2 --- pod3, pod4
. "$(dirname "$0")/../lib.sh"

# Of the lines "NAME ANSWERED OPEN" of crowd; and of the open flows as the kernel has them.
sockets() { awk 'NF == 3 { print $3 }' "$work/crowd"; }
flows() {
	kservctl_on node1 endpoint list "default/$1" --no-headers | awk -v six="$((family == 6))" '($3 ~ /^\[/) == six { print $(NF - 1) }'
}

# Most minus least, in percent of the mean.
spread() {
	sort -n | awk '{ v[NR] = $1; sum += $1 } END { printf "%.1f\n", NR == 4 ? (v[4] - v[1]) * 100 * NR / sum : 1000 }'
}

is_within() { awk -v spread="$1" -v limit="$2" 'BEGIN { exit !(spread <= limit) }'; }

# hold NAME ADDRESS: 200 connections that change 300 times, and what became of them.
hold() {
	mkfifo "$work/$1.$family"
	crowd --netns client "$2" 200 at-once 20 churn 300 slow pod1 <"$work/$1.$family" >"$work/crowd" &
	processes+=($!)
	exec {held}>"$work/$1.$family"
	busywait 120 grep -q '^there' "$work/crowd" || die "200 connections do not come about"
	say "IPv$family $1: $(tr '\n' ' ' <"$work/crowd")"
}

let_go() { exec {held}>&-; }

stay_even() {
	hold least "$(cluster_ip 1):80"
	check "all connections were made" grep -q '^connected 500 failed 0' "$work/crowd"
	check "the sockets are spread within 10 percent: $(sockets | spread)" is_within "$(sockets | spread)" 10
	check "and the kernel counts them so: $(flows least | spread)" is_within "$(flows least | spread)" 10
	check "each socket is a flow" test "$(flows least | awk '{ n += $1 } END { print n }')" = 200
	let_go
	hold random "$(cluster_ip 2):80"
	check "at random they are not: $(sockets | spread)" test "$(sockets | spread | cut -d. -f1)" -gt 10
	let_go
}

setup_cluster pod1 pod2 pod3 pod4
for pod in pod1 pod2 pod3 pod4; do
	start_server $pod tcp:8080
done
service default/least tcp at 1:80 pod1:8080 pod2:8080 pod3:8080 pod4:8080 -- --scheduler least-connections
service default/random tcp at 2:80 pod1:8080 pod2:8080 pod3:8080 pod4:8080

both stay_even
