#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Changing services takes CAP_NET_ADMIN over the network namespace: an ordinary user is refused, and so is the root of a
# user namespace when the network is his parent's. In a network namespace of his own he may do as he likes.
#
#   node1 with one service; user 65534
. "$(dirname "$0")/../lib.sh"

# The kernel lets an unprivileged user make user namespaces here; a distribution may forbid it.
as_user() { in_netns node1 setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }

tables() { kservctl_on node1 save; }
unchanged() { tables | diff -u "$work/before" -; }

# That kserv has its own tables there too: a service comes and is listed.
own_network() {
	as_user unshare --user --map-root-user --net bash -c '
		kservctl service set default/own tcp 10.96.0.1:80 --endpoint 10.0.0.1:80 &&
		kservctl service list | grep -q default/own && ! kservctl service list | grep -q default/web'
}

# What packets make is nobody's memory: how much of it there may be is for those who own the machine.
more_flows_in_own_network() {
	as_user unshare --user --map-root-user --net kservctl config set --flow-max 262145
}

setup_cluster pod1
service default/web tcp at 1:80 pod1:8080
sysctl -qw kernel.unprivileged_userns_clone=1 2>/dev/null
tables >"$work/before"

check "an ordinary user may list services" as_user kservctl service list
for command in "service set default/bad tcp 10.96.0.2:80" "service del default/web tcp" "flush" "flows" "flows del --all" \
	"sessions" "config set --flow-max 10"; do
	# shellcheck disable=SC2086 # words
	refuse "an ordinary user: $command" 1 "ermission|ermitted|CAP_NET_ADMIN|privilege" as_user kservctl $command
	# shellcheck disable=SC2086
	refuse "root of a user namespace in its parent's network: $command" 1 "ermission|ermitted|CAP_NET_ADMIN|privilege" \
		as_user unshare --user --map-root-user kservctl $command
done
check "nothing has changed" unchanged
check "root of a user namespace in a network of its own" own_network
refuse "more flows than by default in a network of one's own" 1 "CAP_NET_ADMIN in the initial user namespace" \
	more_flows_in_own_network
check "nothing has changed" unchanged
check "the node's own root may have more flows" kservctl_on node1 config set --flow-max 262145
