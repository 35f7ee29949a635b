"""Deployments that misbehave on the wire: at every request, at batches, or at observations."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from suites.selfcheck.fail_closed.fault_proxy import Behaviour, ProxiedRequest, ProxiedResponse, run_proxy
from suites.selfcheck.fail_closed.sandbox import REACTOR, TIMEOUT_S, GateCall, GateFault, Scene, deploy

UNDECIDED, NO_GO = "undecided", "no-go"
JSON = "application/json"
HEAD = f"HTTP/1.1 200 Status\r\nContent-Type: {JSON}\r\n".encode()
MEGABYTE = 1 << 20


def always_wrong(  # noqa: PLR0913, PLR0917  a row of the tables of faults
    name: str,
    what: str,
    behaviour: Behaviour,
    verdict: str,
    reason: str,
    waits_s: float = 0,
    service: str = REACTOR,
) -> GateFault:
    """A deployment with this behaviour at every request."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        with run_proxy(scene.service_urls[service], behaviour) as url:
            yield GateCall(deploy(service, url, scene))

    return GateFault(name, f"it {what}", verdict, reason, put_in_place, waits_s)


def wrong_at_batches(name: str, what: str, behaviour: Behaviour, *row: Any) -> GateFault:
    return always_wrong(f"batches-{name}", what, on_batches(behaviour), *row)


def wrong_at_observations(name: str, what: str, behaviour: Behaviour, *row: Any) -> GateFault:
    return always_wrong(f"looks-{name}", what, on_observations(behaviour), *row)


def forward(request: ProxiedRequest) -> None:
    """The service's own response: no fault."""
    request.respond(request.fetch())


def on_batches(behaviour: Behaviour) -> Behaviour:
    """The behaviour for delivered batches; other requests are forwarded."""
    return lambda request: (behaviour if request.is_batch else forward)(request)


def on_observations(behaviour: Behaviour) -> Behaviour:
    """The behaviour for observations; other requests are forwarded."""
    return lambda request: (behaviour if request.is_observation else forward)(request)


def always(status: int, content_type: str, body: bytes, *headers: str) -> Behaviour:
    """The same response to every request."""
    return lambda request: request.respond(ProxiedResponse(status, content_type, body), *headers)


LOGIN_PAGE = always(200, "text/html", b"<!doctype html><title>Log in</title><h1>Please log in</h1>")
NOT_FOUND, FAILED = always(404, JSON, b"{}"), always(500, JSON, b"{}")


def send_raw(data: bytes) -> Behaviour:
    return lambda request: request.send(data)


def with_body(change: Callable[[ProxiedResponse], bytes], content_type: str = JSON) -> Behaviour:
    """The service's own response with another body."""

    def respond(request: ProxiedRequest) -> None:
        response = request.fetch()
        request.respond(ProxiedResponse(response.status, content_type, change(response)))

    return respond


def repeat_members(response: ProxiedResponse) -> bytes:
    """A JSON object with each member twice: first null, then its value."""
    nulls = ",".join(f"{json.dumps(name)}:null" for name in response.json)
    return b"{" + nulls.encode() + b"," + response.body.strip()[1:]


def with_member(value: bytes) -> Callable[[ProxiedResponse], bytes]:
    """A JSON object with one more member."""
    return lambda response: b'{"more":' + value + b"," + response.body.strip()[1:]


def close(_request: ProxiedRequest) -> None:
    """End the connection without a response."""


def send_half(request: ProxiedRequest) -> None:
    """End the connection in the middle of the body."""
    body = request.fetch().body
    request.send(HEAD + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body[: len(body) // 2])


def dribble_head(request: ProxiedRequest) -> None:
    request.dribble(b"HTTP/1.1 200 Status\r\nX-Slow: " + b"y" * 4096)


def dribble_body(request: ProxiedRequest) -> None:
    request.send(HEAD + b"Content-Length: 4096\r\n\r\n")
    request.dribble(b'{"version": "' + b"1" * 4000)


def send_endless_head(request: ProxiedRequest) -> None:
    request.send(b"HTTP/1.1 200 Status\r\n")
    while True:
        request.send(b"X-More: " + b"y" * 1000 + b"\r\n")


def send_endless_100(request: ProxiedRequest) -> None:
    """`100 Continue` repeatedly, each just before the time-out."""
    while True:
        time.sleep(TIMEOUT_S / 4)
        request.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def send_endless_body(request: ProxiedRequest) -> None:
    request.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b" " * 65536
    while True:
        request.send(b"10000\r\n" + chunk + b"\r\n")


def pack_gigabyte(times: int) -> bytes:
    """A gigabyte of spaces, packed `times` times. Its checksum is wrong, but no client should come to it."""
    packer = zlib.compressobj(9, wbits=31)
    # After a full flush, equal pieces are packed into equal bytes.
    first, second = (packer.compress(b" " * MEGABYTE) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    data = first + second * 1023 + packer.flush()
    for _ in range(times - 1):
        data = gzip.compress(data)
    return data


def gzip_bomb(times: int) -> Behaviour:
    """A small response that unpacks to a gigabyte."""
    encoding = f"Content-Encoding: {', '.join(['gzip'] * times)}"
    return always(200, JSON, pack_gigabyte(times), encoding)


def echo(request: ProxiedRequest) -> None:
    """Respond with the request's own body."""
    request.respond(replace(request.fetch(), body=request.body or b"{}"))


def respond_twice(request: ProxiedRequest) -> None:
    """A wrong response before the right one on the same connection."""
    response = request.fetch()
    request.send(f"HTTP/1.1 500 Status\r\nContent-Type: {JSON}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    request.respond(response)


def claim_success(request: ProxiedRequest) -> None:
    """Acknowledge every event as handled, and handle none."""
    results = [
        {"event_id": event["event_id"], "subscriber_id": event["subscriber_id"], "action": "unsubscribe"}
        for event in json.loads(request.body).get("errors", [])
    ]
    request.respond(ProxiedResponse(200, JSON, json.dumps({"results": results}).encode()))


def cache_by_method(request: ProxiedRequest) -> None:
    """A cache that ignores the path: the first observation answers every later one."""
    request.respond(request.memory.setdefault(request.connection.command, request.fetch()))


def show_active(response: ProxiedResponse) -> bytes:
    """Every subscriber as active."""
    rows = [{**row, "status": "active", "postponed_until": None} for row in response.json["subscribers"]]
    return json.dumps({"subscribers": rows}).encode()


def show_other_subscribers(response: ProxiedResponse) -> bytes:
    """Rows of other subscribers than the requested ones."""
    other_id = "00000000-0000-4000-8000-000000000000"
    rows = [{**row, "subscriber_id": other_id} for row in response.json["subscribers"]]
    return json.dumps({"subscribers": rows}).encode()


def reset_when(is_due: Callable[[int], bool]) -> Behaviour:
    """Reset the connection of each request whose number, from 1, is due."""
    return lambda request: request.reset() if is_due(request.number) else forward(request)


def show_id_only(request: ProxiedRequest) -> None:
    """A report for every id, with nothing but the id."""
    body = json.dumps({"report_id": request.path.rpartition("/")[2]}).encode()
    request.respond(ProxiedResponse(200, JSON, body))
