"""Collects or runs the tests of the gate in a pytest process of its own, and shows progress meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci.support import progress
from fixtures.core.project import ROOT

# pyproject.toml describes these marks.
GATE_TESTS = ("suites", "-m", "not process and not aside and not nightly")
NO_TESTS = 5


def collect_test_ids(root: Path = ROOT) -> list[str]:
    """The ids of all tests that the gate would run in this checkout. Raises RuntimeError if pytest fails."""
    command = [sys.executable, "-m", "pytest", *GATE_TESTS, "--collect-only", "-q", f"--rootdir={root}"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        raise RuntimeError(f"pytest cannot collect the tests of {root}:\n{result.stdout}{result.stderr}")
    return [line for line in result.stdout.splitlines() if "::" in line]


def pytest_command(run_config: Path, workers: int) -> list[str]:
    """The command that runs the gate's tests with the options in a JSON file."""
    return [
        *(sys.executable, "-m", "pytest", *GATE_TESTS, "--tb=short"),
        *("-n", str(workers), "--dist=loadgroup"),
        "--max-worker-restart=0",  # a run that lost a worker proves nothing, and a new worker may hang
        f"--rootdir={ROOT}",  # otherwise an option's path could change it, and with it the names of tests
        f"--config={run_config}",
    ]


def run_pytest(command: Sequence[str], log: Path, ledger: Path, environment: Mapping[str, str]) -> int | None:
    """Run pytest until it ends. Returns its exit status, or None if the gate was interrupted."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)  # noqa: S603
        try:
            progress.follow(ledger, process)
        except KeyboardInterrupt:
            return None
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
    return process.returncode
