# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# kservd on the nodes of a case; sourced after lib.sh. Each has a socket of its own, $work/NODE.sock.
declare -A daemon_pid=()
api_in='' api_out=''

# start_daemon NODE OPTION...: and wait until the kernel is in step for the first time.
start_daemon() {
	local node=$1

	launch_daemon "$@"
	busywait 60 grep -q 'the kernel is in step' "$work/kservd.$node" ||
		die "kservd on $node does not get there: $(<"$work/kservd.$node")"
}

# The same without waiting.
launch_daemon() {
	local node=$1

	shift
	: >"$work/kservd.$node"
	KSERV_CONFIG=${daemon_config:-$work/$node.yaml} nsenter --net="/run/netns/$node" kservd --socket "$work/$node.sock" \
		--sync-period 2s "$@" >>"$work/kservd.$node" 2>&1 &
	daemon_pid[$node]=$!
	processes+=($!)
}

stop_daemon() {
	kill -"${2:-TERM}" "${daemon_pid[$1]}"
	wait "${daemon_pid[$1]}"
}

# ask NODE COMMAND...: with the socket of that node's daemon.
ask() {
	local node=$1

	shift
	KSERV_SOCKET=$work/$node.sock "$@"
}

# daemon_status NODE JQ-PATH
daemon_status() { curl -s --unix-socket "$work/$1.sock" http://kservd/kserv/v1/status | jq -r "$2"; }

# start_api NODE [SERVICES ENDPOINTS]: an API server on 127.0.0.1:8001 there, and a kubeconfig for it.
start_api() {
	local node=$1

	shift
	mkfifo "$work/api.in" "$work/api.out"
	nsenter --net="/run/netns/$node" api 8001 "$@" <"$work/api.in" >"$work/api.out" 2>&1 &
	processes+=($!)
	exec {api_in}>"$work/api.in" {api_out}<"$work/api.out"
	expect_ok
	cat >"$work/kubeconfig" <<-END
		apiVersion: v1
		kind: Config
		current-context: test
		contexts: [{name: test, context: {cluster: test, user: test}}]
		clusters: [{name: test, cluster: {server: "http://127.0.0.1:8001"}}]
		users: [{name: test, user: {}}]
	END
}

expect_ok() {
	local line

	read -r -t 120 -u "$api_out" line || die "the API server is gone"
	# shellcheck disable=SC2034 # for the case to look at
	api_said=${line#ok }
	[[ $line == ok* ]] || fail "the API server: $line"
}

# api WORDS: a command to it, see tests/e2e/tools/api.c.
api() {
	echo "$*" >&"$api_in"
	expect_ok
}
