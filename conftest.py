"""Options and fixtures of every suite. No decisions here: those are in fixtures/."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator

os.environ.setdefault("PACT_DO_NOT_TRACK", "true")

import pytest

from fixtures import exploration, targets, variants, verdict
from fixtures.contracts import matcher
from fixtures.ledger import LOCAL
from fixtures.targets import Target
from fixtures.topology import PROVIDERS
from fixtures.trials import Trial
from suites import recorder
from suites.recorder import BUILD, Recorder, is_worker
from suites.types import TargetsOf


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a run can be told."""
    group = parser.getgroup("fcm-compat")
    add = group.addoption
    add(
        "--target", action="append", default=[], metavar="NAME=URL", help="test a deployment of this provider"
    )
    add(
        "--replay",
        action="append",
        default=[],
        metavar="FILE",
        help="recorded FCM answers, one JSON object a line",
    )
    add("--seed", type=int, default=0, help="what is drawn: the same seed draws the same")
    add("--examples", type=int, default=8, help="batches that each generated test judges")
    add("--variant", default="", metavar="NAME", help="reference services with this fault or tolerance")
    add("--without", action="append", default=[], metavar="CHECK", help="overlook what this check finds")
    add("--environment", default=LOCAL, metavar="NAME", help=f"what is tested, by a name (default {LOCAL!r})")
    add("--run-id", default="", help="what the ledger calls this run")
    add("--ledger", default=str(BUILD / "ledger.jsonl"), metavar="FILE", help="where the run is recorded")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be tested at once and by name, then record the run."""
    config.pluginmanager.register(recorder, "fcm-compat-findings")
    verdict.OVERLOOKED.set(frozenset(config.option.without))
    if is_worker(config) or config.option.collectonly:
        return
    try:
        variant = variants.asked_for(config.option.variant)
        deployed = dict(targets.parse(option) for option in config.option.target)
        versions = targets.describe_all(deployed) | variants.described(variant)
    except (targets.TargetError, variants.UnknownVariant) as error:
        raise pytest.UsageError(str(error)) from error
    except targets.Unreachable as error:
        pytest.exit(str(error), returncode=2)
    config.pluginmanager.register(Recorder(config, versions), "fcm-compat-recorder")


@pytest.fixture(scope="session")
def targets_of(pytestconfig: pytest.Config) -> Iterator[TargetsOf]:
    """All providers of a version by name: reference services, except for deployments of *after*."""
    deployed = dict(targets.parse(option) for option in pytestconfig.option.target)
    variant = variants.asked_for(pytestconfig.option.variant)
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(version: str) -> dict[str, Target]:
            replaced = deployed if version == "after" else {}
            found = {name: targets.connect(name, url) for name, url in replaced.items()}
            names = [name for name in PROVIDERS if name not in found]
            if names:
                found |= stack.enter_context(variants.providers(variant, names, version))
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
        return Trial(target, matcher(provider, "answer").of)

    yield of
    reports = sum(target.delivered - before for target, before in used)
    request.node.user_properties.append(("reports", reports))


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Hypothesis, seeded by the run and the name of the test."""
    options = request.config.option
    profile = exploration.Profile(options.seed, options.examples)
    return functools.partial(exploration.explore, request.node.nodeid, profile=profile)


@pytest.fixture
def explore_steps(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Walks of a state machine, seeded likewise."""
    options = request.config.option
    profile = exploration.Profile(options.seed, options.examples)
    return functools.partial(exploration.explore_steps, request.node.nodeid, profile=profile)
