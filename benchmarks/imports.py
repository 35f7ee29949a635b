"""Megabytes of logs a second that `./ci/import-reports` reads, and the memory that it takes for them."""

import itertools
import json
import os
import random
import re
import sys
import tempfile
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measurement import COUNT, Aim, Measurement, measure_pairs, rate
from fixtures.core.project import ROOT
from fixtures.generation.recordings import CORPUS

MEGABYTES, SMALL = 48, 4
MEGABYTE = 1 << 20
NOISE_LINES = 4  # between two answers
FCM_WORD = re.compile("errorCode|messages/|message_id|multicast_id")


def text_lines() -> Iterator[str]:
    """A log in which other lines stand between the answers; times and ids always differ."""
    draw = random.Random(7)  # noqa: S311 - no secret
    for number, record in enumerate(itertools.cycle(_documented_answers())):
        stamp = f"2026-11-30T10:{number // 60 % 60:02d}:{number % 60:02d}.{draw.randrange(10**6):06d}Z"
        for _ in range(NOISE_LINES):
            request = f"request_id={uuid.UUID(int=draw.getrandbits(128))} took={draw.randrange(900)}ms"
            yield f"{stamp} INFO  push.worker {request} queue={{depth={draw.randrange(9000)}}}\n"
        status, body = record["http_status"], json.dumps(record["body"])
        yield f"{stamp} WARN  push.fcm fcm answered {status} for {draw.getrandbits(256):064x}: {body}\n"


def ndjson_lines() -> Iterator[str]:
    """Records of a sender, one a line, each with the body as text."""
    draw = random.Random(7)  # noqa: S311 - no secret
    for number, record in enumerate(itertools.cycle(_documented_answers())):
        members = {"ts": 1_796_000_000_000 + number, "logger": "fcm-sender"}
        members |= {"request_id": str(uuid.UUID(int=draw.getrandbits(128))), "protocol": record["protocol"]}
        members |= {"status": record["http_status"], "body": json.dumps(record["body"])}
        yield json.dumps(members | {"token": f"{draw.getrandbits(256):064x}"}) + "\n"


def _documented_answers() -> list[dict[str, Any]]:
    records = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return [{"protocol": None, **record} for record in records if isinstance(record["body"], dict)]


FORMS = {"a text log": text_lines, "NDJSON": ndjson_lines}


def write_file(path: Path, lines: Iterator[str], megabytes: int) -> None:
    """Write so many megabytes of lines."""
    with path.open("w", encoding="ascii") as file:
        size = 0
        while size < megabytes * MEGABYTE:
            size += file.write(next(lines))


def measure_import(rounds: int) -> Iterator[Measurement]:
    """Megabytes a second, beside the simplest search, and the peak of memory, beside that of a small file."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-bench-") as folder:
        for form, lines in FORMS.items():
            large, small = Path(folder, "large"), Path(folder, "small")
            write_file(large, lines(), MEGABYTES)
            write_file(small, lines(), SMALL)
            yield measure_pairs(
                f"import of {form}, megabytes",
                unit="MB/s",
                ours=rate(MEGABYTES, partial(run_import, large)),
                bound=("a search for FCM's words", rate(MEGABYTES, partial(search_words, large))),
                rounds=rounds,
            )
            yield measure_pairs(
                f"import of {form}, peak in MB",
                unit=COUNT,
                ours=partial(run_import, large),
                bound=(f"of {SMALL} MB instead of {MEGABYTES}", partial(run_import, small)),
                rounds=1,
                aim=Aim("ratio", 1.5, at_least=False),
            )


def search_words(file: Path) -> int:
    """The number of lines that hold a word of FCM."""
    with file.open(encoding="ascii") as lines:
        return sum(FCM_WORD.search(line) is not None for line in lines)


def run_import(file: Path) -> float:
    """Import a file in a process of its own. Returns the peak of its memory in megabytes."""
    command = [sys.executable, "-m", "ci.commands", "import-reports", str(file), "--json"]
    command += ["--output", str(file.with_suffix(".ndjson"))]
    output = os.open(file.with_suffix(".txt"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    actions = [(os.POSIX_SPAWN_DUP2, output, descriptor) for descriptor in (1, 2)]
    process = os.posix_spawn(
        sys.executable, command, {**os.environ, "PYTHONPATH": str(ROOT)}, file_actions=actions
    )
    os.close(output)
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 65):
        raise RuntimeError(file.with_suffix(".txt").read_text(encoding="utf-8"))
    return usage.ru_maxrss / 1024
