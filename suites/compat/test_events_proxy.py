"""events-proxy forwards every report that it accepted, as it came."""

from dataclasses import replace

import pytest

from fixtures.checks.transit import every_report_is_forwarded
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.generation.recordings import examples_for
from fixtures.generation.runner import batches_for_any
from fixtures.platform.isolated_service import KILLS
from suites.compat.parameters import each_trouble
from suites.types import Answers, Explore, IsolatedScenarioOf, RaiseIfFound

pytestmark = pytest.mark.catches(promise="forwarding")

EXAMPLES = [example_report(case) for case in load_catalogue().cases]
MAX_BATCH = 40  # so that the examples make several batches

at_proxy = pytest.mark.parametrize("provider", ["events-proxy"])


@pytest.mark.parametrize("case", load_catalogue().cases, ids=lambda case: case.id)
@at_proxy
def test_every_report_arrives(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, case: Case
) -> None:
    scenario = isolated_scenario_of(provider)
    batches = [scenario.reports(answers) for answers in examples_for(case)]
    raise_if_found(every_report_is_forwarded(scenario.forward_reports(batches)))


@at_proxy
def test_any_report_arrives(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, explore: Explore, provider: str
) -> None:
    scenario = isolated_scenario_of(provider)

    def judge(answers: Answers) -> None:
        batch = scenario.reports(answers)
        raise_if_found(every_report_is_forwarded(scenario.forward_reports([batch])), batch)

    explore(batches_for_any(load_catalogue().cases), judge)


@each_trouble
@at_proxy
def test_no_report_is_lost_in_trouble(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, trouble: str
) -> None:
    scenario = isolated_scenario_of(provider)
    scenario.service.peer.troubles += [trouble] * 3
    reports = scenario.reports(EXAMPLES)
    batches = [reports[start : start + MAX_BATCH] for start in range(0, len(reports), MAX_BATCH)]
    transit = scenario.forward_reports(batches, f"at the trouble {trouble!r}", restart=trouble in KILLS)
    raise_if_found(every_report_is_forwarded(transit))


@at_proxy
def test_a_refused_report_costs_no_other(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str
) -> None:
    scenario = isolated_scenario_of(provider)
    bad, *rest = scenario.reports(EXAMPLES)
    peer = scenario.service.peer
    peer.poison_status, peer.is_poison = 400, lambda report: report["report_id"] == bad.report_id
    transit = scenario.forward_reports([[*rest[:5], bad, *rest[5:]]], "beside one that Amazon refuses")
    accepted = [entry for entry in transit.accepted if entry is not bad]
    raise_if_found(every_report_is_forwarded(replace(transit, accepted=accepted)))
