"""Before and after agree on every legacy report, so that nothing changes for old senders."""

import pytest

from fixtures.checks.agreement import versions_agree
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.generation.recordings import examples_for
from fixtures.generation.runner import batches_for
from suites.compat.parameters import at_each_provider
from suites.types import Answers, Explore, RaiseIfFound, ScenarioOf

pytestmark = [pytest.mark.catches(promise="agreement"), pytest.mark.needs("own-wire", "our-catalogue")]


@at_each_provider(load_catalogue().of_protocol("legacy"))
def test_before_and_after_agree(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, explore: Explore, provider: str, case: Case
) -> None:
    before, after = scenario_of(provider, "before"), scenario_of(provider, "after")

    def judge(answers: Answers) -> None:
        batch = after.entries(answers)
        for version in (before, after):
            version.subscribe(batch)
        outcomes = before.deliver(batch), after.deliver(batch)
        raise_if_found(versions_agree(after.provider, batch, *outcomes), batch)

    explore(batches_for(case), judge, explicit=examples_for(case))
