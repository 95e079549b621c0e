# SPDX-License-Identifier: GPL-2.0
"""
Answers recorded from a kube-apiserver 1.36.2 (recordings/), sent byte for byte as they came off the connection, in
pieces of any size; and what is in them.
"""
import gzip
import json
import os
import socket
import ssl
import threading
import urllib.parse

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recordings")


def recording(name):
    with open(os.path.join(FOLDER, name + ".http"), "rb") as file:
        return file.read()


def body_of(name):
    """The body of a recording, without chunk framing and compression."""
    head, _, rest = recording(name).partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body, rest = b"", rest
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size, 16)
            if not length:
                break
            body += rest[:length]
            rest = rest[length + 2:]
    else:
        body = rest
    return gzip.decompress(body) if b"content-encoding: gzip" in head.lower() else body


def refusal(name):
    """A recorded refusal as ApiServer takes it for a fault: code, body, headers."""
    head = recording(name).partition(b"\r\n\r\n")[0].decode()
    headers = [tuple(line.split(": ", 1)) for line in head.split("\r\n")[1:] if line.startswith("Retry-After")]
    return int(head.split(" ")[1]), body_of(name), headers


def objects_after(listed, watched=None):
    """What there is after a recorded list and watch, by key: resourceVersion."""
    there = {}
    for item in json.loads(body_of(listed))["items"] if listed else []:
        there[key_of(item)] = item["metadata"]["resourceVersion"]
    for line in body_of(watched).splitlines() if watched else []:
        event = json.loads(line)
        if event["type"] == "DELETED":
            del there[key_of(event["object"])]
        elif event["type"] in ("ADDED", "MODIFIED"):
            there[key_of(event["object"])] = event["object"]["metadata"]["resourceVersion"]
    return there


def key_of(item):
    return item["metadata"].get("namespace", "") + "/" + item["metadata"]["name"]


class Replay:
    """
    Answers the n-th request with the n-th of @answers (each a recording's name), and those after the last with
    silence. @piece: bytes of each packet. @end: the connection ends with the last of the answers.
    """

    def __init__(self, folder, answers, piece=1 << 16, end=False):
        self.folder, self.answers, self.piece, self.end = folder, list(answers), piece, end
        self.requests = []
        self.lock = threading.Lock()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(folder + "/server.crt", folder + "/server.key")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self.tls.wrap_socket(connection, server_side=True)
            head = b""
            while True:
                more = connection.recv(65536)
                if not more:
                    return
                head += more
                if head.endswith(b"\r\n\r\n"):
                    self._answer(connection, head.decode().split(" ")[1])
                    head = b""
        except OSError:
            pass

    def _answer(self, connection, path):
        with self.lock:
            self.requests.append(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query)))
            name = self.answers.pop(0) if self.answers else None
        if name:
            data = recording(name)
            for i in range(0, len(data), self.piece):
                connection.sendall(data[i:i + self.piece])
            if self.end and not self.answers:
                connection.close()
