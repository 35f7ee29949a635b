"""The tests that the gate collects in a checkout, and the list of them that the policy asks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ci.support.cli import ExitCode
from fixtures.core.project import ROOT
from fixtures.results.expected_tests import EXPECTED_TESTS, format_expected_tests

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


def regenerate(*, check: bool) -> int:
    """Write the list of expected tests, or only check that it is current. Returns an exit code."""
    current = format_expected_tests(collect_test_ids())
    written = EXPECTED_TESTS.read_text(encoding="utf-8") if EXPECTED_TESTS.exists() else ""
    if current == written:
        return ExitCode.GO
    name = EXPECTED_TESTS.relative_to(ROOT)
    if check:
        print(f"{name} is not what the suites hold\n  next: ./ci/regenerate tests", file=sys.stderr)
        return ExitCode.NO_GO
    EXPECTED_TESTS.write_text(current, encoding="utf-8")
    print(f"wrote {name}")
    return ExitCode.GO
