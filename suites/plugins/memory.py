"""What a run is spared: memory that nobody reads again, and looks at objects that stay until its end."""

from __future__ import annotations

import gc

import pytest

YOUNG = 2000
"""Objects that may be new before they are looked at: Python's 700 are fewer than a batch of reports makes."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make only: every object that is there by now is there to stay."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


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
