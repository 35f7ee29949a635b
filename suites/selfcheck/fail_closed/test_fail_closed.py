"""The page of faults is current, and a project in which nothing is wrong is a go."""

import re

import pytest

from suites.selfcheck.fail_closed.__main__ import FAULTS, PAGE, ROW
from suites.selfcheck.fail_closed.sandbox import GateCall, Scene, run_gate


def test_the_page_lists_every_fault() -> None:
    rows = [
        (name, what, verdict) for name, what, verdict, *_ in ROW.findall(PAGE.read_text(encoding="utf-8"))
    ]
    assert rows == [(fault.name, fault.what, fault.verdict) for fault in FAULTS.values()]


@pytest.mark.process
def test_where_nothing_is_wrong_it_is_go(scene: Scene) -> None:
    result = run_gate(scene, GateCall(), re.compile("GO"))
    assert (result.exit_status, result.reasons) == (0, ""), result.text
