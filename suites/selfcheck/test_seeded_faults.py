"""The suite bites: each seeded fault is found by the file that must notice it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import exploration, ledger
from fixtures.faults import FAULTS, LIVED, Fault, Lived
from fixtures.life import life_in
from fixtures.targets import ROOT, served
from fixtures.verdict import Findings

END_TO_END = "test_end_to_end.py"
WORLD = "all-after-v1"
SELECTED = {"test_counts_by_code.py": [], END_TO_END: ["-k", f"{WORLD}-v1-UNREGISTERED"]}


@pytest.mark.process
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_found(fault: Fault, tmp_path: Path) -> None:
    record = tmp_path / "ledger.jsonl"
    with served("fixtures.faults", fault.name) as (started,):
        suite = f"suites/compat/{fault.caught_by}"
        command = [sys.executable, "-m", "pytest", suite, f"--ledger={record}", "-q", "--exitfirst"]
        command += [f"--target={fault.service}={started['url']}", "--examples=5"]
        command += SELECTED.get(fault.caught_by, ["-k", fault.service])
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)  # noqa: S603
    findings = [found for line in ledger.read(record).tests for found in line.get("findings", ())]
    assert ran.returncode == 1, ran.stdout[-3000:] + ran.stderr[-2000:]
    assert findings, ran.stdout[-3000:]
    whose = fault.service if fault.caught_by != END_TO_END else WORLD
    assert {found["provider"] for found in findings} == {whose}
    assert all(found["sent"] and found["reproduce"].startswith("./ci/test ") for found in findings)


@pytest.mark.process
@pytest.mark.parametrize("fault", LIVED, ids=lambda fault: fault.name)
def test_the_fault_shows_in_a_life(fault: Lived) -> None:
    machine = life_in(WORLD, fault.load)
    with pytest.raises(Findings) as raised:
        exploration.explore_steps(fault.name, machine, profile=exploration.Profile(0, 400))
    (finding, *_) = raised.value.findings
    assert (finding.check, finding.provider) == ("life", WORLD)
    assert finding.sent[0] == "subscriber 1 subscribes"
    assert len(finding.sent) <= 9, finding.sent
