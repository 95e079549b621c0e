#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The same client port towards two addresses of a service with one endpoint: after translation both connections would
# be one. The second gets another source port; answers come back from the address each was sent to.
#
#   node1 --- pod2 (client)
#        \--- pod1 (the only endpoint)
. "$(dirname "$0")/../lib.sh"

use_both() {
	local from name

	from=$(host pod2):$2
	tell pod2 open first "$1" "$(cluster_ip 1):80" from "$from"
	tell pod2 open second "$1" "$(cluster_ip 2):80" from "$from"
	tell pod2 open third "$1" "$(cluster_ip 1):8000" from "$from"
	for name in first second third first third second; do
		tell pod2 ask $name expect pod1
		tell pod2 ask $name bytes 20000
	done
	for name in first second third; do
		tell pod2 close $name
	done
}

setup_cluster pod1 pod2
start_server pod1 tcp:8080 udp:8080 sctp:8080
for protocol in tcp udp; do
	service default/one:$protocol $protocol at 1:80 at 1:8000 pod1:8080
	service default/two:$protocol $protocol at 2:80 pod1:8080
done

both use_both tcp 40000
both use_both udp 40000
