# SPDX-License-Identifier: GPL-2.0
"""A Kubernetes control plane on the loopback address: etcd, kube-apiserver, kube-controller-manager; and kubectl."""
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/apiserver"))
# pylint: disable=wrong-import-position
import certificates

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
PORT, OTHER_PORT = 6443, 6444
# Longer than anything takes on a busy machine; only a case that fails waits for it.
PATIENCE = 240
# Those that have a part in how Services and their endpoints come about.
CONTROLLERS = ("deployment-controller", "replicaset-controller", "endpointslice-controller",
               "endpointslice-mirroring-controller", "serviceaccount-controller", "namespace-controller",
               "garbage-collector-controller", "root-ca-certificate-publisher-controller")


class Failed(Exception):
    pass


def check(condition, *words):
    if not condition:
        raise Failed(" ".join(str(word) for word in words))


def wait_for(what, condition, patience=PATIENCE):
    """What the condition answers once that is true."""
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        check(time.monotonic() < end, "in vain:", what)
        time.sleep(0.05)


def find_programs():
    """Where they are, by name; those that are missing have None."""
    path = os.environ.get("KUBE_BINARIES", "") + os.pathsep + os.environ.get("PATH", "")
    return {name: shutil.which(name, path=path) for name in PROGRAMS}


class Api:
    """Requests as the cluster's administrator, for what kubectl has no command for."""

    def __init__(self, cluster):
        self.context = ssl.create_default_context(cafile=cluster.path("ca.crt"))
        self.context.load_cert_chain(cluster.path("admin.crt"), cluster.path("admin.key"))
        self.connection = None

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", PORT, context=self.context, timeout=60)

    def request(self, method, path, body=None, kind="application/json"):
        """Status, object."""
        for _ in range(2):
            fresh = self.connection is None
            self.connection = self.connection or self.connect()
            try:
                self.connection.request(method, path, body=body and json.dumps(body), headers={"Content-Type": kind})
                answer = self.connection.getresponse()
                return answer.status, json.loads(answer.read() or "null")
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                if fresh:
                    raise
        raise Failed("no answer to", method, path)

    def watch(self, path):
        """Events without end; StopIteration when the server ends it."""
        connection = self.connect()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            check(answer.status == 200, path, "is answered with", answer.status)
            while line := answer.readline():
                yield json.loads(line)
        finally:
            connection.close()


class Cluster:
    def __init__(self, programs, folder):
        self.programs, self.folder, self.running = programs, folder, {}
        self.make_files()
        self.start("etcd", "--data-dir", self.path("etcd"), "--listen-client-urls", "http://127.0.0.1:2379",
                   "--advertise-client-urls", "http://127.0.0.1:2379", "--listen-peer-urls", "http://127.0.0.1:2380",
                   "--initial-advertise-peer-urls", "http://127.0.0.1:2380", "--initial-cluster",
                   "default=http://127.0.0.1:2380", "--unsafe-no-fsync", "--logger=zap")
        self.start_server()
        self.start("kube-controller-manager", "--kubeconfig", self.path("kubeconfig"), "--bind-address=127.0.0.1",
                   "--leader-elect=false", "--controllers=" + ",".join(CONTROLLERS), "--kube-api-qps=500",
                   "--kube-api-burst=1000", "--concurrent-service-endpoint-syncs=10", "--root-ca-file", self.path("ca.crt"),
                   "--service-account-private-key-file", self.path("accounts.key"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_files(self):
        certificates.make(self.folder, "ca", "/CN=test-ca")
        certificates.make(self.folder, "server", "/CN=kube-apiserver", "ca", "IP:127.0.0.1")
        certificates.make(self.folder, "accounts", "/CN=accounts", "ca")
        certificates.make(self.folder, "admin", "/O=system:masters/CN=admin", "ca")
        for name, port in (("kubeconfig", PORT), ("other-kubeconfig", OTHER_PORT)):
            self.write_kubeconfig(name, {"client-certificate": self.path("admin.crt"), "client-key": self.path("admin.key")},
                                  port)

    def write_kubeconfig(self, name, user, port=PORT):
        self.write(name, json.dumps(
            {"apiVersion": "v1", "kind": "Config", "current-context": "test",
             "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{port}",
                                                       "certificate-authority": self.path("ca.crt")}}],
             "users": [{"name": "test", "user": user}],
             "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, name, *arguments, as_name=None):
        with open(self.path((as_name or name) + ".log"), "ab") as log:
            self.running[as_name or name] = subprocess.Popen(
                [self.programs[name], *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def stop(self, name):
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop_all(self):
        for name in list(self.running)[::-1]:
            self.stop(name)

    def start_server(self, port=PORT):
        """The one on PORT, or the other, whose changes the first one sees only in etcd."""
        name = "kube-apiserver" if port == PORT else "other-kube-apiserver"
        self.start("kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--bind-address=127.0.0.1",
                   f"--secure-port={port}", "--advertise-address=192.0.2.1", "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112",
                   "--authorization-mode=Node,RBAC", "--client-ca-file", self.path("ca.crt"), "--tls-cert-file", self.path("server.crt"),
                   "--tls-private-key-file", self.path("server.key"), "--service-account-key-file", self.path("accounts.crt"),
                   "--service-account-signing-key-file", self.path("accounts.key"), "--allow-privileged=true",
                   "--service-account-issuer=https://kubernetes.test", "--endpoint-reconciler-type=none", as_name=name)
        kubeconfig = self.path("kubeconfig" if port == PORT else "other-kubeconfig")

        def is_ready():
            check(self.running[name].poll() is None, name, "ended:", self.last_words(name))
            return self.try_kubectl("get", "--raw", "/readyz", kubeconfig=kubeconfig).returncode == 0

        wait_for(name + " is ready", is_ready)

    def last_words(self, name):
        with open(self.path(name + ".log"), encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-15:])

    def try_kubectl(self, *words, stdin=None, kubeconfig=None):
        return subprocess.run([self.programs["kubectl"], "--kubeconfig", kubeconfig or self.path("kubeconfig"),
                               "--cache-dir", self.path("cache"), *words], input=stdin, capture_output=True, text=True,
                              check=False, timeout=PATIENCE)

    def kubectl(self, *words, stdin=None, kubeconfig=None):
        """What it prints; objects for stdin are turned into a list."""
        if stdin is not None and not isinstance(stdin, str):
            stdin = json.dumps({"apiVersion": "v1", "kind": "List", "items": stdin})
        done = self.try_kubectl(*words, stdin=stdin, kubeconfig=kubeconfig)
        check(done.returncode == 0, "kubectl", *words, "ended with", done.returncode, done.stderr[-2000:])
        return done.stdout

    def get(self, *words):
        """Objects."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def versions(self):
        return json.loads(self.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
