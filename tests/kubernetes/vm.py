# SPDX-License-Identifier: GPL-2.0
"""The VM in which tests/kubernetes/guest does what it is told."""
import base64
import os
import socket
import subprocess

from cluster import PATIENCE, TOP, Failed, check, wait_for


class Guest:
    def __init__(self, kernel, build):
        self.output = os.path.join(build, "logs", f"kubernetes-guest-{kernel}.log")
        os.makedirs(os.path.dirname(self.output), exist_ok=True)
        listener = socket.create_server(("127.0.0.1", 0))
        with open(self.output, "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(TOP, "tests/e2e/vm"), "--network", "--kernel", kernel, "--memory", "2048", "--timeout", "7200",
                 "--dir", os.path.join(TOP, "tests"), "--name", f"kubernetes-{kernel}", "--", "kubernetes/guest",
                 str(listener.getsockname()[1])], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        listener.settimeout(1)
        self.stream = wait_for("the VM speaks", lambda: self.accept(listener)).makefile("rwb")
        listener.close()

    def accept(self, listener):
        check(self.process.poll() is None, "the VM ended:", self.last_words())
        try:
            connection = listener.accept()[0]
        except socket.timeout:
            return None
        connection.settimeout(PATIENCE * 2)
        return connection

    def last_words(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-30:])

    def ask(self, script):
        """Exit code, output."""
        self.stream.write(base64.b64encode(script.encode()) + b"\n")
        self.stream.flush()
        line = self.stream.readline()
        check(line, "the VM ended:", self.last_words())
        code, _, text = line.decode().strip().partition(" ")
        return int(code), base64.b64decode(text).decode(errors="replace")

    def run(self, script):
        code, text = self.ask(script)
        check(code == 0, script, "ended with", code, text)
        return text

    def write(self, path, text):
        """$work in the path is the guest's."""
        self.run(f'base64 -d >"{path}" <<<{base64.b64encode(text.encode()).decode()}')

    def stop(self):
        """What the VM has to say of itself is an error: a warning of the kernel, a module that cannot be unloaded."""
        self.stream.close()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            raise Failed("the VM does not end") from None
        check(code == 0, "the VM ended with", code, self.last_words())
