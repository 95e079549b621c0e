# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A node that gets the module, loses it and gets it again is as it was before: nothing stays in the
# kernel's slabs, and namespaces may come and go at any moment of it.
#
#   node (no cluster needed)
. "$(dirname "$0")/../lib.sh"

module_is_loaded() { [ -e /sys/module/kserv ]; }
module_is_gone() { ! module_is_loaded; }

# A cache with an object in it would stay (and the kernel would say so).
no_own_caches() { ! grep '^kserv' /proc/slabinfo; }

reload() {
	modprobe -r kserv && module_is_gone && modprobe kserv && module_is_loaded
}

reload_with_namespaces() {
	ip netns add before && modprobe -r kserv && ip netns add between && modprobe kserv &&
		ip netns del before && ip netns del between
}

check "the module is loaded" module_is_loaded
check "a user finds the netlink family" kservctl service list
check "it can be removed" modprobe -r kserv
check "then it is gone" module_is_gone
check "its slab caches are gone" no_own_caches
check "it can be loaded again" modprobe kserv
for _ in {1..10}; do
	check "it goes and comes" reload
	check "it goes and comes while namespaces do" reload_with_namespaces
done
[ "$failures" = 0 ]
