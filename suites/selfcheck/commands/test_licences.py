"""Every installed package has a licence that pyproject.toml allows."""

import subprocess
import sys

import pytest

from fixtures.core.project import ROOT

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("options", "exit_code"), [([], 0), (["--allow-only=MIT-0"], 1)], ids=["ours", "one"]
)
def test_every_licence_is_allowed(options: list[str], exit_code: int) -> None:
    command = [sys.executable, "-m", "piplicenses", *options]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own
    assert result.returncode == exit_code, result.stderr
