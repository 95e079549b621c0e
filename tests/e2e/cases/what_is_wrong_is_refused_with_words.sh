#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A request that cannot be done is refused with a sentence and an errno, and the tables are as they were before, whoever
# asks and whatever is missing, doubled or damaged.
#
#   node (no cluster needed)
. "$(dirname "$0")/../lib.sh"

without_privilege() { setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"; }

# Root of a user namespace of its own, in the network namespace of this one.
in_user_namespace() { unshare --user --map-root-user "$@"; }

is_unchanged() { [ "$(kservctl save)" = "$before" ]; }

check "each kind of mistake is refused with its words" refusals
before=$(kservctl save)
refuse "a caller without privilege is refused" 1 '[Pp]ermi|privilege|CAP_NET_ADMIN' without_privilege kservctl flush
refuse "root of another user namespace is refused" 1 '[Pp]ermi|privilege|CAP_NET_ADMIN' in_user_namespace kservctl flush
check "the tables are as before" is_unchanged
check "damaged messages do no harm" tables mangle 7 5000
