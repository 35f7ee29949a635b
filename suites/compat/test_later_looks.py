"""Subscribers that no report names stay as they are, and nothing changes after the last look."""

import pytest

from fixtures.core.catalogue import example_report, load_catalogue
from suites.compat.parameters import each_provider
from suites.types import LaterLooksOf, RaiseIfFound, ScenarioOf

EXAMPLES = [example_report(case) for case in load_catalogue().cases]

at_subscribers = pytest.mark.parametrize("provider", ["subscribers-errors"])


@pytest.mark.catches(promise="bystanders")
@at_subscribers
def test_bystanders_stay_as_they_are(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, later_looks_of: LaterLooksOf, provider: str
) -> None:
    scenario_of(provider).assert_all_handled(EXAMPLES)
    raise_if_found(later_looks_of(provider).look_at_bystanders())


@pytest.mark.catches(promise="late-harm")
@each_provider
def test_nothing_happens_after_the_last_look(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, later_looks_of: LaterLooksOf, provider: str
) -> None:
    scenario_of(provider).assert_all_handled(EXAMPLES, batch_size=10)
    raise_if_found(later_looks_of(provider).look_at_everybody())
