"""When a seeded fault counts as caught: by all checks that claim it, and by nothing else in its tests."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fixtures.faults import FAULTS
from fixtures.faults.rows import CLEANER
from fixtures.faults.scoring import FaultResult, RunResult

FAULT = next(fault for fault in FAULTS if len(fault.checks) > 1 and fault.service != CLEANER)
FIRST, SECOND = FAULT.checks[:2]
CLEANER_FAULT = next(fault for fault in FAULTS if fault.service == CLEANER)
CLEAN = RunResult(tests=3, overlooked=(frozenset(FAULT.checks),), exit_status=0, seconds=1)


def run_with(*checks: str, **members: Any) -> RunResult:
    """Make the result of a run in which each of these checks found something, in a test of its own."""
    findings = tuple({"check": check, "test": f"test of {check}", "sent": [check]} for check in checks)
    result = RunResult(tests=3, findings=findings, exit_status=1 if checks else 0, seconds=1)
    return replace(result, **members)


BROKEN = (("suites/x.py::test_y[z]", "it hung"),)
TROUBLE: Mapping[str, tuple[RunResult, RunResult | None, str | None]] = {
    "all that claim it, and nothing else": (run_with(*FAULT.checks), CLEAN, None),
    "the others found it when the first was gone": (run_with(FIRST), CLEAN, None),
    "no run without them": (run_with(FIRST), None, None),
    "not at all": (run_with(), CLEAN, "not caught: 3 tests passed, exit 0"),
    "by a test that broke": (run_with(broken=BROKEN, exit_status=1), CLEAN, "not caught: it hung"),
    "by a check that does not claim it": (
        run_with(FIRST, "another"),
        CLEAN,
        "found by another as well, which does not claim it",
    ),
    "by one that claims it, and never by the other": (
        run_with(FIRST),
        replace(CLEAN, overlooked=(frozenset({*FAULT.checks} - {SECOND}),)),
        f"not found by {SECOND}, which claims it",
    ),
    "by others as well": (
        run_with(*FAULT.checks),
        run_with("another"),
        f"found without {', '.join(FAULT.checks)} as well: another",
    ),
    "by a broken test as well": (
        run_with(*FAULT.checks),
        run_with(broken=BROKEN, exit_status=1),
        f"found without {', '.join(FAULT.checks)} as well: it hung",
    ),
    "nothing ran without them": (
        run_with(*FAULT.checks),
        run_with(tests=0),
        f"found without {', '.join(FAULT.checks)} as well: 0 tests passed, exit 0",
    ),
}


@pytest.mark.parametrize(("first", "without_checks", "trouble"), TROUBLE.values(), ids=TROUBLE)
def test_a_fault_is_caught(first: RunResult, without_checks: RunResult | None, trouble: str | None) -> None:
    result = FaultResult(FAULT.name, first, without_checks)
    assert result.trouble == trouble
    assert result.summary == (trouble or "caught")


def test_a_fault_of_the_cleaner_is_caught_by_the_tests_that_claim_it() -> None:
    promises = {f"suites/x.py::test_{check}[a]": ("cleaner", check) for check in CLEANER_FAULT.checks}
    broken = tuple((test, "assert 1 == 2") for test in promises)
    first = run_with(broken=broken, promises=promises, exit_status=1)
    assert FaultResult(CLEANER_FAULT.name, first, CLEAN).trouble is None
    assert FaultResult(CLEANER_FAULT.name, first, CLEAN).tests == len(broken)
    unclaimed = replace(first, broken=(*broken, *BROKEN))
    trouble = "found by suites/x.py::test_y[z] as well, which does not claim it"
    assert FaultResult(CLEANER_FAULT.name, unclaimed, CLEAN).trouble == trouble
