"""When a seeded fault counts as caught: by all the checks that claim it, and by nothing else of its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fixtures.faults import FAULTS
from fixtures.faults.base import CLEANER
from fixtures.faults.scoring import Caught, Ran

pytestmark = pytest.mark.aside

FAULT = next(fault for fault in FAULTS if len(fault.checks) > 1 and fault.service != CLEANER)
FIRST, SECOND = FAULT.checks[:2]
OF_CLEANER = next(fault for fault in FAULTS if fault.service == CLEANER)
CLEAN = Ran(tests=3, findings=(), broken=(), overlooked=(frozenset(FAULT.checks),), exit_status=0, seconds=1)


def ran(*checks: str, **members: Any) -> Ran:
    """A run in which these checks found something, each in a test of its own."""
    findings = tuple({"check": check, "test": f"test of {check}", "sent": [check]} for check in checks)
    return replace(Ran(3, findings, (), (), 1 if checks else 0, 1), **members)


BROKEN = (("suites/x.py::test_y[z]", "it hung"),)
TROUBLE: Mapping[str, tuple[Ran, Ran | None, str | None]] = {
    "all that claim it, and nothing else": (ran(*FAULT.checks), CLEAN, None),
    "the others were heard when the first was gone": (ran(FIRST), CLEAN, None),
    "not looked at without them": (ran(FIRST), None, None),
    "not at all": (ran(), CLEAN, "not caught: 3 tests passed, exit 0"),
    "by a test that broke": (ran(broken=BROKEN, exit_status=1), CLEAN, "not caught: it hung"),
    "by a check that does not claim it": (
        ran(FIRST, "another"),
        CLEAN,
        "found by another as well, which does not claim it",
    ),
    "by one that claims it, and never by the other": (
        ran(FIRST),
        replace(CLEAN, overlooked=(frozenset({*FAULT.checks} - {SECOND}),)),
        f"not found by {SECOND}, which claims it",
    ),
    "by others as well": (
        ran(*FAULT.checks),
        ran("another"),
        f"found without {', '.join(FAULT.checks)} as well: another",
    ),
    "by a broken test as well": (
        ran(*FAULT.checks),
        ran(broken=BROKEN, exit_status=1),
        f"found without {', '.join(FAULT.checks)} as well: it hung",
    ),
    "nothing ran without them": (
        ran(*FAULT.checks),
        ran(tests=0),
        f"found without {', '.join(FAULT.checks)} as well: 0 tests passed, exit 0",
    ),
}


@pytest.mark.parametrize(("first", "without", "trouble"), TROUBLE.values(), ids=TROUBLE)
def test_a_fault_is_caught(first: Ran, without: Ran | None, trouble: str | None) -> None:
    caught = Caught(FAULT.name, first, without)
    assert caught.trouble == trouble
    assert caught.word == (trouble or "caught")


def test_a_fault_of_the_cleaner_is_caught_by_the_tests_that_claim_it() -> None:
    broken = tuple((f"suites/x.py::{check}[a]", "assert 1 == 2") for check in OF_CLEANER.checks)
    first = ran(broken=broken, exit_status=1)
    assert Caught(OF_CLEANER.name, first, CLEAN).trouble is None
    assert Caught(OF_CLEANER.name, first, CLEAN).tests == len(broken)
    strange = ran(broken=(*broken, *BROKEN), exit_status=1)
    told = "found by test_y as well, which does not claim it"
    assert Caught(OF_CLEANER.name, strange, CLEAN).trouble == told
