"""A push goes through all eight services, and its subscriber ends as the catalogue says."""

import hypothesis.strategies as st
import pytest

from fixtures.core.catalogue import Case
from fixtures.core.topology import VERSION_MIXES
from fixtures.generation.runner import batches_in_class
from fixtures.generation.strategies import list_classes
from fixtures.scenarios.end_to_end import Push, cases_of_mix, pushes_for
from suites.types import EndToEndScenarioOf, Explore, FindingsOf, Pushes, RaiseIfFound

pytestmark = pytest.mark.catches(promise="end-to-end")


@pytest.mark.parametrize(
    ("mix", "case"),
    [
        pytest.param(name, case, id=f"{name}-{case.id}")
        for name, version_mix in VERSION_MIXES.items()
        for case in cases_of_mix(version_mix)
    ],
)
def test_end_to_end(raise_if_found: RaiseIfFound, findings_of: FindingsOf, mix: str, case: Case) -> None:
    raise_if_found(finding for finding in findings_of(mix) if finding.case in (case.id, None))


@pytest.mark.process
@pytest.mark.parametrize("mix", VERSION_MIXES)
def test_any_traffic(
    raise_if_found: RaiseIfFound, end_to_end_scenario_of: EndToEndScenarioOf, explore: Explore, mix: str
) -> None:
    scenario = end_to_end_scenario_of(mix)

    def judge(pushes: Pushes) -> None:
        findings = scenario.run_pushes(pushes)
        raise_if_found(findings, scenario.sent)

    cases = cases_of_mix(VERSION_MIXES[mix])

    def pushes_of(answer_class: str) -> st.SearchStrategy[Push]:
        fitting = [case for case in cases if answer_class in list_classes(case)]
        return st.sampled_from(fitting).flatmap(lambda case: pushes_for(case, answer_class))

    explore(batches_in_class(pushes_of, cases, most=9), judge, times=2)
