"""What a deployment may do to its answers: each a fault on the wire, for every request or for some."""

from __future__ import annotations

import contextlib
import functools
import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from suites.selfcheck.fail_closed.fault_proxy import Asked, Said, Spoil, Wire, spoiled
from suites.selfcheck.fail_closed.model import REACTOR, TIMEOUT_S, Made, Scene, Setting

JSON = "application/json"
LOGIN = Said(200, "text/html", b"<!doctype html><title>Log in</title><h1>Please log in</h1>")
BOMB_BYTES = 1 << 30


def batches(spoil: Spoil) -> Spoil:
    """Where entries are delivered; all else is well."""
    return _where(lambda asked: asked.is_batch, spoil)


def looks(spoil: Spoil) -> Spoil:
    """Where somebody looks what became of them; all else is well."""
    return _where(lambda asked: asked.is_look, spoil)


def _where(meant: Callable[[Asked], bool], spoil: Spoil) -> Spoil:
    def chosen(wire: Wire, asked: Asked, behind: Callable[[], Said]) -> None:
        if meant(asked):
            spoil(wire, asked, behind)
        else:
            wire.say(behind())

    return chosen


def deployed(service: str, url: str, scene: Scene, **members: Any) -> tuple[str, ...]:
    """The options that put a service there, with little patience."""
    rows = {"url": url, "timeout_s": TIMEOUT_S, **members}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in rows.items())
    scene.build.mkdir(parents=True, exist_ok=True)
    file = scene.build.parent / f"{scene.build.name}.toml"
    file.write_text(f"[environments.lab.services.{service}]\n{text}", encoding="utf-8")
    return (f"--targets={file}", "--i-own=lab")


def on_the_wire(spoil: Spoil, service: str = REACTOR) -> Made:
    """A deployment whose answers are spoiled."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        with spoiled(scene.behind[service], spoil) as url:
            yield Setting(deployed(service, url, scene))

    return made


def later(spoil: Callable[[], Spoil], service: str = REACTOR) -> Made:
    """The same, with a memory of its own each time."""

    @contextlib.contextmanager
    def made(scene: Scene) -> Iterator[Setting]:
        with on_the_wire(spoil(), service)(scene) as setting:
            yield setting

    return made


def always(said: Said, *headers: str) -> Spoil:
    """The same answer to everything."""
    return lambda wire, _asked, _behind: wire.say(said, *headers)


def raw(data: bytes) -> Spoil:
    """These bytes, whatever was asked."""
    return lambda wire, _asked, _behind: wire.send(data)


def body(change: Callable[[Said], bytes], content_type: str = JSON) -> Spoil:
    """The right answer with another body."""

    def spoil(wire: Wire, _asked: Asked, behind: Callable[[], Said]) -> None:
        said = behind()
        wire.say(Said(said.status, content_type, change(said)))

    return spoil


def twice(said: Said) -> bytes:
    """A JSON object in which each member stands twice: first as nobody wants it, then as it should be."""
    members = said.json
    wrong = ",".join(f"{json.dumps(name)}:null" for name in members)
    return b"{" + wrong.encode() + b"," + said.body.strip()[1:]


def with_member(value: bytes) -> Callable[[Said], bytes]:
    """One member more, of which nobody asks anything."""
    return lambda said: b'{"more":' + value + b"," + said.body.strip()[1:]


def hangs(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """Take the request, and say nothing."""
    wire.hang()


def resets(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """End the connection hard."""
    wire.reset()


def closes(_wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """End the connection without a word."""


def half(wire: Wire, _asked: Asked, behind: Callable[[], Said]) -> None:
    """End the connection in the middle of the body."""
    said = behind()
    head = (
        f"HTTP/1.1 {said.status} Said\r\nContent-Type: {JSON}\r\nContent-Length: {len(said.body) + 1}\r\n\r\n"
    )
    wire.send(head.encode() + said.body[: len(said.body) // 2])


def dribbled_head(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """Byte by byte, and never to the end of the headers."""
    wire.dribble(b"HTTP/1.1 200 Said\r\nX-Slow: " + b"y" * 4096)


def dribbled_body(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """The headers at once, the body byte by byte."""
    wire.send(b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n")
    wire.dribble(b'{"version": "' + b"1" * 4000)


def endless_head(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """Header after header."""
    wire.send(b"HTTP/1.1 200 Said\r\n")
    while True:
        wire.send(b"X-More: " + b"y" * 1000 + b"\r\n")


def endless_wait(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """`100 Continue`, again and again, each just before patience ends."""
    while not wire.over.wait(TIMEOUT_S / 4):
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def endless_body(wire: Wire, _asked: Asked, _behind: Callable[[], Said]) -> None:
    """One chunk after the other, as fast as they are taken."""
    wire.send(b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b" " * 65536
    while True:
        wire.send(b"10000\r\n" + chunk + b"\r\n")


@functools.cache
def packed(times: int) -> bytes:
    """A gigabyte of spaces in a few bytes, packed once or more often."""
    packer = zlib.compressobj(9, wbits=31)
    piece = b" " * (1 << 20)
    data = b"".join(packer.compress(piece) for _ in range(BOMB_BYTES >> 20)) + packer.flush()
    for _ in range(times - 1):
        data = gzip.compress(data)
    return data


def bomb(times: int) -> Spoil:
    """A small answer that becomes a gigabyte when it is unpacked."""
    data = packed(times)
    return lambda wire, _asked, _behind: wire.say(
        Said(200, JSON, data), f"Content-Encoding: {', '.join(['gzip'] * times)}"
    )


def echoed(wire: Wire, asked: Asked, behind: Callable[[], Said]) -> None:
    """What was sent comes back."""
    wire.say(replace(behind(), body=asked.body or b"{}"))


def two_answers(wire: Wire, _asked: Asked, behind: Callable[[], Said]) -> None:
    """A second answer behind the first, for whoever asks next."""
    said = behind()
    one = f"HTTP/1.1 500 Said\r\nContent-Type: {JSON}\r\nContent-Length: 2\r\n\r\n{{}}"
    wire.send(one.encode())
    wire.say(said)


def lazy(wire: Wire, asked: Asked, _behind: Callable[[], Said]) -> None:
    """All was done, it says, and nothing was."""
    events = json.loads(asked.body).get("errors", [])
    outcomes = [
        {"event_id": one["event_id"], "subscriber_id": one["subscriber_id"], "action": "unsubscribe"}
        for one in events
    ]
    wire.say(Said(200, JSON, json.dumps({"results": outcomes}).encode()))


def cached() -> Spoil:
    """A cache that keys by method only: the first look is everybody's."""
    kept: dict[str, Said] = {}

    def spoil(wire: Wire, asked: Asked, behind: Callable[[], Said]) -> None:
        wire.say(kept.setdefault(asked.method, behind()))

    return spoil


def active(said: Said) -> bytes:
    """Everybody is as before."""
    rows = [{**row, "status": "active", "postponed_until": None} for row in said.json["subscribers"]]
    return json.dumps({"subscribers": rows}).encode()


def dying(after: int) -> Spoil:
    """Well for some requests, and then dead for ever."""
    asked = itertools.count(1)

    def spoil(wire: Wire, _asked: Asked, behind: Callable[[], Said]) -> None:
        if next(asked) > after:
            wire.reset()
        wire.say(behind())

    return spoil


def stumbling(every: int) -> Spoil:
    """A reset now and then."""
    asked = itertools.count(1)

    def spoil(wire: Wire, _asked: Asked, behind: Callable[[], Said]) -> None:
        if next(asked) % every == 0:
            wire.reset()
        wire.say(behind())

    return spoil


def stranger(said: Said) -> bytes:
    """Rows of others than were asked for."""
    rows = [
        {**row, "subscriber_id": "00000000-0000-4000-8000-000000000000"} for row in said.json["subscribers"]
    ]
    return json.dumps({"subscribers": rows}).encode()


def by_id(wire: Wire, asked: Asked, _behind: Callable[[], Said]) -> None:
    """Whatever is asked for is there."""
    wire.say(Said(200, JSON, json.dumps({"report_id": asked.path.rpartition("/")[2]}).encode()))
