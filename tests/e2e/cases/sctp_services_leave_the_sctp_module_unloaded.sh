#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many distributions keep the kernel's SCTP from being loaded, for its attack surface: a service of that protocol must
# not load it (rule 1.20).
#
# Comes first: once used, the module stays.
#
#   node1 (nobody sends)
. "$(dirname "$0")/../lib.sh"

sctp_is_not_loaded() { ! [ -e /sys/module/sctp ]; }

sctp_is_not_loaded || skip "the sctp module is in use"

setup_cluster pod1
service default/sig sctp at 1:3868 external 1:3868 node-port 31868 pod1:3868
check "the service would be reached" bash -c \
	"nsenter --net=/run/netns/node1 kservctl explain 10.244.1.11 10.96.0.1:3868/sctp | grep -q translate"
check "the sctp module is not loaded" sctp_is_not_loaded
