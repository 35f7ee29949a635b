"""Serve one reference service, right or with a seeded fault, and note each request as a byte of a file."""

import os
import sys

from fixtures.faults import named
from fixtures.faults.base import Around
from fixtures.services import load, server
from fixtures.services.http_messages import Request
from fixtures.services.store import SqliteStore


def main() -> None:
    """Serve until told to stop: `python -m benchmarks.peers.served PROVIDER FAULT|- FILE`."""
    provider, fault, file = sys.argv[1:]
    requests = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def noted(request: Request) -> Request:
        os.write(requests, b".")
        return request

    service = load(provider, "after") if fault == "-" else named(fault).seeded()
    counted = Around(service, request=noted)
    server.serve([(counted, SqliteStore(":memory:"))], [server.open_socket(server.command_line(), 0)])


if __name__ == "__main__":
    main()
