"""A run draws what its seed says and as much as is asked, and shrinks what fails to the smallest."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, rule

from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.generation import runner, strategies
from suites.selfcheck.generation.edge_cases import of_report
from suites.selfcheck.sample_answers import draw_answers

pytestmark = pytest.mark.aside

CASES = load_catalogue().cases


def test_the_same_seed_draws_the_same() -> None:
    for case in CASES[::12]:
        again = draw_answers.__wrapped__(case)
        assert list(again) == list(draw_answers(case))


def test_another_seed_draws_something_else() -> None:
    for case in CASES[::12]:
        assert list(draw_answers(case, run_seed=1)) != list(draw_answers(case))


def test_the_examples_are_as_many_as_asked() -> None:
    judged: list[Any] = []
    examples = [example_report(CASES[0])]
    runner.explore(
        "count",
        runner.batches_for(CASES[0]),
        judged.append,
        profile=runner.Profile(0, 25),
        explicit=[examples],
    )
    assert (len(judged), judged[0]) == (26, examples)
    assert {1 <= len(batch) <= runner.MAX_BATCH for batch in judged} == {True}


def test_what_fails_now_and_then_has_failed() -> None:
    judged: list[Any] = []

    def judge(batch: Any) -> None:
        judged.append(batch)
        assert len(judged) % 5, "failed once"

    with pytest.raises(AssertionError, match="failed once"):
        runner.explore("flaky", runner.batches_for(CASES[0]), judge, profile=runner.Profile(0, 50))


def smallest_failing(batches: st.SearchStrategy[Any], fails: Any) -> Any:
    """The batch that is left when Hypothesis has shrunk a failure."""
    failed: list[Any] = []

    def judge(batch: Any) -> None:
        if fails(batch):
            failed.append(batch)
            raise AssertionError

    with pytest.raises(AssertionError):
        runner.explore("shrink", batches, judge, profile=runner.Profile(0, 50))
    return failed[-1]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.code in ("NotRegistered", "UNREGISTERED")], ids=lambda c: c.id
)
def test_a_failure_shrinks_to_one_plain_answer(case: Case) -> None:
    batch = smallest_failing(runner.batches_for(case), lambda _: True)
    assert len(batch) == 1
    answer = batch[0]
    assert set(answer) <= {"protocol", "http_status", "retry_after", "response", "token", "spam"}
    assert (answer["retry_after"], answer["token"]) == (None, "")
    assert not [special for special in of_report({**answer, "token": "t"}) if special.startswith("unknown")]


def test_a_failure_of_one_in_many_shrinks_to_it() -> None:
    dead = next(case for case in CASES if case.code == "UNREGISTERED")
    batches = runner.batches_of(strategies.answers_for_any([*CASES[:3], dead]), most=9)
    batch = smallest_failing(
        batches, lambda found: dead in [load_catalogue().decide(answer) for answer in found]
    )
    assert [load_catalogue().decide(answer) for answer in batch] == [dead]
    assert batch[0]["retry_after"] is None
    assert [d["errorCode"] for d in batch[0]["response"]["error"]["details"]] == ["UNREGISTERED"]


class Walk(RuleBasedStateMachine):
    """Steps by numbers, of which a great one is trouble of the kind that is not shrunk."""

    walks: ClassVar[list[list[int]]]
    trouble_from: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.walks.append(self.steps)

    @rule(number=st.integers(0, 1000))
    def step(self, number: int) -> None:
        self.steps.append(number)
        with runner.stop_on_error():
            if number >= self.trouble_from:
                raise KeyError(number)


def walked(run_seed: int, *, trouble_from: int = 1001) -> list[list[int]]:
    """The steps of some walks, up to the first trouble."""
    walks: list[list[int]] = []
    walk = type("Walk", (Walk,), {"walks": walks, "trouble_from": trouble_from})
    with contextlib.suppress(KeyError):
        runner.explore_steps("walk", walk, profile=runner.Profile(run_seed, 5))
    return walks


def test_the_same_seed_walks_the_same_way() -> None:
    assert walked(0) == walked(0)
    assert walked(0) != walked(1)


def test_trouble_ends_all_walks_at_once() -> None:
    walks = walked(0, trouble_from=5)
    assert [number >= 5 for walk in walks for number in walk].count(True) == 1
    assert walks[-1][-1] >= 5
