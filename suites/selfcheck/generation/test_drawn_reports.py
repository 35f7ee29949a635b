"""Drawn answers are valid, are decided by their case, and cover the edge cases that have misled readers."""

import json
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable

import pytest

from fixtures.core import catalogue as catalogues
from fixtures.core import payloads, reference_validator, times, topology
from fixtures.core.backoff import wait_s
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import IDENTITY, CountedIds, IdFactory, Payload, relative_date, resolve_date
from fixtures.core.project import ROOT
from fixtures.generation import runner, strategies
from fixtures.generation.malformed import ENVELOPE, EVENT
from fixtures.generation.schema_coverage import uncovered
from fixtures.services import fcm
from suites.selfcheck import sample_answers as samples
from suites.selfcheck.generation.edge_cases import edge_cases_of_report
from suites.selfcheck.sample_answers import (
    compile_validators,
    draw_all_reports,
    draw_answers,
    draw_reports,
    find_disagreements,
    read_corpus,
)

CASES = load_catalogue().cases
REPORT_SCHEMAS = {"legacy": "legacy-response-report", "fcm_v1": "fcm-v1-response-report"}
MANY_BATCHES = 16  # twice what a run without options draws for each case


def test_a_drawn_answer_is_decided_by_its_case() -> None:
    for case in CASES:
        assert len(draw_answers(case)) >= samples.BATCHES, case.id
        assert {load_catalogue().decide(report) for report in draw_reports(case)} == {case}, case.id


def test_a_drawn_report_is_valid_for_both_validators() -> None:
    validators = {
        schema: compile_validators(schema)
        for schema in (ENVELOPE, EVENT, *catalogues.REPORT_SCHEMAS.values())
    }
    for case in CASES:
        report_schema = catalogues.REPORT_SCHEMAS[case.protocol]
        for report in draw_reports(case)[::4]:
            event = payloads.error_event(report, case.code)
            for schema, value in ((ENVELOPE, report), (report_schema, report), (EVENT, event)):
                assert validators[schema](value) == (True, True), (case.id, schema, value)


def test_validators_agree_on_what_a_case_matches() -> None:
    answers = [*(entry.answer for entry in read_corpus()), *draw_all_reports()[::40]]
    for case in CASES:
        assert not find_disagreements(case.match, answers), case.id


def test_the_services_decide_like_the_catalogue() -> None:
    for case in CASES:
        for report in draw_reports(case):
            decision = fcm.decide(report)
            wait = wait_s(case, report, answered_at=times.parse_time(report["sent_at"]))
            expected = (case.protocol, case.code, case.outcome, wait)
            actual = (decision.protocol, decision.code, decision.outcome, decision.wait_s)
            assert actual == expected, (case.id, report)


# --- edge cases

EDGE_CASES = [
    *(f"detail: {kind}" for kind in ("FcmError", "ApnsError", "BadRequest", "QuotaFailure")),
    *(f"detail: {kind}" for kind in ("RetryInfo", "ErrorInfo", "Help")),
    "detail: an unknown @type",
    "detail: an entry without @type",
    "detail: an entry whose @type is no string",
    "detail: an entry that is no object",
    *(f"FcmError: {what}" for what in ("first", "middle", "last", "doubled", "without a readable code")),
    "FcmError: spelled FcmError",
    "FcmError: spelled FcmErrorCode",
    *(f"details: {what}" for what in ("missing", "empty", "dict", "str", "NoneType")),
    *(
        f"unknown member: {holder}"
        for holder in ("report", "legacy response", "fcm_v1 response", "error", "detail")
    ),
    *(
        f"text: {kind}"
        for kind in ("empty", "longest", "not ASCII", "outside the first plane", "control characters")
    ),
    "token: longest",
    "token: not ASCII",
    *(f"Retry-After: {form}" for form in ("none", "IMF-fixdate", "RFC 850", "asctime", "garbage", "empty")),
    *(f"Retry-After: {form}" for form in ("seconds", "more seconds than a day", "negative")),
    "response: text",
    "response: empty text",
    "response: empty object, legacy",
    "response: empty object, fcm_v1",
    "http_status: contradicts error.code",
    "http_status: 5xx beside UNREGISTERED",
    "http_status: permanent beside a temporary code",
    "status: contradicts UNREGISTERED",
]


@pytest.mark.nightly
def test_drawn_reports_cover_all_edge_cases() -> None:
    answers: list[Payload] = []
    strategies_of_others = [
        strategies.answers_for(load_catalogue()["v1-UNREGISTERED"], "plausible"),
        *(strategies.answers_for_any(CASES, name) for name in ("plausible", "impossible")),
        *map(strategies.unspecified_answers, load_catalogue().unspecified),
    ]
    for index, strategy in enumerate(strategies_of_others):
        runner.explore(f"others {index}", strategy, answers.append, profile=runner.Profile(0, 300))
    reports = [*draw_all_reports(), *(payloads.address(answer, IdFactory()) for answer in answers)]
    covered = {name for report in reports for name in edge_cases_of_report(report)}
    assert sorted(set(EDGE_CASES) - covered) == []


# --- dates


def test_a_drawn_date_is_as_far_from_sent_at_as_drawn() -> None:
    sent_at = times.parse_time("2031-02-03T04:05:06.789Z")
    answer = {"http_status": 503, "response": "", "retry_after": relative_date("IMF-fixdate", 90)}
    dates = {"IMF-fixdate": "Mon, 03 Feb 2031 04:06:36 GMT"}
    dates |= {"RFC 850": "Monday, 03-Feb-31 04:06:36 GMT", "asctime": "Mon Feb  3 04:06:36 2031"}
    for form, date in dates.items():
        report = payloads.address(
            {**answer, "retry_after": relative_date(form, 90)}, IdFactory(), sent_at=sent_at
        )
        assert report["retry_after"] == date
        assert resolve_date(date, sent_at) == date


DRAW_PAYLOADS = """
import json
from fixtures.core import payloads
from fixtures.core.payloads import CountedIds, IdFactory
from fixtures.core.times import parse_time
from fixtures.core.catalogue import load_catalogue
from suites.selfcheck.sample_answers import draw_answers

answers = [answer for case in load_catalogue().cases[::6] for answer in draw_answers(case)]
ids, sent_at = CountedIds(run="0c" * 6), parse_time("2031-02-03T04:05:06.789Z")
print(json.dumps([answers, [payloads.address(answer, ids, sent_at=sent_at) for answer in answers]]))
"""


@pytest.mark.process
def test_two_processes_draw_the_same_payloads_at_different_times() -> None:
    command = [sys.executable, "-c", DRAW_PAYLOADS]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    time.sleep(5)
    second = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    assert len(json.loads(first.stdout)[0]) > 100
    assert first.stdout == second.stdout


# --- identity


def test_ids_are_counted_and_not_drawn() -> None:
    members = {name for case in CASES for answer in draw_answers(case) for name in answer}
    assert members & set(IDENTITY) == {"protocol"}


def test_addressed_reports_share_nothing() -> None:
    reports = draw_all_reports()
    for member in ("report_id", "message_id", "subscriber_id"):
        assert len({report[member].lower() for report in reports}) == len(reports)
    tokens = [report["token"] for report in reports if len(report["token"]) > 1]
    assert len(set(tokens)) == len(tokens) < len(reports)
    assert {1 <= len(report["token"]) <= 4096 for report in reports} == {True}
    assert {1, 4096} <= {len(report["token"]) for report in reports}


def test_a_drawn_batch_holds_reports_that_were_sent_in_every_way() -> None:
    rare: dict[str, Callable[[Payload, float], bool]] = {
        "another app": lambda report, _age_s: report["firebase_app"] != topology.read_firebase_app(),
        "hours old": lambda _report, age_s: 3_600 < age_s < 86_400,
        "days old": lambda _report, age_s: age_s > 2 * 86_400,
        "from the future": lambda _report, age_s: age_s < 0,
        "ids in capitals": lambda report, _age_s: report["subscriber_id"].isupper(),
        "one letter": lambda report, _age_s: len(report["token"]) == 1,
    }
    counts = Counter[str]()
    answers = [answer for case in CASES for answer in draw_answers(case)]
    entries = payloads.address_all(answers, CountedIds(run="0c" * 6))
    for entry in entries:
        counts.update(name for name, is_so in rare.items() if is_so(entry.payload, entry.late_s))
    assert {name for name in rare if not 0.01 * len(entries) < counts[name] < 0.3 * len(entries)} == set()


def test_canonical_ids_are_unique() -> None:
    case = next(case for case in CASES if case.outcome == "replace_token")
    tokens = [report["response"]["registration_id"] for report in draw_reports(case)]
    assert len(set(tokens)) == len(tokens)
    assert {1 <= len(token) <= 4096 for token in tokens} == {True}
    assert not set(tokens) & {report["token"] for report in draw_all_reports()}


def test_a_canonical_id_of_any_length_stays_valid() -> None:
    for length, addressed_length in {0: 0, 1: 24, 4095: 4096, 4096: 4096}.items():
        answer = {"http_status": 200, "retry_after": None, "response": {"registration_id": "c" * length}}
        report = payloads.address(answer, IdFactory())
        reference_validator.build_validator(ENVELOPE).validate(report)
        assert len(report["response"]["registration_id"]) == addressed_length, length


def test_two_runs_share_no_id() -> None:
    first, second = IdFactory(), IdFactory()
    assert not {*first.next(), *first.next()} & {*second.next(), *second.next()}


def test_subscribers_of_a_run_are_recognised_as_the_suites_own() -> None:
    ids = [IdFactory().next()[2] for _ in range(50)]
    assert all(payloads.is_suite_subscriber(text) for row in ids for text in (row, row.upper()))
    strangers = [str(uuid.uuid4()), ids[0] + "0", IdFactory().next()[0], ""]
    assert not any(payloads.is_suite_subscriber(text) for text in strangers)


@pytest.mark.nightly
@pytest.mark.parametrize("protocol", REPORT_SCHEMAS)
def test_every_keyword_is_covered_by_drawn_reports(protocol: str) -> None:
    ids = IdFactory()
    cases = load_catalogue().of_protocol(protocol)
    answers = [answer for case in cases for answer in draw_answers(case, batches=MANY_BATCHES)]
    for case in cases:
        batches = runner.batches_of(strategies.answers_for(case, "impossible"))
        runner.explore(case.id, batches, answers.extend, profile=runner.Profile(0, MANY_BATCHES))
    reports = [payloads.address(answer, ids) for answer in answers]
    assert not list(uncovered(f"{REPORT_SCHEMAS[protocol]}.schema.json", "", reports))
