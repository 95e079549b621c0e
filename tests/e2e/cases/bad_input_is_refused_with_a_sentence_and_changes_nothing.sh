#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whatever is wrong with a command is said in words, with an exit code that is not 0, and leaves everything as it was.
# (Wrong messages to the kernel have a case of their own, what_is_wrong_is_refused_with_words.)
#
#   node1 with one service
. "$(dirname "$0")/../lib.sh"

# The tables as commands, without the line that counts transactions.
tables() { kservctl_on node1 save | grep -v '^# '; }

unchanged() { tables | diff -u "$work/before" -; }

bad() {
	local code=$1 words=$2

	shift 2
	refuse "$*" "$code" "$words" in_netns node1 kservctl "$@"
}

setup_cluster pod1
service default/web tcp at 1:80 node-port 31000 pod1:8080
tables >"$work/before"

bad 2 "port.*70000|70000.*port" service set default/bad tcp 10.96.0.2:70000
bad 2 "500.96" service set default/bad tcp 500.96.0.2:80
bad 2 "protocol" service set default/bad icmp 10.96.0.2:80
bad 2 "--no-such-option" service set default/bad tcp 10.96.0.2:80 --no-such-option
bad 2 "scheduler" service set default/bad tcp 10.96.0.2:80 --scheduler fastest
bad 2 "CIDR" service set default/bad tcp --load-balancer-ip 10.96.0.2:80,source=10.0.0.0/33
bad 2 "no command" frobnicate
bad 1 "another service already has this address" service set default/other tcp 10.96.0.1:80
bad 1 "another service already has this.*frontend.1" service set default/other tcp 10.96.0.2:80 --node-port 31000
bad 1 "exist" service set default/web tcp 10.96.0.1:80 --create
bad 1 "no such|not exist|there is no|no service" service set default/none tcp 10.96.0.2:80 --update
bad 1 "no such|not exist|there is no|no service" service del default/none tcp
bad 1 "no route|there is no|not there|no such" route del 10.99.0.0/24
check "nothing has changed" unchanged

# One bad command among good ones: none of them is done.
cat >"$work/commands" <<-END
	service set default/good tcp 10.96.0.3:80 --endpoint 10.244.1.11:8080
	service set default/bad tcp 10.96.0.3:80 --endpoint 10.244.1.12:8080
END
bad 1 "10.96.0.3|default/good|default/bad" restore "$work/commands"
cat >"$work/commands" <<-END
	service set default/good tcp 10.96.0.3:80
	service frob default/bad
END
bad 2 "2" restore "$work/commands"
check "nothing has changed" unchanged

family=4
start_server pod1 tcp:8080
connect node1 tcp "$(cluster_ip 1):80" expect pod1
