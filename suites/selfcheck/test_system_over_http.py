"""The same cores over real HTTP: a push goes through eight services and comes out as a subscriber's state."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from fixtures import targets, topology
from fixtures.catalogue import example_report, load
from fixtures.services import NAMES
from fixtures.services import load as service
from fixtures.services.container import MemoryContainer, key_of
from fixtures.services.exchange import Answer, Call, Failure
from fixtures.services.queues import MemoryQueue
from fixtures.services.sockets import SocketWorld, Worker
from fixtures.services.store import SqliteStore
from fixtures.system import scripted

APP = topology.firebase_app()
LIMIT_S = 20


def world(urls: dict[str, str], **limits: Any) -> SocketWorld:
    """A world whose container and queue are in memory."""
    return SocketWorld(
        urls, MemoryContainer(), MemoryQueue(time.monotonic), MemoryQueue(time.monotonic), **limits
    )


@contextmanager
def listening(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """An HTTP server that answers as told."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/base/"
        finally:
            server.shutdown()
            thread.join()


def reply(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Write an answer."""
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    handler.wfile.write(answer.body)


def asked(url: str, **limits: Any) -> Answer | Failure:
    """What comes back of two calls, the last of them."""
    call = Call("fcm", "POST", "/fcm/send", {"to": "\ud800"}, {"Authorization": "key=embedded"})
    there = world({"fcm": url}, **limits)
    try:
        for _ in range(2):
            ((back, answer),) = there.call([call])
            assert back == call
    finally:
        there.close()
    return answer


@pytest.mark.parametrize("retry_after", ["120", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_an_answer_is_brought_back_as_received(retry_after: str) -> None:
    seen = []

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append((handler.path, handler.headers["Authorization"], handler.headers["Content-Type"], body))
        reply(handler, Answer(503, b"<html>\xff", {"Retry-After": retry_after}))

    with listening(answer) as url:
        got = asked(url)
    assert isinstance(got, Answer)
    assert (got.status, got.body, got.header("retry-after")) == (503, b"<html>\xff", retry_after)
    assert seen == [("/base/fcm/send", "key=embedded", "application/json", b'{"to":"\\ud800"}')] * 2


def test_a_call_without_an_answer_is_told_apart() -> None:
    released = threading.Event()

    def silent(_handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        released.wait(LIMIT_S)

    def cut(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True

    with listening(silent) as url:
        assert asked(url, timeout_s=0.1) == Failure("timed out")
        released.set()
    assert asked(url) == Failure("refused")
    with listening(cut) as url:
        assert asked(url) == Failure("broken off")


@pytest.mark.process
@pytest.mark.parametrize(
    ("protocol", "version"),
    [("legacy", "before"), ("fcm_v1", "after")],
    ids=["all-before-legacy", "all-after-v1"],
)
def test_every_case_goes_through_eight_services_over_http(
    protocol: str, version: str, tmp_path: Path
) -> None:
    cases = load().of(protocol)
    fcm = scripted({f"token-{case.id}": example_report(case) for case in cases})

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        got = fcm(Call("fcm", "POST", handler.path, json.loads(body)))
        assert isinstance(got, Answer)
        reply(handler, got)

    options = [part for name in NAMES for part in ("--service", name)]
    options += ["--version", version, "--store", str(tmp_path / "store")]
    with (
        listening(answer) as fcm_url,
        targets.served("fixtures.services.serve", *options, services=len(NAMES)) as lines,
    ):
        urls = {line["service"]: line["url"] for line in lines} | {"fcm": fcm_url}
        there, store = world(urls), SqliteStore(tmp_path / "store")
        lists = [key_of(APP, spam=spam) for spam in (False, True)]
        worker = Worker([service(name, version) for name in NAMES], store, there, lists)
        worker.start()
        try:
            for number, case in enumerate(cases, start=1):
                push(there, str(UUID(int=number)), f"token-{case.id}")
            codes = counted(there, len(cases))
            acted = {case.id: state(there, str(UUID(int=n)), case.outcome) for n, case in enumerate(cases, 1)}
        finally:
            worker.stop()
            there.close()
            store.close()
    assert sum(codes.values()) == len(cases)
    assert set(codes) == {case.code for case in cases}
    ends = {"unsubscribe": "unsubscribed", "postpone": "postponed"}
    assert acted == {case.id: ends.get(case.outcome, "active") for case in cases}


def push(there: SocketWorld, subscriber_id: str, token: str) -> None:
    """Subscribe somebody, and push to them."""
    device = {"subscriber_id": subscriber_id, "token": token}
    since = {"token_since": "2020-01-01T00:00:00Z", "firebase_app": APP}
    states = {"state": "subscribers exist", "params": {"subscribers": [device | since]}}
    order = {"firebase_app": APP, "spam": False, "message": {}, "subscribers": [device]}
    for name, path, body in [
        ("subscribers-errors", "/_pact/provider-states", states),
        ("directory-messages", "/v1/messages", order),
    ]:
        ((_, answer),) = there.call([Call(name, "POST", path, body)])
        assert isinstance(answer, Answer)
        assert answer.status < 300, answer


def ask(there: SocketWorld, name: str, path: str) -> Any:
    """Look at a service."""
    ((_, answer),) = there.call([Call(name, "GET", path, None)])
    assert isinstance(answer, Answer)
    return answer.json()


def counted(there: SocketWorld, wanted: int) -> dict[str, int]:
    """The stored responses by code, when all are there."""
    limit = time.monotonic() + LIMIT_S
    counts: dict[str, int] = {}
    while sum(counts.values()) < wanted and time.monotonic() < limit:
        time.sleep(0.05)
        counts = ask(there, "directory-responses", f"/v1/responses/summary?firebase_app={APP}")["counts"]
    return counts


def state(there: SocketWorld, subscriber_id: str, outcome: str) -> str:
    """The state of a subscriber, as soon as it is another than active, where it must be."""
    limit = time.monotonic() + LIMIT_S
    while True:
        (shown,) = ask(there, "subscribers-errors", f"/v1/subscribers?id={subscriber_id}")["subscribers"]
        if (
            outcome not in ("unsubscribe", "postpone")
            or shown["status"] != "active"
            or time.monotonic() > limit
        ):
            return str(shown["status"])
        time.sleep(0.05)
