# SPDX-License-Identifier: GPL-2.0
"""The tables of this folder, for the programs in it. Their format: README.md."""
import ipaddress
import os
import re
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
RULE = re.compile(r"\b\d+\.\d+\b")


class Loader(yaml.SafeLoader):
    """Rule numbers are words: 1.10 is not 1.1."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:float"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return yaml.load(file, Loader)


def files():
    return sorted((name for name in os.listdir(HERE) if re.match(r"\d+.*\.yaml$", name)), key=sort_key)


def sort_key(text):
    return [int(part) if part.isdigit() else part for part in re.findall(r"\d+|\D+", text)]


def cases():
    """(file, case) of all tables, in order."""
    for name in files():
        for case in read(name):
            yield name, case


def flow_lines(step):
    """The lines of flows without their comments, and the rules that the comments name."""
    for line in (step.get("flows") or "").splitlines():
        text, _, comment = line.partition("#")
        if text.strip():
            yield text.strip(), RULE.findall(comment)


def rules_of(case):
    found = set(case.get("rules", []))
    for step in [case] + case.get("then", []):
        for _, rules in flow_lines(step):
            found.update(rules)
    return found


def known_rules():
    """Number to (sentence, why it needs no case or None)."""
    rules = {}
    with open(os.path.join(HERE, "rules.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            number, sentence = line.rstrip("\n").split("\t")
            sentence, _, why = sentence.partition(" -- ")
            rules[number] = (sentence, why or None)
    return rules


class World:
    """The addresses behind names."""

    def __init__(self):
        self.values = read("world.yaml")

    def look_up(self, name, version):
        entry = self.values["names"][name]
        for ip in entry["ips"]:
            if ipaddress.ip_address(ip).version == version:
                return ip, entry["from"]
        sys.exit(f"world.yaml: {name} has no IPv{version} address")

    def name_of(self, address):
        """Whose address it is, or None."""
        for name, entry in self.values["names"].items():
            if address in entry["ips"]:
                return name
        return None

    def source(self, word, version):
        """(address, interface or "process")"""
        if "@" in word:
            address, _, origin = word.partition("@")
            return address, origin
        return self.look_up(word, version)

    def endpoint(self, word, version):
        """("address:port", masqueraded)"""
        text = word.rstrip("*")
        name, _, port = text.rpartition(":")
        if name in self.values["names"]:
            name = self.look_up(name, version)[0]
            text = f"[{name}]:{port}" if version == 6 else f"{name}:{port}"
        return text, word.endswith("*")

    def flows(self, step):
        """One dictionary for every source with every destination of every line."""
        for line, _ in flow_lines(step):
            expected, _, left_out = line.partition("|")
            words = expected.split()
            for source in words[0].split(","):
                for destination in words[2].split(","):
                    yield self.flow(line, source, destination, words[3:], left_out if "|" in line else None)

    def flow(self, line, source, destination, words, left_out):
        target, _, protocol = destination.rpartition("/")
        version = 6 if target.startswith("[") else 4
        address, origin = self.source(source, version)
        reason = "" if words[0] == "translate" else words[1]
        endpoints = words[1:] if words[0] == "translate" else []
        excluded = None
        if left_out is not None:
            pairs = [pair.split() for pair in left_out.split(",") if pair.strip()]
            excluded = sorted(f"{self.endpoint(word, version)[0]}={why}" for word, why in pairs)
        return {
            "line": line, "name": source, "source": address, "origin": origin, "target": target, "protocol": protocol.lower(),
            "verdict": words[0], "reason": reason, "excluded": excluded,
            "endpoints": sorted("{}{}".format(text, "*" if masqueraded else "")
                                for text, masqueraded in (self.endpoint(word, version) for word in endpoints)),
        }
