"""The checks of redelivery find what a second delivery changes, and stale events that are acted upon."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.redelivery import nothing_changes, stale_events_change_nothing, states_are_equal
from suites.selfcheck.checks.outcomes import (
    API,
    BUSY,
    DEAD,
    ERRORS,
    EVERYWHERE,
    FINE,
    RESPONSES,
    Fault,
    all_called,
    as_told,
    body,
    drops_a_result,
    forgotten,
    only,
    right,
    row,
    shown,
    state,
    told,
)

KNOWN: Mapping[str, Fault] = {
    API: lambda _: None,
    RESPONSES: told(stored=0, duplicates=5),
    ERRORS: all_called("duplicate"),
}
AGAIN: Mapping[str, tuple[str, Fault, str]] = {
    "refused": (API, told(409), "answers a redelivered batch with 409 {'accepted': 5}"),
    "not accepted": (API, told(accepted=0), "answers a redelivered batch with 202 {'accepted': 0}"),
    "stored twice": (
        RESPONSES,
        told(stored=5, duplicates=0),
        "answers a redelivered batch with 201 {'stored': 5, 'duplicates': 0}",
    ),
    "conflict": (RESPONSES, told(409), "answers a redelivered batch with 409"),
    "acts again": (
        ERRORS,
        row(DEAD, action="unsubscribe"),
        "answers a redelivered batch with 200 {'actions': ['un",
    ),
    "no results": (ERRORS, body([]), "answers a redelivered batch with 200 {'actions': None}"),
    "another code": (API, shown(DEAD, code="x"), "a redelivery changes what became of legacy-NotRegistered"),
    "lost": (RESPONSES, shown(BUSY, 404), "a redelivery changes what became of v1-bare-5xx"),
    "postponed further": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T01:00:00Z"),
        "a redelivery changes what became of v1-bare-5xx",
    ),
    "resubscribed": (
        ERRORS,
        state(DEAD, status="active"),
        "a redelivery changes what became of legacy-NotRegistered",
    ),
    "forgotten": (ERRORS, forgotten(FINE), "a redelivery changes what became of v1-delivered"),
}


def test_a_right_redelivery() -> None:
    for name in EVERYWHERE:
        first = right(name, poisoned=False)
        again = first.wrong(KNOWN[name])
        assert not list(nothing_changes(first.provider, first.sent, first.outcome(), again.outcome())), name


@pytest.mark.parametrize(("name", "fault", "title"), AGAIN.values(), ids=AGAIN)
def test_a_wrong_redelivery(name: str, fault: Fault, title: str, snapshot: SnapshotAssertion) -> None:
    first = right(name, poisoned=False)
    again = first.wrong(KNOWN[name]).wrong(fault)
    findings = nothing_changes(first.provider, first.sent, first.outcome(), again.outcome())
    found = only(findings, first, "redelivery")
    assert found.title.startswith(title)
    assert as_told(found) == snapshot


def test_equal_states_ignore_malformed_entries() -> None:
    world = right(ERRORS)
    assert not list(states_are_equal(world.provider, world.sent, world.outcome(), world.outcome(), "x"))


STALE: Mapping[str, tuple[Fault, str]] = {
    "acts on one": (row(DEAD, action="unsubscribe"), "acts on stale events: ['stale', 'unsubscribe']"),
    "calls them duplicates": (row(FINE, action="duplicate"), "acts on stale events: ['duplicate', 'stale']"),
    "answers one less": (drops_a_result, "acts on stale events: ['stale']"),
    "changes a subscriber": (
        state(FINE, status="unsubscribed"),
        "a stale event changes what became of v1-delivered",
    ),
}


def test_stale_events_are_right() -> None:
    before = right(ERRORS, poisoned=False)
    after = before.wrong(all_called("stale"))
    assert not list(
        stale_events_change_nothing(before.provider, before.sent, before.outcome(), after.outcome())
    )


@pytest.mark.parametrize(("fault", "title"), STALE.values(), ids=STALE)
def test_stale_events_that_are_not_left_alone(fault: Fault, title: str, snapshot: SnapshotAssertion) -> None:
    before = right(ERRORS, poisoned=False)
    after = before.wrong(all_called("stale")).wrong(fault)
    findings = stale_events_change_nothing(before.provider, before.sent, before.outcome(), after.outcome())
    found = only(findings, before, "redelivery")
    assert found.title == title
    assert as_told(found) == snapshot
