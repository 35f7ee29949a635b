"""A round-robin balancer: each new connection leads to the next of several instances."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import ThreadingHTTPServer
from socketserver import BaseRequestHandler
from typing import ClassVar
from urllib.parse import urlsplit

from fixtures.core.loopback_server import LoopbackServer, run_server

CHUNK = 65_536


class _Relay(BaseRequestHandler):
    turns: ClassVar[Iterator[tuple[str, int]]]

    def handle(self) -> None:
        with socket.create_connection(next(self.turns)) as instance:
            back = threading.Thread(target=_copy, args=(instance, self.request), daemon=True)
            back.start()
            _copy(self.request, instance)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side has closed the connection
        while data := source.recv(CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def run_balancer(instance_urls: Sequence[str]) -> Iterator[str]:
    """The URL of a balancer in front of these instances, until the block ends."""
    addresses = [(parts.hostname, parts.port) for parts in map(urlsplit, instance_urls)]
    handler = type("Relay", (_Relay,), {"turns": itertools.cycle(addresses)})
    server: ThreadingHTTPServer = LoopbackServer(("127.0.0.1", 0), handler)
    with run_server(server) as url:
        yield url
