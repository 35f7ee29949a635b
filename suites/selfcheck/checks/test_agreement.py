"""The checks of agreement find versions that differ, and equivalents that end differently."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.agreement import equivalents_end_alike, versions_agree
from fixtures.core import payloads
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import BatchEntry, IdFactory
from suites.selfcheck.checks.outcomes import (
    API,
    BUSY,
    DEAD,
    ERRORS,
    EVERYWHERE,
    RENEWED,
    RESPONSES,
    Fault,
    World,
    as_told,
    body,
    only,
    rejects_the_dead,
    right,
    row,
    shown,
    state,
    told,
)
from suites.selfcheck.sample_answers import fcm_error_detail, legacy_answer, v1_answer

DIFFERENT: Mapping[str, tuple[str, Fault, str]] = {
    "another status": (API, told(400), "before and after answer the same legacy batch differently"),
    "accepts another number": (
        API,
        told(accepted=4),
        "before and after answer the same legacy batch differently",
    ),
    "knows another number": (
        RESPONSES,
        told(duplicates=1),
        "before and after answer the same legacy batch differently",
    ),
    "nothing that can be read": (
        ERRORS,
        body("oops"),
        "before and after answer the same legacy batch differently",
    ),
    "results that are no list": (
        ERRORS,
        told(results={"action": "alert"}),
        "before and after answer the same legacy batch differently",
    ),
    "results that are no objects": (
        ERRORS,
        told(results=[7]),
        "before and after answer the same legacy batch differently",
    ),
    "a wait that is 3 s longer": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T00:02:03.000Z"),
        "before and after make different things of v1-bare-5xx",
    ),
    "another count": (RESPONSES, told(stored=4), "before and after answer the same legacy batch differently"),
    "another rejected one": (
        API,
        rejects_the_dead,
        "before and after answer the same legacy batch differently",
    ),
    "another action": (
        ERRORS,
        row(DEAD, action="alert"),
        "before and after answer the same legacy batch differently",
    ),
    "another code": (
        API,
        shown(DEAD, code="x"),
        "before and after make different things of legacy-NotRegistered",
    ),
    "another state": (
        ERRORS,
        state(RENEWED, status="postponed"),
        "before and after make different things of legacy-canonical-id",
    ),
}


def test_versions_that_agree() -> None:
    for name in EVERYWHERE:
        before, after = right(name), right(name)
        for named in after.body.get("rejected", ()):
            named["reason"] = "told in other words"
        if name == ERRORS:
            after = after.wrong(state(BUSY, postponed_until="2026-01-01T00:02:02.000Z"))
        assert not list(versions_agree(before.provider, before.sent, before.outcome(), after.outcome())), name


@pytest.mark.parametrize(("name", "fault", "title"), DIFFERENT.values(), ids=DIFFERENT)
def test_versions_that_differ(name: str, fault: Fault, title: str, snapshot: SnapshotAssertion) -> None:
    before = right(name)
    after = before.wrong(fault)
    findings = versions_agree(before.provider, before.sent, before.outcome(), after.outcome())
    found = only(findings, before, "agreement")
    assert found.title == title
    assert as_told(found) == snapshot


def pair(name: str) -> tuple[World, list[BatchEntry], list[BatchEntry]]:
    """A dead device by either protocol, and what became of both."""
    world = right(name, poisoned=False)
    answers = [
        legacy_answer({"error": "NotRegistered"}),
        v1_answer(404, details=[fcm_error_detail("UNREGISTERED")]),
    ]
    sent = payloads.address_all(answers, IdFactory(run="0d" * 6))
    sent = payloads.error_events(sent) if name == ERRORS else sent
    seen = {"outcome": "unsubscribe"} if name == RESPONSES else {"forwarded_to": ["directory-responses"]}
    world.sent, world.reports, world.subscribers = sent, {}, {}
    for entry in sent:
        assert entry.case is not None
        if name == ERRORS:
            world.subscribers[entry.payload["subscriber_id"]] = {"status": "unsubscribed", "token": None}
        else:
            world.reports[str(entry.report_id)] = (200, {"code": entry.case.code, **seen})
    return world, sent[:1], sent[1:]


def unread(world: World, position: int) -> None:
    """One report is shown as something that is no object."""
    world.reports[str(world.sent[position].report_id)] = (200, None)


UNEQUAL: Mapping[str, tuple[str, Fault]] = {
    "keeps the new one": (ERRORS, state(1, status="active")),
    "keeps the old one": (ERRORS, state(0, status="active")),
    "another outcome": (RESPONSES, shown(1, outcome="alert")),
    "forwards one only": (API, shown(1, forwarded_to=[])),
    "loses one": (API, shown(1, 404)),
    "shows one that cannot be read": (API, lambda world: unread(world, 1)),
}


def test_equivalents_that_end_alike() -> None:
    for name in EVERYWHERE:
        world, old, new = pair(name)
        assert not list(equivalents_end_alike(world.provider, old, new, world.outcome())), name


@pytest.mark.parametrize(("name", "fault"), UNEQUAL.values(), ids=UNEQUAL)
def test_equivalents_that_do_not(name: str, fault: Fault, snapshot: SnapshotAssertion) -> None:
    world, old, new = pair(name)
    outcome = world.wrong(fault).outcome()
    found = only(equivalents_end_alike(world.provider, old, new, outcome), world, "agreement")
    assert found.title == "legacy-NotRegistered and v1-UNREGISTERED mean the same but end differently"
    assert load_catalogue()["v1-UNREGISTERED"].why in found.expected
    assert found.sent == [old[0].payload, new[0].payload]
    assert as_told(found) == snapshot
