"""The fixtures of every suite, for processes that run tests: who only hands tests out does without them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.contracts import matcher
from fixtures.core.topology import PROVIDERS, VERSIONS
from fixtures.faults import runtime
from fixtures.generation import example_database
from fixtures.generation import runner as exploration
from fixtures.generation.runner import Profile
from fixtures.results import ledger
from fixtures.scenarios.coverage.recorder import Notes, Watched
from fixtures.scenarios.provider import Matcher, Trial
from fixtures.targets import target as targets
from fixtures.targets.config import Deployment
from fixtures.targets.rate_limit import Budget
from fixtures.targets.target import Target
from suites.plugins.deployed import deployed_of, spent_of
from suites.plugins.exploration import NOTES
from suites.plugins.sharding import known_at
from suites.types import TargetsOf


@pytest.fixture(scope="session")
def deployed(pytestconfig: pytest.Config) -> dict[str, Deployment]:
    """The deployments of *after* that this run is about, by name."""
    return deployed_of(pytestconfig)


@pytest.fixture(scope="session")
def budget(pytestconfig: pytest.Config) -> Budget:
    """What this run has asked deployments, whichever of its processes did."""
    return Budget(spent_of(pytestconfig))


@pytest.fixture(scope="session")
def targets_of(
    deployed: dict[str, Deployment], budget: Budget, pytestconfig: pytest.Config
) -> Iterator[TargetsOf]:
    """All providers of a version by name: reference services, except for deployments of *after*."""
    variant = runtime.asked_for(pytestconfig.option.variant)
    with contextlib.ExitStack() as stack:

        @functools.cache
        def here() -> dict[str, dict[str, Target]]:
            return stack.enter_context(targets.embedded_in(list(PROVIDERS), VERSIONS))

        @functools.cache
        def of(version: str) -> dict[str, Target]:
            replaced = deployed if version == "after" else {}
            found = {name: targets.connect(replaced[name], budget) for name in PROVIDERS if name in replaced}
            names = [name for name in PROVIDERS if name not in found]
            if names and variant:
                found |= stack.enter_context(runtime.providers(variant, names, version))
            elif names:
                found |= {name: target for name, target in here()[version].items() if name in names}
            for target in found.values():
                stack.callback(target.close)
            return found

        yield of


@pytest.fixture
def trial_of(request: pytest.FixtureRequest, targets_of: TargetsOf) -> Iterator[Callable[..., Trial]]:
    """A trial of a provider, in the version after the release unless told otherwise."""
    used: list[tuple[Target, int]] = []

    def of(provider: str, version: str = "after") -> Trial:
        target = targets_of(version)[provider]
        used.append((target, target.delivered))
        return trial(request.config, target, matcher(provider, "answer").of, version)

    yield of
    reports = sum(target.delivered - before for target, before in used)
    request.node.user_properties.append(("reports", reports))


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Hypothesis, seeded by the run and the name of the test."""
    return functools.partial(exploration.explore, request.node.nodeid, profile=profile(request.config))


@pytest.fixture
def explore_steps(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Walks of a state machine, seeded likewise."""
    return functools.partial(exploration.explore_steps, request.node.nodeid, profile=profile(request.config))


def trial(config: pytest.Config, target: Target, contract: Matcher, version: str) -> Trial:
    """A trial, of which notes are taken in a deep run if it is about the version after the release."""
    if not config.option.deep or version != "after":
        return Trial(target, contract)
    if NOTES not in config.stash:
        config.stash[NOTES] = Notes(Path(config.option.deep))
    return Watched(target, contract, notes=config.stash[NOTES])


def profile(config: pytest.Config) -> Profile:
    """How this run explores; only what the gate has started learns from it, others just look."""
    option, url = config.option, known_at(config)
    environment = option.environment or ledger.LOCAL
    databases = example_database.databases(url, environment, learns=bool(option.run_id)) if url else None
    return Profile(option.seed, option.examples, databases)
