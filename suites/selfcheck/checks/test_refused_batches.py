"""A batch that is refused as a whole has no effects, or the check finds them."""

from __future__ import annotations

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
    Fault,
    World,
    as_told,
    forgotten,
    only,
    right,
    state,
)


def untouched(name: str) -> World:
    """A batch that was refused as a whole."""
    world = right(name, poisoned=False)
    for report_id in world.reports:
        world.reports[report_id] = (404, {})
    for entry in world.sent:
        if name == ERRORS:
            fresh = {"status": "active", "token": entry.payload["token"], "postponed_until": None}
            world.subscribers[entry.payload["subscriber_id"]] = fresh
    return world


def kept(world: World) -> None:
    """One report is there after all."""
    world.reports[str(world.sent[DEAD].report_id)] = (200, {"code": "NotRegistered"})


DONE: Mapping[str, tuple[str, Fault]] = {
    "forwarded": (API, kept),
    "stored": (RESPONSES, kept),
    "unsubscribed": (ERRORS, state(DEAD, status="unsubscribed")),
    "another token": (ERRORS, state(DEAD, token="new")),  # noqa: S106
    "forgotten": (ERRORS, forgotten(DEAD)),
}


def test_nothing_done_is_right() -> None:
    for world in map(untouched, EVERYWHERE):
        assert not list(refused_batch_has_no_effect(world.provider, world.sent, world.outcome())), (
            world.provider
        )


@pytest.mark.parametrize(("name", "fault"), DONE.values(), ids=DONE)
def test_something_done_is_found(name: str, fault: Fault, snapshot: SnapshotAssertion) -> None:
    world = untouched(name).wrong(fault)
    found = only(refused_batch_has_no_effect(world.provider, world.sent, world.outcome()), world, "effects")
    assert found.title == "acts on a batch that it refused"
    assert found.sent == [world.sent[DEAD].payload]
    assert as_told(found) == snapshot
