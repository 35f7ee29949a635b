"""A push goes through all eight services, and its subscriber ends as the catalogue says."""

import hypothesis.strategies as st
import pytest

from fixtures.core.catalogue import Case
from fixtures.core.topology import VERSION_MIXES
from fixtures.scenarios.end_to_end import cases_of_mix, pushes_for
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

    any_push = st.sampled_from(cases_of_mix(VERSION_MIXES[mix])).flatmap(pushes_for)
    explore(st.lists(any_push, min_size=1, max_size=6), judge, times=2)
