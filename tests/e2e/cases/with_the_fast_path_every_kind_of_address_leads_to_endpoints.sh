#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The fast path must send packets where the ordinary path would: see the case that this one repeats.
fast_path=on
. "$(dirname "$0")/every_kind_of_address_leads_to_endpoints_here_and_there.sh"
