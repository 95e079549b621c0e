#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The random scheduler must favour nobody: 1,000 connections over 4 endpoints pass a chi-square test. With 3 degrees of
# freedom, chance alone gives more than 30.7 once in a million runs.
#
#   node1 --- pod1, pod2      node2 --- pod3, pod4
. "$(dirname "$0")/../lib.sh"

chi_square_is_small() {
	awk -v expected=250 '
		{ n += $2; sum += ($2 - expected) ^ 2 / expected; names++ }
		END { print names " endpoints, " n " connections, chi-square " sum; exit !(names == 4 && n == 1000 && sum < 30.7) }'
}

setup_cluster pod1 pod2 pod3 pod4
for pod in pod1 pod2 pod3 pod4; do
	start_server $pod tcp:8080 udp:8080
done
service default/web:tcp tcp at 1:80 pod1:8080 pod2:8080 pod3:8080 pod4:8080
service default/web:udp udp at 1:80 pod1:8080 pod2:8080 pod3:8080 pod4:8080

spread() {
	answers client "$1" "$(cluster_ip 1):80" 1000 | tee "$work/answers" | chi_square_is_small
	[ "${PIPESTATUS[2]}" = 0 ] || fail "$1 over IPv$family is not even: $(tr '\n' ' ' <"$work/answers")"
}

both spread tcp
both spread udp
