# SPDX-License-Identifier: GPL-2.0
"""The rules once more, for tests: straight from their numbers, and nothing of it from kserv's own code.

It decides about clusters as tests/rules/random makes them: every slice port has a name and a number, no two services claim one
address, and node1 is where packets are looked at.
"""
import ipaddress

from dataclasses import dataclass

SERVICE_CIDRS = ["10.96.0.0/16", "fd00:10:96::/112"]
CLUSTER_CIDRS = ["10.244.0.0/16", "fd00:10:244::/48"]
NODE_CIDRS = ["10.244.1.0/24", "fd00:10:244:1::/64"]
PRIMARY = {4: "192.168.50.11", 6: "fd00:50::11"}


def version(address):
    return ipaddress.ip_address(address).version


def among(address, cidrs):
    networks = [ipaddress.ip_network(cidr.strip(), strict=False) for cidr in cidrs]
    return any(ipaddress.ip_address(address) in network for network in networks if network.version == version(address))


@dataclass
class Packet:
    source: str
    origin: str         # interface, or "process"
    destination: str
    port: int
    protocol: str


@dataclass
class Match:
    service: dict
    port: dict
    kind: str           # cluster, external, balancer or node
    vips: list


class Ambiguous(Exception):
    """Nobody says which of two entries of one endpoint counts."""


class Cluster:
    """@detector: cidr, cidr4 (of IPv4 alone), node, bridge (the interface pod1), prefix (pod...) or none."""

    def __init__(self, services, slices, detector, config, local):
        self.services = [service for service in services if self.is_served(service)]
        self.slices, self.detector, self.config, self.local = slices, detector, config, local

    @staticmethod
    def is_served(service):
        """Rules 1.2 and 1.3."""
        return (service["spec"]["type"] != "ExternalName" and service["spec"].get("clusterIP") != "None" and
                "service.kubernetes.io/service-proxy-name" not in service["metadata"].get("labels", {}))

    def is_local(self, address):
        return address in self.local or ipaddress.ip_address(address).is_loopback

    def detects(self, family):
        """Rule 5.12."""
        return self.detector in ("cidr", "node", "bridge", "prefix") or (self.detector == "cidr4" and family == 4)

    def is_pod(self, packet):
        return {
            "cidr": lambda: among(packet.source, CLUSTER_CIDRS),
            "cidr4": lambda: among(packet.source, CLUSTER_CIDRS[:1]),
            "node": lambda: among(packet.source, NODE_CIDRS),
            "bridge": lambda: packet.origin == "pod1",
            "prefix": lambda: packet.origin.startswith("pod"),
            "none": lambda: False,
        }[self.detector]()

    # ---- section 1

    def cluster_ip(self, service, family):
        return next((ip for ip in service["spec"].get("clusterIPs", []) if version(ip) == family), None)

    def vips(self, service, family):
        """Rule 1.9."""
        entries = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        return [entry["ip"] for entry in entries
                if "ip" in entry and entry.get("ipMode", "VIP") == "VIP" and version(entry["ip"]) == family]

    def match_address(self, packet):
        family = version(packet.destination)
        for service in self.services:
            if not self.cluster_ip(service, family):
                continue        # rule 1.16
            vips = self.vips(service, family)
            for port in service["spec"]["ports"]:
                if port["protocol"] != packet.protocol or port["port"] != packet.port:
                    continue
                if packet.destination == self.cluster_ip(service, family):
                    return Match(service, port, "cluster", vips)
                if packet.destination in vips:
                    return Match(service, port, "balancer", vips)
                if packet.destination in service["spec"].get("externalIPs", []):
                    return Match(service, port, "external", vips)
        return None

    def match_node_port(self, packet):
        for service in self.services:
            if self.cluster_ip(service, version(packet.destination)):
                for port in service["spec"]["ports"]:
                    if port["protocol"] == packet.protocol and port.get("nodePort") == packet.port:
                        return Match(service, port, "node", [])
        return None

    def accepts_node_ports(self, address):
        """Rules 1.12 to 1.14."""
        if not self.is_local(address) or ipaddress.ip_address(address).is_loopback:
            return False
        listed = self.config.get("nodePortAddresses") or list(PRIMARY.values())
        own = [cidr for cidr in listed if ipaddress.ip_network(cidr).version == version(address)]
        return not own or among(address, own)

    def unmatched(self, packet, node_port):
        """Rules 1.6 and 1.7; they are about what is forwarded or sent from here."""
        if packet.origin == "process" or not self.is_local(packet.destination):
            family = version(packet.destination)
            if any(packet.destination == self.cluster_ip(service, family) for service in self.services):
                return "reject undefined-port"
            if among(packet.destination, SERVICE_CIDRS):
                return "drop unallocated-address"
        return "pass not-a-node-port-address" if node_port else "pass no-frontend"

    def is_allowed(self, match, packet):
        """Rules 1.30 to 1.33."""
        family = version(packet.destination)
        ranges = [cidr for cidr in match.service["spec"].get("loadBalancerSourceRanges", [])
                  if ipaddress.ip_network(cidr.strip()).version == family]
        if match.kind != "balancer" or not ranges or among(packet.source, ranges):
            return True
        return among(PRIMARY[family], ranges) and packet.source in match.vips

    # ---- section 2

    def endpoints(self, match, family):
        """Rules 2.1 to 2.4."""
        found = {}
        for slice_ in self.slices:
            labels = slice_["metadata"]["labels"]
            if (labels["kubernetes.io/service-name"] != match.service["metadata"]["name"] or
                    "service.kubernetes.io/headless" in labels or slice_["addressType"] != f"IPv{family}"):
                continue
            for port in slice_["ports"]:
                if port["name"] == match.port["name"] and port["protocol"] == match.port["protocol"]:
                    for entry in slice_["endpoints"]:
                        found.setdefault((entry["addresses"][0], port["port"]), []).append(entry)
        return [self.merge(key, entries) for key, entries in found.items()]

    @staticmethod
    def merge(key, entries):
        counting = [entry for entry in entries if entry.get("nodeName") == "node1"] or entries
        views = []
        for entry in counting:
            conditions, hints = entry.get("conditions", {}), entry.get("hints", {})
            views.append({
                "key": key, "local": entry.get("nodeName") == "node1", "ready": conditions.get("ready", True),
                "lingering": conditions.get("serving", True) and conditions.get("terminating", False),
                "node": {hint["name"] for hint in hints.get("forNodes", [])},
                "zone": {hint["name"] for hint in hints.get("forZones", [])},
            })
        if any(view != views[0] for view in views):
            raise Ambiguous
        return views[0]

    @staticmethod
    def narrow(ready):
        """Rules 2.10 to 2.12."""
        for kind, name in (("node", "node1"), ("zone", "zone-a")):
            if ready and all(endpoint[kind] for endpoint in ready) and any(name in endpoint[kind] for endpoint in ready):
                return [endpoint for endpoint in ready if name in endpoint[kind]]
        return ready

    def sets(self, endpoints):
        """Rules 2.5 to 2.8: the cluster set, the local set, and whether there is any endpoint."""
        ready = [endpoint for endpoint in endpoints if endpoint["ready"]]
        lingering = [endpoint for endpoint in endpoints if endpoint["lingering"]]
        local = [endpoint for endpoint in ready if endpoint["local"]]
        return (self.narrow(ready) or lingering, local or [endpoint for endpoint in lingering if endpoint["local"]],
                bool(ready or lingering))

    # ---- sections 2, 3 and 5

    def choose(self, match, packet, cluster, local, any_):
        """The set that applies, whether all are masqueraded, and what becomes of the packet if the set is empty."""
        spec, pod = match.service["spec"], self.is_pod(packet)
        detects = self.detects(version(packet.destination))
        empty_local = "drop no-local-endpoints" if any_ else "reject no-endpoints"
        if match.kind == "cluster":
            masquerade = bool(self.config.get("masqueradeAll")) or (detects and not pod)
            if spec.get("internalTrafficPolicy") == "Local":
                return local, masquerade, empty_local
            return cluster, masquerade, "reject no-endpoints"
        is_local = spec.get("externalTrafficPolicy") == "Local" and (
            spec["type"] in ("NodePort", "LoadBalancer") or spec.get("externalIPs"))
        if not is_local:
            return cluster, True, "reject no-endpoints"
        if detects and pod:
            return cluster, False, "reject no-endpoints"
        if self.is_local(packet.source):
            return cluster, True, "reject no-endpoints"
        return local, False, empty_local

    def decide(self, packet):
        """The verdict as the tables have it: "translate 10.244.1.11:8080* ...", "drop no-local-endpoints"."""
        match, node_port = self.match_address(packet), self.match_node_port(packet)
        if not match and node_port and self.accepts_node_ports(packet.destination):
            match = node_port
        if not match:
            return self.unmatched(packet, node_port)
        if not self.is_allowed(match, packet):
            return "drop source-not-allowed"
        family = version(packet.destination)
        chosen, masquerade, empty = self.choose(match, packet, *self.sets(self.endpoints(match, family)))
        if not chosen:
            return empty
        words = []
        for address, port in sorted(endpoint["key"] for endpoint in chosen):
            text = f"[{address}]:{port}" if family == 6 else f"{address}:{port}"
            words.append(text + ("*" if masquerade or address == packet.source else ""))
        return " ".join(["translate"] + words)
