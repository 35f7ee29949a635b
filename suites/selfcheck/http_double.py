"""Somebody who answers over real HTTP as a test wants it, and remembers who asked."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reaction = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, Mapping[str, str], bytes]]
Say = Callable[[BaseHTTPRequestHandler, bytes], object]
"""From a request and its body to whatever is written."""


@dataclass
class Somebody:
    """A place that was asked: its URL, how it answers, each request with its headers, and who came."""

    say: Say
    url: str = ""
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    """Set once a connection has ended."""


def plainly(_request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, Mapping[str, str], bytes]:
    """Answer that all is well."""
    return 200, {"Content-Type": "application/json"}, b"{}"


@contextlib.contextmanager
def answering(reaction: Reaction = plainly, tls: ssl.SSLContext | None = None) -> Iterator[Somebody]:
    """Answer each request over a connection of its own, until the block ends."""

    def say(request: BaseHTTPRequestHandler, body: bytes) -> None:
        status, headers, content = reaction(request, body)
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    with speaking(say, tls, protocol="HTTP/1.0") as somebody:
        yield somebody


@contextlib.contextmanager
def speaking(
    say: Say, tls: ssl.SSLContext | None = None, *, protocol: str = "HTTP/1.1"
) -> Iterator[Somebody]:
    """Say whatever is wanted, over connections that stay, until the block ends."""
    somebody = Somebody(say)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def setup(self) -> None:
            somebody.connections += 1
            super().setup()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            somebody.asked.append((self.command, self.path, headers, body))
            somebody.say(self, body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  as http.server calls them

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            somebody.ended.set()

        def handle_error(self, *_: Any) -> None:
            """Say nothing: a refused handshake is no trouble."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    somebody.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield somebody
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
