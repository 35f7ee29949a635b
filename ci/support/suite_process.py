"""Runs the suites of the gate in a pytest process of its own, and shows progress meanwhile."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ci.support import progress
from ci.support.collect_tests import GATE_TESTS
from fixtures.core.project import ROOT

NO_TESTS = 5


def pytest_command(run_config: Path, workers: int, more: Sequence[str]) -> list[str]:
    """The command that runs the gate's tests with the options in a JSON file."""
    return [
        *(sys.executable, "-m", "pytest", *GATE_TESTS, "--tb=short"),
        *("-n", str(workers), "--dist=loadgroup"),
        "--max-worker-restart=0",  # a run that lost a worker proves nothing, and a new worker may hang
        f"--rootdir={ROOT}",  # otherwise an option's path could change it, and with it the names of tests
        f"--config={run_config}",
        *more,
    ]


def run_pytest(command: Sequence[str], log: Path, ledger: Path, environment: Mapping[str, str]) -> int | None:
    """Run pytest until it ends. Returns its exit status, or None if the gate was interrupted."""
    with (
        log.open("wb") as output,
        end_with_block(
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)  # noqa: S603
        ) as process,
    ):
        try:
            progress.follow(ledger, process)
        except KeyboardInterrupt:
            return None
    return process.returncode


@contextlib.contextmanager
def end_with_block(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Terminate the process at the end of the block if it still runs."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
