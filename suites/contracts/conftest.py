"""What only the contract suites need: the consumers, and the providers that the gate does not judge."""

import contextlib
import fcntl
import functools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.contracts.pact import verifier_client
from fixtures.contracts.pact.consumer_tests import open_consumer
from fixtures.contracts.pact.provider_server import serve_providers
from fixtures.core.project import ROOT
from fixtures.core.topology import Edge
from suites.plugins.options import get_run_config


@pytest.fixture(scope="package", autouse=True)
def _without_verifier_afterwards() -> Iterator[None]:
    """Nobody else asks Pact's Verifier, and it takes as much memory as two providers."""
    yield
    verifier_client.end()


@pytest.fixture(scope="module")
def reading_from() -> Iterator[Callable[[Edge, str], Callable[[Any], None]]]:
    """The consumer of an edge, as a function that reads a declaration: PactError if it cannot."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(edge: Edge, version: str) -> Callable[[Any], None]:
            return stack.enter_context(open_consumer(edge, version))

        yield of


@pytest.fixture(scope="session")
def clients() -> None:
    """The programs of others, set up on demand; only once, though several workers may want them."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / "clients.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(  # noqa: S603  our own script
            [str(ROOT / "ci" / "setup" / "clients.sh")], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def url_of() -> Iterator[Callable[[str, str], str]]:
    """Where a reference service, or the emulator, of a version is served in this process."""
    with serve_providers() as url_of:
        yield url_of


@pytest.fixture
def verifications(pytestconfig: pytest.Config) -> Path:
    """The folder of verification results, beside the ledger."""
    return Path(get_run_config(pytestconfig).ledger).parent / "verifications"
