"""Collect the tests that the gate runs in a checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fixtures.core.project import ROOT

# pyproject.toml describes these marks.
GATE_TESTS = ("suites", "-m", "not process and not aside and not nightly")


def collect_test_ids(root: Path = ROOT) -> list[str]:
    """The ids of all tests that the gate would run in this checkout. Raises RuntimeError if pytest fails."""
    command = [sys.executable, "-m", "pytest", *GATE_TESTS, "--collect-only", "-q"]
    result = subprocess.run(  # noqa: S603  our own tests, no shell
        [*command, f"--rootdir={root}"], cwd=root, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"pytest cannot collect the tests of {root}:\n{result.stdout}{result.stderr}")
    return [line for line in result.stdout.splitlines() if "::" in line]
