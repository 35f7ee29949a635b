"""Calls over real HTTP: an answer comes back as received, and each kind of failure has its own name."""

import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from fixtures.services.events import CallAnswer, CallFailure, ServiceCall
from fixtures.services.http_environment import HttpEnvironment
from fixtures.services.infrastructure import MemoryContainer, MemoryQueue
from suites.selfcheck.http_double import serve_responses

LIMIT_S = 20


def call_twice(url: str, **limits: Any) -> CallAnswer | CallFailure:
    """Make a call twice below a path, and return the second answer."""
    call = ServiceCall("fcm", "POST", "/fcm/send", {"to": "\ud800"}, {"Authorization": "key=embedded"})
    queue = MemoryQueue(time.monotonic)
    environment = HttpEnvironment(
        urls={"fcm": f"{url}/base/"},
        container=MemoryContainer(),
        queue=queue,
        dead_letters=queue,
        alert=lambda _service, _reason: None,
        **limits,
    )
    try:
        for _ in range(2):
            ((returned_call, answer),) = environment.call([call])
            assert returned_call == call
    finally:
        environment.close()
    return answer


@pytest.mark.parametrize("retry_after", ["120", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_an_answer_is_brought_back_as_received(retry_after: str) -> None:
    def write_response(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(503)
        handler.send_header("Retry-After", retry_after)
        handler.send_header("Content-Length", "7")
        handler.end_headers()
        handler.wfile.write(b"<html>\xff")

    with serve_responses(write_response) as server:
        answer = call_twice(server.url)
    assert isinstance(answer, CallAnswer)
    assert (answer.status, answer.body, answer.header("retry-after")) == (503, b"<html>\xff", retry_after)
    requests = [
        (path, headers["authorization"], headers["content-type"], body)
        for _, path, headers, body in server.requests
    ]
    assert requests == [("/base/fcm/send", "key=embedded", "application/json", b'{"to":"\\ud800"}')] * 2
    assert server.connections == 1


def test_a_call_without_an_answer_is_told_apart() -> None:
    released = threading.Event()

    def wait(_handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        released.wait(LIMIT_S)

    def break_off(handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True

    with serve_responses(wait) as server:
        assert call_twice(server.url, timeout_s=0.1) == CallFailure("timed out")
        released.set()
    assert call_twice(server.url) == CallFailure("refused")
    with serve_responses(break_off) as server:
        assert call_twice(server.url) == CallFailure("broken off")
