"""The files that a run of the gate writes."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path

from ci.support.cli import resolve_build_folder, resolve_path


def add_history_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--history", metavar="DIR", help="folder that remembers earlier runs (default build/history)"
    )


@dataclass(frozen=True)
class RunFiles:
    """The files of a run below its build folder, and the history of earlier runs."""

    build: Path
    history: Path

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> RunFiles:
        """Read --build and --history."""
        build = resolve_build_folder(options)
        if options.history:
            return cls(build, resolve_path(options.caller_folder, options.history))
        return cls(build, build / "history")

    @property
    def ledger(self) -> Path:
        return self.build / "ledger.jsonl"

    @property
    def verdict(self) -> Path:
        return self.build / "verdict.json"

    @property
    def pytest_log(self) -> Path:
        return self.build / "pytest.log"

    @property
    def request_counter(self) -> Path:
        return self.build / "spent.sqlite"

    @property
    def verifications(self) -> Path:
        """The results of pact verifications."""
        return self.build / "verifications"

    @property
    def rollout(self) -> Path:
        """The answer about the order of the release, with pictures."""
        return self.build / "rollout"

    @property
    def pages(self) -> Path:
        """The report for people."""
        return self.build / "report"

    @property
    def allure_results(self) -> Path:
        """The input of Allure."""
        return self.build / "allure-results"

    @property
    def junit(self) -> Path:
        return self.build / "junit.xml"

    @property
    def past_runs(self) -> Path:
        return self.history / "runs.jsonl"

    @property
    def durations(self) -> Path:
        """The durations of all tests, by which pytest-split balances shards."""
        return self.history / "durations.json"

    def clear(self) -> None:
        """Remove what an earlier run wrote, so that it is never mistaken for the result of this run."""
        self.build.mkdir(parents=True, exist_ok=True)
        for folder in (self.rollout, self.verifications, self.allure_results, self.pages):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (
            self.ledger,
            self.verdict,
            self.junit,
            self.pytest_log,
            self.request_counter,
        ):
            file.unlink(missing_ok=True)
