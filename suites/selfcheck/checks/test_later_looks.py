"""A later look finds every change of a subscriber, except that a wait has ended."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.checks.later_looks import (
    bystanders_are_unchanged,
    nothing_happened_since_last_look,
    stored_reports_are_unchanged,
)
from fixtures.core.harm import DEAD, LIVE, LOST, WRONG, Harm
from fixtures.core.outcome import ProviderAnswer
from fixtures.core.topology import PROVIDERS

PROVIDER = PROVIDERS["subscribers-errors"]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAST, FUTURE = "2026-01-01T11:59:00Z", "2026-01-01T12:01:00Z"


def row(status: str, until: str | None = None, **members: Any) -> dict[str, Any]:
    return {"status": status, "token": "t", "postponed_until": until, **members}


ACTIVE, GONE, WAITS = row("active"), row("unsubscribed"), row("postponed", FUTURE)
WAITED = row("postponed", PAST)
RENEWED = ACTIVE | {"token": "u"}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(ACTIVE, ACTIVE | {"since": 1}, id="a member that is not promised"),
        pytest.param(
            GONE, row("unsubscribed", token=None), id="the token of an unsubscribed one is forgotten"
        ),
        pytest.param(WAITS, WAITS, id="still postponed"),
        pytest.param(WAITED, WAITED, id="postponed longer than the wait"),
        pytest.param(WAITED, ACTIVE, id="the wait has ended"),
    ],
)
def test_what_may_be_seen_later(before: dict[str, Any], now: dict[str, Any]) -> None:
    for check in (bystanders_are_unchanged, nothing_happened_since_last_look):
        assert not list(check(PROVIDER, {"a": before}, {"a": now}, NOW))


@pytest.mark.parametrize(
    ("before", "now", "title", "harm"),
    [
        pytest.param(ACTIVE, GONE, "makes {} unsubscribed{}: it was active", LIVE, id="unsubscribed"),
        pytest.param(ACTIVE, WAITS, "makes {} postponed{}: it was active", WRONG, id="postponed"),
        pytest.param(GONE, ACTIVE, "makes {} active{}: it was unsubscribed", DEAD, id="subscribed again"),
        pytest.param(
            WAITS, ACTIVE, "makes {} active{}: it was postponed", WRONG, id="the wait has not ended"
        ),
        pytest.param(
            WAITED, GONE, "makes {} unsubscribed{}: it was postponed", LIVE, id="unsubscribed by the end"
        ),
        pytest.param(WAITED, RENEWED, "makes {} active{}: it was postponed", WRONG, id="a token by the end"),
        pytest.param(ACTIVE, RENEWED, "changes the token of {}{}", WRONG, id="another token"),
        pytest.param(WAITS, WAITED, "changes the wait of {}{}", WRONG, id="another wait"),
        pytest.param(
            row("postponed"), ACTIVE, "makes {} active{}: it was postponed", WRONG, id="a wait without end"
        ),
        pytest.param(ACTIVE, None, "loses {}{}", LOST, id="lost"),
    ],
)
def test_what_may_not(before: dict[str, Any], now: dict[str, Any] | None, title: str, harm: Harm) -> None:
    states = {"a": now, "b": now} if now else {}
    (bystander,) = bystanders_are_unchanged(PROVIDER, {"a": before, "b": before}, states, NOW)
    (late,) = nothing_happened_since_last_look(PROVIDER, {"a": before, "b": before}, states, NOW)
    assert bystander.title == title.format("a bystander", "")
    assert late.title == title.format("a subscriber", " since the last look")
    assert (bystander.rank, late.rank, bystander.got) == ("promise", "promise", now)
    assert bystander.remark == "2 of 2 subscribers have changed so."
    assert bystander.sent == [{"subscriber_id": "a"}, {"subscriber_id": "b"}]
    assert (bystander.harm, late.harm) == (harm, harm)


STORED = {"report_id": "a", "protocol": "fcm_v1", "code": "INTERNAL", "forwarded_to": ["b", "c"]}


@pytest.mark.parametrize(
    ("status", "now", "change"),
    [
        pytest.param(200, STORED, "", id="the same"),
        pytest.param(200, {**STORED, "report_id": "A", "at": 1}, "", id="members that are not promised"),
        pytest.param(200, {**STORED, "forwarded_to": ["c", "b"]}, "", id="another order"),
        pytest.param(200, {**STORED, "code": "OTHER"}, "changes the code of", id="another code"),
        pytest.param(200, {**STORED, "forwarded_to": ["b"]}, "changes the forwarded_to of", id="one less"),
        pytest.param(404, {"title": "unknown"}, "loses", id="unknown"),
        pytest.param(200, ["a"], "loses", id="no report"),
    ],
)
def test_a_stored_report_stays_as_it_is(status: int, now: Any, change: str) -> None:
    answers = dict.fromkeys("ab", ProviderAnswer(status, now, "", ""))
    provider = PROVIDERS["directory-events-api"]
    findings = list(stored_reports_are_unchanged(provider, dict.fromkeys("ab", STORED), answers))
    titles = [f"{change} a stored report after the last look"] if change else []
    assert [finding.title for finding in findings] == titles
    for finding in findings:
        assert (finding.rank, finding.remark) == ("promise", "2 of 2 reports have changed so.")
