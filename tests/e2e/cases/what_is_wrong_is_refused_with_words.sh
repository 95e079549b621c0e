#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A request that cannot be done is refused with a sentence and an errno, and the tables are as they were before, whatever
# is missing, doubled or damaged. (Without kservctl: it would find most of it first.)
#
#   node (no cluster needed)
. "$(dirname "$0")/../lib.sh"

check "each kind of mistake is refused with its words" refusals
check "damaged messages do no harm" tables mangle 7 5000
