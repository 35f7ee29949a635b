"""The check of the chain finds nothing in what is right, and each wrong end, and tells it to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.effects import LATENESS_ALLOWED_S, expected_subscriber
from fixtures.checks.end_to_end import EndToEndObservation, every_push_ends_as_it_must
from fixtures.core import payloads, times
from fixtures.core.backoff import wait_s
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.findings import Finding
from fixtures.core.outcome import PushResult
from fixtures.core.payloads import BatchEntry, IdFactory
from fixtures.core.times import parse_time
from suites.selfcheck.checks.outcomes import SENT_AT, as_told

WORLD = "all-after-v1"
SHOWN = ("legacy-NotRegistered", "legacy-Unavailable", "legacy-canonical-id", "legacy-delivered")
CASES = [
    *map(load_catalogue().__getitem__, SHOWN),
    *(case for case in load_catalogue().cases if case.id not in SHOWN),
]
"""All, and first those that are made wrong: what is told of them is the same when a case is added."""
IDENTITIES = IdFactory(run="0c" * 6)
SENT = [
    BatchEntry(payloads.address(example_report(case), IDENTITIES, sent_at=SENT_AT), case) for case in CASES
]
AT = parse_time(SENT[0].payload["sent_at"]) + timedelta(seconds=1)
BYSTANDER = {"bystander": "token-of-nobody"}
NOTHING = {"messages container": 0, "queue": 0, "dead letters": 0}
UNSUBSCRIBED, POSTPONED, RENEWED, FINE = SENT[: len(SHOWN)]


def key(sent: BatchEntry) -> tuple[str, str]:
    """Which push an entry is about."""
    return sent.payload["message_id"], sent.payload["subscriber_id"]


def right_fate(sent: BatchEntry) -> PushResult:
    """The end that the catalogue wants."""
    case = sent.case
    assert case is not None
    wait = wait_s(case, sent.payload, answered_at=AT)
    until = None if wait is None else times.format_time(AT + timedelta(seconds=wait))
    state = {"postponed_until": until, **expected_subscriber(sent, case)}
    decided = {"protocol": case.protocol, "code": case.code, "outcome": case.outcome}
    response = {"report_id": sent.report_id, **decided}
    return PushResult(sent.report_id, 1, response, () if case.outcome == "keep" else (case.outcome,), state)


FATES = {key(sent): right_fate(sent) for sent in SENT}
RIGHT = EndToEndObservation(
    FATES, {"bystander": {"status": "active", "token": "token-of-nobody"}}, NOTHING, AT
)


def found(seen: EndToEndObservation) -> list[Finding]:
    """What the check finds in what was seen."""
    return list(every_push_ends_as_it_must(WORLD, SENT, BYSTANDER, seen))


def test_what_is_right_is_not_found() -> None:
    assert found(RIGHT) == []


def wrong(sent: BatchEntry, **members: Any) -> EndToEndObservation:
    """One push ended otherwise."""
    return replace(RIGHT, push_results={**FATES, key(sent): replace(FATES[key(sent)], **members)})


def state(sent: BatchEntry, **members: Any) -> EndToEndObservation:
    """One subscriber is in another state."""
    return wrong(sent, subscriber={**(FATES[key(sent)].subscriber or {}), **members})


def until(seconds: float) -> str:
    """A moment after the check looked."""
    return times.format_time(AT + timedelta(seconds=seconds))


ENDS: Mapping[str, tuple[Callable[[], EndToEndObservation], str]] = {
    "never reported": (lambda: wrong(FINE, reports=0), "makes 0 reports of one push"),
    "reported twice": (lambda: wrong(FINE, reports=2), "makes 2 reports of one push"),
    "not stored": (lambda: wrong(FINE, response=None), "stores no response to"),
    "stored as another code": (
        lambda: wrong(FINE, response={**(FATES[key(FINE)].response or {}), "code": "UNKNOWN"}),
        "stores code UNKNOWN of",
    ),
    "an error forgotten": (lambda: wrong(POSTPONED, actions=()), "does nothing about"),
    "another action": (lambda: wrong(POSTPONED, actions=("stale",)), "does stale about"),
    "an error acted upon twice": (
        lambda: wrong(UNSUBSCRIBED, actions=("unsubscribe", "unsubscribe")),
        "does unsubscribe, unsubscribe about",
    ),
    "a success acted upon": (lambda: wrong(FINE, actions=("alert",)), "does alert about"),
    "a subscriber lost": (lambda: wrong(FINE, subscriber=None), "lost the subscriber after"),
    "a dead device kept": (
        lambda: state(UNSUBSCRIBED, status="active"),
        "leaves the subscriber active after",
    ),
    "a live user unsubscribed": (
        lambda: state(FINE, status="unsubscribed"),
        "leaves the subscriber unsubscribed after",
    ),
    "the old token kept": (
        lambda: state(RENEWED, token=RENEWED.payload["token"]),
        "leaves another token after",
    ),
    "a live user postponed": (
        lambda: state(FINE, postponed_until=until(60)),
        "postpones until",
    ),
    "no end of the wait": (lambda: state(POSTPONED, postponed_until=None), "postpones until None after"),
    "too early an end": (lambda: state(POSTPONED, postponed_until=until(-3)), "postpones until"),
    "too late an end": (lambda: state(POSTPONED, postponed_until=until(90_000)), "postpones until"),
    "no wait at all": (
        lambda: state(POSTPONED, status="active", postponed_until=None),
        "leaves the subscriber active after",
    ),
    "a bystander touched": (
        lambda: replace(RIGHT, bystanders={"bystander": {"status": "unsubscribed"}}),
        "changes a subscriber that got no push",
    ),
    "a bystander lost": (
        lambda: replace(RIGHT, bystanders={}),
        "changes a subscriber that got no push",
    ),
    "a letter buried": (
        lambda: replace(RIGHT, leftovers={**NOTHING, "dead letters": 1}),
        "leaves something in the dead letters",
    ),
    "a letter left": (
        lambda: replace(RIGHT, leftovers={**NOTHING, "queue": 2}),
        "leaves something in the queue",
    ),
}


@pytest.mark.parametrize(("wrong", "title"), ENDS.values(), ids=ENDS)
def test_each_wrong_end_is_found(
    wrong: Callable[[], EndToEndObservation], title: str, snapshot: SnapshotAssertion
) -> None:
    (finding,) = found(wrong())
    assert finding.title.startswith(title)
    assert as_told(finding) == snapshot


SENT_LATER = "Thu, 01 Jan 2026 00:02:00 GMT"
"""A Retry-After that ends at one moment, whenever it was heard."""


@pytest.mark.parametrize(
    ("retry_after", "earliest", "latest"),
    [
        pytest.param(None, SENT_AT + timedelta(seconds=10), AT + timedelta(seconds=10), id="seconds"),
        pytest.param(
            SENT_LATER, SENT_AT + timedelta(seconds=120), SENT_AT + timedelta(seconds=120), id="a date"
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
        seen = state(POSTPONED, postponed_until=times.format_time(until))
        assert len(list(every_push_ends_as_it_must(WORLD, [push], {}, seen))) == findings, until


def test_a_wait_may_have_ended_at_the_very_moment_of_the_look() -> None:
    active = state(POSTPONED, status="active", postponed_until=None)
    for late_s, findings in ((-0.001, 1), (0, 0)):
        seen = replace(active, observed_at=SENT_AT + timedelta(seconds=10 + late_s))
        assert len(list(every_push_ends_as_it_must(WORLD, [POSTPONED], {}, seen))) == findings


def test_a_wait_that_is_over_may_have_ended() -> None:
    active = {"status": "active", "postponed_until": None}
    seen = state(POSTPONED, **active)
    assert len(found(seen)) == 1
    later = {
        entry: replace(fate, subscriber={**(fate.subscriber or {}), **active})
        if fate.actions == ("postpone",)
        else fate
        for entry, fate in FATES.items()
    }
    assert found(replace(RIGHT, push_results=later, observed_at=AT + timedelta(days=2))) == []
