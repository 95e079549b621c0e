# SPDX-License-Identifier: GPL-2.0
"""The functions of the guest's kernel by their addresses."""
import bisect


class Symbols:
    """What /proc/kallsyms of the guest said."""

    KERNEL_HALF = 1 << 63

    def __init__(self, path):
        found = []
        for line in open(path, encoding="utf-8"):
            words = line.split()
            if words[1] in "tTwW":
                found.append((int(words[0], 16), words[2], words[3] if len(words) > 3 else "[kernel]"))
        found.sort(key=lambda row: row[0])
        self.starts = [row[0] for row in found]
        self.rows = found

    def find(self, address):
        """(function, module, offset) of an address."""
        if address < self.KERNEL_HALF:
            return "(programs)", "[user]", 0
        start, name, module = self.rows[bisect.bisect(self.starts, address) - 1]
        return name, module, address - start
