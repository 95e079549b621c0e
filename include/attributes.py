#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print userspace/lib/attributes.c: names and types of all attributes and words of all enums in kserv.yaml.

usage: attributes.py KSERV.YAML
"""
import sys

import yaml

# Numbers that people know by a word, though the spec cannot say so.
KNOWN = {"protocol": "PROTOCOL", "family": "FAMILY"}
PLAIN = {"u8": "U8", "u16": "U16", "u32": "U32", "u64": "U64", "string": "STRING", "flag": "FLAG", "pad": "PAD"}


def c_name(name):
    return name.replace("-", "_")


def kind(attribute):
    """Member of enum kserv_attribute_kind for an attribute of the spec."""
    if attribute["type"] == "nest":
        return "PREFIX" if attribute["nested-attributes"] == "prefix" else "NEST"
    if attribute.get("display-hint") == "ipv4":
        return "ADDR4"
    if attribute.get("display-hint") == "ipv6":
        return "ADDR6"
    if "enum" in attribute:
        return "FLAGS" if attribute.get("enum-as-flags") else "ENUM"
    if attribute.get("byte-order") == "big-endian" and attribute["type"] == "u16":
        return "PORT"
    return KNOWN.get(attribute["name"], PLAIN[attribute["type"]])


def key(attribute):
    """The name in JSON: that of the spec, but one for both families of an address."""
    name = attribute["name"]
    if kind(attribute) in ("ADDR4", "ADDR6"):
        name = name[:-1]
    return "address" if name == "addr" else name


def row(attribute_set, attribute):
    macro = f"KSERV_A_{c_name(attribute_set['name'])}_{c_name(attribute['name'])}".upper()
    members = [f'"{attribute["name"]}"', f'"{key(attribute)}"', f"KSERV_KIND_{kind(attribute)}"]
    members.append(str(int(attribute.get("multi-attr", False))))
    members.append(f"&kserv_words_{c_name(attribute['enum'])}" if "enum" in attribute else "NULL")
    nested = attribute.get("nested-attributes")
    members.append(f"&kserv_attributes_{c_name(nested)}" if nested else "NULL")
    return f"\t[{macro}] = {{ {', '.join(members)} }},"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    enums = [d for d in spec["definitions"] if d["type"] in ("enum", "flags")]
    print("// SPDX-License-Identifier: GPL-2.0")
    print("/* Do not edit: made from include/kserv.yaml by include/regen. */")
    print('#include "lib/attributes.h"')
    for enum in enums:
        words = [e if isinstance(e, str) else e["name"] for e in enum["entries"]]
        name = c_name(enum["name"])
        print(f"\nstatic const char *const words_{name}[] = {{")
        for word in words:
            print(f'\t"{word}",')
        print("};")
        print(f"const struct kserv_words kserv_words_{name} = {{ words_{name}, {len(words)} }};")
    for attribute_set in spec["attribute-sets"]:
        name = c_name(attribute_set["name"])
        print(f"\nstatic const struct kserv_attribute attributes_{name}[] = {{")
        for attribute in attribute_set["attributes"]:
            print(row(attribute_set, attribute))
        print("};")
        print(f'const struct kserv_attribute_set kserv_attributes_{name} = {{ "{attribute_set["name"]}", '
              f"attributes_{name}, {len(attribute_set['attributes'])} }};")


main()
