"""A run draws what its seed says and as much as is asked, and shrinks what fails to the smallest."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest

from fixtures import exploration, strategies
from fixtures.catalogue import Case, load
from suites.selfcheck.samples import drawn
from suites.selfcheck.specials import of_report

CASES = load().cases


def test_the_same_seed_draws_the_same() -> None:
    for case in CASES[::12]:
        again = drawn.__wrapped__(case)
        assert list(again) == list(drawn(case))


def test_another_seed_draws_something_else() -> None:
    for case in CASES[::12]:
        assert list(drawn(case, run_seed=1)) != list(drawn(case))


def test_the_examples_are_as_many_as_asked() -> None:
    judged: list[Any] = []
    examples = exploration.catalogue_example(CASES[0])
    exploration.explore(
        "count",
        exploration.answers_of(CASES[0]),
        judged.append,
        profile=exploration.Profile(0, 25),
        explicit=[examples],
    )
    assert (len(judged), judged[0]) == (26, examples)
    assert {1 <= len(batch) <= exploration.BATCH for batch in judged} == {True}


def smallest_failing(batches: st.SearchStrategy[Any], fails: Any) -> Any:
    """The batch that is left when Hypothesis has shrunk a failure."""
    failed: list[Any] = []

    def judge(batch: Any) -> None:
        if fails(batch):
            failed.append(batch)
            raise AssertionError

    with pytest.raises(AssertionError):
        exploration.explore("shrink", batches, judge, profile=exploration.Profile(0, 50))
    return failed[-1]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.code in ("NotRegistered", "UNREGISTERED")], ids=lambda c: c.id
)
def test_a_failure_shrinks_to_one_plain_answer(case: Case) -> None:
    batch = smallest_failing(exploration.answers_of(case), lambda _: True)
    assert len(batch) == 1
    answer = batch[0]
    assert set(answer) <= {"protocol", "http_status", "retry_after", "response", "token", "spam"}
    assert (answer["retry_after"], answer["token"]) == (None, "")
    assert not [special for special in of_report({**answer, "token": "t"}) if special.startswith("unknown")]


def test_a_failure_of_one_in_many_shrinks_to_it() -> None:
    dead = next(case for case in CASES if case.code == "UNREGISTERED")
    batches = exploration.batches_of(strategies.mixed([*CASES[:3], dead]), most=9)
    batch = smallest_failing(batches, lambda found: dead in [load().decide(answer) for answer in found])
    assert [load().decide(answer) for answer in batch] == [dead]
    assert batch[0]["retry_after"] is None
    assert [d["errorCode"] for d in batch[0]["response"]["error"]["details"]] == ["UNREGISTERED"]
