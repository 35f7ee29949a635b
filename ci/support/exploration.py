"""Runs the suites in rounds, each with a seed of its own, and adds up what they cover and find."""

import hashlib
import json
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ci.support.suite_process import NO_TESTS, POLL_S, run_command
from fixtures.core import surroundings
from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig
from fixtures.results.ledger import Ledger, read_ledger
from fixtures.scenarios.coverage.coverage import CoverageSummary

SUITE = "suites/compat"
# After the end of the budget, running tests may finish and shrink their failures for so long.
GRACE_S = 300
STOP_TIMEOUT_S = 30
TESTS_PASSED, TESTS_FAILED = 0, 1
INTERRUPTED = "interrupted: the run was stopped from outside"


@dataclass(frozen=True, kw_only=True)
class ExplorationConfig:
    """How long to explore and what. All files of the run are below `folder`."""

    folder: Path
    seconds: float
    workers: int
    run: RunConfig
    reports: int | None = None
    rounds: int | None = None
    only: str = ""

    @property
    def records(self) -> Path:
        """The folder in which the processes of a round record what they cover."""
        return self.folder / "notes"


@dataclass
class Exploration:
    """The sum of all rounds. `problems` are faults of the run itself, which end it."""

    config: ExplorationConfig
    start: float = field(default_factory=time.monotonic)
    coverage: CoverageSummary = field(default_factory=CoverageSummary)
    rounds: int = 0
    tests: int = 0
    problems: list[str] = field(default_factory=list)
    versions: dict[str, Any] = field(default_factory=dict)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.start

    @property
    def is_finished(self) -> bool:
        config = self.config
        enough_reports = config.reports is not None and self.coverage.reports >= config.reports
        is_over = self.elapsed_s >= config.seconds or self.rounds == config.rounds
        return bool(self.problems) or enough_reports or is_over


def seed_of_round(seed: int, number: int) -> int:
    """The seed of a round, different for each run seed and number."""
    return int.from_bytes(hashlib.sha256(f"{seed}:round {number}".encode()).digest()[:4])


def explore(config: ExplorationConfig) -> Exploration:
    """Run rounds until the budget is spent, the limits are reached, or the run itself has a problem."""
    exploration = Exploration(config)
    try:
        while not exploration.is_finished:
            exploration.rounds += 1
            seed = seed_of_round(config.run.seed, exploration.rounds)
            _run_round(exploration, seed)
            coverage = exploration.coverage
            print(
                f"round {exploration.rounds}, seed {seed}: {coverage.reports} reports, "
                f"{coverage.behaviours} behaviours, {len(coverage.findings)} kinds of findings, "
                f"{exploration.elapsed_s:.0f} of {config.seconds:.0f} s",
                flush=True,
            )
    except KeyboardInterrupt:  # between two rounds
        exploration.problems.append(INTERRUPTED)
    return exploration


def _run_round(exploration: Exploration, seed: int) -> None:
    """Run the suites once, and add their records while they run."""
    config = exploration.config
    ledger, log = config.folder / "ledger.jsonl", config.folder / "pytest.log"
    shutil.rmtree(config.records, ignore_errors=True)
    config.records.mkdir()
    ledger.unlink(missing_ok=True)
    remaining_s = config.seconds - exploration.elapsed_s
    until = time.time() + remaining_s
    run = replace(config.run, seed=seed, deep=str(config.records), until=until, ledger=str(ledger))
    run_file = config.folder / "run.json"
    environment = {**surroundings.suite_environment(), **run.write(run_file)}
    command = run_command((SUITE, "-q", "-m", "not nightly"), run_file, config.workers)
    command += ["-k", config.only] if config.only else []
    positions: dict[Path, int] = {}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  no shell
            command, cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        deadline = time.monotonic() + remaining_s + GRACE_S
        try:
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(POLL_S)
                _add_records(exploration, positions)
        except KeyboardInterrupt:  # what was recorded in hours is kept
            exploration.problems.append(INTERRUPTED)
        finally:
            was_running = _stop(process)
    _add_records(exploration, positions)
    if was_running and not exploration.problems:
        exploration.problems.append(f"round-hung: it did not end within {GRACE_S} s")
    _add_ledger(exploration, ledger, seed)
    if process.returncode == NO_TESTS:
        if exploration.elapsed_s < config.seconds:
            exploration.problems.append("no-tests: no generated test was selected, so nothing was explored")
    elif process.returncode not in (TESTS_PASSED, TESTS_FAILED) and not exploration.problems:
        exploration.problems.append(f"round-ended-badly: pytest exited {process.returncode}; see {log}")


def _stop(process: subprocess.Popen[bytes]) -> bool:
    """Stop a process that still runs; return whether it did."""
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGINT)  # pytest then stops the processes that it has started
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return True


def _add_records(exploration: Exploration, positions: dict[Path, int]) -> None:
    """Add the complete lines since the last call. `positions` tells how far each file was read."""
    for path in sorted(exploration.config.records.glob("*.jsonl")):
        with path.open("rb") as file:
            file.seek(positions.get(path, 0))
            for line in file:
                if line.endswith(b"\n"):
                    positions[path] = positions.get(path, 0) + len(line)
                    exploration.coverage.add_record(json.loads(line), exploration.elapsed_s)


def _add_ledger(exploration: Exploration, path: Path, seed: int) -> None:
    """Add the findings of a round. Tests that did not start before the end of the budget are no problem."""
    ledger = read_ledger(path) if path.exists() else Ledger({}, (), ())
    exploration.tests += len(ledger.tests)
    exploration.versions = dict(ledger.header.get("versions", exploration.versions))
    for row in ledger.tests:
        exploration.coverage.add_findings(row.get("findings", ()), round=exploration.rounds, seed=seed)
        if row["result"] == "broken" and not row.get("findings"):
            reason = str(row.get("message") or "broken").splitlines()[0]
            exploration.problems.append(f"broken: {reason} [{row['test']}]")
