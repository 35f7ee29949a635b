"""Deployments that misbehave on the wire: at every request, at batches, or at observations."""

import contextlib
import gzip
import json
import zlib
from collections.abc import Callable, Iterator

from suites.selfcheck.fail_closed.fault_proxy import Behaviour, ProxiedRequest, ProxiedResponse, run_proxy
from suites.selfcheck.fail_closed.sandbox import REACTOR, GateCall, GateFault, Scene, deploy

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


def send_half(request: ProxiedRequest) -> None:
    """End the connection in the middle of the body."""
    body = request.fetch().body
    request.send(HEAD + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body[: len(body) // 2])


def dribble_body(request: ProxiedRequest) -> None:
    request.send(HEAD + b"Content-Length: 4096\r\n\r\n")
    request.dribble(b'{"version": "' + b"1" * 4000)


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
