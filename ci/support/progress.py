"""What a run has come to, read from its ledger while it grows."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

POLL_S = 0.25
PLAIN_STEP = 0.1
"""Without a terminal, one line for each tenth of the tests."""
MOST_NEWS = 16


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
    _news: dict[str, None] = field(default_factory=dict)
    _told: int = 0

    def read(self) -> None:
        """Count what was added since."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            file.seek(self._offset)
            text = self._rest + file.read()
            self._offset = file.tell()
        *whole, self._rest = text.split("\n")
        for raw in whole:
            try:
                line = json.loads(raw)
                self._count(line)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # whoever reads the whole ledger tells what is wrong with it

    def _count(self, line: Mapping[str, Any]) -> None:
        self.collected = line.get("collected", self.collected)
        self.tests += line["kind"] == "test"
        self.reports += line.get("reports", 0)
        self.findings += len(line.get("findings", ()))
        told = [f"{found['provider']}: {found['title']}" for found in line.get("findings", ())]
        if line.get("result", "passed") != "passed" and not told:
            told = [f"{line['result']}: {(line.get('message') or line['test']).splitlines()[0]}"]
        for one in told:
            self._news.setdefault(one, None)

    def news(self) -> list[str]:
        """What was not told yet of what is wrong; no more than a screen in all."""
        news = list(self._news)[self._told : MOST_NEWS]
        self._told += len(news)
        return news

    def __str__(self) -> str:
        found = f"{self.findings} findings" if self.findings else "no findings"
        return f"{self.reports} reports, {found}"


def follow(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Show how far a run is until its process ends."""
    if sys.stdout.isatty():
        _bar(Tail(path), process)
    else:
        _lines(Tail(path), process)


def _until_ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Now and then while it runs, and once when it has ended, which is noticed at once."""
    while process.returncode is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
        yield


def _bar(tail: Tail, process: subprocess.Popen[bytes]) -> None:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("collecting", total=None)
        for _ in _until_ended(process):
            tail.read()
            for one in tail.news():
                bar.console.print(f"  {one}", markup=False, highlight=False)
            if tail.collected:
                bar.update(task, total=tail.collected, completed=tail.tests, description=str(tail))


def _lines(tail: Tail, process: subprocess.Popen[bytes]) -> None:
    told = 0.0
    for _ in _until_ended(process):
        tail.read()
        for one in tail.news():
            print(f"  {one}", flush=True)
        if tail.collected and tail.tests / tail.collected >= told + PLAIN_STEP:
            told = tail.tests / tail.collected
            print(f"{tail.tests:5} of {tail.collected} tests, {tail}", flush=True)
