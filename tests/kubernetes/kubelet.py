# SPDX-License-Identifier: GPL-2.0
"""Scheduler and kubelets in one, without containers: a Pod gets a node and addresses, runs and is ready at once."""
import http.client
import threading
import time

from cluster import Api, Failed

# Where somebody answers in the VM; further Pods get addresses that nobody has.
PLACES = [("node1", "10.244.1.11", "fd00:10:244:1::11", "pod1"), ("node2", "10.244.2.13", "fd00:10:244:2::13", "pod3"),
          ("node1", "10.244.1.12", "fd00:10:244:1::12", "pod2"), ("node2", "10.244.2.14", "fd00:10:244:2::14", "pod4")]
SERVER_OF = {place[1]: place[3] for place in PLACES}


class Kubelet:
    def __init__(self, cluster):
        self.api, self.cluster = Api(cluster), cluster
        self.taken, self.trouble, self.ending = {}, None, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """A server that is away is waited for."""
        while not self.ending:
            try:
                status, answer = self.api.request("GET", "/api/v1/pods")
                if status != 200:
                    raise OSError(status)
                there = {pod["metadata"]["uid"] for pod in answer["items"]}
                self.taken = {uid: address for uid, address in self.taken.items() if uid in there}
                for pod in answer["items"]:
                    self.look_at(pod)
                version = answer["metadata"]["resourceVersion"]
                for event in Api(self.cluster).watch(f"/api/v1/pods?watch=1&resourceVersion={version}"):
                    if event["type"] == "ERROR":
                        break
                    if event["type"] == "DELETED":
                        self.taken.pop(event["object"]["metadata"]["uid"], None)
                    else:
                        self.look_at(event["object"])
            except (OSError, http.client.HTTPException, Failed) as error:
                self.trouble = error
                time.sleep(0.2)

    def look_at(self, pod):
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if "deletionTimestamp" in meta:
            if "stay" not in meta.get("labels", {}):
                self.api.request("DELETE", path, {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}})
        elif meta["uid"] not in self.taken:
            place = self.place(meta["uid"])
            if not pod["spec"].get("nodeName"):
                self.api.request("POST", path + "/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": meta["name"]},
                                                             "target": {"kind": "Node", "name": place[0]}})
            self.set_status(path, place, True)

    def place(self, uid):
        used = set(self.taken.values())
        free = next((place for place in PLACES if place[1] not in used), None)
        number = 100
        while not free:
            addresses = f"10.244.{1 + number % 2}.{number // 2 + 50}", f"fd00:10:244:{1 + number % 2}::{number:x}"
            if addresses[0] not in used:
                free = (f"node{1 + number % 2}", *addresses)
            number += 1
        self.taken[uid] = free[1]
        return free

    def set_status(self, path, place, ready):
        self.api.request("PATCH", path + "/status", {"status": {
            "phase": "Running", "podIP": place[1], "podIPs": [{"ip": place[1]}, {"ip": place[2]}],
            "conditions": [{"type": "Ready", "status": str(ready)}, {"type": "ContainersReady", "status": str(ready)}]}},
            "application/strategic-merge-patch+json")

    def stop(self):
        self.ending = True
