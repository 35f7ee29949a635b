"""What findings say to people, and which verdict wins: words that people read and no check does."""

from __future__ import annotations

import contextvars
from dataclasses import replace

import pytest

from fixtures.core.findings import (
    OVERLOOKED,
    UNHEARD,
    Finding,
    Findings,
    Verdict,
    describe,
    raise_if_found,
    shorten,
)

FOUND = Finding("effects", "subscribers-errors", "v1-UNREGISTERED", "answers 500", [1], "unsubscribe", None)


def test_no_go_wins_over_undecided_over_go() -> None:
    assert max(Verdict.GO, Verdict.UNDECIDED, Verdict.NO_GO).word == "no-go"
    assert max(Verdict.GO, Verdict.UNDECIDED).word == "undecided"
    assert [int(verdict) for verdict in Verdict] == [0, 1, 2]


def test_a_finding_starts_without_a_test_and_gets_one() -> None:
    assert (FOUND.test, FOUND.reproduce) == ("-", "-")
    placed = FOUND.with_test("suites/x.py::y", "./ci/test y")
    assert (placed.test, placed.reproduce) == ("suites/x.py::y", "./ci/test y")
    assert placed.to_json() == {**FOUND.to_json(), "test": "suites/x.py::y", "reproduce": "./ci/test y"}


def test_all_findings_are_raised_at_once_and_told() -> None:
    other = FOUND.with_test("z", "z")
    with pytest.raises(Findings) as raised:
        raise_if_found([FOUND, other])
    assert raised.value.findings == (FOUND, other)
    assert str(raised.value) == f"{describe(FOUND)}\n\n{describe(other)}"
    raise_if_found([])


def test_what_a_check_found_that_is_taken_away_is_kept_and_not_raised() -> None:
    other = replace(FOUND, check="counts")

    def demanded(unheard: list[Finding] | None) -> tuple[Finding, ...]:
        OVERLOOKED.set(frozenset({"effects"}))
        UNHEARD.set(unheard)
        raise_if_found([FOUND])
        with pytest.raises(Findings) as raised:
            raise_if_found([other, FOUND])
        return raised.value.findings

    kept: list[Finding] = []
    assert contextvars.Context().run(demanded, kept) == (other,)
    assert kept == [FOUND, FOUND]
    assert contextvars.Context().run(demanded, None) == (other,)


def test_a_run_overlooks_and_keeps_nothing_unless_told() -> None:
    assert contextvars.Context().run(OVERLOOKED.get) == frozenset()
    assert contextvars.Context().run(UNHEARD.get) is None


@pytest.mark.parametrize("length", [199, 200])
def test_a_short_string_is_shown_whole(length: int) -> None:
    assert shorten("x" * length) == f'"{"x" * length}"'


@pytest.mark.parametrize("wrapped", ["{}", "[{}]", '{{"a":{}}}', '{{"a":[{}]}}'])
def test_a_long_string_is_cut_in_its_middle_wherever_it_stands(wrapped: str) -> None:
    start, end = "a" * 60, "c" * 20
    long = f"{start}{'b' * 121}{end}"
    value = {"{}": long, "[{}]": (long,), '{{"a":{}}}': {"a": long}, '{{"a":[{}]}}': {"a": [long]}}[wrapped]
    assert shorten(value) == wrapped.format(f'"{start}...(201 characters)...{end}"')


def test_a_value_is_cut_at_the_limit_and_no_earlier() -> None:
    digits = list(range(10))  # 21 characters
    assert shorten(digits, limit=21) == "[0,1,2,3,4,5,6,7,8,9]"
    assert shorten(digits, limit=20) == "[0,1,2,3,4,5,6,7,8,9... (21 characters)"
    assert len(shorten([0] * 750)) == len("[" + "0," * 749 + "0]... (1501 characters)") - 1
    assert shorten([0] * 749 + [10]).endswith("... (1502 characters)")
