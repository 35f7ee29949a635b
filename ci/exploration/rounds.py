"""The rounds of a deep run: the suites again and again, each with a seed that follows from its number."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.support.cli import target_options
from fixtures.core.project import ROOT
from fixtures.results import ledger
from fixtures.scenarios.coverage.coverage import Explored

SUITE = "suites/compat"
POLL_S = 0.25
GRACE_S = 300
"""How long a round may go on when its time is over: the tests under way end, and shrink what they found."""
ENDED_S = 30
ENDED_WELL = (0, 1)
NO_TESTS = 5
INTERRUPTED = "interrupted: the run was stopped from outside"


@dataclass(frozen=True)
class Asked:
    """How long to explore, what, and where it is noted."""

    folder: Path
    seconds: float
    seed: int
    examples: int
    workers: int
    reports: int | None = None
    rounds: int | None = None
    selected: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: argparse.Namespace) -> Asked:
        """What a command line asks for."""
        selected = target_options(options)
        selected += [f"--variant={options.variant}"] if options.variant else []
        selected += ["-k", options.only] if options.only else []
        limits = (options.reports, options.rounds)
        size = (options.seed, options.examples, options.workers)
        return cls(options.folder, options.seconds, *size, *limits, tuple(selected))

    @property
    def ledger(self) -> Path:
        """The record of the round under way; the next takes its place."""
        return self.folder / "ledger.jsonl"

    @property
    def notes(self) -> Path:
        """Where processes of the round note what they see."""
        return self.folder / "notes"

    @property
    def log(self) -> Path:
        """What pytest printed in the round."""
        return self.folder / "pytest.log"


@dataclass
class Dig:
    """What all rounds have come to."""

    explored: Explored = field(default_factory=Explored)
    rounds: int = 0
    tests: int = 0
    trouble: list[str] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)


def seed_of(seed: int, number: int) -> int:
    """The seed of a round: the same for the same run seed and number, and another for each other."""
    return int.from_bytes(hashlib.sha256(f"{seed}:round {number}".encode()).digest()[:4])


def dig(asked: Asked) -> Dig:
    """Go round after round until the time is spent, or until something is wrong with the run itself."""
    dug, began = Dig(), time.monotonic()
    try:
        while not dug.trouble and not _is_enough(asked, dug) and time.monotonic() - began < asked.seconds:
            dug.rounds += 1
            _round(asked, dug, began)
            _tell(asked, dug, time.monotonic() - began)
    except KeyboardInterrupt:  # between rounds
        dug.trouble.append(INTERRUPTED)
    return dug


def _tell(asked: Asked, dug: Dig, seconds: float) -> None:
    """A line for each round."""
    explored = dug.explored
    print(
        f"round {dug.rounds}, seed {seed_of(asked.seed, dug.rounds)}: {explored.reports} reports, "
        f"{explored.behaviours} behaviours, {len(explored.found)} kinds of findings, "
        f"{seconds:.0f} of {asked.seconds:.0f} s",
        flush=True,
    )


def _is_enough(asked: Asked, dug: Dig) -> bool:
    reports, rounds = asked.reports, asked.rounds
    return (reports is not None and dug.explored.reports >= reports) or dug.rounds == rounds


def _round(asked: Asked, dug: Dig, began: float) -> None:
    """One run of the suites, watched while it goes on."""
    shutil.rmtree(asked.notes, ignore_errors=True)
    asked.notes.mkdir()
    asked.ledger.unlink(missing_ok=True)
    seed = seed_of(asked.seed, dug.rounds)
    left_s = asked.seconds - (time.monotonic() - began)
    read: dict[Path, int] = {}
    with asked.log.open("wb") as log:
        command = _command(asked, seed, time.time() + left_s)
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)  # noqa: S603  our own, no shell
        try:
            hung_at = time.monotonic() + left_s + GRACE_S
            while process.poll() is None and time.monotonic() < hung_at:
                time.sleep(POLL_S)
                _absorb(asked, dug, read, began)
        except KeyboardInterrupt:  # what was seen in hours must not be lost with it
            dug.trouble.append(INTERRUPTED)
        finally:
            hung = _end(process)
    _absorb(asked, dug, read, began)
    if hung and not dug.trouble:
        dug.trouble.append(f"round-hung: it did not end within {GRACE_S} s")
    _take_in(asked, dug, seed)
    if process.returncode not in (*ENDED_WELL, NO_TESTS) and not dug.trouble:
        dug.trouble.append(f"round-ended-badly: pytest exited {process.returncode}; see {asked.log}")
    if process.returncode == NO_TESTS and time.monotonic() - began < asked.seconds:
        dug.trouble.append("no-tests: nothing that draws was selected, so nothing was explored")


def _end(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process had to be ended."""
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGINT)  # pytest ends what it has started
    try:
        process.wait(ENDED_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return True


def _command(asked: Asked, seed: int, until: float) -> list[str]:
    return [
        *(sys.executable, "-m", "pytest", SUITE, "-q", "--tb=short", "-m", "not nightly"),
        *("-n", str(asked.workers), "--dist=loadgroup", f"--rootdir={ROOT}"),
        *(f"--deep={asked.notes}", f"--until={until}", f"--ledger={asked.ledger}"),
        *(f"--seed={seed}", f"--examples={asked.examples}", *asked.selected),
    ]


def _absorb(asked: Asked, dug: Dig, read: dict[Path, int], began: float) -> None:
    """Take in what was noted since, a line at a time."""
    for file in sorted(asked.notes.glob("*.jsonl")):
        for line in _whole_lines(file, read):
            dug.explored.absorb(json.loads(line), time.monotonic() - began)


def _whole_lines(file: Path, read: dict[Path, int]) -> Iterator[bytes]:
    with file.open("rb") as lines:
        lines.seek(read.get(file, 0))
        for line in lines:
            if line.endswith(b"\n"):
                read[file] = read.get(file, 0) + len(line)
                yield line


def _take_in(asked: Asked, dug: Dig, seed: int) -> None:
    """What the ledger of a round says; that tests are missing when the time is over is as it must be."""
    record = ledger.read(asked.ledger) if asked.ledger.exists() else ledger.Ledger({}, (), ())
    dug.tests += len(record.tests)
    dug.versions = dict(record.header.get("versions", dug.versions))
    for line in record.tests:
        dug.explored.find(line.get("findings", ()), round=dug.rounds, seed=seed)
        if line["result"] == "broken" and not line.get("findings"):
            reason = str(line.get("message") or "broken").splitlines()[0]
            dug.trouble.append(f"broken: {reason} [{line['test']}]")
