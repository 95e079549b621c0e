#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# docs/explain.md promises what kservctl explain prints; programs that read its JSON go by that page. Its examples are
# run as they stand there, with the objects that it shows, and must print what it shows, for every verdict.
#
#   node1 --- pod1, pod2      node2
. "$(dirname "$0")/../lib.sh"

page=$(dirname "$0")/../../../docs/explain.md

# The blocks of a kind, the page's commands with what they print or its objects.
blocks() { awk -v kind="$1" '/^```/ { inside = $0 == "```" kind; next } inside' "$page"; }

setup_cluster pod1 pod2 pod3
printf '%s\n' 'hostnameOverride: node1' 'serviceCIDR: 10.96.0.0/16' 'nodeIPs: [192.168.50.11]' >"$work/config"
blocks yaml >"$work/objects.yaml"
in_netns node1 kservctl apply --config "$work/config" --store "$work/store" -f "$work/objects.yaml" >"$work/said" 2>&1 ||
	die "the page's objects are refused: $(<"$work/said")"

run=0
while IFS= read -r line; do
	case $line in
	'$ '*)
		run=$((run + 1))
		read -ra command <<<"${line#$ }"
		printf '%s\n' "$line" >>"$work/expected"
		printf '%s\n' "$line" >>"$work/got"
		in_netns node1 "${command[@]}" >>"$work/got" 2>&1 || fail "it fails: $line" ;;
	*)	printf '%s\n' "$line" >>"$work/expected" ;;
	esac
done < <(blocks console)

check "the page has examples" test $run -gt 5
check "they print what it shows" diff -u "$work/expected" "$work/got"
for verdict in translate reject drop pass; do
	check "one of them is: $verdict" grep -Eq "(^verdict +|\"verdict\": *\")$verdict" "$work/got"
done
cat "$work/got"
