# SPDX-License-Identifier: GPL-2.0
"""
A Kubernetes API server for tests: LIST with pages, WATCH with bookmarks, streaming lists, create, update, patch and
delete of any resource, in the forms of the recordings of a real one; and whatever goes wrong on the way, on demand.

As a program: apiserver.py FOLDER [--services N] [--slices N] [--endpoints N] makes certificates and a kubeconfig in
FOLDER, serves until its standard input ends, and prints the path of the kubeconfig once it can be reached.
"""
import argparse
import base64
import http.server
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

import certificates

KINDS = {
    "services": "Service", "endpointslices": "EndpointSlice", "nodes": "Node", "namespaces": "Namespace", "pods": "Pod",
    "events": "Event", "leases": "Lease", "servicecidrs": "ServiceCIDR",
}


def encode(value):
    return json.dumps(value, separators=(",", ":")).encode()


def status(code, reason, message, details=None, metadata=None):
    """The body of a refusal."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": metadata or {}, "status": "Failure", "message": message,
            "reason": reason}
    if details:
        body["details"] = details
    body["code"] = code
    return body


def key_of(item):
    return item["metadata"].get("namespace", "") + "/" + item["metadata"]["name"]


class Resource:
    """The objects of one path, with the history that watches can begin from."""

    def __init__(self, name, api_version):
        self.name = name
        self.kind = KINDS.get(name, name[:-1].capitalize())
        self.api_version = api_version
        self.objects = {}
        self.encoded = {}
        self.history = []

    def as_item(self, key):
        """Items of a list have no kind and no apiVersion."""
        if key not in self.encoded:
            self.encoded[key] = encode(self.objects[key])
        return self.encoded[key]

    def as_of(self, version):
        """The objects that there were at that version."""
        objects = {}
        for when, kind, item in self.history:
            if when <= version:
                objects[key_of(item)] = item if kind != "DELETED" else None
        return {key: item for key, item in objects.items() if item}

    def event(self, kind, item):
        return encode({"type": kind, "object": {"kind": self.kind, "apiVersion": self.api_version, **item}}) + b"\n"

    def bookmark(self, version, last_of_list=False):
        metadata = {"resourceVersion": str(version), "creationTimestamp": None}
        if last_of_list:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        return self.event("BOOKMARK", {"metadata": metadata, "spec": {}, "status": {}})


class Fault:
    """
    Something that goes wrong with the next requests that match. @verb: "list", "watch", "stream", or a method.
    @body_after: bytes of the body that still go out before: cut (connection gone), stall (nothing more comes), or
    close (a clean end of the connection in the middle). @answer: (code, headers, body) in place of the answer.
    """

    def __init__(self, verb, resource="", times=1, answer=None, cut=None, stall=None, slow=None, end=None, held=None):
        self.verb, self.resource, self.times, self.answer = verb, resource, times, answer
        self.cut, self.stall, self.slow, self.end, self.held = cut, stall, slow, end, held


class Cut(Exception):
    """The answer ends here, in no good order."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet where they fit.
    wbufsize = 65536

    def setup(self):
        context = self.server.api.tls
        if context:
            self.request.settimeout(20)
            self.request = context.wrap_socket(self.request, server_side=True)
            self.request.settimeout(None)
        self.server.api.connections.add(self.request)
        super().setup()

    def finish(self):
        self.server.api.connections.discard(self.request)
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def handle(self):
        try:
            super().handle()
        except (OSError, Cut, ValueError):
            self.close_connection = True

    def do_GET(self):
        self.server.api.serve(self)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def answer(self, code, body, headers=()):
        data = body if isinstance(body, bytes) else encode(body) + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", "application/json" if not isinstance(body, bytes) else "text/plain")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def begin_chunks(self):
        self.sent = 0
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def chunk(self, data, flush=True):
        fault = self.fault
        if fault:
            for name in ("cut", "stall", "end"):
                limit = getattr(fault, name)
                if limit is not None and self.sent + len(data) > limit:
                    self._write(data[:limit - self.sent], True)
                    self._go_wrong(name)
        if fault and fault.slow:
            for i in range(0, len(data), fault.slow[0]):
                self._write(data[i:i + fault.slow[0]], True)
                self.server.api.closing.wait(fault.slow[1])
        else:
            self._write(data, flush)
        self.sent += len(data)

    def _write(self, data, flush):
        if data:
            self.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")
        if flush:
            self.wfile.flush()

    def _go_wrong(self, name):
        if name == "stall":
            self.server.api.closing.wait(60)
        elif name == "end":
            self.end_chunks()
            raise Cut()
        self.server.api.reset(self.request)
        raise Cut()

    def end_chunks(self):
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # A client that gives up in the middle of a handshake is what some cases are about.
        pass


class ApiServer:
    """
    @watch_list: has streaming lists; @bookmark_seconds: pause between bookmarks; @tokens: those that are good, or None
    for everybody; @need_cert: ask for a client certificate
    """

    def __init__(self, folder, tls=True, tokens=("secret",), watch_list=True, bookmark_seconds=60.0, need_cert=False):
        self.folder, self.tokens = folder, set(tokens) if tokens is not None else None
        self.watch_list, self.bookmark_seconds = watch_list, bookmark_seconds
        self.lock = threading.Condition()
        self.closing = threading.Event()
        self.connections = set()
        self.requests, self.faults, self.headers = [], [], []
        self.resources, self.pages = {}, {}
        self.version, self.oldest = 1000, 1000
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(folder + "/server.crt", folder + "/server.key")
            if need_cert:
                self.tls.verify_mode = ssl.CERT_REQUIRED
                self.tls.load_verify_locations(folder + "/ca.crt")
        self.port = 0
        self.listener = None
        for name, version in (("services", "v1"), ("nodes", "v1"), ("namespaces", "v1"), ("pods", "v1"),
                              ("endpointslices", "discovery.k8s.io/v1")):
            self.resource(name, version)

    # What a test does.

    def start(self):
        self.closing = threading.Event()
        self.listener = Listener(("127.0.0.1", self.port), Handler)
        self.listener.api = self
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()
        return self

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def stop(self):
        """As by SIGKILL: every connection is gone."""
        self.closing.set()
        self.listener.shutdown()
        self.listener.server_close()
        self.drop_connections()
        with self.lock:
            self.lock.notify_all()

    def drop_connections(self):
        for connection in list(self.connections):
            self.reset(connection)

    @staticmethod
    def reset(connection):
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        except OSError:
            pass

    def end_watches(self):
        """All watches end in good order, as when the server is told to stop."""
        with self.lock:
            self.epoch = getattr(self, "epoch", 0) + 1
            self.lock.notify_all()

    def resource(self, name, api_version="v1"):
        return self.resources.setdefault(name, Resource(name, api_version))

    def put(self, name, item):
        """Create or replace; returns the new resourceVersion."""
        resource = self.resource(name)
        with self.lock:
            self.version += 1
            key = key_of(item)
            kind = "MODIFIED" if key in resource.objects else "ADDED"
            metadata = {**item["metadata"], "resourceVersion": str(self.version)}
            if kind == "MODIFIED":
                metadata.setdefault("uid", resource.objects[key]["metadata"].get("uid"))
            metadata.setdefault("uid", f"00000000-0000-4000-8000-{self.version:012d}")
            metadata.setdefault("creationTimestamp", "2026-11-23T09:00:00Z")
            resource.objects[key] = {**item, "metadata": metadata}
            resource.encoded.pop(key, None)
            resource.history.append((self.version, kind, resource.objects[key]))
            self.lock.notify_all()
            return self.version

    def delete(self, name, key):
        resource = self.resource(name)
        with self.lock:
            self.version += 1
            item = resource.objects.pop(key)
            resource.encoded.pop(key, None)
            item = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
            resource.history.append((self.version, "DELETED", item))
            self.lock.notify_all()

    def forget(self):
        """Compact: no watch can begin before now, and pages handed out are void. Watches that run miss nothing."""
        with self.lock:
            self.oldest = self.version
            self.pages.clear()

    def fault(self, *args, **kwargs):
        fault = Fault(*args, **kwargs)
        with self.lock:
            self.faults.append(fault)
        return fault

    def kubeconfig(self, **user):
        """Write a kubeconfig for a user with these fields (token "secret" if there are none); returns its path."""
        path = self.folder + "/kubeconfig"
        cluster = {"server": self.url}
        if self.tls:
            cluster["certificate-authority"] = "ca.crt"
        with open(path, "w", encoding="ascii") as file:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "test",
                       "clusters": [{"name": "test", "cluster": cluster}],
                       "users": [{"name": "me", "user": user or {"token": "secret"}}],
                       "contexts": [{"name": "test", "context": {"cluster": "test", "user": "me"}}]}, file)
        return path

    # What a client asks.

    def _take_fault(self, verb, resource):
        with self.lock:
            for fault in self.faults:
                if fault.verb == verb and fault.resource in ("", resource) and fault.times:
                    fault.times -= 1
                    return fault
        return None

    def serve(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length) if length else b""
        place = re.fullmatch(r"/(?:api|apis/([^/]+))/([^/]+)/(?:namespaces/([^/]+)/)?([^/]+)(?:/([^/]+))?(?:/(status))?",
                             url.path)
        resource = place[4] if place else ""
        verb = handler.command
        if verb == "GET":
            verb = ("stream" if "sendInitialEvents" in query else "watch") if "watch" in query else \
                "get" if place and place[5] else "list"
        self.requests.append((verb, resource, query))
        self.headers.append(handler.headers)
        handler.fault = fault = self._take_fault(verb, resource)
        if fault and fault.held:
            fault.held.wait(30)
        if fault and fault.answer:
            handler.answer(*fault.answer)
        elif fault and fault.stall == 0:
            self.closing.wait(60)
            raise Cut()
        elif not self._is_allowed(handler):
            handler.answer(401, status(401, "Unauthorized", "Unauthorized"))
        elif url.path in ("/version", "/readyz"):
            handler.answer(200, {"major": "1", "minor": "36", "gitVersion": "v1.36.2"})
        elif not place:
            handler.answer(404, status(404, "NotFound", "the server could not find the requested resource"))
        else:
            version = place[1] + "/" + place[2] if place[1] else place[2]
            self._serve_resource(handler, verb, self.resource(resource, version), place, query, body)

    def _is_allowed(self, handler):
        if self.tokens is None or (self.tls and self.tls.verify_mode == ssl.CERT_REQUIRED):
            return True
        kind, _, word = (handler.headers.get("Authorization") or "").partition(" ")
        if kind == "Basic":
            return base64.b64decode(word).decode().partition(":")[2] in self.tokens
        return kind == "Bearer" and word in self.tokens

    def _serve_resource(self, handler, verb, resource, place, query, body):
        if verb == "list":
            self._list(handler, resource, place[3], query)
        elif verb in ("watch", "stream"):
            self._watch(handler, resource, query)
        elif verb == "get":
            item = resource.objects.get((place[3] or "") + "/" + place[5])
            handler.answer(*((200, {"kind": resource.kind, "apiVersion": resource.api_version, **item}) if item else
                             (404, self._not_found(resource, place[5]))))
        else:
            self._change(handler, verb, resource, place, json.loads(body or b"{}"))

    @staticmethod
    def _not_found(resource, name):
        return status(404, "NotFound", f'{resource.name} "{name}" not found', {"name": name, "kind": resource.name})

    def _change(self, handler, verb, resource, place, body):
        metadata = body.get("metadata", {})
        if place[3]:
            metadata.setdefault("namespace", place[3])
        if verb == "POST" and "generateName" in metadata and "name" not in metadata:
            metadata["name"] = metadata["generateName"] + format(self.version, "05x")
        name = place[5] or metadata.get("name")
        key = (place[3] or "") + "/" + name
        there = resource.objects.get(key)
        conflict = f'{resource.name} "{name}" '
        if verb == "POST" and there:
            handler.answer(409, status(409, "AlreadyExists", conflict + "already exists"))
        elif verb != "POST" and not there:
            handler.answer(404, self._not_found(resource, name))
        elif verb == "PUT" and metadata.get("resourceVersion", there["metadata"]["resourceVersion"]) != \
                there["metadata"]["resourceVersion"]:
            handler.answer(409, status(409, "Conflict", "Operation cannot be fulfilled on " + conflict + ": the object "
                                       "has been modified; please apply your changes to the latest version and try again"))
        elif verb == "DELETE":
            self.delete(resource.name, key)
            handler.answer(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
        else:
            item = merge(there, body) if verb == "PATCH" else {**body, "metadata": metadata}
            for word in ("kind", "apiVersion"):
                item.pop(word, None)
            self.put(resource.name, item)
            handler.answer(201 if verb == "POST" else 200, {"kind": resource.kind, "apiVersion": resource.api_version,
                                                            **resource.objects[key]})

    @staticmethod
    def _is_selected(item, query):
        for part in filter(None, query.get("fieldSelector", "").split(",")):
            path, _, value = part.partition("=")
            at = item
            for word in path.rstrip("!").split("."):
                at = at.get(word, "") if isinstance(at, dict) else ""
            if (at == value) == path.endswith("!"):
                return False
        labels = item["metadata"].get("labels") or {}
        for part in filter(None, query.get("labelSelector", "").split(",")):
            word, _, value = part.partition("=")
            if labels.get(word) != value if value else (word.lstrip("!") in labels) == word.startswith("!"):
                return False
        return True

    def _list(self, handler, resource, namespace, query):
        asked, limit, token = query.get("resourceVersion", ""), int(query.get("limit", 0)), query.get("continue")
        with self.lock:
            if asked and not asked.isdigit():
                return handler.answer(400, status(400, "BadRequest", f"Invalid value: \"{asked}\""))
            if asked and int(asked) > self.version:
                message = f"Too large resource version: {asked}, current: {self.version}"
                details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                           "retryAfterSeconds": 1}
                return handler.answer(504, status(504, "Timeout", "Timeout: " + message, details), [("Retry-After", "1")])
            version, start = self.version, 0
            # A list in pages is of the very version that is asked for, unless it says otherwise.
            exact = limit and asked not in ("", "0") and "resourceVersionMatch" not in query
            if exact:
                version = int(asked)
            if token:
                token = json.loads(base64.urlsafe_b64decode(token))
                version, start = token["rv"], token["start"]
                if version not in self.pages:
                    message = "The provided continue parameter is too old to display a consistent list result."
                    return handler.answer(410, status(410, "Expired", message, None, {"continue": "c2hvcnQ="}))
                items = self.pages[version]
            else:
                objects = resource.as_of(version) if exact else resource.objects
                items = [encode(item) if exact else resource.as_item(key) for key, item in sorted(objects.items())
                         if (not namespace or key.startswith(namespace + "/")) and self._is_selected(item, query)]
        metadata = {"resourceVersion": str(version)}
        # The watch cache, from which other lists of a version are served, knows no pages.
        if limit and (exact or not asked) and start + limit < len(items):
            self.pages[version] = items
            token = encode({"v": "meta.k8s.io/v1", "rv": version, "start": start + limit})
            metadata["continue"] = base64.urlsafe_b64encode(token).decode()
            metadata["remainingItemCount"] = len(items) - start - limit
            items = items[start:start + limit]
        else:
            items = items[start:]
        self._send_list(handler, resource, metadata, items)
        return None

    @staticmethod
    def _send_list(handler, resource, metadata, items):
        head = encode({"kind": resource.kind + "List", "apiVersion": resource.api_version, "metadata": metadata})
        handler.begin_chunks()
        try:
            handler.chunk(head[:-1] + b',"items":[', False)
            # Chunks end anywhere.
            batch = b""
            for i, item in enumerate(items):
                batch += b"," + item if i else item
                if len(batch) > 100000:
                    handler.chunk(batch[:65536], False)
                    batch = batch[65536:]
            handler.chunk(batch + b"]}\n")
            handler.end_chunks()
        except Cut:
            if not handler.fault or handler.fault.end is None:
                raise

    def _watch(self, handler, resource, query):
        asked = query.get("resourceVersion", "")
        streams = "sendInitialEvents" in query
        if streams and not self.watch_list:
            message = ("ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is "
                       "forbidden for watch unless the WatchList feature gate is enabled")
            handler.answer(422, status(422, "Invalid", message, {"group": "meta.k8s.io", "kind": "ListOptions"}))
            return
        handler.begin_chunks()
        try:
            self._send_events(handler, resource, query, int(asked or 0), streams)
            handler.end_chunks()
        except Cut:
            if not handler.fault or handler.fault.end is None:
                raise

    def _send_events(self, handler, resource, query, version, streams):
        ends = time.monotonic() + float(query.get("timeoutSeconds", 1800))
        bookmarks = query.get("allowWatchBookmarks") == "true"
        next_bookmark = time.monotonic() + self.bookmark_seconds
        epoch = getattr(self, "epoch", 0)
        with self.lock:
            now = self.version
            if version and version < self.oldest:
                error = encode({"type": "ERROR", "object": status(
                    410, "Expired", f"too old resource version: {version} ({self.oldest})")}) + b"\n"
                items = [error]
            else:
                items = [resource.event("ADDED", item) for _, item in sorted(resource.objects.items())
                         if self._is_selected(item, query)] if not version else []
                error = None
        for i in range(0, len(items), 20):
            handler.chunk(b"".join(items[i:i + 20]), False)
        if error:
            return
        if streams and bookmarks:
            handler.chunk(resource.bookmark(now, True))
        handler.wfile.flush()
        # From a version that is not reached yet nothing comes, not even a bookmark.
        version, reached = version or now, False
        while not self.closing.is_set() and time.monotonic() < ends and epoch == getattr(self, "epoch", 0):
            with self.lock:
                if not any(event[0] > version for event in resource.history):
                    self.lock.wait(min(0.05, max(0.001, ends - time.monotonic())))
                events = [event for event in resource.history if event[0] > version]
                # All that happened up to now is sent now; a bookmark may say so and no more.
                version = max(version, self.version)
                reached = version == self.version
            for event in events:
                if self._is_selected(event[2], query):
                    handler.chunk(resource.event(event[1], event[2]))
            if bookmarks and reached and time.monotonic() >= next_bookmark:
                next_bookmark += self.bookmark_seconds
                handler.chunk(resource.bookmark(version))
        if self.closing.is_set():
            raise Cut()
        if bookmarks and reached:
            handler.chunk(resource.bookmark(version))


def merge(there, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(there) if isinstance(there, dict) else {}
    for word, value in patch.items():
        if value is None:
            result.pop(word, None)
        else:
            result[word] = merge(result.get(word), value)
    return result


def service(name, namespace="default", port=80, ip="10.96.0.10", **spec):
    return {"metadata": {"name": name, "namespace": namespace},
            "spec": {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "ipFamilies": ["IPv4"],
                     "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster", "sessionAffinity": "None",
                     "ports": [{"name": "http", "protocol": "TCP", "port": port, "targetPort": 8080}], **spec},
            "status": {"loadBalancer": {}}}


def endpoint_slice(name, of, addresses, namespace="default"):
    endpoint = {"conditions": {"ready": True, "serving": True, "terminating": False}, "nodeName": "node-a"}
    fields = {f"k:{{\"uid\":\"{i}\"}}": {".": {}, "f:addresses": {}, "f:conditions": {}} for i in range(3)}
    return {"metadata": {"name": name, "namespace": namespace, "generateName": of + "-", "generation": 2,
                         "labels": {"kubernetes.io/service-name": of,
                                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
                         "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": of, "controller": True,
                                              "uid": "1f1d3f0c-1f1d-4f0c-8f0c-1f1d3f0c1f1d"}],
                         "managedFields": [{"manager": "kube-controller-manager", "operation": "Update",
                                            "apiVersion": "discovery.k8s.io/v1", "time": "2026-11-23T09:00:00Z",
                                            "fieldsType": "FieldsV1", "fieldsV1": {"f:endpoints": fields}}]},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], **endpoint, "zone": "zone-a",
                           "targetRef": {"kind": "Pod", "namespace": namespace, "name": f"{of}-{address}",
                                         "uid": "6c0d8b27-6ace-4936-82c9-dade0e7e00fa"}} for address in addresses],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}


def fill(api, services, slices, endpoints):
    """A cluster of a size: slice i belongs to service i modulo their number."""
    for i in range(services):
        api.put("services", service(f"service-{i}", ip=f"10.{96 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"))
    for i in range(slices):
        first = i * endpoints
        addresses = [f"10.{128 + (n >> 16)}.{n >> 8 & 255}.{n & 255}" for n in range(first, first + endpoints)]
        api.put("endpointslices", endpoint_slice(f"service-{i % max(services, 1)}-{i:05d}",
                                                 f"service-{i % max(services, 1)}", addresses))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    for option in ("--services", "--slices", "--endpoints", "--port"):
        parser.add_argument(option, type=int, default=0)
    parser.add_argument("--no-watch-list", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    certificates.make_all(options.folder)
    api = ApiServer(options.folder, watch_list=not options.no_watch_list)
    api.port = options.port
    api.put("namespaces", {"metadata": {"name": "default"}, "spec": {"finalizers": ["kubernetes"]},
                           "status": {"phase": "Active"}})
    fill(api, options.services, options.slices, options.endpoints)
    api.start()
    print(api.kubeconfig(), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
