"""Where a run of the gate leaves what: every file by its name."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path

from ci.commands import report
from ci.support.cli import meant


@dataclass(frozen=True)
class Files:
    """What a run leaves behind."""

    build: Path

    @property
    def ledger(self) -> Path:
        """The record of every test."""
        return self.build / "ledger.jsonl"

    @property
    def verdict(self) -> Path:
        """The answer."""
        return self.build / "verdict.json"

    @property
    def verifications(self) -> Path:
        """Which versions honour which contracts."""
        return self.build / "verifications"

    @property
    def spent(self) -> Path:
        """How much deployments were asked."""
        return self.build / "spent.sqlite"

    @property
    def log(self) -> Path:
        """What pytest printed."""
        return self.build / "pytest.log"

    @property
    def rollout(self) -> Path:
        """Whether the plan is safe, with pictures."""
        return self.build / "rollout"

    def history(self, options: argparse.Namespace) -> Path:
        """Where earlier runs are remembered."""
        return meant(options.here, options.history) if options.history else self.build / "history"

    def place(self, options: argparse.Namespace) -> report.Place:
        """Where the report goes."""
        return report.Place(self.build, self.history(options))

    def clear(self) -> None:
        """Take away what an earlier run left, so that nothing old can speak for this one."""
        self.build.mkdir(parents=True, exist_ok=True)
        reports = (self.build / name for name in ("allure-results", "report"))
        for folder in (self.rollout, self.verifications, *reports):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.ledger, self.verdict, self.build / "junit.xml", self.log, self.spent):
            file.unlink(missing_ok=True)
