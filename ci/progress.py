"""What a run has come to, read from its ledger while it grows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

POLL_S = 0.25
PLAIN_STEP = 0.1
"""Without a terminal, one line for each tenth of the tests."""


@dataclass
class Tail:
    """The lines of a growing file that were not read yet, summed up."""

    path: Path
    collected: int = 0
    tests: int = 0
    reports: int = 0
    findings: int = 0
    _offset: int = 0
    _rest: str = field(default="")

    def read(self) -> None:
        """Count what was added since."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            file.seek(self._offset)
            text = self._rest + file.read()
            self._offset = file.tell()
        *whole, self._rest = text.split("\n")
        for raw in whole:
            line = json.loads(raw)
            self.collected = line.get("collected", self.collected)
            self.tests += line["kind"] == "test"
            self.reports += line.get("reports", 0)
            self.findings += len(line.get("findings", ()))

    def __str__(self) -> str:
        found = f"{self.findings} findings" if self.findings else "no findings"
        return f"{self.reports} reports, {found}"


def follow(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Show how far a run is until its process ends."""
    if sys.stdout.isatty():
        _bar(Tail(path), process)
    else:
        _lines(Tail(path), process)


def _bar(tail: Tail, process: subprocess.Popen[bytes]) -> None:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("collecting", total=None)
        while process.poll() is None:
            time.sleep(POLL_S)
            tail.read()
            if tail.collected:
                bar.update(task, total=tail.collected, completed=tail.tests, description=str(tail))


def _lines(tail: Tail, process: subprocess.Popen[bytes]) -> None:
    told = 0.0
    while process.poll() is None:
        time.sleep(POLL_S)
        tail.read()
        if tail.collected and tail.tests / tail.collected >= told + PLAIN_STEP:
            told = tail.tests / tail.collected
            print(f"{tail.tests:5} of {tail.collected} tests, {tail}", flush=True)
