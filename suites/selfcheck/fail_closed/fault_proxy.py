"""A place between the suite and a reference service that does to the bytes on the wire what a fault wants."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit

DRIBBLE_S = 0.2
LONGEST_S = 60.0
"""Nobody hangs longer than that, whatever becomes of who asked."""
REQUEST_LINE = re.compile(rb"(?P<method>[A-Z]+) (?P<path>[!-~]+) HTTP/1\.[01]\r\n")


@dataclass(frozen=True)
class Asked:
    """One request, as it stood on the wire."""

    method: str
    path: str
    body: bytes

    @property
    def is_batch(self) -> bool:
        """Whether entries are delivered."""
        return self.method == "POST" and not self.path.startswith("/_pact/")

    @property
    def is_look(self) -> bool:
        """Whether somebody looks what became of them."""
        return self.method == "GET" and not self.path.startswith("/_pact/")


@dataclass(frozen=True)
class Said:
    """What the service behind says."""

    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        """Its body as a value."""
        return json.loads(self.body)


class Ended(Exception):
    """The other side has gone."""


@dataclass
class Wire:
    """One connection in the hands of a fault."""

    connection: socket.socket
    over: threading.Event

    def send(self, data: bytes) -> None:
        """Write bytes; Ended if nobody is there any more."""
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise Ended from error

    def say(self, said: Said, *headers: str) -> None:
        """A whole answer, with these headers beside those that it must have."""
        told = [
            f"HTTP/1.1 {said.status} Said",
            f"Content-Type: {said.content_type}",
            f"Content-Length: {len(said.body)}",
            "Connection: close",
            *headers,
        ]
        self.send("\r\n".join(told).encode() + b"\r\n\r\n" + said.body)

    def dribble(self, data: bytes) -> None:
        """Write byte by byte, each just in time for whoever waits for the next one only."""
        for place in range(len(data)):
            self.send(data[place : place + 1])
            if self.over.wait(DRIBBLE_S):
                raise Ended

    def hang(self) -> None:
        """Say nothing more."""
        self.over.wait(LONGEST_S)
        raise Ended

    def reset(self) -> None:
        """End the connection as a crashed machine does."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Ended


Spoil: TypeAlias = "Callable[[Wire, Asked, Callable[[], Said]], None]"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a handshake that is refused, or a peer that has gone, is what is wanted."""


@contextlib.contextmanager
def spoiled(behind: str, spoil: Spoil, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Stand before a service until the block ends: the URL to ask."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = self.request
            connection.settimeout(LONGEST_S)
            if tls:
                connection = tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as lines, contextlib.suppress(Ended, OSError):
                asked = _asked(lines)
                spoil(Wire(connection, over), asked, lambda: passed_on(behind, asked))

    with _Server(("127.0.0.1", 0), Handler) as server:
        scheme = "https" if tls else "http"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()


def _asked(lines: BinaryIO) -> Asked:
    first = REQUEST_LINE.fullmatch(lines.readline())
    if first is None:  # the first line of a TLS handshake is random bytes, now and then three words
        raise Ended
    length = 0
    while (line := lines.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        length = int(value) if name.lower() == "content-length" else length
    return Asked(first["method"].decode(), first["path"].decode(), lines.read(length))


def passed_on(behind: str, asked: Asked) -> Said:
    """What the service behind says to a request."""
    place = urlsplit(behind)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=LONGEST_S)
    try:
        headers = {"Content-Type": "application/json"} if asked.body else {}
        connection.request(asked.method, asked.path, asked.body or None, headers)
        answer = connection.getresponse()
        return Said(answer.status, answer.getheader("content-type", ""), answer.read())
    finally:
        connection.close()
