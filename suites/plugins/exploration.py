"""One round of ./ci/deep: runs the generated tests only, until a time, and records what they cover."""

from __future__ import annotations

import time
from hashlib import sha256

import pytest

from fixtures.scenarios.coverage.recorder import BehaviourRecorder
from suites.plugins.options import get_run_config

NOTES = pytest.StashKey[BehaviourRecorder]()
# Tests with these fixtures draw inputs. Every other test would prove the same in each round.
GENERATING_FIXTURES = {"explore", "explore_steps"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the generated tests, in another order each round, since the time may end before the last ones."""
    run = get_run_config(config)
    if run.deep:
        items[:] = [item for item in items if GENERATING_FIXTURES & set(getattr(item, "fixturenames", ()))]
        items.sort(key=lambda item: sha256(f"{run.seed}:{item.nodeid}".encode()).digest())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Skip a test that would start too late, without a result."""
    until = get_run_config(item.config).until
    return True if until is not None and time.time() >= until else None


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Write what the test covered."""
    if NOTES in item.config.stash:
        item.config.stash[NOTES].flush()
