"""A batch that is refused as a whole has no effects, or the check finds them."""

from collections.abc import Mapping

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.effects import refused_batch_has_no_effect
from suites.selfcheck.checks.outcomes import (
    API,
    DEAD,
    ERRORS,
    EVERYWHERE,
    RESPONSES,
    BatchFault,
    ObservedBatch,
    change_state,
    forget_subscriber,
    format_finding,
    get_only_finding,
    right_batch,
)


def untouched(name: str) -> ObservedBatch:
    """A batch that was refused as a whole."""
    batch = right_batch(name, poisoned=False)
    for report_id in batch.reports:
        batch.reports[report_id] = (404, {})
    for entry in batch.sent:
        if name == ERRORS:
            fresh = {"status": "active", "token": entry.payload["token"], "postponed_until": None}
            batch.subscribers[entry.payload["subscriber_id"]] = fresh
    return batch


def keep_subscribers(batch: ObservedBatch) -> None:
    """One report is there after all."""
    batch.reports[str(batch.sent[DEAD].report_id)] = (200, {"code": "NotRegistered"})


DONE: Mapping[str, tuple[str, BatchFault]] = {
    "forwarded": (API, keep_subscribers),
    "stored": (RESPONSES, keep_subscribers),
    "unsubscribed": (ERRORS, change_state(DEAD, status="unsubscribed")),
    "another token": (ERRORS, change_state(DEAD, token="new")),  # noqa: S106
    "forgotten": (ERRORS, forget_subscriber(DEAD)),
}


def test_nothing_done_is_right() -> None:
    for batch in map(untouched, EVERYWHERE):
        assert not list(refused_batch_has_no_effect(batch.provider, batch.sent, batch.outcome())), (
            batch.provider
        )


@pytest.mark.parametrize(("name", "fault"), DONE.values(), ids=DONE)
def test_something_done_is_found(name: str, fault: BatchFault, snapshot: SnapshotAssertion) -> None:
    batch = untouched(name).with_fault(fault)
    finding = get_only_finding(
        refused_batch_has_no_effect(batch.provider, batch.sent, batch.outcome()), batch, "effects"
    )
    assert finding.title == "acts on a batch that it refused"
    assert finding.sent == [batch.sent[DEAD].payload]
    assert format_finding(finding) == snapshot
