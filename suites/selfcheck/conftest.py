"""Fixtures of the self-checks: real servers, and a machine elsewhere."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.core import redaction
from fixtures.faults import runtime
from fixtures.platform import redis_container
from fixtures.platform.redis_server import embedded
from suites.plugins.options import get_run_config


@pytest.fixture(scope="session", autouse=True)
def variant(pytestconfig: pytest.Config) -> Iterator[None]:
    """A fault outside the services, if one is asked for."""
    with runtime.patched(runtime.asked_for(get_run_config(pytestconfig).variant)):
        yield


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """What tests start can be interrupted, although a shell tells its background otherwise."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def secrets() -> Iterator[None]:
    """What a test tells nobody else keeps: a path that was part of one would be masked in the next."""
    with redaction.forgetting():
        yield


@pytest.fixture
def in_another_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's clock is nine hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Etc/GMT-9")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a server of this run."""
    with embedded() as url:
        yield url


@pytest.fixture
def server(redis_url: str) -> Iterator[Any]:
    """A client of that server."""
    client = redis_container.connect(redis_url)
    yield client
    client.close()
