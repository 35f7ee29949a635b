"""Fixtures of the contract suites: consumers, Pact's Verifier, and providers that the gate does not judge."""

import contextlib
import fcntl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.contracts.pact.servers import serve_providers
from fixtures.contracts.pact.verification import VerifierProcess
from fixtures.core.project import BUILD, ROOT
from suites.plugins.options import get_run_config


@pytest.fixture(scope="package")
def verifier() -> Iterator[VerifierProcess]:
    # Its process takes as much memory as two providers, so it ends with these suites.
    with contextlib.closing(VerifierProcess()) as process:
        yield process


@pytest.fixture(scope="session")
def clients() -> None:
    """Set up real push clients on demand. A lock keeps other workers waiting until that is done."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "clients.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = subprocess.run(  # noqa: S603  our own script
            [str(ROOT / "ci" / "setup" / "clients.sh")], capture_output=True, text=True, check=False
        )
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.fixture(scope="module")
def url_of() -> Iterator[Callable[[str, str], str]]:
    """The URL of a reference service in a version, or of the emulator, which starts on demand."""
    with serve_providers() as serve:
        yield serve


@pytest.fixture
def verifications(pytestconfig: pytest.Config) -> Path:
    """The folder of verification results, beside the ledger."""
    return Path(get_run_config(pytestconfig).ledger).parent / "verifications"
