"""Fixtures of the contract suites: consumers, Pact's Verifier, and providers that the gate does not judge."""

import contextlib
import fcntl
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.contracts.pact.expected_results import Expectation
from fixtures.contracts.pact.model import Declaration
from fixtures.contracts.pact.servers import serve_providers
from fixtures.contracts.pact.verification import Verification, VerifierProcess
from fixtures.core import redaction, schemas
from fixtures.core.project import BUILD, ROOT
from fixtures.core.topology import get_version_number
from suites.plugins.options import get_deployments, get_run_config

OWN_PACTS = "test_own_pacts.py"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the own pacts of deployments out if no deployment names any."""
    return True if collection_path.name == OWN_PACTS and not list_with_own_pacts(config) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.path.name == OWN_PACTS:
        metafunc.parametrize("provider", list_with_own_pacts(metafunc.config))


def list_with_own_pacts(config: pytest.Config) -> list[str]:
    """The deployments whose row in the targets file names pacts of their own."""
    return [name for name, deployment in get_deployments(config).items() if deployment.own_pacts]


@pytest.fixture(scope="package")
def verifier() -> Iterator[VerifierProcess]:
    # Its process takes as much memory as two providers, so it ends with these suites.
    with contextlib.closing(VerifierProcess(plain_http=True)) as process:
        yield process


@pytest.fixture(scope="session")
def clients() -> None:
    """Set up real push clients on demand."""
    set_up("clients")


@pytest.fixture(scope="session")
def validators() -> None:
    """Set up other people's validators on demand."""
    set_up("validators")


@pytest.fixture(scope="session")
def packages() -> None:
    """Set up real push packages on demand."""
    set_up("packages")


def set_up(name: str) -> None:
    """Run a script of ci/setup. A lock keeps other workers waiting until that is done."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "set-up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = [str(ROOT / "ci" / "setup" / f"{name}.sh")]
        result = subprocess.run(script, capture_output=True, text=True, check=False)  # noqa: S603  our own script
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


def write_result(
    folder: Path,
    pair: Expectation,
    verified: tuple[Iterable[Declaration], Verification],
    cross_read: tuple[Iterable[Declaration], Verification] | None = None,
) -> Path:
    """Write a JSON file with the result of each interaction of a pair, and of each cross-read."""
    consumer_number = get_version_number(pair.consumer, pair.consumer_version)
    provider_number = get_version_number(pair.provider, pair.provider_version)
    rows = list(_result_rows(*verified))
    if cross_read:
        rows += [{**row, "interaction": f"{row['interaction']} (read)"} for row in _result_rows(*cross_read)]
    result = {
        "consumer": pair.consumer,
        "consumer_version": consumer_number,
        "provider": pair.provider,
        "provider_version": provider_number,
        "edge": pair.edge.id,
        "results": rows,
    }
    schemas.validate(result, "verification.schema.json")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pair.consumer}-{consumer_number}--{pair.provider}-{provider_number}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return path


def _result_rows(declarations: Iterable[Declaration], verification: Verification) -> Iterator[dict[str, Any]]:
    for declaration in declarations:
        if declaration.description in verification.verified:
            problems = [str(problem) for problem in verification.find_problems(declaration.description)]
            yield {
                "interaction": declaration.description,
                "case": declaration.case,
                "protocol": declaration.protocol,
                "success": not problems,
                "problem": redaction.REDACTOR.redact_text("\n".join(problems)) or None,
            }
