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


@dataclass
class Somebody:
    """A place that was asked: its URL, and each request with its headers."""

    url: str
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)


def plainly(_request: BaseHTTPRequestHandler, _body: bytes) -> tuple[int, Mapping[str, str], bytes]:
    """Answer that all is well."""
    return 200, {"Content-Type": "application/json"}, b"{}"


class _Server(ThreadingHTTPServer):
    """A server to which a refused handshake is no trouble."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def answering(reaction: Reaction = plainly, tls: ssl.SSLContext | None = None) -> Iterator[Somebody]:
    """Answer until the block ends."""
    seen = Somebody("")

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            seen.asked.append(
                (self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            )
            status, headers, content = reaction(self, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  as http.server calls them

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    seen.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
