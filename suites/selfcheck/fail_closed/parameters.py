"""Parametrizes a test over faults: some run in ./ci/test, the others at night."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest

from suites.selfcheck.fail_closed.sandbox import GateFault


def for_each_fault(
    faults: Sequence[GateFault], *, by_day: Collection[str]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A test for each fault; those that are not in `by_day` are marked nightly."""
    marks = {fault.name: () if fault.name in by_day else (pytest.mark.nightly,) for fault in faults}
    return pytest.mark.parametrize(
        "fault", [pytest.param(fault, id=fault.name, marks=marks[fault.name]) for fault in faults]
    )
