"""A run draws what its seed says and as many batches as asked, and shrinks a failure to the smallest."""

import contextlib
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, rule

from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.generation import runner, strategies
from suites.selfcheck.generation.edge_cases import edge_cases_of_report
from suites.selfcheck.sample_answers import draw_answers

CASES = load_catalogue().cases


def test_the_same_seed_draws_the_same() -> None:
    for case in CASES[::12]:  # twice at once: Hypothesis also draws constants of the modules loaded by then
        assert draw_answers.__wrapped__(case) == draw_answers.__wrapped__(case)


def test_another_seed_draws_something_else() -> None:
    for case in CASES[::12]:
        assert draw_answers(case, run_seed=1) != draw_answers(case)


def test_the_examples_are_as_many_as_asked() -> None:
    batches: list[Any] = []
    examples = [example_report(CASES[0])]
    runner.explore(
        "count",
        runner.batches_for(CASES[0]),
        batches.append,
        profile=runner.Profile(0, 25),
        explicit=[examples],
    )
    assert (len(batches), batches[0]) == (26, examples)
    assert {1 <= len(batch) <= runner.MAX_BATCH for batch in batches} == {True}


def test_a_batch_that_fails_now_and_then_is_a_failure() -> None:
    batches: list[Any] = []

    def judge(batch: Any) -> None:
        batches.append(batch)
        assert len(batches) % 5, "failed once"

    with pytest.raises(AssertionError, match="failed once"):
        runner.explore("flaky", runner.batches_for(CASES[0]), judge, profile=runner.Profile(0, 50))


def find_smallest_failing(batches: st.SearchStrategy[Any], fails: Any) -> Any:
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
    batch = find_smallest_failing(runner.batches_for(case), lambda _: True)
    assert len(batch) == 1
    answer = batch[0]
    assert set(answer) <= {"protocol", "http_status", "retry_after", "response", "token", "spam"}
    assert (answer["retry_after"], answer["token"]) == (None, "")
    edge_cases = edge_cases_of_report({**answer, "token": "t"})
    assert not [name for name in edge_cases if name.startswith("unknown")]


def test_a_failure_of_one_in_many_shrinks_to_it() -> None:
    catalogue = load_catalogue()
    dead = next(case for case in CASES if case.code == "UNREGISTERED")
    batches = runner.batches_of(strategies.answers_for_any([*CASES[:3], dead]), most=9)
    batch = find_smallest_failing(batches, lambda answers: dead in map(catalogue.decide, answers))
    assert [catalogue.decide(answer) for answer in batch] == [dead]
    assert batch[0]["retry_after"] is None
    assert [d["errorCode"] for d in batch[0]["response"]["error"]["details"]] == ["UNREGISTERED"]


class Walk(RuleBasedStateMachine):
    """Records its steps. A step to a great number raises an error that is not shrunk."""

    def __init__(self, walks: list[list[int]], error_from: int) -> None:
        super().__init__()
        self.error_from = error_from
        self.steps: list[int] = []
        walks.append(self.steps)

    @rule(number=st.integers(0, 1000))
    def step(self, number: int) -> None:
        self.steps.append(number)
        with runner.stop_on_error():
            if number >= self.error_from:
                raise KeyError(number)


def walk(run_seed: int, *, error_from: int = 1001) -> list[list[int]]:
    """The steps of some walks, up to the first error."""
    walks: list[list[int]] = []
    with contextlib.suppress(KeyError):
        runner.explore_steps("walk", lambda: Walk(walks, error_from), profile=runner.Profile(run_seed, 5))
    return walks


def test_the_same_seed_takes_the_same_steps() -> None:
    assert walk(0) == walk(0)
    assert walk(0) != walk(1)


def test_an_error_ends_all_walks_at_once() -> None:
    walks = walk(0, error_from=5)
    assert [number >= 5 for steps in walks for number in steps].count(True) == 1
    assert walks[-1][-1] >= 5
