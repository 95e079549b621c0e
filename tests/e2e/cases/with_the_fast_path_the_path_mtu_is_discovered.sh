#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 300
#
# A packet that does not fit its way out is not for the fast path: see the case that this one repeats.
fast_path=on
. "$(dirname "$0")/path_mtu_is_discovered_through_a_service.sh"
