"""Every instance behind the URL of a deployment handles every case: new connections reach all of them."""

from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.scenarios.instances import assert_every_instance_handles
from suites.compat.parameters import each_provider
from suites.types import ScenarioOf

EXAMPLES = [example_report(case) for case in load_catalogue().cases]


@each_provider
def test_every_instance_handles_every_case(scenario_of: ScenarioOf, provider: str) -> None:
    assert_every_instance_handles(scenario_of(provider), EXAMPLES)
