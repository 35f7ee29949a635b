"""A shard of a run: counts all collected tests before pytest-split selects some, and finds known failures."""

from __future__ import annotations

import os
from typing import Any

import pytest

from fixtures.core import urls
from fixtures.generation import example_database
from fixtures.results import shards
from suites.plugins.options import get_run_config

ALL_TESTS = pytest.StashKey[dict[str, Any]]()
KNOWN_FAILURES_URL = pytest.StashKey[str]()


# After -m has deselected tests, and before pytest-split, whose hook is also trylast but registered later.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Count the tests. Only xdist's workers collect tests, so they send the count to the main process."""
    if get_run_config(config).shard:
        config.stash[ALL_TESTS] = shards.fingerprint_tests(item.nodeid for item in items)
        if hasattr(config, "workeroutput"):
            config.workeroutput["whole"] = config.stash[ALL_TESTS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the count from a worker that ends; xdist checks that all workers collected the same tests."""
    if "whole" in getattr(node, "workeroutput", {}):
        node.config.stash[ALL_TESTS] = node.workeroutput["whole"]


def pytest_report_header() -> str | None:
    url = os.environ.get(example_database.VARIABLE)
    if not url:
        return None
    return example_database.connection_problem(url) or f"known failures: {urls.redact_url(url)}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take the variable out of the environment before a test can start a run of its own with it."""
    get_known_failures_url(item.config)


def get_known_failures_url(config: pytest.Config) -> str:
    """The Redis that knows failures of other shards and runs; empty if there is none."""
    if KNOWN_FAILURES_URL not in config.stash:
        config.stash[KNOWN_FAILURES_URL] = os.environ.pop(example_database.VARIABLE, "")
    return config.stash[KNOWN_FAILURES_URL]
