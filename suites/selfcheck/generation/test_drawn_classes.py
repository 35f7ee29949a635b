"""Answers are drawn class by class: mostly documented ones, and nothing documented is missing."""

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import pytest

from fixtures.core import schemas
from fixtures.core.answer_classes import ANSWER_CLASSES, CLASS_SCHEMA, load_forms
from fixtures.core.catalogue import Case, UnspecifiedRule, example_report, load_catalogue
from fixtures.core.json_values import walk
from fixtures.core.payloads import resolve_date
from fixtures.generation import runner
from fixtures.generation.strategies import (
    ANY_TIME,
    answers_for,
    answers_for_any,
    find_class,
    list_classes,
    unspecified_answers,
)
from suites.selfcheck.generation.test_runner import find_smallest_failing
from suites.selfcheck.sample_answers import PROTOCOLS

CATALOGUE = load_catalogue()
# Enough batches to draw each form of each case, and few enough for every gate.
BATCHES = 12
DOCUMENTED_TYPES = {
    f"type.googleapis.com/google.{name}"
    for name in (
        *(f"firebase.fcm.v1.{name}" for name in ("FcmError", "FcmErrorCode", "ApnsError")),
        *(f"rpc.{name}" for name in ("BadRequest", "QuotaFailure", "RetryInfo", "ErrorInfo", "Help")),
    )
}


def draw(test: str, strategy: st.SearchStrategy[Any], *, times: int = BATCHES) -> list[Any]:
    values: list[Any] = []
    runner.explore(test, strategy, values.append, profile=runner.Profile(0, times))
    return values


@pytest.mark.parametrize("answer_class", ANSWER_CLASSES)
def test_an_answer_is_drawn_in_its_class(answer_class: str) -> None:
    answers = draw(answer_class, answers_for_any(CATALOGUE.cases, answer_class), times=100)
    assert {find_class(answer) for answer in answers} == {answer_class}


def test_later_types_of_details_are_drawn_and_near_misses_are_not() -> None:
    answers = [
        answer
        for case in CATALOGUE.of_protocol("fcm_v1")
        if "plausible" in list_classes(case)
        for answer in draw(f"details of {case.id}", answers_for(case, "plausible"))
    ]
    objects = [value for answer in answers for _, value in walk(answer) if isinstance(value, dict)]
    types = {value["@type"] for value in objects if "@type" in value} - DOCUMENTED_TYPES
    later = {name for name in types if schemas.is_valid(name, "fcm-v1-details.schema.json#/$defs/LaterType")}
    assert types == later
    assert len(later) > 2


@pytest.mark.parametrize("answer_class", ["documented", "plausible"])
def test_a_document_or_a_case_decides_what_is_drawn(answer_class: str) -> None:
    for case in CATALOGUE.cases:
        if answer_class in list_classes(case):
            for answer in draw(case.id, answers_for(case, answer_class), times=5):
                assert (CATALOGUE.decide(answer), CATALOGUE.find_unspecified(answer)) == (case, None)


@pytest.mark.parametrize("rule", CATALOGUE.unspecified, ids=lambda rule: rule.id)
def test_an_unspecified_answer_is_drawn_for_its_rule(rule: UnspecifiedRule) -> None:
    answers = draw(rule.id, unspecified_answers(rule))
    assert {CATALOGUE.find_unspecified(answer) for answer in answers} == {rule}
    assert len({str(answer) for answer in answers}) > 3


def test_a_batch_has_one_class_and_four_fifths_are_documented() -> None:
    counts: Counter[str] = Counter()
    for case in CATALOGUE.cases:
        for batch in draw(f"batch of {case.id}", runner.batches_for(case), times=BATCHES // 2):
            classes = {find_class(answer) for answer in batch}
            assert len(classes) == 1, case.id
            counts[classes.pop()] += len(batch)
    assert counts["documented"] >= 4 * counts["plausible"], counts
    assert counts.keys() == {"documented", "plausible"}


@pytest.mark.parametrize("case", CATALOGUE.cases[::9], ids=lambda case: case.id)
def test_a_failure_shrinks_to_the_example(case: Case) -> None:
    batch = find_smallest_failing(runner.batches_for(case), lambda _: True)
    assert batch == [{**example_report(case), "token": ""}]


def test_a_failure_of_plausible_answers_shrinks_to_a_plausible_one() -> None:
    batches = runner.batches_for_any(CATALOGUE.cases)
    (answer,) = find_smallest_failing(batches, lambda batch: find_class(batch[0]) == "plausible")
    assert find_class(answer) == "plausible"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_documented_form_is_drawn(protocol: str) -> None:
    cases = [case for case in CATALOGUE.of_protocol(protocol) if "documented" in list_classes(case)]
    answers = [
        {**answer, "retry_after": resolve_date(answer["retry_after"], ANY_TIME)}
        for case in cases
        for answer in draw(f"forms of {case.id}", answers_for(case))
    ]
    path = f"{CLASS_SCHEMA}#/$defs/{protocol}/documented/anyOf"
    titles = [form.title for form in load_forms(protocol, "documented")]
    drawn_forms = [
        any(schemas.is_valid(answer, f"{path}/{index}") for answer in answers) for index in range(len(titles))
    ]
    assert [title for title, was_drawn in zip(titles, drawn_forms, strict=True) if not was_drawn] == []
