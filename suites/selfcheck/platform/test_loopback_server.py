"""Servers of this process tell what goes wrong in them, but not that a client has gone."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from fixtures.core.loopback_server import LoopbackServer

pytestmark = pytest.mark.aside
NEVER_READ = b"x" * 10_000_000


def answered_nobody(doing: Callable[[BaseHTTPRequestHandler], None]) -> None:
    """Ask, go without waiting for the answer, and let the server come to the end of it."""
    asked, gone = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            gone.wait(10)
            doing(self)

        def finish(self) -> None:
            """Leave what could not be written."""

    with LoopbackServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False  # so that the end of the block waits for them
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with socket.create_connection(("127.0.0.1", server.server_port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert asked.wait(10)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.set()
        server.shutdown()
        thread.join()


def test_a_client_that_has_gone_is_not_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(NEVER_READ)

    answered_nobody(answer)
    assert capfd.readouterr().err == ""


def test_a_handler_that_fails_is_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_handler: BaseHTTPRequestHandler) -> None:
        raise ValueError("a mistake of ours")

    answered_nobody(fail)
    assert "a mistake of ours" in capfd.readouterr().err
