"""Fixtures for the tests of all services together."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping

import pytest

from fixtures.core.findings import Finding
from fixtures.core.topology import PROVIDERS, TRACEABLE_PROVIDERS, VERSION_MIXES
from fixtures.faults import runtime
from fixtures.generation.runner import Profile, explore
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.over_http.config import PlatformConfig
from fixtures.platform.over_http.platform import HttpPlatform, run_platform
from fixtures.scenarios.end_to_end import EndToEndScenario, ask_emulator, draw_pushes
from fixtures.services import load
from fixtures.targets.config import Deployment
from fixtures.targets.provisioning.inventory import Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.reverse_proxy import reverse_proxy
from fixtures.targets.target import connect_target
from suites.plugins.options import get_run_config
from suites.types import Build, FindingsOf, JourneyOf

MESSAGES_PER_CASE = 2


@pytest.fixture(scope="module")
def worlds(
    deployed: Mapping[str, Deployment],
    rate_limiter: RateLimiter,
    inventory: Inventory,
    pytestconfig: pytest.Config,
) -> Iterator[JourneyOf]:
    """Start the platform for a mix of versions, by name; deployments replace the services that are *after*.

    The scope is a module, because idle services poll their queues and would slow down all later tests.
    """
    variant = runtime.find_variant(get_run_config(pytestconfig).variant)
    running: list[HttpPlatform] = []
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(name: str) -> EndToEndScenario:
            world = VERSION_MIXES[name]
            if variant:
                fcm = functools.partial(ask_emulator, Emulator())
                platform = stack.enter_context(runtime.run_in_memory(variant, world, fcm))
                return EndToEndScenario(name, world, platform)
            elsewhere: dict[str, str] = {}
            lost: list[Exception] = []
            for service in set(deployed) & set(TRACEABLE_PROVIDERS) & set(PROVIDERS):
                if world.versions[service] == "after":
                    # An unreachable deployment fails here, at once.
                    target = connect_target(deployed[service], rate_limiter, inventory)
                    stack.callback(target.close)
                    elsewhere[service] = stack.enter_context(reverse_proxy(target.client, failures=lost))
            system = stack.enter_context(
                run_platform(PlatformConfig(versions=world.versions, elsewhere=elsewhere))
            )
            running.append(system)
            return EndToEndScenario(name, world, system, lost_exchanges=lost)

        yield of
        for system in running:
            system.begin_stop()


@pytest.fixture(scope="session")
def judged(pytestconfig: pytest.Config) -> Callable[[EndToEndScenario], list[Finding]]:
    """What is found in a world when every case is pushed through it, all at once: a chain takes seconds."""
    draw = functools.partial(explore, profile=Profile(get_run_config(pytestconfig).seed, MESSAGES_PER_CASE))
    found: dict[str, list[Finding] | Exception] = {}

    def of(journey: EndToEndScenario) -> list[Finding]:
        if journey.name not in found:
            try:
                found[journey.name] = journey.run_pushes(draw_pushes(journey.world, draw))
            except Exception as trouble:  # noqa: BLE001  kept, or every case would wait for the deadline again
                found[journey.name] = trouble
        judged = found[journey.name]
        if isinstance(judged, Exception):
            raise judged
        return judged

    return of


@pytest.fixture
def findings_of(journey_of: JourneyOf, judged: Callable[[EndToEndScenario], list[Finding]]) -> FindingsOf:
    """What is found in a world through which every case was pushed."""
    return lambda name: judged(journey_of(name))


@pytest.fixture
def journey_of(
    request: pytest.FixtureRequest, worlds: JourneyOf
) -> Iterator[Callable[[str], EndToEndScenario]]:
    """A world to push through; its reports count."""
    used: list[tuple[EndToEndScenario, int]] = []

    def of(name: str) -> EndToEndScenario:
        journey = worlds(name)
        used.append((journey, journey.report_count))
        return journey

    yield of
    reports = sum(journey.report_count - before for journey, before in used)
    request.node.user_properties.append(("reports", reports))


@pytest.fixture
def build(pytestconfig: pytest.Config) -> Build:
    """Where services in memory come from: a variant, or the reference."""
    variant = runtime.find_variant(get_run_config(pytestconfig).variant)
    return variant.load if variant else load
