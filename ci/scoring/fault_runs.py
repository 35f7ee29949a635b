"""Runs the suites with one seeded fault or tolerant variant, in a worker process that serves many runs."""

import contextlib
import io
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig
from fixtures.core.topology import FLOW
from fixtures.faults import Fault, find_fault
from fixtures.faults.rows import COUNTS, END_TO_END, LIFECYCLE
from fixtures.faults.scoring import FaultResult, RunResult, VariantResult, is_cleaner_fault
from fixtures.faults.tolerant import find_tolerant_variant
from fixtures.results import ledger

COMPAT, CLEANER_TESTS = "suites/compat", "suites/selfcheck/release"
LIMIT_S = 300  # for one run
# No assertion is rewritten: the worker has imported the tests before.
PYTEST_OPTIONS = ("-q", "--assert=plain", "-p", "no:logging", "--rootdir", str(ROOT))
LIFECYCLE_EXAMPLES = 40  # a lifecycle is short, and most faults show in few of them


class RunTooLongError(BaseException):
    """A run that does not end. It is no Exception, so that no test can catch it."""


@dataclass(frozen=True)
class ScoringOptions:
    """How to look for faults.

    `quick` omits the second run, without the claimed checks; `without` are checks to take away in the first.
    """

    examples: int
    seed: int
    quick: bool
    without: tuple[str, ...] = ()


@dataclass
class PromiseRecorder:
    """A pytest plugin that records the promises of the chosen tests, by test id."""

    promises: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for test in session.items:
            marks = test.iter_markers("catches")
            self.promises[test.nodeid] = tuple(mark.kwargs["promise"] for mark in marks)


def score_fault(name: str, options: ScoringOptions) -> FaultResult:
    """Look for a fault with all checks, and then, unless `quick`, without those that claim it."""
    fault = find_fault(name)
    run_config = RunConfig(variant=name, seed=options.seed, examples=options.examples)
    first_config = run_config
    if fault.promise == LIFECYCLE:
        first_config = replace(run_config, examples=LIFECYCLE_EXAMPLES)
    # The cleaner's tests take no time, and a version mix runs once for all its tests: all are counted.
    stop_early = [] if is_cleaner_fault(name) or fault.promise == END_TO_END else ["--exitfirst"]
    first = run_without(fault, options.without, first_config, stop_early)
    if options.quick:
        return FaultResult(name, first, None)
    # Without the claimed checks no rare lifecycle can be found, so fewer of them prove as much.
    return FaultResult(name, first, run_without(fault, fault.checks, run_config, ["--exitfirst"]))


def run_without(
    fault: Fault, checks: Sequence[str], config: RunConfig, pytest_options: Sequence[str]
) -> RunResult:
    """Run the tests of the broken promise as if some checks did not exist."""
    marks = [f"catches(promise='{fault.promise}')", "not process"]
    if is_cleaner_fault(fault.name):
        marks += [f"not catches(promise='{check}')" for check in checks]
        return run_tests([CLEANER_TESTS, "-m", " and ".join(marks), *pytest_options], config)
    selection = [COMPAT, "-m", " and ".join(marks)]
    if fault.promise in (END_TO_END, LIFECYCLE):
        selection += ["-k", fault.version_mix]
    elif fault.promise != COUNTS:
        selection += ["-k", fault.service]
    return run_tests([*selection, *pytest_options], replace(config, without=tuple(checks)))


def score_tolerant_variant(name: str, seed: int, examples: int) -> VariantResult:
    """Run the compat suites with a tolerant variant, but for the tests that it does not change."""
    variant = find_tolerant_variant(name)
    marks = ["not process"]
    if variant.http_variant:  # these tests use no HTTP
        marks += [f"not catches(promise='{promise}')" for promise in (END_TO_END, LIFECYCLE)]
    selection = [COMPAT, "-m", " and ".join(marks)]
    if unchanged := [name for name in FLOW if name not in variant.services]:
        selection += ["-k", f"not ({' or '.join(unchanged)})"]
    return VariantResult(
        name, seed, run_tests(selection, RunConfig(variant=name, seed=seed, examples=examples))
    )


def run_tests(selection: Sequence[str], config: RunConfig) -> RunResult:
    """Run pytest in this process, and read from the ledger what the tests found."""
    recorder = PromiseRecorder()
    output = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="fcm-selfcheck-") as folder, limit_seconds(LIMIT_S):
        config_file, ledger_file = Path(folder) / "run.json", Path(folder) / "ledger.jsonl"
        replace(config, ledger=str(ledger_file)).write(config_file)
        arguments = [*selection, f"--config={config_file}", f"--config-file={ROOT / 'pyproject.toml'}"]
        started = time.monotonic()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            exit_status = int(pytest.main([*arguments, *PYTEST_OPTIONS], plugins=[recorder]))
        seconds = time.monotonic() - started
        rows = ledger.read_ledger(ledger_file).tests if ledger_file.is_file() else []
    broken = tuple(
        (str(row["test"]), str(row.get("message") or row["result"]))
        for row in rows
        if row["result"] != "passed" and not row.get("findings")
    )
    return RunResult(
        tests=len(rows),
        findings=tuple(finding for row in rows for finding in row.get("findings", ())),
        broken=broken if rows else (("", output.getvalue()[-2000:]),),
        overlooked=tuple(frozenset(row["overlooked"]) for row in rows if "overlooked" in row),
        exit_status=exit_status,
        seconds=seconds,
        promises=recorder.promises,
    )


@contextlib.contextmanager
def limit_seconds(seconds: int) -> Iterator[None]:
    """Raise RunTooLongError in a block that takes longer."""

    def stop(*_: object) -> None:
        raise RunTooLongError

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
