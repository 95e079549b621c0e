#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every change of the tables is one transaction that is done as a whole or not at all. Thousands of random ones, many of
# them wrong somewhere, are compared with a plain model: what is taken, what is refused, and all that is in the tables
# afterwards. Frontends move between services, services go and come within one message, a mistake at the end takes back
# everything before it.
#
#   node (no cluster needed)
. "$(dirname "$0")/../lib.sh"

for seed in 1 2 3 4; do
	check "the kernel does as the model, seed $seed" tables model $seed 400
done
