"""Answers that no document decides, or that FCM never gives, break nothing."""

import pytest

from fixtures.core.answer_classes import classify_answer
from fixtures.core.catalogue import UnspecifiedRule, load_catalogue
from fixtures.generation.runner import batches_of
from fixtures.generation.strategies import answers_for_any, near_misses_of_details, unspecified_answers
from suites.compat.parameters import each_provider
from suites.types import Explore, ScenarioOf

pytestmark = pytest.mark.catches(promise="impossible-answers")

each_rule = pytest.mark.parametrize("rule", load_catalogue().unspecified, ids=lambda rule: rule.id)
MAX_ANSWERS = 4


@each_provider
def test_impossible_answers_break_nothing(scenario_of: ScenarioOf, explore: Explore, provider: str) -> None:
    scenario = scenario_of(provider)
    answers = answers_for_any(load_catalogue().cases, "impossible")
    explore(
        batches_of(answers, most=MAX_ANSWERS),
        lambda batch: scenario.assert_handled(scenario.entries(batch)),
        times=4,
    )


@each_provider
def test_impossible_near_misses_break_nothing(scenario_of: ScenarioOf, provider: str) -> None:
    impossible = [answer for answer in near_misses_of_details() if classify_answer(answer) == "impossible"]
    scenario_of(provider).assert_all_handled(impossible)


@each_provider
@each_rule
def test_unspecified_answers_break_nothing(
    scenario_of: ScenarioOf, explore: Explore, provider: str, rule: UnspecifiedRule
) -> None:
    scenario = scenario_of(provider)
    explore(
        batches_of(unspecified_answers(rule), most=MAX_ANSWERS),
        lambda batch: scenario.assert_handled(scenario.entries(batch)),
    )
