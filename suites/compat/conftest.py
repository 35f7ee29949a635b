"""Fixtures of the promises: one case at one provider, and pushes through all services."""

import contextlib
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fixtures.core.catalogue import Case
from fixtures.core.findings import Finding
from fixtures.core.topology import SENDER_VERSIONS, VERSION_MIXES
from fixtures.faults import runtime
from fixtures.generation import runner
from fixtures.generation.recordings import examples_for
from fixtures.generation.runner import Profile, batches_for
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.isolated_service import EmbeddedService
from fixtures.scenarios.end_to_end import EndToEndScenario, Push, ask_emulator, cases_of_mix, pushes_for
from fixtures.scenarios.isolated_services import IsolatedScenario
from fixtures.scenarios.running_mix import RunningMix
from fixtures.scenarios.sender.scenario import SenderScenario
from fixtures.scenarios.sender.senders import Sender, run_deployed_sender, run_embedded_sender
from fixtures.targets.config import Deployment
from fixtures.targets.version_mixes import takes_part
from suites.plugins.options import get_run_config
from suites.types import (
    AssertCaseHandled,
    Build,
    EndToEndScenarioOf,
    Explore,
    FindingsOf,
    IsolatedScenarioOf,
    RunMix,
    ScenarioOf,
    SenderScenarioOf,
)

PUSHES_PER_CASE = 2


@pytest.fixture
def assert_case_handled(scenario_of: ScenarioOf, explore: Explore) -> AssertCaseHandled:
    """Assert that a provider handles drawn answers of a case as the catalogue says."""

    def assert_handled(provider: str, case: Case) -> None:
        scenario = scenario_of(provider)
        explore(
            batches_for(case),
            lambda answers: scenario.assert_handled(scenario.entries(answers)),
            explicit=examples_for(case),
        )

    return assert_handled


@pytest.fixture(scope="module")
def platforms(
    request: pytest.FixtureRequest, deployed: Mapping[str, Deployment]
) -> Iterator[EndToEndScenarioOf]:
    """Start the platform of a version mix, by name; deployments take the places of reference services.

    The scope is a module, because idle services poll their queues and would slow down all later tests.
    """
    variant = runtime.find_variant(get_run_config(request.config).variant)

    def run(name: str) -> contextlib.AbstractContextManager[EndToEndScenario]:
        if any(takes_part(deployed, service, name) for service in deployed):
            run_deployed_mix: RunMix = request.getfixturevalue("run_deployed_mix")
            return run_deployed_mix(name)
        return run_references(name, variant)

    with contextlib.closing(RunningMix(run)) as running:
        yield running.switch_to


@contextlib.contextmanager
def run_references(name: str, variant: runtime.Variant | None) -> Iterator[EndToEndScenario]:
    """Run a version mix of reference services in memory until the block ends."""
    version_mix, emulator = VERSION_MIXES[name], Emulator()
    fcm = functools.partial(ask_emulator, emulator)
    with runtime.run_in_memory(variant, version_mix, fcm) as platform:
        yield EndToEndScenario(name, version_mix, platform, emulator)


@pytest.fixture
def end_to_end_scenario_of(
    request: pytest.FixtureRequest, platforms: EndToEndScenarioOf
) -> Iterator[EndToEndScenarioOf]:
    """The scenario of a version mix; its reports count for the test."""
    counts: list[tuple[EndToEndScenario, int]] = []

    def find(name: str) -> EndToEndScenario:
        scenario = platforms(name)
        counts.append((scenario, scenario.report_count))
        return scenario

    yield find
    reports = sum(scenario.report_count - count for scenario, count in counts)
    request.node.user_properties.append(("reports", reports))


@pytest.fixture(scope="module")
def sender_runs(
    deployed: Mapping[str, Deployment], pytestconfig: pytest.Config
) -> Iterator[SenderScenarioOf]:
    """Run a scenario of go-sender for a protocol, once: at its deployment, or in the version that speaks it.

    An error is kept as well, or every test would wait for the same time.
    """
    config = get_run_config(pytestconfig)
    variant, logs = runtime.find_variant(config.variant), Path(config.ledger).parent / "logs"
    results: dict[str, SenderScenario | Exception] = {}
    with contextlib.ExitStack() as stack:

        @functools.cache
        def start(name: str, version: str) -> Sender:
            if name in deployed:
                return stack.enter_context(run_deployed_sender(deployed[name], logs))
            service = runtime.load_service(variant, name, version)
            return stack.enter_context(run_embedded_sender(service))

        def run(name: str, protocol: str) -> SenderScenario:
            version = "after" if name in deployed else SENDER_VERSIONS[protocol]
            if protocol not in results:
                try:
                    scenario = results[protocol] = SenderScenario(start(name, version), protocol)
                    scenario.run()
                except Exception as error:  # noqa: BLE001  raised below, for each test
                    results[protocol] = error
            result = results[protocol]
            if isinstance(result, Exception):
                # Each raise would lengthen the traceback of the one error.
                raise result.with_traceback(None)
            return result

        yield run


@pytest.fixture
def sender_scenario_of(request: pytest.FixtureRequest, sender_runs: SenderScenarioOf) -> SenderScenarioOf:
    """The scenario of a protocol after its run; its pushes count for the test that runs it first."""

    def find(provider: str, protocol: str) -> SenderScenario:
        scenario = sender_runs(provider, protocol)
        request.node.user_properties.append(("reports", scenario.take_count()))
        return scenario

    return find


@pytest.fixture(scope="session")
def results_of_mixes() -> dict[str, list[Finding] | Exception]:
    """The findings in each version mix, or the error that ended its run."""
    return {}


@pytest.fixture
def findings_of(
    end_to_end_scenario_of: EndToEndScenarioOf,
    results_of_mixes: dict[str, list[Finding] | Exception],
    pytestconfig: pytest.Config,
) -> FindingsOf:
    """Push all cases through the platform of a version mix, once for all tests, because it takes seconds.

    An error is kept as well, or every test would wait for the same timeout.
    """
    profile = Profile(get_run_config(pytestconfig).seed, PUSHES_PER_CASE)

    def find(name: str) -> list[Finding]:
        if name not in results_of_mixes:
            scenario = end_to_end_scenario_of(name)
            # All pushes run together, because waiting until the platform has no work left takes seconds.
            pushes: list[Push] = []
            try:
                for case in cases_of_mix(scenario.version_mix):
                    runner.explore(case.id, pushes_for(case), pushes.append, profile=profile)
                results_of_mixes[name] = scenario.run_pushes(pushes)
            except Exception as error:  # noqa: BLE001  raised below, for each test
                results_of_mixes[name] = error
        result = results_of_mixes[name]
        if isinstance(result, Exception):
            raise result
        return result

    return find


@pytest.fixture
def build(pytestconfig: pytest.Config) -> Build:
    """Creates the services in memory: those of a variant, or the reference services."""
    return functools.partial(runtime.load_service, runtime.find_variant(get_run_config(pytestconfig).variant))


@pytest.fixture
def isolated_scenario_of(
    request: pytest.FixtureRequest, build: Build, deployed: Mapping[str, Deployment]
) -> Iterator[IsolatedScenarioOf]:
    """The scenario of a service between surroundings of its own; what it was handed counts for the test."""
    scenarios: list[IsolatedScenario] = []
    with contextlib.ExitStack() as stack:

        def create(name: str, version: str = "after") -> IsolatedScenario:
            if name in deployed and version == "after":
                scenario = IsolatedScenario(request.getfixturevalue("deployed_services")(name))
                stack.callback(scenario.service.peer.mend)
            else:
                service = stack.enter_context(contextlib.closing(EmbeddedService(build(name, version))))
                scenario = IsolatedScenario(service)
            scenarios.append(scenario)
            return scenario

        yield create
    request.node.user_properties.append(("reports", sum(scenario.sent for scenario in scenarios)))
