"""The counts by code in directory-responses match the reports that were delivered."""

import pytest

from fixtures.checks.effects import counts_are_complete
from fixtures.core.catalogue import example_report, load_catalogue
from suites.types import RaiseIfFound, ScenarioOf

pytestmark = pytest.mark.catches(promise="counts")


@pytest.mark.needs("own-wire")
@pytest.mark.parametrize("provider", ["directory-responses"])
def test_counts_by_code(raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str) -> None:
    scenario = scenario_of(provider)
    app = scenario.ids.next()[0]
    batch = scenario.entries({**example_report(case), "firebase_app": app} for case in load_catalogue().cases)
    scenario.assert_handled(batch)
    scenario.deliver(batch)
    answer = scenario.target.request("GET", f"/v1/responses/summary?firebase_app={app}")
    raise_if_found(counts_are_complete(scenario.provider, batch, answer))
