"""The redelivery checks find changes by a second delivery, and stale events that are acted upon."""

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
    BatchFault,
    ObservedBatch,
    change_answer,
    change_report,
    change_result,
    change_state,
    drop_result,
    forget_subscriber,
    format_finding,
    get_only_finding,
    replace_body,
    right_batch,
)


def set_all_actions(action: str) -> BatchFault:
    def fault(batch: ObservedBatch) -> None:
        for row in batch.body["results"]:
            row["action"] = action

    return fault


KNOWN: Mapping[str, BatchFault] = {
    API: lambda _: None,
    RESPONSES: change_answer(stored=0, duplicates=5),
    ERRORS: set_all_actions("duplicate"),
}
AGAIN: Mapping[str, tuple[str, BatchFault, str]] = {
    "refused": (API, change_answer(409), "answers a redelivered batch with 409 {'accepted': 5}"),
    "not accepted": (API, change_answer(accepted=0), "answers a redelivered batch with 202 {'accepted': 0}"),
    "stored twice": (
        RESPONSES,
        change_answer(stored=5, duplicates=0),
        "answers a redelivered batch with 201 {'stored': 5, 'duplicates': 0}",
    ),
    "conflict": (RESPONSES, change_answer(409), "answers a redelivered batch with 409"),
    "acts again": (
        ERRORS,
        change_result(DEAD, action="unsubscribe"),
        "answers a redelivered batch with 200 {'actions': ['un",
    ),
    "no results": (ERRORS, replace_body([]), "answers a redelivered batch with 200 {'actions': None}"),
    "another code": (
        API,
        change_report(DEAD, code="x"),
        "a redelivery changes what became of legacy-NotRegistered",
    ),
    "lost": (RESPONSES, change_report(BUSY, 404), "a redelivery changes what became of v1-bare-5xx"),
    "postponed further": (
        ERRORS,
        change_state(BUSY, postponed_until="2026-01-01T01:00:00Z"),
        "a redelivery changes what became of v1-bare-5xx",
    ),
    "resubscribed": (
        ERRORS,
        change_state(DEAD, status="active"),
        "a redelivery changes what became of legacy-NotRegistered",
    ),
    "forgotten": (ERRORS, forget_subscriber(FINE), "a redelivery changes what became of v1-delivered"),
}


def test_a_right_redelivery() -> None:
    for name in EVERYWHERE:
        first = right_batch(name, poisoned=False)
        second = first.with_fault(KNOWN[name])
        assert not list(nothing_changes(first.provider, first.sent, first.outcome(), second.outcome())), name


@pytest.mark.parametrize(("name", "fault", "title"), AGAIN.values(), ids=AGAIN)
def test_a_wrong_redelivery(name: str, fault: BatchFault, title: str, snapshot: SnapshotAssertion) -> None:
    first = right_batch(name, poisoned=False)
    second = first.with_fault(KNOWN[name]).with_fault(fault)
    findings = nothing_changes(first.provider, first.sent, first.outcome(), second.outcome())
    finding = get_only_finding(findings, first, "redelivery")
    assert finding.title.startswith(title)
    assert format_finding(finding) == snapshot


def test_equal_states_ignore_malformed_entries() -> None:
    batch = right_batch(ERRORS)
    assert not list(states_are_equal(batch.provider, batch.sent, batch.outcome(), batch.outcome(), "x"))


STALE: Mapping[str, tuple[BatchFault, str]] = {
    "acts on one": (
        change_result(DEAD, action="unsubscribe"),
        "acts on stale events: ['stale', 'unsubscribe']",
    ),
    "calls them duplicates": (
        change_result(FINE, action="duplicate"),
        "acts on stale events: ['duplicate', 'stale']",
    ),
    "answers one less": (drop_result, "acts on stale events: ['stale']"),
    "changes a subscriber": (
        change_state(FINE, status="unsubscribed"),
        "a stale event changes what became of v1-delivered",
    ),
}


def test_stale_events_are_right() -> None:
    before = right_batch(ERRORS, poisoned=False)
    after = before.with_fault(set_all_actions("stale"))
    assert not list(
        stale_events_change_nothing(before.provider, before.sent, before.outcome(), after.outcome())
    )


@pytest.mark.parametrize(("fault", "title"), STALE.values(), ids=STALE)
def test_stale_events_that_are_not_left_alone(
    fault: BatchFault, title: str, snapshot: SnapshotAssertion
) -> None:
    before = right_batch(ERRORS, poisoned=False)
    after = before.with_fault(set_all_actions("stale")).with_fault(fault)
    findings = stale_events_change_nothing(before.provider, before.sent, before.outcome(), after.outcome())
    finding = get_only_finding(findings, before, "redelivery")
    assert finding.title == title
    assert format_finding(finding) == snapshot
