"""HTTP servers for tests: each answers as the test says, and records the requests."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fixtures.core.loopback_server import LoopbackHandler, run_server

HttpAnswer = tuple[int, Mapping[str, str], bytes]  # status, headers and body
Reaction = Callable[[BaseHTTPRequestHandler, bytes], HttpAnswer]
# Gets a request with its body, and writes any bytes to the connection.
WriteResponse = Callable[[LoopbackHandler, bytes], object]


@dataclass
class ServerDouble:
    """A running server with its requests: method, path, headers in lower case, and body."""

    write_response: WriteResponse
    url: str = ""
    requests: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    connection_ended: threading.Event = field(default_factory=threading.Event)


class DoubleHandler(LoopbackHandler):
    """Records each request, and answers as the double says."""

    double: ServerDouble

    def setup(self) -> None:
        self.double.connections += 1
        super().setup()

    def answer(self) -> None:
        body = self.read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.double.requests.append((self.command, self.path, headers, body))
        self.double.write_response(self, body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  as http.server calls them

    def send_error(self, *_: Any, **__: Any) -> None:
        """End the connection at what is no HTTP, such as the beginning of a TLS handshake."""
        self.close_connection = True


class DoubleServer(ThreadingHTTPServer):
    """A server that reports the end of a connection to the double."""

    daemon_threads = True
    double: ServerDouble

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.double.connection_ended.set()

    def handle_error(self, *_: Any) -> None:
        """Ignore a refused TLS handshake, which some tests provoke."""


def answer_ok(_request: BaseHTTPRequestHandler, _body: bytes) -> HttpAnswer:
    return 200, {"Content-Type": "application/json"}, b"{}"


@contextlib.contextmanager
def serve_answers(
    react: Reaction = answer_ok, tls: ssl.SSLContext | None = None, *, port: int = 0
) -> Iterator[ServerDouble]:
    """Answer each request with a status, headers and a body, over a connection of its own."""

    def write_response(request: LoopbackHandler, body: bytes) -> None:
        request.respond(*react(request, body))

    with serve_responses(write_response, tls, protocol="HTTP/1.0", port=port) as double:
        yield double


@contextlib.contextmanager
def serve_responses(
    write_response: WriteResponse,
    tls: ssl.SSLContext | None = None,
    *,
    protocol: str = "HTTP/1.1",
    port: int = 0,
) -> Iterator[ServerDouble]:
    """Let a function write each response, over connections that stay open."""
    double = ServerDouble(write_response)
    handler = type("Handler", (DoubleHandler,), {"double": double, "protocol_version": protocol})
    server = DoubleServer(("127.0.0.1", port), handler)
    server.double = double
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    double.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    with run_server(server):
        yield double
