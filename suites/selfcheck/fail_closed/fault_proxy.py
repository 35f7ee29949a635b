"""A proxy between the suite and a reference service that changes the bytes on the wire as a fault wants."""

import contextlib
import json
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeAlias

import httpx

from suites.selfcheck.http_double import serve_responses

DRIBBLE_S = 0.2
LONGEST_S = 60.0  # of the service behind the proxy, for one answer


@dataclass(frozen=True)
class ProxiedResponse:
    """A response of the service behind the proxy, or one instead of it."""

    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class ProxiedRequest:
    """A request as it was on the wire, for a behaviour to answer. `number` counts from 1.

    What writes to the connection raises OSError if the client has gone. `memory` lasts as long as the proxy.
    """

    connection: BaseHTTPRequestHandler
    body: bytes
    number: int
    memory: dict[str, ProxiedResponse]
    fetch: Callable[..., ProxiedResponse]  # of the service, for this body or another one

    @property
    def path(self) -> str:
        return self.connection.path

    @property
    def is_batch(self) -> bool:
        """Whether it delivers entries."""
        return self.connection.command == "POST" and not self.path.startswith("/_pact/")

    @property
    def is_observation(self) -> bool:
        return self.connection.command == "GET" and not self.path.startswith("/_pact/")

    def send(self, data: bytes) -> None:
        self.connection.wfile.write(data)

    def respond(self, response: ProxiedResponse, *headers: str) -> None:
        """Write a whole response, with these headers beside the required ones."""
        head = [
            f"HTTP/1.1 {response.status} Status",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(["Connection: close"] if self.connection.protocol_version == "HTTP/1.0" else []),
            *headers,
        ]
        self.send("\r\n".join(head).encode() + b"\r\n\r\n" + response.body)

    def dribble(self, data: bytes) -> None:
        """Write byte by byte, each just before a read time-out of one byte would end."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            time.sleep(DRIBBLE_S)

    def hang(self) -> None:
        """Write nothing until the client has gone."""
        self.connection.rfile.read(1)

    def reset(self) -> None:
        """End the connection as a crashed machine does."""
        self.connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.connection.detach())


# What the proxy does with a request.
Behaviour: TypeAlias = Callable[[ProxiedRequest], object]


@contextlib.contextmanager
def run_proxy(
    service_url: str,
    behaviour: Behaviour,
    tls: ssl.SSLContext | None = None,
    *,
    protocol: str = "HTTP/1.0",
) -> Iterator[str]:
    """The URL of a proxy in front of a service, until the block ends.

    With HTTP/1.0, each request has a connection of its own.
    """
    memory: dict[str, ProxiedResponse] = {}

    def write_response(connection: BaseHTTPRequestHandler, body: bytes) -> None:
        def fetch(sent: bytes = body) -> ProxiedResponse:
            headers = {"Content-Type": "application/json"} if sent else {}
            url = service_url + connection.path
            response = client.request(connection.command, url, content=sent, headers=headers)
            content_type = response.headers.get("content-type", "")
            return ProxiedResponse(response.status_code, content_type, response.content)

        behaviour(ProxiedRequest(connection, body, double.connections, memory, fetch))

    with (
        httpx.Client(timeout=LONGEST_S, trust_env=False) as client,
        serve_responses(write_response, tls, protocol=protocol) as double,
    ):
        yield double.url
