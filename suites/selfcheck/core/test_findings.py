"""Findings describe themselves to people, and verdicts combine by priority."""

import json
from dataclasses import replace

import pytest

from fixtures.core.findings import (
    Finding,
    FindingsError,
    Verdict,
    describe_finding,
    raise_if_found,
    shorten_value,
)

FOUND = Finding(
    rule="effects.subscriber",
    provider="subscribers-errors",
    case="v1-UNREGISTERED",
    title="answers 500",
    sent=[1],
    expected="unsubscribe",
    got=None,
)


def test_no_go_wins_over_undecided_over_go() -> None:
    assert max(Verdict.GO, Verdict.UNDECIDED, Verdict.NO_GO).word == "no-go"
    assert max(Verdict.GO, Verdict.UNDECIDED).word == "undecided"
    assert [int(verdict) for verdict in Verdict] == [0, 1, 2]


def test_a_finding_starts_without_a_test_and_gets_one() -> None:
    assert (FOUND.test, FOUND.reproduce) == ("-", "-")
    placed = FOUND.with_test("suites/x.py::y", "./ci/test y")
    assert (placed.test, placed.reproduce) == ("suites/x.py::y", "./ci/test y")
    assert placed.to_json() == {**FOUND.to_json(), "test": "suites/x.py::y", "reproduce": "./ci/test y"}


def test_a_remark_ends_the_description_and_is_left_out_of_json_if_empty() -> None:
    remarked = FOUND.with_remark("It takes two.").with_remark("There may be less.")
    assert describe_finding(remarked) == f"{describe_finding(FOUND)}\n  remark:   {remarked.remark}"
    assert remarked.to_json() == {**FOUND.to_json(), "remark": "It takes two. There may be less."}


@pytest.mark.parametrize(
    ("batch", "sent", "remark"),
    [
        ([0, 1], [0, 1], "Why. The finding is about entry 2 of 2."),
        ([0, 2], [0, 2], "Why."),
        ([1], [1], "Why."),
        ([], [1], "Why."),
    ],
)
def test_a_finding_with_its_batch_says_which_entry_it_is_about(
    batch: list[int], sent: list[int], remark: str
) -> None:
    finding = FOUND.with_batch(batch, "Why.")
    assert (finding.sent, finding.remark) == (sent, remark)


def test_all_findings_are_raised_at_once_and_told() -> None:
    other = FOUND.with_test("z", "z")
    with pytest.raises(FindingsError) as raised:
        raise_if_found([FOUND, other])
    assert raised.value.findings == (FOUND, other)
    assert str(raised.value) == f"{describe_finding(FOUND)}\n\n{describe_finding(other)}"
    raise_if_found([])


def test_an_error_gives_each_finding_its_batch_and_a_remark() -> None:
    error = FindingsError([FOUND, FOUND.with_test("z", "z")], [0, 1])
    with_batch, with_remark = error.with_batch("Why."), error.with_remark("Why.")
    assert with_batch.findings == tuple(finding.with_batch([0, 1], "Why.") for finding in error.findings)
    assert with_remark.findings == tuple(finding.with_remark("Why.") for finding in error.findings)
    assert with_batch.batch == with_remark.batch == error.batch


@pytest.mark.parametrize("length", [199, 200])
def test_a_short_string_is_shown_whole(length: int) -> None:
    assert shorten_value("x" * length) == f'"{"x" * length}"'


@pytest.mark.parametrize("wrapped", ["{}", "[{}]", '{{"a":{}}}', '{{"a":[{}]}}'])
def test_a_long_string_is_cut_in_its_middle_wherever_it_stands(wrapped: str) -> None:
    start, end = "a" * 60, "c" * 20
    long = f"{start}{'b' * 121}{end}"
    value = {"{}": long, "[{}]": (long,), '{{"a":{}}}': {"a": long}, '{{"a":[{}]}}': {"a": [long]}}[wrapped]
    assert shorten_value(value) == wrapped.format(f'"{start}...(201 characters)...{end}"')


def test_a_value_is_cut_at_the_limit_and_no_earlier() -> None:
    digits = list(range(10))  # 21 characters
    assert shorten_value(digits, limit=21) == "[0,1,2,3,4,5,6,7,8,9]"
    assert shorten_value(digits, limit=20) == "[0,1,2,3,4,5,6,7,8,9... (21 characters)"
    assert len(shorten_value([0] * 750)) == len("[" + "0," * 749 + "0]... (1501 characters)") - 1
    assert shorten_value([0] * 749 + [10]).endswith("... (1502 characters)")


@pytest.mark.parametrize(
    "got", ["x" * 1_000_000, ["x"] * 1_000_000, {"a": [{"b": "x" * 1_000_000}]}], ids=["text", "list", "row"]
)
def test_a_finding_about_a_huge_answer_stays_small(got: object) -> None:
    finding = replace(FOUND, title=f"leaves the subscriber {got}", expected=str(got), got=got)
    assert len(json.dumps(finding.to_json())) < 250_000
    placed = finding.with_test("x", "y")
    assert Finding.from_json(placed.to_json()) == placed
