#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Timeout: 400
#
# The fast path takes packets past the IP stack, so all of it must hold there too: see the case that this one repeats.
fast_path=on
. "$(dirname "$0")/bytes_come_through_unchanged_with_and_without_offloads.sh"
