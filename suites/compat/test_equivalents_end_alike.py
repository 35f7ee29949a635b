"""The same dead device ends the same way, whichever protocol reported it."""

import hypothesis.strategies as st
import pytest

from fixtures.checks.agreement import equivalents_end_alike
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.generation.runner import batches_in_class
from fixtures.generation.strategies import answers_for, answers_for_any
from suites.compat.parameters import at_each_provider
from suites.types import Answer, Explore, Pairs, RaiseIfFound, ScenarioOf

pytestmark = [pytest.mark.catches(promise="equivalents"), pytest.mark.needs("legacy", "fcm_v1")]


@at_each_provider(case for case in load_catalogue().of_protocol("fcm_v1") if case.legacy_equivalent)
def test_equivalents_end_alike(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, explore: Explore, provider: str, case: Case
) -> None:
    scenario = scenario_of(provider)
    legacy_cases = [load_catalogue()[name] for name in case.legacy_equivalent]

    def judge(pairs: Pairs) -> None:
        legacy = scenario.entries(answer for answer, _ in pairs)
        v1 = scenario.entries(answer for _, answer in pairs)
        batch = [*legacy, *v1]
        scenario.subscribe(batch)
        outcome = scenario.deliver(batch)
        raise_if_found(equivalents_end_alike(scenario.provider, legacy, v1, outcome), batch)

    def pairs_of(answer_class: str) -> st.SearchStrategy[tuple[Answer, Answer]]:
        return st.tuples(answers_for_any(legacy_cases, answer_class), answers_for(case, answer_class))

    explore(batches_in_class(pairs_of, legacy_cases, [case], most=9), judge)
