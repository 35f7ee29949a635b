"""The agreement checks find versions that differ, and equivalents that end differently."""

from collections.abc import Mapping

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.agreement import equivalents_end_alike, versions_agree
from fixtures.core import payloads
from fixtures.core.catalogue import load_catalogue
from fixtures.core.payloads import BatchEntry, CountedIds
from suites.selfcheck.checks.outcomes import (
    API,
    BUSY,
    DEAD,
    ERRORS,
    EVERYWHERE,
    ODD,
    RENEWED,
    RESPONSES,
    BatchFault,
    ObservedBatch,
    change_answer,
    change_report,
    change_result,
    change_state,
    format_finding,
    get_only_finding,
    reject_well_formed,
    replace_body,
    right_batch,
)
from suites.selfcheck.sample_answers import fcm_error_detail, legacy_answer, v1_answer

DIFFERENT: Mapping[str, tuple[str, BatchFault, str]] = {
    "another status": (API, change_answer(400), "before and after answer the same legacy batch differently"),
    "accepts another number": (
        API,
        change_answer(accepted=4),
        "before and after answer the same legacy batch differently",
    ),
    "knows another number": (
        RESPONSES,
        change_answer(duplicates=1),
        "before and after answer the same legacy batch differently",
    ),
    "nothing that can be read": (
        ERRORS,
        replace_body("oops"),
        "before and after answer the same legacy batch differently",
    ),
    "results that are no list": (
        ERRORS,
        change_answer(results={"action": "alert"}),
        "before and after answer the same legacy batch differently",
    ),
    "results that are no objects": (
        ERRORS,
        change_answer(results=[7]),
        "before and after answer the same legacy batch differently",
    ),
    "a wait that is 3 s longer": (
        ERRORS,
        change_state(BUSY, postponed_until="2026-01-01T00:02:03.000Z"),
        "before and after make different things of v1-bare-5xx",
    ),
    "another count": (
        RESPONSES,
        change_answer(stored=4),
        "before and after answer the same legacy batch differently",
    ),
    "another rejected one": (
        API,
        reject_well_formed,
        "before and after answer the same legacy batch differently",
    ),
    "another action": (
        ERRORS,
        change_result(DEAD, action="alert"),
        "before and after answer the same legacy batch differently",
    ),
    "another code": (
        API,
        change_report(DEAD, code="x"),
        "before and after make different things of legacy-NotRegistered",
    ),
    "another state": (
        ERRORS,
        change_state(RENEWED, status="postponed"),
        "before and after make different things of legacy-canonical-id",
    ),
}


def test_versions_that_agree() -> None:
    for name in EVERYWHERE:
        before, after = right_batch(name), right_batch(name)
        for named in after.body.get("rejected", ()):
            named["reason"] = "told in other words"
        if name == ERRORS:
            after = after.with_fault(change_state(BUSY, postponed_until="2026-01-01T00:02:02.000Z"))
        assert not list(versions_agree(before.provider, before.sent, before.outcome(), after.outcome())), name


@pytest.mark.parametrize(("name", "fault", "title"), DIFFERENT.values(), ids=DIFFERENT)
def test_versions_that_differ(name: str, fault: BatchFault, title: str, snapshot: SnapshotAssertion) -> None:
    before = right_batch(name)
    after = before.with_fault(fault)
    findings = versions_agree(before.provider, before.sent, before.outcome(), after.outcome())
    finding = get_only_finding(findings, before, "agreement")
    assert finding.title == title
    assert format_finding(finding) == snapshot


@pytest.mark.parametrize(("position", "rank"), [(DEAD, "promise"), (ODD, "label")])
def test_an_event_that_changes_no_subscriber_is_a_label(position: int, rank: str) -> None:
    before = right_batch(API)
    after = before.with_fault(change_report(position, forwarded_to=["directory-responses"]))
    (finding,) = versions_agree(before.provider, before.sent, before.outcome(), after.outcome())
    assert finding.rank == rank
    assert finding.got["body"]["forwarded_to"] == ["directory-responses"]


def pair(name: str) -> tuple[ObservedBatch, list[BatchEntry], list[BatchEntry]]:
    """A dead device in either protocol, and what became of both."""
    batch = right_batch(name, poisoned=False)
    answers = [
        legacy_answer({"error": "NotRegistered"}),
        v1_answer(404, details=[fcm_error_detail("UNREGISTERED")]),
    ]
    sent = payloads.address_all(answers, CountedIds(run="0d" * 6))
    sent = payloads.error_events(sent) if name == ERRORS else sent
    observed = {"outcome": "unsubscribe"} if name == RESPONSES else {"forwarded_to": ["directory-responses"]}
    batch.sent, batch.reports, batch.subscribers = sent, {}, {}
    for entry in sent:
        assert entry.case is not None
        if name == ERRORS:
            batch.subscribers[entry.payload["subscriber_id"]] = {"status": "unsubscribed", "token": None}
        else:
            batch.reports[str(entry.report_id)] = (200, {"code": entry.case.code, **observed})
    return batch, sent[:1], sent[1:]


def unread(batch: ObservedBatch, position: int) -> None:
    """A fault: a report is shown as no object."""
    batch.reports[str(batch.sent[position].report_id)] = (200, None)


UNEQUAL: Mapping[str, tuple[str, BatchFault]] = {
    "keeps the new one": (ERRORS, change_state(1, status="active")),
    "keeps the old one": (ERRORS, change_state(0, status="active")),
    "another outcome": (RESPONSES, change_report(1, outcome="alert")),
    "forwards one only": (API, change_report(1, forwarded_to=[])),
    "loses one": (API, change_report(1, 404)),
    "shows one that cannot be read": (API, lambda batch: unread(batch, 1)),
}


def test_equivalents_that_end_alike() -> None:
    for name in EVERYWHERE:
        batch, old, new = pair(name)
        assert not list(equivalents_end_alike(batch.provider, old, new, batch.outcome())), name


@pytest.mark.parametrize(("name", "fault"), UNEQUAL.values(), ids=UNEQUAL)
def test_equivalents_that_do_not(name: str, fault: BatchFault, snapshot: SnapshotAssertion) -> None:
    batch, old, new = pair(name)
    outcome = batch.with_fault(fault).outcome()
    finding = get_only_finding(equivalents_end_alike(batch.provider, old, new, outcome), batch, "agreement")
    assert finding.title == "legacy-NotRegistered and v1-UNREGISTERED mean the same but end differently"
    assert load_catalogue()["v1-UNREGISTERED"].why in finding.expected
    assert finding.sent == [old[0].payload, new[0].payload]
    assert format_finding(finding) == snapshot
