# SPDX-License-Identifier: GPL-2.0
"""The plugins of QEMU in plugin/: building them, and reading what they wrote."""
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("KSERV_BUILD", HERE.parent.parent / "build"))


def compile_if_older(target, source, *words, headers=()):
    target.parent.mkdir(parents=True, exist_ok=True)
    parts = (source, *headers, *filter(lambda w: isinstance(w, Path), words))
    if not target.exists() or target.stat().st_mtime < max(path.stat().st_mtime for path in parts):
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-D_GNU_SOURCE",
                        "-o", target, source, *words], check=True)
    return target


def build(name):
    folder = HERE / "plugin"
    return compile_if_older(BUILD / "bench" / f"{name}.so", folder / f"{name}.c", "-fPIC", "-shared", "-fvisibility=hidden",
                            headers=(HERE / "mark.h", *folder.glob("*.h")))


def sections(path):
    """For each section, the words of its first line, and those of each line that follows."""
    first, rows = None, []
    for line in open(path, encoding="ascii"):
        words = line.split()
        if words[0] != "section":
            rows.append(words)
            continue
        if first:
            yield first, rows
        first, rows = words, []
    if first:
        yield first, rows
