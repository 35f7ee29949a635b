"""The gate spares itself whole files, and no test of its own with them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.core.project import ROOT

asked = importlib.import_module("ci.support.test_selection")  # a command under test, by name

pytestmark = pytest.mark.aside


@pytest.mark.process
def test_the_gate_runs_the_same_tests_with_the_files_that_it_spares() -> None:
    def collected(arguments: list[str]) -> set[str]:
        command = [sys.executable, "-m", "pytest", *arguments, "--collect-only", "-q"]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
        return {line for line in found.stdout.splitlines() if "::" in line}

    arguments = asked.arguments()
    everything = [one for one in arguments if not one.startswith("--ignore=")]
    assert len(everything) < len(arguments)
    assert collected(arguments) == collected(everything) != set()


@pytest.mark.parametrize(
    ("line", "spared"),
    [
        ("pytestmark = pytest.mark.aside", True),
        ('pytestmark = [pytest.mark.usefixtures("clients"), pytest.mark.process]', True),
        ("pytestmark = pytest.mark.asides", False),
        ("@pytest.mark.aside", False),
        ("    pytestmark = pytest.mark.aside", False),
    ],
)
def test_a_file_is_spared_that_is_marked_as_a_whole(tmp_path: Path, line: str, *, spared: bool) -> None:
    file = tmp_path / "suites" / "deep" / "test_it.py"
    file.parent.mkdir(parents=True)
    file.write_text(f"import pytest\n\n{line}\n", encoding="utf-8")
    assert (f"--ignore={Path('suites/deep/test_it.py')}" in asked.arguments(tmp_path)) == spared
