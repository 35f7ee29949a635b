"""New codes break nothing: every v1 case that Google documents ends as the catalogue says."""

import pytest

from fixtures.core.answer_classes import classify_answer
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.generation.strategies import near_misses_of_details
from suites.compat.parameters import at_each_provider, each_provider
from suites.types import AssertCaseHandled, ScenarioOf

pytestmark = pytest.mark.catches(promise="new-codes")


@at_each_provider(case for case in load_catalogue().of_protocol("fcm_v1") if case.known)
def test_new_codes_do_not_break(assert_case_handled: AssertCaseHandled, provider: str, case: Case) -> None:
    assert_case_handled(provider, case)


@each_provider
def test_near_misses_of_what_decides(scenario_of: ScenarioOf, provider: str) -> None:
    possible = [answer for answer in near_misses_of_details() if classify_answer(answer) != "impossible"]
    scenario_of(provider).assert_all_handled(possible)
