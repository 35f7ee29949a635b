"""A deployment that is wrong from its first response on is never a go."""

import time
from collections.abc import Callable

import pytest

from suites.selfcheck.fail_closed.behaviours import (
    JSON,
    LOGIN_PAGE,
    UNDECIDED,
    always,
    always_wrong,
    dribble_body,
    gzip_bomb,
    send_endless_body,
    send_half,
)
from suites.selfcheck.fail_closed.fault_proxy import Behaviour, ProxiedRequest
from suites.selfcheck.fail_closed.sandbox import TIMEOUT_S, GateFault, Scene, for_each_fault


def send_raw(data: bytes) -> Behaviour:
    return lambda request: request.send(data)


def close(_request: ProxiedRequest) -> None:
    """End the connection without a response."""


def dribble_head(request: ProxiedRequest) -> None:
    request.dribble(b"HTTP/1.1 200 Status\r\nX-Slow: " + b"y" * 4096)


def send_endless_head(request: ProxiedRequest) -> None:
    request.send(b"HTTP/1.1 200 Status\r\n")
    while True:
        request.send(b"X-More: " + b"y" * 1000 + b"\r\n")


def send_endless_100(request: ProxiedRequest) -> None:
    """`100 Continue` repeatedly, each just before the time-out."""
    while True:
        time.sleep(TIMEOUT_S / 4)
        request.send(b"HTTP/1.1 100 Continue\r\n\r\n")


FROM_THE_START = (
    always_wrong(
        "hangs",
        "accepts the request and never answers",
        ProxiedRequest.hang,
        UNDECIDED,
        "ReadTimeout|within 1",
        1,
    ),
    always_wrong(
        "closes", "closes the connection without a response", close, UNDECIDED, "RemoteProtocolError"
    ),
    always_wrong(
        "resets", "resets the connection", ProxiedRequest.reset, UNDECIDED, "ReadError|reset by peer"
    ),
    always_wrong(
        "half-an-answer", "dies in the middle of the body", send_half, UNDECIDED, "RemoteProtocolError"
    ),
    always_wrong(
        "dribbles-headers", "sends its headers byte by byte", dribble_head, UNDECIDED, "no end|within 1", 1
    ),
    always_wrong(
        "dribbles-body", "sends its body byte by byte", dribble_body, UNDECIDED, "no end|within 1", 1
    ),
    always_wrong(
        "endless-headers", "sends headers without end", send_endless_head, UNDECIDED, "RemoteProtocolError"
    ),
    always_wrong(
        "endless-100", "says 100 Continue without end", send_endless_100, UNDECIDED, "no end|within 1", 1
    ),
    always_wrong("endless-body", "sends a body without end", send_endless_body, UNDECIDED, "has no end", 1),
    always_wrong("gzip-bomb", "sends a gigabyte, packed", gzip_bomb(1), UNDECIDED, "has no end"),
    always_wrong("gzip-bomb-twice", "sends a gigabyte, packed twice", gzip_bomb(2), UNDECIDED, "gzip, gzip"),
    always_wrong(
        "redirects",
        "redirects to a login",
        always(302, "text/html", b"", "Location: https://login.example/"),
        UNDECIDED,
        "redirects to",
    ),
    always_wrong(
        "redirects-to-itself",
        "redirects in a circle",
        always(307, "text/html", b"", "Location: /_pact/version"),
        UNDECIDED,
        "redirects to",
    ),
    always_wrong(
        "not-http",
        "speaks another protocol",
        send_raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
        UNDECIDED,
        "RemoteProtocolError",
        1,
    ),
    always_wrong(
        "html-200",
        "answers everything with a login page",
        LOGIN_PAGE,
        UNDECIDED,
        "unobservable-target: .*no JSON",
    ),
    always_wrong(
        "empty-200",
        "answers 200 and {} to everything",
        always(200, JSON, b"{}"),
        UNDECIDED,
        "unobservable-target: .*200 {}",
    ),
    always_wrong("nothing-204", "answers 204 to everything", always(204, JSON, b""), UNDECIDED, "204"),
    always_wrong("refuses-401", "answers 401 to everything", always(401, JSON, b"{}"), UNDECIDED, "401"),
    always_wrong(
        "broken-503", "answers 503 to everything", always(503, "text/plain", b"busy"), UNDECIDED, "503"
    ),
)


# Known before any test, so they take a second each.
@pytest.mark.process
@for_each_fault(FROM_THE_START, by_day={"half-an-answer"})
def test_a_broken_deployment_is_never_go(
    fault: GateFault, scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, scene) == ""
