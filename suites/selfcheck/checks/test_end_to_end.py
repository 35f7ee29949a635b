"""The end-to-end check accepts right ends of pushes, and finds and describes each wrong one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.effects import LATENESS_ALLOWED_S, expected_subscriber
from fixtures.checks.end_to_end import EndToEndObservation, every_push_ends_as_it_must, name_of_actions
from fixtures.core import payloads, times
from fixtures.core.backoff import wait_s
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.findings import Finding
from fixtures.core.outcome import PushResult
from fixtures.core.payloads import BatchEntry, CountedIds
from fixtures.core.times import parse_time
from suites.selfcheck.checks.outcomes import SENT_AT, format_finding

MIX = "all-after-v1"
FAULTY_CASES = ("legacy-NotRegistered", "legacy-Unavailable", "legacy-canonical-id", "legacy-delivered")
# All cases; first those that the tests change, so that a new case leaves the snapshots alone.
CASES = [
    *map(load_catalogue().__getitem__, FAULTY_CASES),
    *(case for case in load_catalogue().cases if case.id not in FAULTY_CASES),
]
ID_FACTORY = CountedIds(run="0c" * 6)
SENT = [
    BatchEntry(payloads.address(example_report(case), ID_FACTORY, sent_at=SENT_AT), case) for case in CASES
]
AT = parse_time(SENT[0].payload["sent_at"]) + timedelta(seconds=1)
BYSTANDER = {"bystander": "token-of-bystander"}
NOTHING = {"messages container": 0, "queue": 0, "dead letters": 0}
UNSUBSCRIBED, POSTPONED, RENEWED, FINE = SENT[: len(FAULTY_CASES)]


def push_id(sent: BatchEntry) -> tuple[str, str]:
    return sent.payload["message_id"], sent.payload["subscriber_id"]


def right_result(sent: BatchEntry) -> PushResult:
    """The result that the catalogue asks for."""
    case = sent.case
    assert case is not None
    wait = wait_s(case, sent.payload, answered_at=AT)
    until = None if wait is None else times.format_time(AT + timedelta(seconds=wait))
    state = {"postponed_until": until, **expected_subscriber(sent.payload, case.outcome)}
    decided = {"protocol": case.protocol, "code": case.code, "outcome": case.outcome}
    response = {"report_id": sent.report_id, **decided}
    return PushResult(sent.report_id, 1, response, () if case.outcome == "keep" else (case.outcome,), state)


PUSH_RESULTS = {push_id(sent): right_result(sent) for sent in SENT}
RIGHT = EndToEndObservation(
    PUSH_RESULTS, {"bystander": {"status": "active", "token": "token-of-bystander"}}, NOTHING, AT
)


def check(observation: EndToEndObservation) -> list[Finding]:
    return list(every_push_ends_as_it_must(MIX, SENT, BYSTANDER, observation))


def test_what_is_right_is_not_found() -> None:
    assert check(RIGHT) == []


def change_result(sent: BatchEntry, **members: Any) -> EndToEndObservation:
    return replace(
        RIGHT, push_results={**PUSH_RESULTS, push_id(sent): replace(PUSH_RESULTS[push_id(sent)], **members)}
    )


def change_state(sent: BatchEntry, **members: Any) -> EndToEndObservation:
    return change_result(sent, subscriber={**(PUSH_RESULTS[push_id(sent)].subscriber or {}), **members})


def time_at(seconds: float) -> str:
    return times.format_time(AT + timedelta(seconds=seconds))


ENDS: Mapping[str, tuple[Callable[[], EndToEndObservation], str]] = {
    "never reported": (lambda: change_result(FINE, reports=0), "makes 0 reports of one push"),
    "reported twice": (lambda: change_result(FINE, reports=2), "makes 2 reports of one push"),
    "not stored": (lambda: change_result(FINE, response=None), "stores no response to"),
    "stored as another code": (
        lambda: change_result(
            FINE, response={**(PUSH_RESULTS[push_id(FINE)].response or {}), "code": "UNKNOWN"}
        ),
        "stores code UNKNOWN of",
    ),
    "an error forgotten": (lambda: change_result(POSTPONED, actions=()), "does nothing about"),
    "another action": (lambda: change_result(POSTPONED, actions=("stale",)), "does stale about"),
    "an error acted upon twice": (
        lambda: change_result(UNSUBSCRIBED, actions=("unsubscribe", "unsubscribe")),
        "does unsubscribe, unsubscribe about",
    ),
    "a success acted upon": (lambda: change_result(FINE, actions=("alert",)), "does alert about"),
    "a subscriber lost": (lambda: change_result(FINE, subscriber=None), "lost the subscriber after"),
    "a dead device kept": (
        lambda: change_state(UNSUBSCRIBED, status="active"),
        "leaves the subscriber active after",
    ),
    "a live user unsubscribed": (
        lambda: change_state(FINE, status="unsubscribed"),
        "leaves the subscriber unsubscribed after",
    ),
    "the old token kept": (
        lambda: change_state(RENEWED, token=RENEWED.payload["token"]),
        "leaves another token after",
    ),
    "a live user postponed": (lambda: change_state(FINE, postponed_until=time_at(60)), "postpones until"),
    "no end of the wait": (
        lambda: change_state(POSTPONED, postponed_until=None),
        "postpones until None after",
    ),
    "too early an end": (lambda: change_state(POSTPONED, postponed_until=time_at(-3)), "postpones until"),
    "too late an end": (lambda: change_state(POSTPONED, postponed_until=time_at(90_000)), "postpones until"),
    "no wait at all": (
        lambda: change_state(POSTPONED, status="active", postponed_until=None),
        "leaves the subscriber active after",
    ),
    "a bystander touched": (
        lambda: replace(RIGHT, bystanders={"bystander": {"status": "unsubscribed"}}),
        "changes a subscriber that got no push",
    ),
    "a bystander lost": (lambda: replace(RIGHT, bystanders={}), "changes a subscriber that got no push"),
    "a message buried": (
        lambda: replace(RIGHT, leftovers={**NOTHING, "dead letters": 1}),
        "leaves something in the dead letters",
    ),
    "a message left": (
        lambda: replace(RIGHT, leftovers={**NOTHING, "queue": 2}),
        "leaves something in the queue",
    ),
}


@pytest.mark.parametrize(("build_observation", "title"), ENDS.values(), ids=ENDS)
def test_each_wrong_end_is_found(
    build_observation: Callable[[], EndToEndObservation], title: str, snapshot: SnapshotAssertion
) -> None:
    (finding,) = check(build_observation())
    assert finding.title.startswith(title)
    assert format_finding(finding) == snapshot


# A Retry-After that ends at the same time, whenever it was read.
FIXED_END = "Thu, 01 Jan 2026 00:02:00 GMT"


@pytest.mark.parametrize(
    ("retry_after", "earliest", "latest"),
    [
        pytest.param(None, SENT_AT + timedelta(seconds=10), AT + timedelta(seconds=10), id="seconds"),
        pytest.param(
            FIXED_END, SENT_AT + timedelta(seconds=120), SENT_AT + timedelta(seconds=120), id="a date"
        ),
    ],
)
def test_a_wait_may_end_a_second_early_and_a_little_late(
    retry_after: str | None, earliest: datetime, latest: datetime
) -> None:
    push = replace(POSTPONED, payload={**POSTPONED.payload, "retry_after": retry_after})
    earliest -= timedelta(seconds=1)
    latest += timedelta(seconds=LATENESS_ALLOWED_S)
    moment = timedelta(milliseconds=1)
    ends = {earliest - moment: 1, earliest: 0, latest: 0, latest + moment: 1}
    for until, findings in ends.items():
        observation = change_state(POSTPONED, postponed_until=times.format_time(until))
        assert len(list(every_push_ends_as_it_must(MIX, [push], {}, observation))) == findings, until


@pytest.mark.parametrize(
    ("expected", "actions", "name"),
    [
        pytest.param(("alert",), ("ignored",), "action", id="another word"),
        pytest.param(("alert",), (), "action", id="no event"),
        pytest.param(("postpone",), (), "acted-once", id="forgotten"),
        pytest.param(("postpone",), ("postpone", "ignored"), "action", id="a repetition without effect"),
        pytest.param(("postpone",), ("postpone", "postpone"), "acted-once", id="twice"),
        pytest.param((), ("unsubscribe", "postpone"), "acted-once", id="both"),
    ],
)
def test_actions_without_an_effect_are_words(
    expected: tuple[str, ...], actions: tuple[str, ...], name: str
) -> None:
    assert name_of_actions(expected, actions) == name


def test_a_wait_may_have_ended_at_the_very_moment_of_the_look() -> None:
    active = change_state(POSTPONED, status="active", postponed_until=None)
    for late_s, findings in ((-0.001, 1), (0, 0)):
        later_observation = replace(active, observed_at=SENT_AT + timedelta(seconds=10 + late_s))
        assert len(list(every_push_ends_as_it_must(MIX, [POSTPONED], {}, later_observation))) == findings


def test_a_wait_that_is_over_may_have_ended() -> None:
    active = {"status": "active", "postponed_until": None}
    observation = change_state(POSTPONED, **active)
    assert len(check(observation)) == 1
    later = {
        entry: replace(result, subscriber={**(result.subscriber or {}), **active})
        if result.actions == ("postpone",)
        else result
        for entry, result in PUSH_RESULTS.items()
    }
    assert check(replace(RIGHT, push_results=later, observed_at=AT + timedelta(days=2))) == []
