"""The suite bites: each seeded fault is found by the file that must notice it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import ledger
from fixtures.faults import FAULTS, Fault
from fixtures.targets import ROOT, served


@pytest.mark.process
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_found(fault: Fault, tmp_path: Path) -> None:
    record = tmp_path / "ledger.jsonl"
    with served("fixtures.faults", fault.name) as (started,):
        suite = f"suites/compat/{fault.caught_by}"
        command = [sys.executable, "-m", "pytest", suite, f"--ledger={record}", "-q", "--exitfirst"]
        command += [f"--target={fault.service}={started['url']}", "--examples=5"]
        command += [] if fault.caught_by == "test_counts_by_code.py" else ["-k", fault.service]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603
    findings = [found for line in ledger.read(record).tests for found in line.get("findings", ())]
    assert ran.returncode == 1, ran.stdout[-3000:] + ran.stderr[-2000:]
    assert findings, ran.stdout[-3000:]
    assert {found["provider"] for found in findings} == {fault.service}
    assert all(found["sent"] and found["reproduce"].startswith("./ci/test ") for found in findings)
