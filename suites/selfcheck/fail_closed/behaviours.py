"""Faulty behaviours of a deployment on the wire: for every request, for batches, or for observations."""

from __future__ import annotations

import functools
import gzip
import itertools
import json
import zlib
from collections.abc import Callable
from dataclasses import replace

from suites.selfcheck.fail_closed.fault_proxy import (
    Behaviour,
    ClientConnection,
    ProxiedRequest,
    ProxiedResponse,
)
from suites.selfcheck.fail_closed.sandbox import TIMEOUT_S

Fetch = Callable[[], ProxiedResponse]

JSON = "application/json"
LOGIN = ProxiedResponse(200, "text/html", b"<!doctype html><title>Log in</title><h1>Please log in</h1>")
HEAD = f"HTTP/1.1 200 Status\r\nContent-Type: {JSON}\r\n".encode()
BOMB_BYTES = 1 << 30


def forward(client: ClientConnection, _request: ProxiedRequest, fetch: Fetch) -> None:
    """The service's own response: no fault."""
    client.respond(fetch())


def on_batches(behaviour: Behaviour) -> Behaviour:
    """The behaviour for delivered batches; other requests are forwarded."""
    return _when(lambda request: request.is_batch, behaviour)


def on_observations(behaviour: Behaviour) -> Behaviour:
    """The behaviour for observations; other requests are forwarded."""
    return _when(lambda request: request.is_observation, behaviour)


def _when(applies: Callable[[ProxiedRequest], bool], behaviour: Behaviour) -> Behaviour:
    def choose(client: ClientConnection, request: ProxiedRequest, fetch: Fetch) -> None:
        (behaviour if applies(request) else forward)(client, request, fetch)

    return choose


def always(status: int, content_type: str, body: bytes, *headers: str) -> Behaviour:
    """The same response to every request."""
    return lambda client, _request, _fetch: client.respond(
        ProxiedResponse(status, content_type, body), *headers
    )


def send_raw(data: bytes) -> Behaviour:
    return lambda client, _request, _fetch: client.send(data)


def with_body(change: Callable[[ProxiedResponse], bytes], content_type: str = JSON) -> Behaviour:
    """The service's own response with another body."""

    def respond(client: ClientConnection, _request: ProxiedRequest, fetch: Fetch) -> None:
        response = fetch()
        client.respond(ProxiedResponse(response.status, content_type, change(response)))

    return respond


def repeat_members(response: ProxiedResponse) -> bytes:
    """A JSON object with each member twice: first null, then its value."""
    nulls = ",".join(f"{json.dumps(name)}:null" for name in response.json)
    return b"{" + nulls.encode() + b"," + response.body.strip()[1:]


def with_member(value: bytes) -> Callable[[ProxiedResponse], bytes]:
    """A JSON object with one more member."""
    return lambda response: b'{"more":' + value + b"," + response.body.strip()[1:]


def hang(client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    client.hang()


def reset(client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    client.reset()


def close(_client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    """End the connection without a response."""


def send_half(client: ClientConnection, _request: ProxiedRequest, fetch: Fetch) -> None:
    """End the connection in the middle of the body."""
    body = fetch().body
    client.send(HEAD + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body[: len(body) // 2])


def dribble_head(client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    client.dribble(b"HTTP/1.1 200 Status\r\nX-Slow: " + b"y" * 4096)


def dribble_body(client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    client.send(HEAD + b"Content-Length: 4096\r\n\r\n")
    client.dribble(b'{"version": "' + b"1" * 4000)


def send_endless_head(client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    client.send(b"HTTP/1.1 200 Status\r\n")
    while True:
        client.send(b"X-More: " + b"y" * 1000 + b"\r\n")


def send_endless_100(client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    """`100 Continue` repeatedly, each just before the time-out."""
    while not client.over.wait(TIMEOUT_S / 4):
        client.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def send_endless_body(client: ClientConnection, _request: ProxiedRequest, _fetch: Fetch) -> None:
    client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b" " * 65536
    while True:
        client.send(b"10000\r\n" + chunk + b"\r\n")


@functools.cache
def pack_gigabyte(times: int) -> bytes:
    """A gigabyte of spaces, packed `times` times."""
    packer = zlib.compressobj(9, wbits=31)
    piece = b" " * (1 << 20)
    data = b"".join(packer.compress(piece) for _ in range(BOMB_BYTES >> 20)) + packer.flush()
    for _ in range(times - 1):
        data = gzip.compress(data)
    return data


def gzip_bomb(times: int) -> Behaviour:
    """A small response that unpacks to a gigabyte."""
    encoding = f"Content-Encoding: {', '.join(['gzip'] * times)}"
    return always(200, JSON, pack_gigabyte(times), encoding)


def echo(client: ClientConnection, request: ProxiedRequest, fetch: Fetch) -> None:
    """Respond with the request's own body."""
    client.respond(replace(fetch(), body=request.body or b"{}"))


def respond_twice(client: ClientConnection, _request: ProxiedRequest, fetch: Fetch) -> None:
    """A wrong response before the right one on the same connection."""
    response = fetch()
    client.send(f"HTTP/1.1 500 Status\r\nContent-Type: {JSON}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    client.respond(response)


def claim_success(client: ClientConnection, request: ProxiedRequest, _fetch: Fetch) -> None:
    """Acknowledge every event as handled, and handle none."""
    results = [
        {"event_id": event["event_id"], "subscriber_id": event["subscriber_id"], "action": "unsubscribe"}
        for event in json.loads(request.body).get("errors", [])
    ]
    client.respond(ProxiedResponse(200, JSON, json.dumps({"results": results}).encode()))


def cache_by_method() -> Behaviour:
    """A cache that ignores the path: the first observation answers every later one."""
    responses: dict[str, ProxiedResponse] = {}

    def respond(client: ClientConnection, request: ProxiedRequest, fetch: Fetch) -> None:
        client.respond(responses.setdefault(request.method, fetch()))

    return respond


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
    numbers = itertools.count(1)

    def respond(client: ClientConnection, request: ProxiedRequest, fetch: Fetch) -> None:
        if is_due(next(numbers)):
            client.reset()
        forward(client, request, fetch)

    return respond


def show_id_only(client: ClientConnection, request: ProxiedRequest, _fetch: Fetch) -> None:
    """A report for every id, with nothing but the id."""
    body = json.dumps({"report_id": request.path.rpartition("/")[2]}).encode()
    client.respond(ProxiedResponse(200, JSON, body))
