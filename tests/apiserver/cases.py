# SPDX-License-Identifier: GPL-2.0
"""What the API source does, each case a sentence. A case is a function with the parameter world (see run)."""
import json
import threading
import time
from random import Random

from apiserver import endpoint_slice, service, status
from replay import refusal


def verbs(api, resource="services", since=0):
    return [verb for verb, name, _ in api.requests[since:] if name == resource]


def queries(api, verb, since=0):
    return [query for asked, _, query in api.requests[since:] if asked == verb]


def told(follow, since=0):
    """The changes, without their versions."""
    return [line.rsplit(" ", 1)[0][8:] for line in follow.since(since, "changed ")]


def versions(api, name="services"):
    return {key: item["metadata"]["resourceVersion"] for key, item in api.resource(name).objects.items()}


# Lists

def the_first_picture_is_told_before_it_is_called_complete(world):
    api = world.server()
    for i in range(3):
        api.put("services", service(f"s{i}"))
    follow = world.follow(api)
    follow.wait("synced all")
    assert follow.lines[:5] == [f"changed services default/s{i} added {1001 + i}" for i in range(3)] + \
        ["synced services", "synced all"], follow.lines
    assert verbs(api) == ["stream"]


def a_server_without_streaming_lists_is_listed_and_watched(world):
    api = world.server(watch_list=False)
    api.fault("stream", answer=refusal("422-watchlist-disabled"))
    api.put("services", service("s0"))
    follow = world.follow(api)
    follow.wait("connected yes")
    api.put("services", service("s1"))
    follow.wait("changed services default/s1 added")
    assert verbs(api) == ["stream", "list", "watch"]
    assert queries(api, "list")[0]["resourceVersion"] == "0"
    assert queries(api, "watch")[0]["resourceVersion"] == "1001"


def a_list_is_read_page_by_page(world):
    api = world.server(watch_list=False)
    for i in range(25):
        api.put("services", service(f"s{i:02}"))
    # The newest state, which comes in pages, is asked for once a version is refused.
    api.fault("list", answer=refusal("3-exact-list"))
    follow = world.follow(api, page=10)
    follow.wait("synced all")
    assert follow.picture() == versions(api)
    pages = queries(api, "list")[1:]
    assert len(pages) == 3 and all("resourceVersion" not in page for page in pages), pages
    assert "continue" in pages[1] and pages[2]["continue"] != pages[1]["continue"]


def a_page_that_comes_too_late_makes_the_list_begin_again_in_one_piece(world):
    api = world.server(watch_list=False)
    for i in range(25):
        api.put("services", service(f"s{i:02}"))
    api.fault("list", answer=refusal("3-exact-list"))
    follow_on = api.fault("list", times=0, answer=refusal("4-continue"))
    held = threading.Event()
    api.fault("list", held=held)
    follow = world.follow(api, page=10)
    world.until(lambda: len(queries(api, "list")) == 2)
    # The second page is refused as the recording has it.
    follow_on.times = 1
    held.set()
    follow.wait("synced all")
    assert follow.picture() == versions(api)
    assert "limit" not in queries(api, "list")[-1] and "continue" not in queries(api, "list")[-1]


def a_list_that_breaks_in_the_middle_tells_nothing_and_is_asked_for_again(world):
    api = world.server(watch_list=False)
    for i in range(5):
        api.put("services", service(f"s{i}"))
    held = threading.Event()
    api.fault("list", cut=1200)
    api.fault("list", end=1200)
    api.fault("list", held=held)
    follow = world.follow(api, no_watch_list=1)
    world.until(lambda: len(queries(api, "list")) == 3)
    assert not told(follow) and not follow.picture()
    held.set()
    follow.wait("synced all")
    assert follow.picture() == versions(api)


def a_streaming_list_that_breaks_is_begun_again(world):
    api = world.server()
    for i in range(5):
        api.put("services", service(f"s{i}"))
    api.fault("stream", cut=1200)
    api.fault("stream", end=1200)
    follow = world.follow(api)
    follow.wait("synced all")
    assert follow.picture() == versions(api)
    assert told(follow) == [f"services default/s{i} added" for i in range(5)]


def slow_bytes_are_waited_for(world):
    api = world.server()
    api.put("services", service("s0"))
    api.fault("stream", slow=(9, 0.004))
    follow = world.follow(api, list_silence_ms=400)
    follow.wait("synced all")
    assert verbs(api) == ["stream"]


def a_list_from_which_nothing_more_comes_is_given_up(world):
    api = world.server()
    for i in range(5):
        api.put("services", service(f"s{i}"))
    api.fault("list", stall=700)
    api.fault("list", stall=0)
    follow = world.follow(api, no_watch_list=1, list_silence_ms=300, head_ms=300)
    follow.wait("state services waiting", has="nothing more came")
    follow.wait("state services waiting", has="no answer came in time")
    follow.wait("synced all")
    assert follow.picture() == versions(api)


def a_stream_that_never_ends_its_list_gives_way_to_a_list(world):
    api = world.server()
    api.put("services", service("s0"))
    api.fault("stream", stall=500)
    follow = world.follow(api, list_silence_ms=300)
    follow.wait("synced all")
    assert verbs(api)[:2] == ["stream", "list"]


def an_object_that_cannot_be_read_is_left_out_and_said(world):
    api = world.server()
    api.put("services", service("bad\0name"))
    api.put("services", service("good"))
    follow = world.follow(api)
    follow.wait("synced all")
    follow.wait("state services watching", has="cannot be read and is left out")
    assert list(follow.picture()) == ["default/good"]


# Watches

def changes_come_as_they_happen(world):
    api = world.server()
    api.put("services", service("s0"))
    follow = world.follow(api)
    follow.wait("synced all")
    mark = follow.mark()
    api.put("services", service("s1"))
    api.put("services", service("s0", port=81))
    api.delete("services", "default/s1")
    follow.wait("changed services default/s1 removed")
    assert told(follow, mark) == ["services default/s1 added", "services default/s0 changed", "services default/s1 removed"]
    assert follow.picture() == versions(api)


def what_changes_without_a_meaning_is_not_told(world):
    api = world.server()
    item = service("s0")
    api.put("services", item)
    follow = world.follow(api)
    follow.wait("synced all")
    mark = follow.mark()
    item["metadata"]["managedFields"] = [{"manager": "somebody"}]
    api.put("services", item)
    api.put("services", service("s1"))
    follow.wait("changed services default/s1 added")
    assert told(follow, mark) == ["services default/s1 added"]
    assert follow.picture() == versions(api)


def a_bookmark_is_where_a_watch_goes_on_from(world):
    api = world.server(bookmark_seconds=0.05)
    api.put("services", service("s0"))
    follow = world.follow(api)
    follow.wait("connected yes")
    api.put("nodes", {"metadata": {"name": "n"}})
    version = str(api.version)
    time_of = len(api.requests)
    # Bookmarks move on with every change of the cluster; what was before them may be forgotten.
    world.until(lambda: follow.resource_version() == version)
    api.forget()
    mark = follow.mark()
    api.drop_connections()
    follow.wait("connected yes", since=mark)
    assert [query["resourceVersion"] for query in queries(api, "watch", time_of)][-1] == version
    assert "stream" not in verbs(api, since=time_of)


def a_watch_that_ends_in_time_goes_on_without_a_list(world):
    api = world.server()
    api.put("services", service("s0"))
    follow = world.follow(api, watch_seconds=1)
    follow.wait("connected yes")
    world.until(lambda: verbs(api).count("watch") >= 2)
    api.put("services", service("s1"))
    follow.wait("changed services default/s1 added")
    assert verbs(api).count("stream") == 1 and "list" not in verbs(api)
    assert not follow.since(0, "state services waiting")


def a_stream_cut_in_the_middle_of_an_object_goes_on_from_the_last_whole_one(world):
    api = world.server()
    for i in range(3):
        api.put("services", service(f"s{i}"))
    follow = world.follow(api)
    follow.wait("connected yes")
    fault = api.fault("watch", cut=900)
    api.drop_connections()
    world.until(lambda: not fault.times)
    for i in range(3):
        api.put("services", service(f"s{i}", port=100 + i))
    follow.wait("changed services default/s2 changed")
    assert told(follow)[3:] == [f"services default/s{i} changed" for i in range(3)]
    assert verbs(api).count("stream") == 1
    assert follow.picture() == versions(api)


def a_silent_watch_is_given_up_on_a_new_connection(world):
    api = world.server(bookmark_seconds=0.1)
    api.put("services", service("s0"))
    follow = world.follow(api, watch_silence_ms=400)
    follow.wait("connected yes")
    fault = api.fault("watch", stall=10)
    api.drop_connections()
    world.until(lambda: not fault.times)
    api.put("services", service("s1"))
    follow.wait("changed services default/s1 added")
    assert any("nothing more came" in line for line in follow.since(0, "state services waiting"))
    assert verbs(api).count("stream") == 1


def a_history_that_is_lost_is_made_up_for_by_the_differences(world):
    old = (410, status(410, "Expired", "too old resource version: 1003 (1010)"))
    for refused, streams in ((None, True), (old, True), (None, False), (old, False)):
        api = world.server(watch_list=streams)
        for i in range(4):
            api.put("services", service(f"s{i}"))
        follow = world.follow(api)
        follow.wait("connected yes")
        mark = follow.mark()
        api.stop()
        api.put("services", service("s1", port=81))
        api.delete("services", "default/s2")
        api.put("services", service("new"))
        api.forget()
        if refused:
            api.fault("watch", answer=refused)
        api.start()
        follow.wait("changed services default/s1 changed")
        assert told(follow, mark) == ["services default/s2 removed", "services default/new added",
                                      "services default/s1 changed"], told(follow, mark)
        assert follow.picture() == versions(api)


def a_list_of_a_version_that_is_too_old_is_asked_for_anew(world):
    api = world.server(watch_list=False)
    api.put("services", service("s0"))
    follow = world.follow(api)
    follow.wait("connected yes")
    api.stop()
    api.delete("services", "default/s0")
    api.put("services", service("s1"))
    api.forget()
    api.fault("watch", answer=refusal("3-exact-list"))
    since = len(api.requests)
    probe = api.fault("list", times=2, answer=None)
    probe.times = 0
    api.start()
    follow.wait("changed services default/s1 added")
    asked = queries(api, "list", since)
    # Where the server is; then not older than we know, which is cheap.
    assert asked[0]["fieldSelector"].startswith("metadata.name=") and asked[1]["resourceVersion"] == "1001", asked
    assert follow.picture() == versions(api)


def a_server_with_another_history_is_listed_although_it_is_behind(world):
    api = world.server()
    for i in range(20):
        api.put("services", service(f"s{i:02}"))
    follow = world.follow(api)
    follow.wait("connected yes")
    mark = follow.mark()
    api.stop()
    # Restored from a backup: the same names and a lower version, and one object of the same version is another.
    again = world.server(port=api.port, start=False)
    again.put("services", service("s00", port=81))
    for i in range(1, 5):
        again.put("services", service(f"s{i:02}"))
    again.start()
    follow.wait("changed services default/s00 changed")
    follow.wait("connected yes", since=mark)
    assert follow.picture() == versions(again)
    assert told(follow, mark) == [f"services default/s{i:02} removed" for i in range(5, 20)] + \
        ["services default/s00 changed"], told(follow, mark)


def the_picture_stays_while_the_server_is_away(world):
    api = world.server()
    for i in range(3):
        api.put("services", service(f"s{i}"))
    follow = world.follow(api)
    follow.wait("connected yes")
    mark = follow.mark()
    there = versions(api)
    api.stop()
    follow.wait("state services waiting", since=mark, has="Connection refused")
    assert follow.picture() == there and not told(follow, mark)
    api.start()
    api.put("services", service("s3"))
    follow.wait("changed services default/s3 added", since=mark)
    assert told(follow, mark) == ["services default/s3 added"]


def watches_that_the_server_sends_away_come_back(world):
    api = world.server()
    api.put("services", service("s0"))
    follow = world.follow(api)
    follow.wait("connected yes")
    api.end_watches()
    world.until(lambda: "watch" in verbs(api))
    api.put("services", service("s1"))
    follow.wait("changed services default/s1 added")
    assert verbs(api).count("stream") == 1


def a_history_that_is_lost_again_and_again_is_not_asked_for_without_pause(world):
    api = world.server(watch_list=False)
    api.put("services", service("s0"))
    api.fault("watch", times=7, answer=refusal("3-exact-list"))
    begun = time.monotonic()
    follow = world.follow(api, backoff_min_ms=300, backoff_max_ms=300)
    follow.wait("state services waiting", has="410 Gone")
    follow.wait("connected yes")
    assert verbs(api).count("watch") == 8 and time.monotonic() - begun > 0.6


def the_picture_is_right_in_the_end_whatever_goes_wrong_on_the_way(world):
    for seed in range(2):
        api = world.server(bookmark_seconds=0.05)
        go_wrong(world, api, world.kubeconfig(api.url), Random(seed))


def the_picture_is_right_in_the_end_with_http2_as_well(world):
    for seed in range(2, 4):
        api = world.server(bookmark_seconds=0.05, tls=False)
        go_wrong(world, api, world.kubeconfig(world.http2(api).url), Random(seed))


def go_wrong(world, api, kubeconfig, random):
    follow = world.follow(None, kubeconfig=kubeconfig, kinds="services,endpointslices", watch_seconds=1, page=7, quiet=1,
                          watch_silence_ms=300, list_silence_ms=300, head_ms=500)
    answers = ["401-bad-token", "403-list", "3-exact-list", "future-rv-list", "startup-403", "422-watchlist-disabled"]
    for step in range(200):
        kind = random.choice(("services", "endpointslices"))
        name = f"x{random.randrange(12)}"
        if random.random() < 0.7 or "default/" + name not in api.resource(kind).objects:
            api.put(kind, service(name, port=1 + step) if kind == "services" else
                    endpoint_slice(name, "x1", [f"10.0.{step >> 8}.{step & 255}"]))
        else:
            api.delete(kind, "default/" + name)
        if random.random() < 0.15:
            random.choice((api.drop_connections, api.end_watches, api.forget))()
        if random.random() < 0.2:
            verb = random.choice(("list", "watch", "stream"))
            api.fault(verb, kind, **random.choice((
                {"cut": random.randrange(2000)}, {"stall": random.randrange(1, 2000)}, {"end": random.randrange(2000)},
                {"answer": refusal(random.choice(answers))}, {"slow": (50, 0.001)})))
        if step % 50 == 49:
            api.stop()
            api.start()
        # Sometimes it has the time to follow, and sometimes not.
        if random.random() < 0.3:
            world.until(lambda seen=len(api.requests): len(api.requests) > seen or random.random() < 0.2)
    api.faults.clear()
    for kind in ("services", "endpointslices"):
        world.until(lambda kind=kind: follow.picture(kind) == versions(api, kind))
    assert follow.process.poll() is None


def pauses_grow_while_attempts_fail(world):
    api = world.server()
    api.fault("stream", times=6, answer=(500, status(500, "InternalError", "no")))
    begun = time.monotonic()
    follow = world.follow(api, backoff_min_ms=40, backoff_max_ms=160)
    follow.wait("synced all")
    # 40 + 80 + 160 + 160 + 160 + 160, each up to twice as long.
    assert 0.7 < time.monotonic() - begun < 15
    assert follow.lines[0].endswith("WATCH of services: the server answered 500 Internal Server Error: no"), follow.lines[0]


# Refusals

def too_many_requests_are_waited_for_as_long_as_the_server_asks(world):
    api = world.server()
    api.fault("stream", answer=refusal("429-too-many"))
    begun = time.monotonic()
    follow = world.follow(api)
    follow.wait("state services waiting", has="429 Too Many Requests: Too many requests, please try again later")
    follow.wait("synced all")
    assert time.monotonic() - begun >= 1


def a_server_that_is_behind_is_asked_for_its_newest_state(world):
    api = world.server(watch_list=False)
    api.put("services", service("s0"))
    api.fault("list", answer=refusal("future-rv-list"))
    follow = world.follow(api)
    follow.wait("synced all")
    assert [query.get("resourceVersion") for query in queries(api, "list")] == ["0", None]


def no_rights_yet_is_not_final(world):
    api = world.server()
    api.fault("stream", answer=refusal("startup-403"))
    api.fault("stream", answer=refusal("403-list"))
    api.fault("stream", answer=refusal("etcd-down-list"))
    follow = world.follow(api)
    follow.wait("state services waiting", has="403 Forbidden")
    follow.wait("state services waiting", has="504 Gateway Timeout: Timeout: request did not complete")
    follow.wait("synced all")


def an_error_event_in_a_watch_leads_to_a_list(world):
    api = world.server()
    api.put("services", service("s0"))
    follow = world.follow(api)
    follow.wait("connected yes")
    since = len(api.requests)
    with api.lock:
        api.version += 1
        api.resource("services").history.append((api.version, "ERROR", {
            "metadata": {}, "status": "Failure", "message": "etcd event received with PrevKv=nil", "code": 500}))
        api.lock.notify_all()
    world.until(lambda: "stream" in verbs(api, since=since))
    follow.wait("state services waiting", has="PrevKv=nil")


# Who we are

def a_token_that_is_refused_is_read_again_at_once(world):
    api = world.server()
    world.write("token", "old\n")
    follow = world.follow(api, user={"tokenFile": "token"}, kinds="services,nodes")
    follow.wait("state services waiting", has="401 Unauthorized")
    world.write("token", "secret\n")
    follow.wait("synced all")
    api.tokens = {"newer"}
    world.write("token", "newer\n")
    since, mark = len(api.requests), follow.mark()
    api.drop_connections()
    follow.wait("connected yes", since=mark)
    heads = [head["Authorization"] for head in api.headers[since:]]
    assert "Bearer secret" in heads and heads[-1] == "Bearer newer", heads


def a_token_file_is_read_again_as_time_goes(world):
    api = world.server(tokens=("secret", "newer"))
    world.write("token", "secret")
    follow = world.follow(api, user={"tokenFile": "token", "token": "worse"}, token_ms=1)
    follow.wait("connected yes")
    world.write("token", "newer")
    assert follow.request("GET", "/version")[1] == 200
    assert api.headers[-1]["Authorization"] == "Bearer newer"


def a_client_certificate_is_shown(world):
    api = world.server(need_cert=True)
    follow = world.follow(api, user={"client-certificate": "client.crt", "client-key": "client.key"})
    follow.wait("synced all")
    follow = world.follow(api, user={"client-certificate-data": world.base64("client.crt"),
                                     "client-key-data": world.base64("client.key")})
    follow.wait("synced all")
    follow = world.follow(api, user={"token": "secret"})
    follow.wait("state services waiting")


def a_plugin_makes_credentials_until_they_expire(world):
    api = world.server(tokens=("made-1",))
    world.plugin("""n=$(($(cat count 2>/dev/null || echo 0) + 1)); echo $n >count
        echo "$KUBERNETES_EXEC_INFO" >info; echo "$1 $GIVEN" >given
        echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"made-'$n'"}}'""")
    follow = world.follow(api, kinds="services,nodes,namespaces", user={"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": ["word"],
        "env": [{"name": "GIVEN", "value": "given"}], "provideClusterInfo": True, "interactiveMode": "Never"}})
    follow.wait("connected yes")
    assert world.read("count") == "1\n" and world.read("given") == "word given\n"
    info = json.loads(world.read("info"))
    assert info["spec"]["cluster"]["server"] == api.url and not info["spec"]["interactive"]
    assert info["spec"]["cluster"]["certificate-authority-data"] == world.base64("ca.crt")
    # Refused: made anew.
    api.tokens = {"made-2"}
    assert follow.request("GET", "/version")[1] == 200
    # Expired: made anew before it is refused.
    world.plugin("""echo x >>runs; echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential",
        "status":{"token":"made-2","expirationTimestamp":"'$(date -u -d '+2 seconds' +%FT%TZ)'"}}'""")
    follow = world.follow(api, user={"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "./plugin"}})
    follow.wait("connected yes")
    assert follow.request("GET", "/version")[1] == 200
    assert world.read("runs") == "x\nx\n"


def a_plugin_makes_a_client_certificate(world):
    api = world.server(need_cert=True)
    world.plugin("""awk 'BEGIN { ORS = "\\\\n" } 1' client.crt >crt; awk 'BEGIN { ORS = "\\\\n" } 1' client.key >key
        printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":'
        printf '{"clientCertificateData":"%s","clientKeyData":"%s"}}' "$(cat crt)" "$(cat key)" """)
    follow = world.follow(api, user={"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin"}})
    follow.wait("synced all")


def a_plugin_that_fails_is_said_and_tried_again(world):
    api = world.server(tokens=("good",))
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "installHint": "get it"}}
    follow = world.follow(api, user=user)
    follow.wait("state services waiting", has="it cannot be run: No such file or directory; get it")
    world.plugin("exit 3")
    follow.wait("state services waiting", has="it ended with exit code 3")
    world.plugin("echo nonsense")
    follow.wait("state services waiting", has="what it printed is no JSON")
    world.plugin("""echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"good"}}'""")
    follow.wait("synced all")


def a_user_with_a_password_and_another_in_whose_name_it_acts(world):
    api = world.server()
    follow = world.follow(api, user={"username": "me", "password": "secret", "as": "system:node:n", "as-uid": "u",
                                     "as-groups": ["system:nodes", "two"], "as-user-extra": {"scopes": ["a"]}})
    follow.wait("synced all")
    head = api.headers[0]
    assert head["Impersonate-User"] == "system:node:n" and head["Impersonate-Uid"] == "u", head
    assert head["Impersonate-Extra-scopes"] == "a" and head.get_all("Impersonate-Group") == ["system:nodes", "two"], head


def a_pod_uses_its_service_account(world):
    api = world.server()
    for name, text in (("token", "secret"), ("namespace", "kube-system"), ("ca.crt", world.read("ca.crt"))):
        world.write("account/" + name, text)
    env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port)}
    follow = world.follow(None, service_account=world.path("account"), env=env)
    follow.wait("error warning: the API server is reached at " + api.url)
    follow.wait("synced all")
    env["KUBERNETES_SERVICE_HOST"] = "203.0.113.1"
    follow = world.follow(None, service_account=world.path("account"), env=env, server=api.url)
    follow.wait("synced all")
    assert not follow.since(0, "error")


# The way there

def a_server_with_a_certificate_of_another_is_not_spoken_to(world):
    api = world.server()
    follow = world.follow(api, cluster={"certificate-authority": "other-ca.crt"})
    follow.wait("state services waiting", has="certificate")
    assert not api.requests
    follow = world.follow(api, cluster={"certificate-authority-data": world.base64("ca.crt"), "tls-server-name": "other.test"})
    follow.wait("state services waiting", has="other.test")
    assert not api.requests


def a_certificate_is_verified_by_the_name_that_is_given(world):
    api = world.server()
    follow = world.follow(api, cluster={"certificate-authority": "ca.crt", "tls-server-name": "kubernetes.test"})
    follow.wait("synced all")
    assert api.headers[0]["Host"] == f"127.0.0.1:{api.port}", api.headers[0]


def verification_is_left_away_only_where_that_is_asked_for(world):
    api = world.server()
    follow = world.follow(api, cluster={"insecure-skip-tls-verify": True})
    follow.wait("error ", has="warning: anybody on the way can pose as the API server")
    follow.wait("synced all")


def a_proxy_is_gone_through(world):
    api = world.server()
    proxy = world.proxy()
    follow = world.follow(api, cluster={"certificate-authority": "ca.crt", "proxy-url": proxy.url})
    follow.wait("synced all")
    assert proxy.asked == [f"127.0.0.1:{api.port}"]


def a_server_without_tls_is_followed_as_well(world):
    api = world.server(tls=False)
    api.put("services", service("s0"))
    follow = world.follow(api, cluster={}, kinds="services,endpointslices,nodes,namespaces")
    follow.wait("connected yes")


def one_connection_carries_all_watches_with_http2(world):
    api = world.server(tls=False)
    front = world.http2(api)
    for i in range(50):
        api.put("services", service(f"s{i:02}"))
        api.put("endpointslices", endpoint_slice(f"s{i:02}-x", f"s{i:02}", ["10.244.0.1"]))
    kubeconfig = world.kubeconfig(front.url)
    follow = world.follow(None, kubeconfig=kubeconfig, kinds="services,endpointslices,nodes,namespaces")
    follow.wait("connected yes")
    assert follow.picture() == versions(api)
    api.put("services", service("later"))
    follow.wait("changed services default/later added")
    assert front.connections == 1, front.connections


# Single requests

def objects_are_made_changed_and_refused(world):
    api = world.server()
    api.put("services", service("s0"))
    follow = world.follow(api, kinds="")
    lease = '{"metadata":{"name":"lb"},"spec":{"holderIdentity":"node-a","leaseDurationSeconds":15}}'
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
    error, code, _, why, _, body = follow.request("POST", path, lease)
    assert (error, code, why) == (0, 201, "") and json.loads(body)["kind"] == "Lease", body
    answer = follow.request("POST", path, lease)
    assert answer[:3] == (0, 409, "AlreadyExists") and "409 Conflict: leases" in answer[3], answer
    stale = '{"metadata":{"name":"lb","resourceVersion":"1"},"spec":{}}'
    assert follow.request("PUT", path + "/lb", stale)[:3] == (0, 409, "Conflict")
    patch = '{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1","ipMode":"VIP"}]}}}'
    assert follow.request("PATCH", "/api/v1/namespaces/default/services/s0/status", patch)[1] == 200
    assert api.headers[-1]["Content-Type"] == "application/merge-patch+json"
    assert api.resource("services").objects["default/s0"]["status"]["loadBalancer"]["ingress"][0]["ip"] == "192.0.2.1"
    event = '{"metadata":{"generateName":"s0."},"involvedObject":{"kind":"Service","name":"s0"},"reason":"Synced"}'
    assert follow.request("POST", "/api/v1/namespaces/default/events", event)[1] == 201
    assert follow.request("DELETE", path + "/lb")[1] == 200
    assert follow.request("GET", path + "/lb")[:3] == (0, 404, "NotFound")


def a_single_request_that_fails_says_how(world):
    api = world.server()
    follow = world.follow(api, kinds="")
    api.fault("get", answer=refusal("429-too-many"))
    answer = follow.request("GET", "/api/v1/namespaces/default/services/s0")
    assert answer[:2] == (0, 429) and answer[4] == 1, answer
    api.fault("GET", answer=refusal("409-already-exists"))
    api.tokens = {"another"}
    answer = follow.request("GET", "/api/v1/namespaces/default/services/s0")
    assert answer[:3] == (0, 401, "Unauthorized") and len(api.requests) == 3, answer
    api.stop()
    answer = follow.request("GET", "/version")
    assert answer[0] == 111 and api.url in answer[3], answer


# Recorded from a real server

def recorded_watches_lead_to_the_recorded_end(world):
    for kind, resource in (("services", "services"), ("endpointslices", "endpointslices"), ("nodes", "nodes")):
        for piece in (1 << 16, 1000, 61):
            names = [f"flow-{resource}-1-list", f"flow-{resource}-2-watch"]
            replay = world.replay(names, piece)
            follow = world.follow(None, kubeconfig=world.kubeconfig(replay.url), kinds=kind, no_watch_list=1)
            # It ended in time, so the next watch follows.
            world.until(lambda replay=replay: len(replay.requests) == 3)
            assert follow.picture(kind) == world.objects_after(*names)
            bookmark = world.last_bookmark(names[1])
            assert replay.requests[2].get("resourceVersion") == bookmark, replay.requests
            follow.stop()


def recorded_streaming_lists_are_complete_at_their_mark(world):
    for resource in ("services", "nodes"):
        name = f"initial-events-{resource}"
        replay = world.replay([name], 700)
        follow = world.follow(None, kubeconfig=world.kubeconfig(replay.url), kinds=resource)
        follow.wait("synced all")
        world.until(lambda replay=replay: len(replay.requests) == 2)
        assert follow.picture(resource) == world.objects_after(None, name)


def recorded_pages_make_one_list(world):
    names = ["services-page1", "services-page2", "services-page3"]
    replay = world.replay(names, 333)
    follow = world.follow(None, kubeconfig=world.kubeconfig(replay.url), no_watch_list=1)
    follow.wait("synced all")
    there = {}
    for name in names:
        there.update(world.objects_after(name))
    assert follow.picture() == there
    world.until(lambda: len(replay.requests) == 4)
    assert all("resourceVersion" not in query for query in replay.requests[1:3])


def recorded_lists_that_are_compressed_indented_or_empty_are_read(world):
    for name, kind in (("endpointslices-gzip-compressed", "endpointslices"), ("services-pretty", "services"),
                       ("services-empty-namespace", "services")):
        replay = world.replay([name], 5000)
        follow = world.follow(None, kubeconfig=world.kubeconfig(replay.url), kinds=kind, no_watch_list=1, gzip=1)
        # The indented one is a first page.
        if name == "services-pretty":
            world.until(lambda replay=replay: len(replay.requests) == 2)
            assert "continue" in replay.requests[1]
            continue
        follow.wait("synced all")
        assert follow.picture(kind) == world.objects_after(name)


def a_recorded_server_that_was_killed_is_asked_where_it_is(world):
    replay = world.replay(["flow-services-1-list", "watch-during-sigkill"], end=True)
    follow = world.follow(None, kubeconfig=world.kubeconfig(replay.url), no_watch_list=1)
    follow.wait("state services waiting")
    world.until(lambda: len(replay.requests) == 3)
    assert "fieldSelector" in replay.requests[2] and replay.requests[2]["resourceVersion"] != replay.requests[0]


def a_recorded_history_that_is_lost_is_listed(world):
    replay = world.replay(["flow-services-1-list", "2-watch-services", "flow-services-1-list"])
    follow = world.follow(None, kubeconfig=world.kubeconfig(replay.url), no_watch_list=1)
    world.until(lambda: len(replay.requests) == 4)
    assert follow.picture() == world.objects_after("flow-services-1-list")
    assert replay.requests[2]["resourceVersion"] == replay.requests[1]["resourceVersion"]


# Size

def memory_stays_flat_while_a_large_list_is_read(world):
    api = world.server()
    for i in range(600):
        api.put("endpointslices", endpoint_slice(f"s-{i:04}", "s", [f"10.244.{i >> 8}.{i & 255}"] * 10))
    # 20 KB of each are nothing that is kept.
    for item in api.resource("endpointslices").objects.values():
        item["metadata"]["managedFields"] = [{"fieldsV1": {f"f:{i}": {} for i in range(2000)}}]
    api.resource("endpointslices").encoded.clear()
    # What is freed is free, and not kept to find mistakes by.
    patient = {"quiet": 1, "list_silence_ms": 20000, "head_ms": 20000, "env": {"ASAN_OPTIONS": "quarantine_size_mb=1"}}
    small = world.follow(api, kinds="", **patient)
    base = small.memory()[0]
    for options in ({}, {"no_watch_list": 1}):
        follow = world.follow(api, kinds="endpointslices", **patient, **options)
        follow.wait("synced all")
        grown = follow.memory()[0] - base
        # The list is 15 MB; its objects take about 6 KiB each, several times that under a sanitizer.
        assert grown < (60000 if world.sanitized else 8000), f"{grown} KiB"
        # A second list takes no more than the first, since what is the same is not kept twice.
        since, before, mark = len(api.requests), follow.memory()[0], follow.mark()
        api.forget()
        api.version += 1
        api.oldest = api.version
        api.drop_connections()
        follow.wait("state endpointslices listing", since=mark)
        follow.wait("connected yes", since=mark)
        assert follow.memory()[0] - before < (30000 if world.sanitized else 2500)
        assert {"stream", "list"} & set(verbs(api, "endpointslices", since))


CASES = [value for name, value in list(globals().items())
         if callable(value) and getattr(value, "__module__", "") == __name__ and "world" in
         value.__code__.co_varnames[:value.__code__.co_argcount] and value.__code__.co_argcount == 1]
