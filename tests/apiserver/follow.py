# SPDX-License-Identifier: GPL-2.0
"""Runs the program follow, which shows what the API source tells, and waits for lines of it."""
import os
import subprocess
import threading
import time

# Longer than anything takes on a busy machine; a case that fails waits for it once.
PATIENCE = float(os.environ.get("KSERV_TEST_PATIENCE", "20"))


class Missing(AssertionError):
    """Something that should be told was not."""


class Follow:
    def __init__(self, program, kubeconfig=None, env=None, **options):
        usual = {"kinds": "services", "backoff_min_ms": 20, "backoff_max_ms": 200, "list_silence_ms": 8000,
                 "head_ms": 8000}
        if kubeconfig:
            usual["kubeconfig"] = kubeconfig
        usual.update(options)
        environment = {**os.environ, "HOME": "/nonexistent", "ASAN_OPTIONS": "detect_leaks=1"}
        for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HTTPS_PROXY", "https_proxy"):
            environment.pop(name, None)
        environment.update(env or {})
        self.lines = []
        self.lock = threading.Condition()
        self.ended = False
        self.process = subprocess.Popen([program] + [f"{key}={value}" for key, value in usual.items()], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.lock:
                self.lines.append(line.rstrip("\n"))
                self.lock.notify_all()
        with self.lock:
            self.ended = True
            self.lock.notify_all()

    def mark(self):
        """Where we are; lines after it are meant by since=."""
        with self.lock:
            return len(self.lines)

    def since(self, mark, prefix=""):
        with self.lock:
            return [line for line in self.lines[mark:] if line.startswith(prefix)]

    def wait(self, prefix, since=0, has=""):
        """The first line that begins with prefix and has has in it; also one that came already."""
        deadline = time.monotonic() + PATIENCE
        with self.lock:
            while True:
                for line in self.lines[since:]:
                    if line.startswith(prefix) and has in line:
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    shown = "\n".join(self.lines[-20:])
                    raise Missing(f'no line "{prefix}" with "{has}" came; the last ones are:\n{shown}')
                self.lock.wait(left)

    def resource_version(self, kind="services"):
        return self.ask("state " + kind, "version ").split(" ")[2]

    def ask(self, command, answer):
        mark = self.mark()
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.wait(answer, since=mark)

    def request(self, method, path, body=""):
        """errno, status, reason, why, retry_after, body"""
        words = self.ask(f"request {method} {path} {body}".rstrip(), "answer ")[7:].split("|", 3)
        error, status, reason = words[0].split(" ", 2)
        return int(error), int(status), reason, words[1], int(words[2]), words[3]

    def picture(self, kind="services"):
        """namespace/name: resourceVersion"""
        mark = self.mark()
        self.ask("picture", "end-of-picture")
        words = [line.split(" ") for line in self.since(mark, "object " + kind)]
        return {word[2]: word[3] for word in words}

    def memory(self):
        """Peak KiB, CPU milliseconds"""
        words = self.ask("memory", "memory ").split(" ")
        return int(words[1]), int(words[4])

    def stop(self):
        """The exit code; sanitizers speak by it."""
        try:
            self.process.stdin.write("stop\n")
            self.process.stdin.close()
        except OSError:
            pass
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("follow did not end when told to") from None
        said = self.process.stderr.read()
        self.process.stderr.close()
        if code not in (0, 2) or "ERROR: " in said or "runtime error" in said:
            raise AssertionError(f"follow ended with code {code}:\n{said[-4000:]}")
        return code
