"""Of each case, what is drawn obeys the schemas, is decided by it, and reaches what has misled readers."""

from __future__ import annotations

import uuid

import pytest

from fixtures.core import catalogue as catalogues
from fixtures.core import payloads, reference_validator, times
from fixtures.core.backoff import wait_s
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import IDENTITY, IdFactory
from fixtures.generation.malformed import ENVELOPE, EVENT
from fixtures.services import fcm
from suites.selfcheck import sample_answers as samples
from suites.selfcheck.generation.edge_cases import DETAILS, RETRY_AFTER, of_report
from suites.selfcheck.sample_answers import (
    compile_validators,
    draw_all_reports,
    draw_answers,
    draw_reports,
    find_disagreements,
    read_corpus,
)

pytestmark = pytest.mark.aside

CASES = load_catalogue().cases


def test_a_drawn_answer_is_decided_by_its_case() -> None:
    for case in CASES:
        assert len(draw_answers(case)) > samples.BATCHES, case.id
        assert {load_catalogue().decide(report) for report in draw_reports(case)} == {case}, case.id


def test_a_drawn_report_is_valid_for_both_validators() -> None:
    judges = {
        schema: compile_validators(schema)
        for schema in (ENVELOPE, EVENT, *catalogues.REPORT_SCHEMAS.values())
    }
    for case in CASES:
        own = catalogues.REPORT_SCHEMAS[case.protocol]
        for report in draw_reports(case)[::4]:
            event = payloads.error_event(report, case.code)
            for schema, value in ((ENVELOPE, report), (own, report), (EVENT, event)):
                assert judges[schema](value) == (True, True), (case.id, schema, value)


def test_validators_agree_on_what_a_case_matches() -> None:
    answers = [*(entry.answer for entry in read_corpus()), *draw_all_reports()[::40]]
    for case in CASES:
        assert not find_disagreements(case.match, answers), case.id


def test_services_decide_alike() -> None:
    for case in CASES:
        for report in draw_reports(case):
            found = fcm.decide(report)
            wait = wait_s(case, report, answered_at=times.parse_time(report["sent_at"]))
            expected = (case.protocol, case.code, case.outcome, wait)
            assert (found.protocol, found.code, found.outcome, found.wait_s) == expected, (case.id, report)


# --- reach

MUST_REACH = [
    *(f"detail: {kind}" for kind in DETAILS),
    "detail: an unknown @type",
    "detail: an entry without @type",
    "detail: an entry whose @type is no string",
    "detail: an entry that is no object",
    *(f"FcmError: {place}" for place in ("first", "middle", "last", "doubled", "without a readable code")),
    "FcmError: spelled FcmError",
    "FcmError: spelled FcmErrorCode",
    *(f"details: {what}" for what in ("missing", "empty", "dict", "str", "NoneType")),
    *(
        f"unknown member: {where}"
        for where in ("report", "legacy response", "fcm_v1 response", "error", "detail")
    ),
    *(
        f"text: {kind}"
        for kind in ("empty", "longest", "not ASCII", "outside the first plane", "control characters")
    ),
    "token: longest",
    "token: not ASCII",
    *(f"Retry-After: {form}" for form in RETRY_AFTER),
    "response: text",
    "response: empty text",
    "response: empty object, legacy",
    "response: empty object, fcm_v1",
    "http_status: contradicts error.code",
    "http_status: 5xx beside UNREGISTERED",
    "http_status: permanent beside a temporary code",
    "status: contradicts UNREGISTERED",
]


def test_what_is_drawn_reaches_all_that_is_special() -> None:
    reached = {special for report in draw_all_reports() for special in of_report(report)}
    assert sorted(set(MUST_REACH) - reached) == []


# --- identity


def test_identifiers_are_counted_not_drawn() -> None:
    named = {name for case in CASES for answer in draw_answers(case) for name in answer}
    assert named & set(IDENTITY) == {"protocol"}


def test_addressed_reports_share_nothing() -> None:
    found = draw_all_reports()
    for member in ("report_id", "message_id", "subscriber_id", "token"):
        assert len({report[member] for report in found}) == len(found)
    assert {1 <= len(report["token"]) <= 4096 for report in found} == {True}
    assert 4096 in {len(report["token"]) for report in found}


def test_canonical_ids_are_unique() -> None:
    case = next(case for case in CASES if case.outcome == "replace_token")
    found = [report["response"]["registration_id"] for report in draw_reports(case)]
    assert len(set(found)) == len(found)
    assert {1 <= len(token) <= 4096 for token in found} == {True}
    assert not set(found) & {report["token"] for report in draw_all_reports()}


def test_a_token_of_any_length_stays_one() -> None:
    for length, addressed in {0: 0, 1: 20, 4095: 4096, 4096: 4096}.items():
        answer = {"http_status": 200, "retry_after": None, "response": {"registration_id": "c" * length}}
        report = payloads.address(answer, IdFactory())
        reference_validator.build_validator(ENVELOPE).validate(report)
        assert len(report["response"]["registration_id"]) == addressed, length


def test_two_runs_share_no_identity() -> None:
    one, two = IdFactory(), IdFactory()
    assert not {*one.next(), *one.next()} & {*two.next(), *two.next()}


def test_whoever_a_run_touches_is_recognised_as_its_own() -> None:
    subscribers = [IdFactory().next()[2] for _ in range(50)]
    assert all(
        payloads.is_suite_subscriber(one) and payloads.is_suite_subscriber(one.upper()) for one in subscribers
    )
    assert all(payloads.NAMESPACE in IdFactory().next()[3] for _ in range(50))
    strangers = [str(uuid.uuid4()), subscribers[0] + "0", IdFactory().next()[0], ""]
    assert not any(payloads.is_suite_subscriber(one) for one in strangers)
