"""The files that a run of the gate writes."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from ci.support.cli import resolve_build_folder, resolve_path


class RunFiles:
    """The files of a run below its build folder, and the history of earlier runs."""

    def __init__(self, build: Path, history: Path) -> None:
        self.build = build
        self.history = history
        self.ledger = build / "ledger.jsonl"
        self.verdict = build / "verdict.json"
        self.pytest_log = build / "pytest.log"
        self.request_counter = build / "spent.sqlite"
        # The results of pact verifications.
        self.verifications = build / "verifications"
        # The answer about the order of the release, with pictures.
        self.rollout = build / "rollout"
        # The report for people.
        self.pages = build / "report"
        # The input of Allure.
        self.allure_results = build / "allure-results"
        self.allure_pages = self.pages / "allure"
        self.allure_history = history / "allure.jsonl"
        self.junit = build / "junit.xml"
        self.past_runs = history / "runs.jsonl"
        # The durations of all tests, by which pytest-split balances shards.
        self.durations = history / "durations.json"

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> RunFiles:
        """Read --build and --history."""
        build = resolve_build_folder(options)
        if options.history:
            return cls(build, resolve_path(options.caller_folder, options.history))
        return cls(build, build / "history")

    def clear(self) -> None:
        """Remove what an earlier run wrote, so that it is never mistaken for the result of this run."""
        self.build.mkdir(parents=True, exist_ok=True)
        for folder in (self.rollout, self.verifications, self.allure_results, self.pages):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.ledger, self.verdict, self.junit, self.pytest_log, self.request_counter):
            file.unlink(missing_ok=True)
