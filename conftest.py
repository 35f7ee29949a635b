"""Options and fixtures of every suite. No decisions here: those are in fixtures/."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("PACT_DO_NOT_TRACK", "true")

import pytest

from fixtures import deployments, exploration, redaction, targets, variants, verdict
from fixtures.budget import Budget
from fixtures.contracts import matcher
from fixtures.deployments import Deployment, TargetError
from fixtures.door import Unreachable
from fixtures.states import cleaning
from fixtures.states.inventory import Inventory
from fixtures.targets import Target
from fixtures.topology import PROVIDERS
from fixtures.trials import Trial
from suites import deep_round, groups, recorder, sharding, thrift
from suites.recorder import BUILD, Recorder, is_worker
from suites.types import TargetsOf


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a run can be told."""
    group = parser.getgroup("fcm-compat")
    add = group.addoption
    add(
        "--target", action="append", default=[], metavar="NAME=URL", help="test a deployment of this provider"
    )
    add("--targets", metavar="FILE", help="where deployments are, by environment: ci/targets.example.toml")
    add("--environment", metavar="NAME", help="which one of the targets file, and what the report calls it")
    add(
        "--i-own",
        action="append",
        default=[],
        metavar="NAME",
        help="an environment or host that may be tested",
    )
    add("--spent", metavar="FILE", help="where requests to deployments are counted")
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
    add("--run-id", default="", help="what the ledger calls this run")
    add("--shard", default="", metavar="JSON", help="which shard of which run this is, for the ledger")
    add("--ledger", default=str(BUILD / "ledger.jsonl"), metavar="FILE", help="where the run is recorded")
    deep_round.add_options(group)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be tested at once and by name, then record the run."""
    config.pluginmanager.register(recorder, "fcm-compat-findings")
    config.pluginmanager.register(sharding, "fcm-compat-sharding")
    config.pluginmanager.register(groups, "fcm-compat-groups")
    config.pluginmanager.register(deep_round, "fcm-compat-deep")
    config.pluginmanager.register(thrift, "fcm-compat-thrift")
    verdict.OVERLOOKED.set(frozenset(config.option.without))
    verdict.UNHEARD.set([])
    if is_worker(config) or config.option.collectonly:
        return
    try:
        if config.option.spent is None:
            spent_of(config).unlink(missing_ok=True)
        deployed = deployed_of(config)
        variant = variants.asked_for(config.option.variant)
        described = targets.describe_all(deployed, Budget(spent_of(config)))
        versions = described | variants.described(variant)
    except (TargetError, variants.UnknownVariant) as error:
        raise pytest.UsageError(redaction.text(str(error))) from error
    except Unreachable as error:
        pytest.exit(redaction.text(str(error)), returncode=2)
    config.pluginmanager.register(Recorder(config, versions), "fcm-compat-recorder")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what was made at deployments; the gate, which says where to count, does it itself."""
    options = config.option
    if is_worker(config) or options.collectonly or options.spent or not (options.target or options.targets):
        return
    build, inventory = spent_of(config).parent, Inventory(Budget(spent_of(config)).inventory)
    with contextlib.suppress(TargetError):  # which was told when the run began
        left = cleaning.clean(build, inventory, deployed_of(config)) if inventory.left() else []
        for line in cleaning.told(left, build / cleaning.FILE):
            config.get_terminal_writer().line(line)


def spent_of(config: pytest.Config) -> Path:
    """Where requests are counted; xdist's workers, which see the command line only, find the same place."""
    option = config.option
    return Path(option.spent) if option.spent else Path(option.ledger).with_suffix(".spent")


def deployed_of(config: pytest.Config) -> dict[str, Deployment]:
    """The deployments that the command line names."""
    option = config.option
    may_test = deployments.owned(option.i_own, os.environ)
    return deployments.chosen(option.target, option.targets, option.environment, may_test)


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
    variant = variants.asked_for(pytestconfig.option.variant)
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(version: str) -> dict[str, Target]:
            replaced = deployed if version == "after" else {}
            found = {name: targets.connect(replaced[name], budget) for name in PROVIDERS if name in replaced}
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
        return deep_round.trial(request.config, target, matcher(provider, "answer").of, version)

    yield of
    reports = sum(target.delivered - before for target, before in used)
    request.node.user_properties.append(("reports", reports))


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Hypothesis, seeded by the run and the name of the test."""
    return functools.partial(
        exploration.explore, request.node.nodeid, profile=sharding.profile(request.config)
    )


@pytest.fixture
def explore_steps(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Walks of a state machine, seeded likewise."""
    return functools.partial(
        exploration.explore_steps, request.node.nodeid, profile=sharding.profile(request.config)
    )
