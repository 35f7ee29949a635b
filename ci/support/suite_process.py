"""Collects or runs the tests of the gate in a pytest process, and shows progress."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fixtures.core import surroundings
from fixtures.core.plain_text import to_line
from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig
from fixtures.results.build_folder import RunFiles
from fixtures.results.shards import Shard

# The tests of the gate: those that judge the release, and those that hand wrong outcomes to the checks.
# ./ci/test runs the other self-checks, which test the suite itself. pyproject.toml describes the marks.
# The folders with the longest groups of tests come first, so that all workers end at about the same time.
TESTS = ("suites/rollout", "suites/contracts", "suites/compat", "suites/selfcheck/checks")
SELECTION: Mapping[str, str] = {
    "-m": "not process and not aside and not nightly",
}
# All plugins that are not pytest's own. No others are loaded, whatever is installed or can be found.
PLUGINS = ("xdist.plugin", "pytest_split.plugin", "_hypothesis_pytestplugin", "syrupy")
NO_TESTS = 5
POLL_S = 0.25
# Without a terminal, a line is printed for each tenth of the work.
PLAIN_STEP = 0.1
SHOWN_PROBLEMS = 16


def collect_test_ids(root: Path = ROOT) -> list[str]:
    """The ids of all tests that the gate would run in this checkout. Raises RuntimeError if pytest fails."""
    command = [*pytest_command(gate_tests()), "--collect-only", "-q"]
    environment = surroundings.suite_environment()
    result = subprocess.run(  # noqa: S603  no shell
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"pytest cannot collect the tests of {root}:\n{result.stdout}{result.stderr}")
    return [line for line in result.stdout.splitlines() if "::" in line]


def gate_tests() -> list[str]:
    """The arguments of pytest that select the tests of the gate."""
    return [*TESTS, *chain.from_iterable(SELECTION.items())]


def pytest_command(tests: Sequence[str]) -> list[str]:
    """The command that runs tests in the project's root, with its own plugins and configuration only.

    A file such as pytest.ini would otherwise take the place of pyproject.toml, whose `addopts` are for
    people. The root is relative, because pytest replaces what looks like a variable in it.
    """
    configuration = ("-c", "pyproject.toml", "--rootdir=.", "-o", "addopts=")
    strictness = ("--strict-markers", "--strict-config", "--import-mode=importlib")
    # ./ci/test looks for errors in destructors and for unused snapshots; neither judges anything.
    names = (*PLUGINS, "no:cacheprovider", "no:unraisableexception")
    plugins = [word for name in names for word in ("-p", name)]
    switched_off = ("--disable-plugin-autoload", "--snapshot-disable-unused")
    return [sys.executable, "-m", "pytest", *tests, *configuration, *strictness, *switched_off, *plugins]


def run_command(tests: Sequence[str], run_config: Path, workers: int) -> list[str]:
    """The command that runs tests in some workers with the options in a JSON file."""
    processes = ("-n", str(workers), "--dist=loadgroup", "--no-loadscope-reorder")
    return [*pytest_command(tests), "--tb=short", *processes, f"--config={run_config}"]


def describe_gate_run(run: RunConfig, workers: int, shard: Shard | None) -> dict[str, Any]:
    """What a run of the gate must judge, as the ledger says afterwards what it did judge."""
    part = {"--splits": shard.count, "--group": shard.number} if shard else {}
    plugins = ("conftest", "_pytest", "suites", *(name.partition(".")[0] for name in PLUGINS))
    process = {"tests": list(TESTS), "-n": workers, "--dist": "loadgroup", "plugins": sorted(plugins)}
    return {**run.describe(), **SELECTION, **part, **process, "-c": "pyproject.toml"}


def run_pytest(
    command: Sequence[str], files: RunFiles, environment: Mapping[str, str], lock: int
) -> int | None:
    """Run pytest until it ends. Returns its exit status, or None if the gate was interrupted.

    Pytest keeps the lock of the build folder, too: it still writes there if the gate is killed.
    """
    with files.pytest_log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, pass_fds=(lock,)
        )
        try:
            follow_run(files.ledger, process)
        except KeyboardInterrupt:
            return None
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
    return process.returncode


@dataclass
class LedgerTail:
    """Counts of a growing ledger, which is read on from where the last reading ended."""

    path: Path
    collected: int = 0
    tests: int = 0
    reports: int = 0
    findings: int = 0
    _offset: int = 0
    _incomplete_line: str = ""
    _problems: dict[str, None] = field(default_factory=dict)
    _printed_problems: int = 0

    def read(self) -> None:
        """Count the lines that were added."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            file.seek(self._offset)
            text = self._incomplete_line + file.read()
            self._offset = file.tell()
        *lines, self._incomplete_line = text.split("\n")
        for line in lines:
            # A broken line becomes a reason of the verdict later, when the whole ledger is read.
            with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
                self._count(json.loads(line))

    def _count(self, line: Mapping[str, Any]) -> None:
        self.collected = line.get("collected", self.collected)
        self.tests += line["kind"] == "test"
        self.reports += line.get("reports", 0)
        findings = line.get("findings", ())
        self.findings += len(findings)
        problems = [f"{finding['provider']}: {finding['title']}" for finding in findings]
        problems += [f"waived: {row['provider']}: {row['title']}" for row in line.get("waived", ())]
        if line.get("result", "passed") not in ("passed", "not-judged") and not problems:
            problems = [f"{line['result']}: {(line.get('message') or line['test']).splitlines()[0]}"]
        self._problems |= dict.fromkeys(map(to_line, problems))

    def take_new_problems(self) -> list[str]:
        """The problems that were not returned yet; in all no more than fit on a screen."""
        problems = list(self._problems)[self._printed_problems : SHOWN_PROBLEMS]
        self._printed_problems += len(problems)
        return problems

    def __str__(self) -> str:
        findings = f"{self.findings} findings" if self.findings else "no findings"
        return f"{self.reports} reports, {findings}"


def follow_run(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Show the progress of a run until its process ends."""
    tail = LedgerTail(path)
    if sys.stdout.isatty():
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, transient=True) as bar:
            task = bar.add_task("collecting", total=None)
            for problems in _poll_until_end(tail, process):
                for problem in problems:
                    bar.console.print(f"  {problem}", markup=False, highlight=False)
                if tail.collected:
                    bar.update(task, total=tail.collected, completed=tail.tests, description=str(tail))
        return
    printed_share = 0.0
    for problems in _poll_until_end(tail, process):
        for problem in problems:
            print(f"  {problem}", flush=True)
        if tail.collected and tail.tests / tail.collected >= printed_share + PLAIN_STEP:
            printed_share = tail.tests / tail.collected
            print(f"{tail.tests:5} of {tail.collected} tests, {tail}", flush=True)


def _poll_until_end(tail: LedgerTail, process: subprocess.Popen[bytes]) -> Iterator[list[str]]:
    """Read the ledger several times a second, and once after the end. Yields the new problems."""
    while process.returncode is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_S)
        tail.read()
        yield tail.take_new_problems()
