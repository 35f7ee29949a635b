"""The check of effects finds nothing in what is right, and each wrong effect, and tells it to people."""

from __future__ import annotations

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
    Fault,
    World,
    as_told,
    body,
    forgotten,
    only,
    right,
    row,
    shown,
    state,
    told,
)


def unread(world: World) -> None:
    """One report is shown as what cannot be read."""
    world.reports[str(world.sent[ODD].report_id)] = (200, "{")
    world.unread.add(str(world.sent[ODD].report_id))


EFFECTS: Mapping[str, tuple[str, Fault, int, str]] = {
    "lost": (API, shown(DEAD, 404), DEAD, "lost the report of legacy-NotRegistered"),
    "lost a response": (RESPONSES, shown(BUSY, 404), BUSY, "lost the report of v1-bare-5xx"),
    "cannot be shown": (API, shown(ODD, 500), ODD, "shows a report in another shape"),
    "shown as what cannot be read": (API, unread, ODD, "shows a report as what is no JSON"),
    "shown without a list": (API, shown(ODD, forwarded_to=None), ODD, "shows a report in another shape"),
    "outcome of no catalogue": (
        RESPONSES,
        shown(ODD, outcome="ignore"),
        ODD,
        "shows a report in another shape",
    ),
    "another code": (API, shown(DEAD, code="UNKNOWN"), DEAD, "makes code UNKNOWN of legacy-NotRegistered"),
    "another code stored": (RESPONSES, shown(FINE, code="ok"), FINE, "makes code ok of v1-delivered"),
    "another protocol": (API, shown(BUSY, protocol="legacy"), BUSY, "makes protocol legacy of v1-bare-5xx"),
    "unsubscribes on unknown": (
        RESPONSES,
        shown(ODD, outcome="unsubscribe"),
        ODD,
        "makes outcome unsubscribe of v1-unknown-code",
    ),
    "keeps the dead": (
        RESPONSES,
        shown(DEAD, outcome="keep"),
        DEAD,
        "makes outcome keep of legacy-NotRegistered",
    ),
    "not forwarded": (
        API,
        shown(DEAD, forwarded_to=["directory-responses"]),
        DEAD,
        "makes forwarded_to ['directory-responses'] of legacy-NotRegistered",
    ),
    "forwarded to nobody": (API, shown(FINE, forwarded_to=[]), FINE, "makes forwarded_to [] of v1-delivered"),
    "delivered is an error": (
        API,
        shown(FINE, forwarded_to=["directory-responses", "directory-errors-listener"]),
        FINE,
        "makes forwarded_to ['directory-errors-listener', 'directory-responses'] of v1-delivered",
    ),
    "another action": (ERRORS, row(DEAD, action="alert"), DEAD, "answers alert to legacy-NotRegistered"),
    "no action": (ERRORS, row(ODD, action=None), ODD, "answers None to v1-unknown-code"),
    "calls it stale": (ERRORS, row(BUSY, action="stale"), BUSY, "answers stale to v1-bare-5xx"),
    "dead but active": (
        ERRORS,
        lambda world: world.subscriber(DEAD).update(status="active", token=world.sent[DEAD].payload["token"]),
        DEAD,
        "leaves the subscriber active after legacy-NotRegistered",
    ),
    "unsubscribed by an unknown code": (
        ERRORS,
        state(ODD, status="unsubscribed"),
        ODD,
        "leaves the subscriber unsubscribed after v1-unknown-code",
    ),
    "unsubscribed for a while": (
        ERRORS,
        state(BUSY, status="unsubscribed", postponed_until=None),
        BUSY,
        "leaves the subscriber unsubscribed after v1-bare-5xx",
    ),
    "not postponed": (
        ERRORS,
        state(BUSY, status="active", postponed_until=None),
        BUSY,
        "leaves the subscriber active after v1-bare-5xx",
    ),
    "old token": (
        ERRORS,
        state(RENEWED, token="old"),  # noqa: S106
        RENEWED,
        "leaves another token after legacy-canonical-id",
    ),
    "token lost": (ERRORS, state(FINE, token=None), FINE, "leaves another token after v1-delivered"),
    "too short": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T00:00:10Z"),
        BUSY,
        "postpones for 10 s instead of 120 s after v1-bare-5xx",
    ),
    "a little too short": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T00:01:59.900Z"),
        BUSY,
        "postpones for 119.9 s instead of 120 s",
    ),
    "too long": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-02T00:00:00Z"),
        BUSY,
        "postpones for 86400 s instead of 120 s",
    ),
    "a little too long": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T00:02:05.100Z"),
        BUSY,
        "postpones for 125.1 s instead of 120 s",
    ),
    "no end": (ERRORS, state(BUSY, postponed_until=None), BUSY, "states no end of the postponement"),
    "an end for nobody": (
        ERRORS,
        state(ODD, postponed_until=UNTIL),
        ODD,
        "postpones a subscriber without need",
    ),
    "forgotten": (ERRORS, forgotten(DEAD), DEAD, "lost the subscriber"),
}


RIGHT_EFFECTS: Mapping[str, tuple[str, Fault]] = {
    **{f"at {name}": (name, lambda _: None) for name in EVERYWHERE},
    "another order of forwarding": (
        API,
        shown(DEAD, forwarded_to=["directory-errors-listener", "directory-responses"]),
    ),
    "unknown members": (API, shown(DEAD, since="yesterday")),
    "the token of an unsubscribed one": (ERRORS, state(DEAD, token="any")),  # noqa: S106
    "the offset instead of Z": (ERRORS, state(BUSY, postponed_until="2026-01-01T00:02:00+00:00")),
    "counted from when it was heard": (ERRORS, state(BUSY, postponed_until="2026-01-01T00:02:04Z")),
    "as late as is allowed": (ERRORS, state(BUSY, postponed_until="2026-01-01T00:02:05Z")),
    "cut to milliseconds": (ERRORS, state(BUSY, postponed_until="2026-01-01T00:01:59.990Z")),
}


@pytest.mark.parametrize(("name", "fault"), RIGHT_EFFECTS.values(), ids=RIGHT_EFFECTS)
def test_a_right_effect(name: str, fault: Fault) -> None:
    world = right(name).wrong(fault)
    assert not list(each_report_has_its_effect(world.provider, world.sent, world.outcome()))


@pytest.mark.parametrize(("name", "fault", "position", "title"), EFFECTS.values(), ids=EFFECTS)
def test_a_wrong_effect(
    name: str, fault: Fault, position: int, title: str, snapshot: SnapshotAssertion
) -> None:
    world = right(name).wrong(fault)
    findings = each_report_has_its_effect(world.provider, world.sent, world.outcome())
    found = only(findings, world, "effects")
    case = world.sent[position].case
    assert case is not None
    assert found.title.startswith(title)
    assert (found.case, found.sent) == (case.id, [world.sent[position].payload])
    assert found.expected.endswith(f" ({case.outcome}: {case.why} [{case.source}])")
    assert as_told(found) == snapshot


def test_actions_that_cannot_be_read_are_found() -> None:
    unreadable = [told(results=results) for results in (None, "x", [], [7] * 6)]
    for fault in (*unreadable, body("oops"), body([7] * 6)):
        world = right(ERRORS).wrong(fault)
        findings = each_report_has_its_effect(world.provider, world.sent, world.outcome())
        titles = [found.title.partition(" to ")[0] for found in findings]
        assert titles == ["answers None"] * 5, world.body


@pytest.mark.parametrize("name", EVERYWHERE)
def test_what_comes_after_a_malformed_entry_is_judged_too(name: str) -> None:
    world = right(name)
    world.sent.insert(0, world.sent.pop(POISON))
    world.body.get("results", []).insert(0, {"action": "alert"})
    spoilt = world.wrong(shown(1 + DEAD, code="x") if name != ERRORS else row(1 + DEAD, action="keep"))
    for each, found in ((world, 0), (spoilt, 1)):
        findings = each_report_has_its_effect(each.provider, each.sent, each.outcome())
        assert len(list(findings)) == found


# --- what is told of a finding


def test_findings_fail_a_test_and_say_it_all() -> None:
    world = right(API).wrong(shown(DEAD, code="UNKNOWN"))
    with pytest.raises(FindingsError) as caught:
        raise_if_found(each_report_has_its_effect(world.provider, world.sent, world.outcome()))
    said = str(caught.value).splitlines()
    assert said[0] == "directory-events-api: makes code UNKNOWN of legacy-NotRegistered"
    assert [line.split()[0] for line in said[1:]] == ["sent:", "expected:", "got:"]
    assert '"error":"NotRegistered"' in said[1]
    assert "The app was uninstalled" in said[2]
    assert '"code":"UNKNOWN"' in said[3]


def test_no_findings_fail_nothing() -> None:
    raise_if_found(())
