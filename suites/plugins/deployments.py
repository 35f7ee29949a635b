"""What only a run with deployments needs: real surroundings of a service, and version mixes over HTTP.

A run of reference services alone does not register this plugin: it needs no client of Amazon and no server.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from fixtures.platform import sqs
from fixtures.platform.isolated_service import IsolatedService
from fixtures.scenarios.deployed_services import DeployedService
from fixtures.scenarios.isolated_services import IsolatedScenario
from fixtures.scenarios.version_mixes import run_mix
from fixtures.targets.config import Deployment
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import RateLimiter
from suites.plugins.options import get_run_config
from suites.types import RunMix


def pytest_configure() -> None:
    """Raises QueueError, before any test, if the environment lets no client of Amazon start."""
    sqs.require_valid_settings()


@pytest.fixture(scope="session")
def logs_of_services(pytestconfig: pytest.Config) -> Path:
    """The folder for what the services that the suite starts write."""
    return Path(get_run_config(pytestconfig).ledger).parent / "logs"


@pytest.fixture(scope="session")
def run_deployed_mix(
    deployed: Mapping[str, Deployment],
    rate_limiter: RateLimiter,
    inventory: Inventory,
    logs_of_services: Path,
) -> RunMix:
    """Runs a version mix over HTTP, in which deployments take the places of reference services."""
    return lambda name: run_mix(name, deployed, rate_limiter, inventory, logs_of_services)


@pytest.fixture(scope="module")
def deployed_services(
    deployed: Mapping[str, Deployment], rate_limiter: RateLimiter, logs_of_services: Path
) -> Iterator[Callable[[str], IsolatedService]]:
    """Run the deployment of a service between surroundings of its own, once for all tests of a file."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def start(name: str) -> IsolatedService:
            service = stack.enter_context(DeployedService(deployed[name], rate_limiter, logs_of_services))
            IsolatedScenario(service).prove_surroundings()
            return service

        yield start
