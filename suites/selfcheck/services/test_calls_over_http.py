"""Calls over real HTTP: an answer is brought back as received, and a call without one is told apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from fixtures.services.events import CallAnswer, CallFailure, ServiceCall
from fixtures.services.http_environment import HttpEnvironment
from fixtures.services.memory_container import MemoryContainer
from fixtures.services.memory_queue import MemoryQueue
from suites.selfcheck.http_double import WriteResponse, serve_responses

pytestmark = pytest.mark.aside

LIMIT_S = 20


def world(urls: dict[str, str], **limits: Any) -> HttpEnvironment:
    """A world whose container and queue are in memory."""
    return HttpEnvironment(
        urls, MemoryContainer(), MemoryQueue(time.monotonic), MemoryQueue(time.monotonic), **limits
    )


@contextmanager
def listening(say: WriteResponse) -> Iterator[str]:
    """Somebody below a path, who answers as told."""
    with serve_responses(say) as somebody:
        yield f"{somebody.url}/base/"


def reply(handler: BaseHTTPRequestHandler, answer: CallAnswer) -> None:
    """Write an answer."""
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(answer.body)))
    handler.end_headers()
    handler.wfile.write(answer.body)


def asked(url: str, **limits: Any) -> CallAnswer | CallFailure:
    """What comes back of two calls, the last of them."""
    call = ServiceCall("fcm", "POST", "/fcm/send", {"to": "\ud800"}, {"Authorization": "key=embedded"})
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
        reply(handler, CallAnswer(503, b"<html>\xff", {"Retry-After": retry_after}))

    with listening(answer) as url:
        got = asked(url)
    assert isinstance(got, CallAnswer)
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
        assert asked(url, timeout_s=0.1) == CallFailure("timed out")
        released.set()
    assert asked(url) == CallFailure("refused")
    with listening(cut) as url:
        assert asked(url) == CallFailure("broken off")
