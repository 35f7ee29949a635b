"""The fixtures of all suites: targets, scenarios, exploration, and what happens to findings."""

import contextlib
import functools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from fixtures.contracts.pact.matcher import load_matcher
from fixtures.core import findings as core_findings
from fixtures.core.findings import Finding
from fixtures.core.payloads import BatchEntry
from fixtures.core.topology import PROVIDERS
from fixtures.faults import runtime
from fixtures.generation import example_database, runner
from fixtures.generation.example_database import FailureStore
from fixtures.generation.runner import Profile
from fixtures.generation.shrinking import ShrinkLimits
from fixtures.results import ledger
from fixtures.scenarios.coverage.recorder import BehaviourRecorder, RecordedScenario
from fixtures.scenarios.later_looks import LaterLooks
from fixtures.scenarios.provider import ProviderScenario
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import connect_target
from fixtures.targets.provisioning.inventory import INVENTORY_FILE, Inventory
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import Target
from suites.plugins.later_looks import LATER_LOOKS, add_overlooked
from suites.plugins.ledger import is_waived, write_findings
from suites.plugins.options import get_deployments, get_known_failures_url, get_run_config
from suites.plugins.ranks import get_deciding_ranks
from suites.types import RaiseIfFound, TargetsOf

# The greatest number of notices that a test leaves: a label that differs, differs in every batch.
MAX_NOTICES = 20

NOTES = pytest.StashKey[BehaviourRecorder]()


@pytest.fixture(scope="session")
def deployed(pytestconfig: pytest.Config) -> dict[str, Deployment]:
    """The deployments of version *after* that this run tests, by service."""
    deployments = get_deployments(pytestconfig)
    return {name: deployment for name, deployment in deployments.items() if deployment.is_judged}


@pytest.fixture(scope="session")
def rate_limiter(pytestconfig: pytest.Config) -> RateLimiter:
    """The limiter for requests to deployments; all processes of the run share its counts."""
    return RateLimiter(get_run_config(pytestconfig).request_counter)


@pytest.fixture(scope="session")
def inventory(pytestconfig: pytest.Config) -> Inventory:
    """The list of test subscribers to remove after the run; all processes of the run share it."""
    return Inventory(get_run_config(pytestconfig).request_counter.with_name(INVENTORY_FILE))


@pytest.fixture(scope="session")
def targets_of(
    deployed: dict[str, Deployment],
    rate_limiter: RateLimiter,
    inventory: Inventory,
    pytestconfig: pytest.Config,
) -> Iterator[TargetsOf]:
    """All providers of a version by name: deployments where there are some, otherwise reference services."""
    variant = runtime.find_variant(get_run_config(pytestconfig).variant)
    with contextlib.ExitStack() as stack:

        @functools.cache
        def start_targets(version: str) -> dict[str, Target]:
            names = [name for name in PROVIDERS if version == "after" and name in deployed]
            started = {name: connect_target(deployed[name], rate_limiter, inventory) for name in names}
            remaining = [name for name in PROVIDERS if name not in started]
            started |= stack.enter_context(runtime.open_targets(variant, remaining, version))
            for target in started.values():
                stack.callback(target.close)
                stack.callback(target.check_version)  # at the end, too
            return started

        yield start_targets


@pytest.fixture
def scenario_of(
    request: pytest.FixtureRequest, targets_of: TargetsOf, raise_if_found: RaiseIfFound
) -> Iterator[Callable[..., ProviderScenario]]:
    """Create a scenario for a provider, by default in the version after the release.

    A deep run records the scenarios of this version.
    """
    counts: list[tuple[Target, int]] = []

    def create(provider: str, version: str = "after") -> ProviderScenario:
        target, config = targets_of(version)[provider], request.config
        # With a wire or pacts of its own, it has no contract with the consumers of the reference services.
        has_own = target.provider.answer == "adapted" or target.client.connection.deployment.own_pacts
        matcher = (lambda _: []) if has_own else load_matcher(provider, "answer").check_answer
        all_looks = config.stash.setdefault(LATER_LOOKS, {})
        if version == "after" and provider not in all_looks:
            all_looks[provider] = LaterLooks.begin(ProviderScenario(target, matcher))
        counts.append((target, target.delivered))
        if not get_run_config(config).deep or version != "after":
            return ProviderScenario(target, matcher, on_findings=raise_if_found)
        if NOTES not in config.stash:
            config.stash[NOTES] = BehaviourRecorder(Path(get_run_config(config).deep))
        return RecordedScenario(target, matcher, on_findings=raise_if_found, recorder=config.stash[NOTES])

    yield create
    reports = sum(target.delivered - before for target, before in counts)
    request.node.user_properties.append(("reports", reports))


@pytest.fixture
def later_looks_of(pytestconfig: pytest.Config) -> Callable[[str], LaterLooks]:
    """The later looks at a provider for which `scenario_of` has created a scenario."""
    return lambda provider: pytestconfig.stash[LATER_LOOKS][provider]


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Write what a test of a deep run covered."""
    if NOTES in item.config.stash:
        item.config.stash[NOTES].flush()


@pytest.fixture
def raise_if_found(request: pytest.FixtureRequest) -> Iterator[RaiseIfFound]:
    """Raise FindingsError for the findings that decide; the ledger lists the others as notices.

    A finding that a waiver accepts does not hide what comes after it: the test goes on.
    A check that `--without` names never fails: the ledger only lists its name. In this way, `./ci/selfcheck`
    shows that no other check notices a fault.
    """
    without, ranks = get_run_config(request.config).without, get_deciding_ranks(request.config)
    overlooked: set[str] = set()
    notices: dict[tuple[str, str], Finding] = {}

    def raise_deciding(findings: Iterable[Finding], batch: Iterable[BatchEntry] = ()) -> None:
        all_findings = list(findings)
        overlooked.update(finding.check for finding in all_findings if finding.check in without)
        remaining = [finding for finding in all_findings if finding.check not in without]
        for finding in remaining:
            if not ranks.decides(finding):
                notices.setdefault((finding.provider, finding.title), finding)
        deciding = [finding for finding in remaining if ranks.decides(finding)]
        core_findings.raise_if_found((row for row in deciding if not is_waived(request.node, row)), batch)

    yield raise_deciding
    add_overlooked(request.node, overlooked)
    if notices:
        rows = write_findings(request.node, list(notices.values())[:MAX_NOTICES])
        request.node.user_properties.append(("notices", json.dumps(rows)))


@pytest.fixture(scope="session")
def profile(pytestconfig: pytest.Config) -> Profile:
    """How this run explores. Only the gate changes the known failures; other runs only read them."""
    run, url = get_run_config(pytestconfig), get_known_failures_url(pytestconfig)
    limits = ShrinkLimits(run.shrink_tries, run.shrink_seconds)
    if not url:
        return Profile(run.seed, run.examples, limits=limits)
    environment = run.environment or ledger.DEFAULT_ENVIRONMENT
    store = FailureStore(example_database.connect(url), environment, learns=bool(run.run_id))
    return Profile(run.seed, run.examples, store.database_for, limits)


@pytest.fixture
def explore(request: pytest.FixtureRequest, profile: Profile) -> Callable[..., None]:
    """Hypothesis, seeded by the run and the name of the test."""
    return functools.partial(runner.explore, request.node.nodeid, profile=profile)


@pytest.fixture
def explore_steps(request: pytest.FixtureRequest, profile: Profile) -> Callable[..., None]:
    """Runs of a state machine, seeded in the same way."""
    return functools.partial(runner.explore_steps, request.node.nodeid, profile=profile)
