"""`python -m benchmarks.clean_container`: the cleaner on a long container of a real server.

Prints how long showing, `--delete` and the restore took, and the most memory that any of them held so far.
With `--mixed`, every other message is in the new format, which is the worst order that there is.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from fixtures.core import topology
from fixtures.core.project import ROOT
from fixtures.platform.redis_container import FirebaseMessages, connect
from fixtures.platform.redis_server import embedded

BATCH = 2000
COMMAND = ROOT / "ci" / "clean-messages-container"


def records(count: int, *, mixed: bool) -> Iterator[dict[str, object]]:
    """Records of one recipient each, with ids and tokens that are as random as real ones."""
    for number in range(count):
        recipient = {
            "subscriber_id": str(uuid.uuid4()),
            "token": f"{os.urandom(11).hex()}:{os.urandom(70).hex()}",
        }
        record: dict[str, object] = {
            "message_id": str(uuid.uuid4()),
            "firebase_app": topology.firebase_app(),
            "spam": False,
            "created_at": "2026-01-01T00:00:00Z",
            "recipients": [recipient],
            "legacy": {"notification": {"title": "Hello", "body": f"This is message {number}."}},
        }
        yield record | ({"v1": record["legacy"]} if mixed and number % 2 else {})


def ran(url: str, *options: str) -> tuple[float, float, float]:
    """Seconds that the cleaner took by the clock and of its processor, and the peak of its memory in MB."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "--redis-url", url, *options], check=True, stdout=sys.stderr)  # noqa: S603  our own
    # Of all children so far: the server's own figures come in only when it has ended.
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - started, cpu, after.ru_maxrss / 1024


def server_cpu(container: FirebaseMessages) -> float:
    """Seconds of processor that the server has used so far."""
    used = container.server.info("cpu")
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


def main() -> None:
    """Fill, clean, restore, and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clean_container", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--mixed", action="store_true", help="every other message is in the new format")
    options = parser.parse_args()
    with embedded() as url, tempfile.TemporaryDirectory() as folder:
        container = FirebaseMessages(firebase_app=topology.firebase_app(), server=connect(url))
        batch: list[str] = []
        for record in records(options.messages, mixed=options.mixed):
            batch.append(json.dumps(record))
            if len(batch) == BATCH:
                container.push(*batch)
                batch.clear()
        container.push(*batch)
        backup = Path(folder) / "backup.ndjson"
        print(f"{options.messages} messages, {'mixed' if options.mixed else 'all old'}")
        for name, arguments in {
            "show": [],
            "delete": ["--delete", "--backup", str(backup)],
            "restore": ["--restore", str(backup)],
        }.items():
            server_before = server_cpu(container)
            seconds, cpu, peak = ran(url, *arguments)
            server = server_cpu(container) - server_before
            print(
                f"{name:8} {seconds:6.1f} s, of processor {cpu:5.1f} s and the server's {server:5.1f} s,"
                f" peak {peak:4.0f} MB, then {container.count()} in the container"
            )


if __name__ == "__main__":
    main()
