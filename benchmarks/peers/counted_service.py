"""Serves one reference service, right or with a seeded fault, and counts its requests in a file."""

import os
import sys
from typing import Any

from fixtures.faults import find_fault
from fixtures.faults.base import Wrapped
from fixtures.services import http_server, load, server
from fixtures.services.http_messages import Request
from fixtures.services.store import Store


def main() -> None:
    """Serve until stopped: `python -m benchmarks.peers.counted_service PROVIDER FAULT|- FILE`.

    FILE grows by a byte with each request.
    """
    provider, fault, file = sys.argv[1:]
    request_log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def count_request(request: Request) -> Request:
        os.write(request_log, b".")
        return request

    service = load(provider, "after") if fault == "-" else find_fault(fault).load_faulty()
    counted: Any = Wrapped(service, request=count_request)
    server.serve([counted], Store(":memory:"), [http_server.bind_port(0)])


if __name__ == "__main__":
    main()
