"""A loopback server reports errors of its handlers, but not that a client has disconnected."""

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from fixtures.core.loopback_server import LoopbackHandler, LoopbackServer, run_server

NEVER_READ = b"x" * 10_000_000


def handle_without_client(handle: Callable[[BaseHTTPRequestHandler], None]) -> None:
    """Send a request, disconnect before the answer, and let the handler run."""
    received, disconnected = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.set()
            disconnected.wait(10)
            handle(self)

        def finish(self) -> None:
            """Do not flush the output, which would raise the same error again."""

    with LoopbackServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False  # so that the end of the block waits for them
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with socket.create_connection(("127.0.0.1", server.server_port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert received.wait(10)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        disconnected.set()
        server.shutdown()
        thread.join()


def test_a_disconnected_client_is_not_reported(capfd: pytest.CaptureFixture[str]) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(NEVER_READ)

    handle_without_client(answer)
    assert capfd.readouterr().err == ""


def test_a_failing_handler_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_handler: BaseHTTPRequestHandler) -> None:
        raise ValueError("a mistake of ours")

    handle_without_client(fail)
    assert "a mistake of ours" in capfd.readouterr().err


def test_a_body_does_not_wait_for_the_acknowledgement_of_the_headers() -> None:
    class Handler(LoopbackHandler):
        def do_GET(self) -> None:  # noqa: N802  as http.server calls it
            self.respond(200, {}, b"body")

    durations = []
    with run_server(LoopbackServer(("127.0.0.1", 0), Handler)) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        for _ in range(10):
            start = time.monotonic()
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"body"
            durations.append(time.monotonic() - start)
        connection.close()
    assert sorted(durations)[3] < 0.03  # a delayed acknowledgement takes 0.04 s
