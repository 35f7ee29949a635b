"""A proxy between the suite and a reference service that changes the bytes on the wire as a fault wants."""

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
LONGEST_S = 60.0  # no connection hangs longer, whatever the client does
REQUEST_LINE = re.compile(rb"(?P<method>[A-Z]+) (?P<path>[!-~]+) HTTP/1\.[01]\r\n")


@dataclass(frozen=True)
class ProxiedRequest:
    """A request as it was on the wire."""

    method: str
    path: str
    body: bytes

    @property
    def is_batch(self) -> bool:
        """Whether it delivers entries."""
        return self.method == "POST" and not self.path.startswith("/_pact/")

    @property
    def is_observation(self) -> bool:
        return self.method == "GET" and not self.path.startswith("/_pact/")


@dataclass(frozen=True)
class ProxiedResponse:
    """A response of the service behind the proxy."""

    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ConnectionEnded(Exception):
    """The connection is over, by the client or by the fault."""


@dataclass
class ClientConnection:
    """A connection with the suite, for a behaviour to write to."""

    connection: socket.socket
    over: threading.Event

    def send(self, data: bytes) -> None:
        """Write bytes. Raises ConnectionEnded if the client has gone."""
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise ConnectionEnded from error

    def respond(self, response: ProxiedResponse, *headers: str) -> None:
        """Write a whole response, with these headers beside the required ones."""
        head = [
            f"HTTP/1.1 {response.status} Status",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            "Connection: close",
            *headers,
        ]
        self.send("\r\n".join(head).encode() + b"\r\n\r\n" + response.body)

    def dribble(self, data: bytes) -> None:
        """Write byte by byte, each just before a read time-out of one byte would end."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            if self.over.wait(DRIBBLE_S):
                raise ConnectionEnded

    def hang(self) -> None:
        """Write nothing more."""
        self.over.wait(LONGEST_S)
        raise ConnectionEnded

    def reset(self) -> None:
        """End the connection as a crashed machine does."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionEnded


# What the proxy does with a request; the last argument fetches the service's own response.
Behaviour: TypeAlias = Callable[[ClientConnection, ProxiedRequest, Callable[[], ProxiedResponse]], None]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Print nothing: refused handshakes and lost clients are part of the tests."""


@contextlib.contextmanager
def run_proxy(service_url: str, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a proxy in front of a service, until the block ends."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection = self.request
            connection.settimeout(LONGEST_S)
            if tls:
                connection = tls.wrap_socket(connection, server_side=True)
            with (
                connection,
                connection.makefile("rb") as lines,
                contextlib.suppress(ConnectionEnded, OSError),
            ):
                request = _read_request(lines)
                behaviour(ClientConnection(connection, over), request, lambda: _forward(service_url, request))

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()


def _read_request(lines: BinaryIO) -> ProxiedRequest:
    first = REQUEST_LINE.fullmatch(lines.readline())
    if first is None:  # the first bytes of a TLS handshake may look like a line of three words
        raise ConnectionEnded
    length = 0
    while (line := lines.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        length = int(value) if name.lower() == "content-length" else length
    return ProxiedRequest(first["method"].decode(), first["path"].decode(), lines.read(length))


def _forward(service_url: str, request: ProxiedRequest) -> ProxiedResponse:
    url = urlsplit(service_url)
    with contextlib.closing(
        http.client.HTTPConnection(str(url.hostname), url.port, timeout=LONGEST_S)
    ) as connection:
        headers = {"Content-Type": "application/json"} if request.body else {}
        connection.request(request.method, request.path, request.body or None, headers)
        response = connection.getresponse()
        return ProxiedResponse(response.status, response.getheader("content-type", ""), response.read())
