"""The suites accept the second opinion with every seed, and notice each of its faults."""

import subprocess
import sys

import pytest

from fixtures.core.project import ROOT
from suites.selfcheck.by_day import mark_nightly
from suites.selfcheck.second_opinion.faults import FAULTS

pytestmark = pytest.mark.process

SEEDS = 20
# By day, one seed with few cases, and one fault. Every night judges all.
SAMPLE = "(subscribers-errors or directory-responses) and UNREGISTERED"
SAMPLE_FAULT = "text-answers-lost"


def judge(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "suites.selfcheck.second_opinion.judge", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize(
    ("seed", "only"),
    [(0, SAMPLE), *(pytest.param(seed, "", marks=pytest.mark.nightly) for seed in range(SEEDS))],
)
def test_it_is_go(seed: int, only: str) -> None:
    result = judge("--seed", str(seed), "--only", only)
    assert (result.returncode, result.stdout) == (0, f"seed {seed}: go\n"), result.stderr[-2000:]


@pytest.mark.parametrize("fault", mark_nightly(FAULTS, [SAMPLE_FAULT]))
def test_a_fault_is_no_go(fault: str) -> None:
    result = judge("--seeds", "0", "--fault", fault)
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.startswith(f"{fault}: no-go: "), result.stdout
