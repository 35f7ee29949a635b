"""The effect check accepts right effects, and finds and describes each wrong one."""

from collections.abc import Mapping

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.effects import each_report_has_its_effect
from fixtures.core.findings import FindingsError, raise_if_found
from suites.selfcheck.checks.outcomes import (
    API,
    BUSY,
    DEAD,
    ERRORS,
    EVERYWHERE,
    FINE,
    ODD,
    POISON,
    RENEWED,
    RESPONSES,
    UNTIL,
    BatchFault,
    ObservedBatch,
    change_answer,
    change_report,
    change_result,
    change_state,
    forget_subscriber,
    format_finding,
    get_only_finding,
    replace_body,
    right_batch,
)


def unread(batch: ObservedBatch) -> None:
    """A fault: a report is shown as no JSON."""
    batch.reports[str(batch.sent[ODD].report_id)] = (200, "{")
    batch.unread.add(str(batch.sent[ODD].report_id))


EFFECTS: Mapping[str, tuple[str, BatchFault, int, str]] = {
    "lost": (API, change_report(DEAD, 404), DEAD, "lost the report of legacy-NotRegistered"),
    "lost a response": (RESPONSES, change_report(BUSY, 404), BUSY, "lost the report of v1-bare-5xx"),
    "cannot be shown": (API, change_report(ODD, 500), ODD, "shows a report in another shape"),
    "shown as what cannot be read": (API, unread, ODD, "shows a report as what is no JSON"),
    "shown without a list": (
        API,
        change_report(ODD, forwarded_to=None),
        ODD,
        "shows a report in another shape",
    ),
    "outcome of no catalogue": (
        RESPONSES,
        change_report(ODD, outcome="ignore"),
        ODD,
        "shows a report in another shape",
    ),
    "another code": (
        API,
        change_report(DEAD, code="UNKNOWN"),
        DEAD,
        "makes code UNKNOWN of legacy-NotRegistered",
    ),
    "another code stored": (RESPONSES, change_report(FINE, code="ok"), FINE, "makes code ok of v1-delivered"),
    "another protocol": (
        API,
        change_report(BUSY, protocol="legacy"),
        BUSY,
        "makes protocol legacy of v1-bare-5xx",
    ),
    "unsubscribes on unknown": (
        RESPONSES,
        change_report(ODD, outcome="unsubscribe"),
        ODD,
        "makes outcome unsubscribe of v1-unknown-code",
    ),
    "keeps the dead": (
        RESPONSES,
        change_report(DEAD, outcome="keep"),
        DEAD,
        "makes outcome keep of legacy-NotRegistered",
    ),
    "not forwarded": (
        API,
        change_report(DEAD, forwarded_to=["directory-responses"]),
        DEAD,
        "makes forwarded_to ['directory-responses'] of legacy-NotRegistered",
    ),
    "forwarded to no service": (
        API,
        change_report(FINE, forwarded_to=[]),
        FINE,
        "makes forwarded_to [] of v1-delivered",
    ),
    "delivered is an error": (
        API,
        change_report(FINE, forwarded_to=["directory-responses", "directory-errors-listener"]),
        FINE,
        "makes forwarded_to ['directory-errors-listener', 'directory-responses'] of v1-delivered",
    ),
    "another action": (
        ERRORS,
        change_result(DEAD, action="alert"),
        DEAD,
        "answers alert to legacy-NotRegistered",
    ),
    "no action": (ERRORS, change_result(ODD, action=None), ODD, "answers None to v1-unknown-code"),
    "calls it stale": (ERRORS, change_result(BUSY, action="stale"), BUSY, "answers stale to v1-bare-5xx"),
    "dead but active": (
        ERRORS,
        lambda batch: batch.subscriber(DEAD).update(status="active", token=batch.sent[DEAD].payload["token"]),
        DEAD,
        "leaves the subscriber active after legacy-NotRegistered",
    ),
    "unsubscribed by an unknown code": (
        ERRORS,
        change_state(ODD, status="unsubscribed"),
        ODD,
        "leaves the subscriber unsubscribed after v1-unknown-code",
    ),
    "unsubscribed for a while": (
        ERRORS,
        change_state(BUSY, status="unsubscribed", postponed_until=None),
        BUSY,
        "leaves the subscriber unsubscribed after v1-bare-5xx",
    ),
    "not postponed": (
        ERRORS,
        change_state(BUSY, status="active", postponed_until=None),
        BUSY,
        "leaves the subscriber active after v1-bare-5xx",
    ),
    "old token": (
        ERRORS,
        change_state(RENEWED, token="old"),  # noqa: S106
        RENEWED,
        "leaves another token after legacy-canonical-id",
    ),
    "token lost": (ERRORS, change_state(FINE, token=None), FINE, "leaves another token after v1-delivered"),
    "too short": (
        ERRORS,
        change_state(BUSY, postponed_until="2026-01-01T00:00:10Z"),
        BUSY,
        "postpones for 10 s instead of 120 s after v1-bare-5xx",
    ),
    "a little too short": (
        ERRORS,
        change_state(BUSY, postponed_until="2026-01-01T00:01:59.900Z"),
        BUSY,
        "postpones for 119.9 s instead of 120 s",
    ),
    "too long": (
        ERRORS,
        change_state(BUSY, postponed_until="2026-01-02T00:00:00Z"),
        BUSY,
        "postpones for 86400 s instead of 120 s",
    ),
    "a little too long": (
        ERRORS,
        change_state(BUSY, postponed_until="2026-01-01T00:02:05.100Z"),
        BUSY,
        "postpones for 125.1 s instead of 120 s",
    ),
    "no end": (ERRORS, change_state(BUSY, postponed_until=None), BUSY, "states no end of the postponement"),
    "an end without need": (
        ERRORS,
        change_state(ODD, postponed_until=UNTIL),
        ODD,
        "postpones a subscriber without need",
    ),
    "forgotten": (ERRORS, forget_subscriber(DEAD), DEAD, "lost the subscriber"),
}


RIGHT_EFFECTS: Mapping[str, tuple[str, BatchFault]] = {
    **{f"at {name}": (name, lambda _: None) for name in EVERYWHERE},
    "another order of forwarding": (
        API,
        change_report(DEAD, forwarded_to=["directory-errors-listener", "directory-responses"]),
    ),
    "unknown members": (API, change_report(DEAD, since="yesterday")),
    "the token of an unsubscribed one": (ERRORS, change_state(DEAD, token="any")),  # noqa: S106
    "the offset instead of Z": (ERRORS, change_state(BUSY, postponed_until="2026-01-01T00:02:00+00:00")),
    "counted from its arrival": (ERRORS, change_state(BUSY, postponed_until="2026-01-01T00:02:04Z")),
    "as late as is allowed": (ERRORS, change_state(BUSY, postponed_until="2026-01-01T00:02:05Z")),
    "cut to milliseconds": (ERRORS, change_state(BUSY, postponed_until="2026-01-01T00:01:59.990Z")),
}


@pytest.mark.parametrize(("name", "fault"), RIGHT_EFFECTS.values(), ids=RIGHT_EFFECTS)
def test_a_right_effect(name: str, fault: BatchFault) -> None:
    batch = right_batch(name).with_fault(fault)
    assert not list(each_report_has_its_effect(batch.provider, batch.sent, batch.outcome()))


@pytest.mark.parametrize(("name", "fault", "position", "title"), EFFECTS.values(), ids=EFFECTS)
def test_a_wrong_effect(
    name: str, fault: BatchFault, position: int, title: str, snapshot: SnapshotAssertion
) -> None:
    batch = right_batch(name).with_fault(fault)
    findings = each_report_has_its_effect(batch.provider, batch.sent, batch.outcome())
    finding = get_only_finding(findings, batch, "effects")
    case = batch.sent[position].case
    assert case is not None
    assert finding.title.startswith(title)
    assert (finding.case, finding.sent) == (case.id, [batch.sent[position].payload])
    assert finding.expected.endswith(f" ({case.outcome}: {case.why} [{case.source}])")
    assert format_finding(finding) == snapshot


def test_actions_that_cannot_be_read_are_found() -> None:
    unreadable = [change_answer(results=results) for results in (None, "x", [], [7] * 6)]
    for fault in (*unreadable, replace_body("oops"), replace_body([7] * 6)):
        batch = right_batch(ERRORS).with_fault(fault)
        findings = each_report_has_its_effect(batch.provider, batch.sent, batch.outcome())
        titles = [finding.title.partition(" to ")[0] for finding in findings]
        assert titles == ["answers None"] * 5, batch.body


@pytest.mark.parametrize("name", EVERYWHERE)
def test_what_comes_after_a_malformed_entry_is_judged_too(name: str) -> None:
    batch = right_batch(name)
    batch.sent.insert(0, batch.sent.pop(POISON))
    batch.body.get("results", []).insert(0, {"action": "alert"})
    spoilt = batch.with_fault(
        change_report(1 + DEAD, code="x") if name != ERRORS else change_result(1 + DEAD, action="keep")
    )
    for each, count in ((batch, 0), (spoilt, 1)):
        findings = each_report_has_its_effect(each.provider, each.sent, each.outcome())
        assert len(list(findings)) == count


# --- how a finding is described


def test_findings_fail_a_test_and_say_it_all() -> None:
    batch = right_batch(API).with_fault(change_report(DEAD, code="UNKNOWN"))
    with pytest.raises(FindingsError) as caught:
        raise_if_found(each_report_has_its_effect(batch.provider, batch.sent, batch.outcome()))
    lines = str(caught.value).splitlines()
    assert lines[0] == "directory-events-api: makes code UNKNOWN of legacy-NotRegistered"
    assert [line.split()[0] for line in lines[1:]] == ["sent:", "expected:", "got:", "decides:", "effect:"]
    assert '"error":"NotRegistered"' in lines[1]
    assert "The app was uninstalled" in lines[2]
    assert '"code":"UNKNOWN"' in lines[3]


def test_no_findings_fail_nothing() -> None:
    raise_if_found(())
