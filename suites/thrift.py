"""What a run is spared: memory that nobody reads again, and the look at every object at its end."""

from __future__ import annotations

import gc

import pytest


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep of a phase that passed only that it did: pytest counts them at the end, and the ledger has it."""
    if report.passed:
        report.user_properties.clear()
        report.keywords.clear()  # type: ignore[attr-defined]  # a dictionary, whatever its annotation allows


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Let the interpreter end without a look at every object: pytest has just looked what nobody closed."""
    gc.freeze()
