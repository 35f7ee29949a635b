"""Fixtures of the self-checks: a Redis server, and another time zone."""

import copy
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ci.commands.__main__ import find_main
from fixtures.core import redaction
from fixtures.platform import redis_container
from fixtures.platform.redis_server import run_redis
from suites.types import RunCommand

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let processes that tests start receive Ctrl-C, which a shell turns off for background jobs."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def isolated_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets that a test teaches the redactor, such as paths, are not masked in the next test."""
    monkeypatch.setattr(redaction, "REDACTOR", copy.deepcopy(redaction.REDACTOR))


@pytest.fixture
def in_another_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the machine's time zone to nine hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Etc/GMT-9")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def run_command(capfd: pytest.CaptureFixture[str]) -> RunCommand:
    """Runs a command of ci/ in this process, which is faster than in one of its own."""

    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        handlers = [signal.getsignal(number) for number in STOP_SIGNALS]
        try:
            code = find_main(name)(arguments)
        except SystemExit as error:
            code = int(error.code or 0)
        # Else a later test that sends one to this process would not end what it runs.
        assert [signal.getsignal(number) for number in STOP_SIGNALS] == handlers
        output = capfd.readouterr()
        return subprocess.CompletedProcess((name, *arguments), code, output.out, output.err)

    return run


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with run_redis() as url:
        yield url


@pytest.fixture
def server(redis_url: str) -> Iterator[Any]:
    client = redis_container.connect(redis_url)
    yield client
    client.close()
