"""The pytest plugin of one round of a deep run: generated tests alone, until the time is over, and noted."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.scenarios.coverage.recorder import Notes

NOTES: pytest.StashKey[Notes] = pytest.StashKey()
GENERATED = {"explore", "explore_steps"}
"""A test that takes one of these draws; another would judge the same in every round."""


def add_options(group: pytest.OptionGroup) -> None:
    """What `./ci/deep` tells a round."""
    group.addoption("--deep", metavar="DIR", help="generated tests alone; what they see is noted there")
    group.addoption("--until", type=float, metavar="TIME", help="no test of --deep begins later than this")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what draws nothing to the gate; the rest in another order each round, as the last ends early."""
    if config.option.deep:
        items[:] = [item for item in items if GENERATED & set(getattr(item, "fixturenames", ()))]
        items.sort(key=lambda item: sha256(f"{config.option.seed}:{item.nodeid}".encode()).digest())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Pass over what would begin too late: no result is no proof, and a deep run proves nothing."""
    until = item.config.option.until
    return True if until is not None and time.time() >= until else None


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Write down what the test has seen."""
    if NOTES in item.config.stash:
        item.config.stash[NOTES].flush()
