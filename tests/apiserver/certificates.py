# SPDX-License-Identifier: GPL-2.0
"""Certificates for the tests, made anew in a folder by openssl."""
import os
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make(folder, name, subject, ca=None, names=""):
    """NAME.crt and NAME.key; a CA of its own if no CA is given. names: as "IP:127.0.0.1,DNS:example"."""
    base = os.path.join(folder, name)
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", base + ".key",
             "-out", base + ".csr", "-subj", subject)
    extensions = "basicConstraints=critical,CA:TRUE" if not ca else "basicConstraints=CA:FALSE"
    if names:
        extensions += "\nsubjectAltName=" + names
    with open(base + ".ext", "w", encoding="ascii") as file:
        file.write(extensions + "\n")
    signer = ["-CA", os.path.join(folder, ca + ".crt"), "-CAkey", os.path.join(folder, ca + ".key"),
              "-CAcreateserial"] if ca else ["-signkey", base + ".key"]
    _openssl("x509", "-req", "-in", base + ".csr", "-days", "2", "-extfile", base + ".ext", "-out", base + ".crt", *signer)


def make_all(folder):
    """What a cluster has: ca, server (127.0.0.1 and kubernetes.test), client (user of group system:masters)."""
    make(folder, "ca", "/CN=test-ca")
    make(folder, "server", "/CN=apiserver", "ca", "IP:127.0.0.1,DNS:kubernetes.test")
    make(folder, "client", "/O=system:masters/CN=kserv", "ca")
    make(folder, "other-ca", "/CN=other-ca")
