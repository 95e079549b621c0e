# SPDX-License-Identifier: GPL-2.0
"""What the kernel should hold by the API server's objects, and what it holds by kservctl save, both in the same words."""
import ipaddress


def at(address, port):
    address = ipaddress.ip_address(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def frontends_of(service, port):
    """KIND ADDRESS:PORT of one port of a Service."""
    spec = service["spec"]
    families = [f"IPv{ipaddress.ip_address(address).version}" for address in spec["clusterIPs"]]
    for address in spec["clusterIPs"]:
        yield f"cluster-ip {at(address, port['port'])}"
    for address in spec.get("externalIPs", []):
        if f"IPv{ipaddress.ip_address(address).version}" in families:
            yield f"external-ip {at(address, port['port'])}"
    for item in service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
        if "ip" in item:
            yield f"load-balancer-ip {at(item['ip'], port['port'])}"
    if "nodePort" in port:
        for family in families:
            yield f"node-port {family} {port['nodePort']}"


def endpoints_of(service, port, slices):
    for item in slices:
        if item["metadata"]["labels"]["kubernetes.io/service-name"] != service["metadata"]["name"] or \
           item["metadata"]["namespace"] != service["metadata"]["namespace"] or \
           item["addressType"] not in service["spec"].get("ipFamilies", []):
            continue
        numbers = [found["port"] for found in item.get("ports") or [] if found.get("name", "") == port.get("name", "")]
        for endpoint in item.get("endpoints") or []:
            if endpoint["conditions"].get("ready", True):
                for number in numbers:
                    yield f"endpoint {at(endpoint['addresses'][0], number)}"


def expected(cluster):
    """Lines "NAMESPACE/NAME:PORT PROTOCOL WHAT", for clusters in which no address is claimed twice."""
    services = cluster.get("services", "-A")["items"]
    slices = cluster.get("endpointslices", "-A")["items"]
    lines = set()
    for service in services:
        if service["spec"].get("clusterIP", "None") in ("None", ""):
            continue
        for port in service["spec"]["ports"]:
            name = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
            name += f":{port['name']}" if port.get("name") else ""
            for what in (*frontends_of(service, port), *endpoints_of(service, port, slices)):
                lines.add(f"{name} {port['protocol'].lower()} {what}")
    return lines


def held(text):
    """The same lines out of what kservctl save prints."""
    lines = set()
    for line in text.splitlines():
        words = line.split(" ")
        if words[:2] != ["service", "set"]:
            continue
        name, protocol = words[2], words[3]
        family = {"ipv4": "IPv4", "ipv6": "IPv6"}[words[words.index("--family") + 1]]
        for option, value in zip(words[4:], words[5:]):
            place, *flags = value.split(",")
            if option in ("--cluster-ip", "--external-ip", "--load-balancer-ip"):
                lines.add(f"{name} {protocol} {option[2:]} {place}")
            elif option == "--node-port":
                lines.add(f"{name} {protocol} node-port {family} {place}")
            elif option == "--endpoint" and any("cluster-set" in flag for flag in flags):
                lines.add(f"{name} {protocol} endpoint {place}")
    return lines
