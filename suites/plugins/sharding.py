"""The pytest plugin of a shard: it counts all tests before pytest-split does, and asks what others found."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from fixtures.generation import known
from fixtures.platform import redis_container
from fixtures.results import shards

WHOLE = pytest.StashKey[dict[str, Any]]()
KNOWN_AT = pytest.StashKey[str]()


# After -m and xdist's names, before pytest-split, which is registered later and so is the last of the last.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Count what there is; xdist's workers, who alone see it, send it home."""
    if config.option.shard:
        config.stash[WHOLE] = shards.whole_of(item.nodeid for item in items)
        if hasattr(config, "workeroutput"):
            config.workeroutput["whole"] = config.stash[WHOLE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker that has come to its end tells what there is; xdist itself sees that all collect the same."""
    if "whole" in getattr(node, "workeroutput", {}):
        node.config.stash[WHOLE] = node.workeroutput["whole"]


def pytest_report_header() -> list[str]:
    """Say where failures are known, or why not."""
    url = os.environ.get(known.VARIABLE)
    return [known.trouble(url) or f"known failures: {redis_container.shown(url)}"] if url else []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Know it in this process alone: runs that a test starts are runs of their own."""
    known_at(item.config)


def known_at(config: pytest.Config) -> str:
    """Where failures are known, or nothing; asked where tests run, never where workers are started from."""
    if KNOWN_AT not in config.stash:
        config.stash[KNOWN_AT] = os.environ.pop(known.VARIABLE, "")
    return config.stash[KNOWN_AT]


def told(config: pytest.Config) -> dict[str, Any]:
    """Which shard this is, for the header of the ledger."""
    return {"shard": json.loads(config.option.shard)} if config.option.shard else {}


def whole(config: pytest.Config) -> dict[str, Any]:
    """All tests of the run, for the footer, as far as they were collected."""
    return {"whole": config.stash[WHOLE]} if WHOLE in config.stash else {}
