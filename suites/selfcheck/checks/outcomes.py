"""Worlds for the checks to judge: a batch at a provider and what became of it, right but for one fault."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from fixtures.core import payloads, times
from fixtures.core.findings import Finding, describe_finding
from fixtures.core.outcome import Outcome, ProviderAnswer
from fixtures.core.payloads import BatchEntry, IdFactory
from fixtures.core.topology import PROVIDERS, Provider
from suites.selfcheck.sample_answers import fcm_error_detail, legacy_answer, v1_answer

API, RESPONSES, ERRORS = "directory-events-api", "directory-responses", "subscribers-errors"
EVERYWHERE = (API, RESPONSES, ERRORS)
SENT_AT = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = "2026-01-01T00:02:00.000Z"

DEAD, RENEWED, BUSY, FINE, ODD, POISON = range(6)
RIGHT = (
    (legacy_answer({"error": "NotRegistered"}), "legacy", "NotRegistered", "unsubscribe"),
    (legacy_answer({"message_id": "1", "registration_id": "new"}), "legacy", "CANONICAL_ID", "replace_token"),
    ({**v1_answer(503, status="UNAVAILABLE"), "retry_after": "120"}, "fcm_v1", "HTTP_5XX", "postpone"),
    (v1_answer(200, {"name": "projects/p/messages/1"}), "fcm_v1", "OK", "keep"),
    (v1_answer(400, details=[fcm_error_detail("TOMORROW")]), "fcm_v1", "UNKNOWN", "alert"),
)
"""Answers, and what must be shown of them; a malformed report comes last in the batch."""


@dataclass
class World:
    """A batch at a provider and what became of it, to be made wrong in one place."""

    provider: Provider
    sent: list[BatchEntry]
    status: int
    body: Any
    content_type: str = "application/json"
    problem: str = ""
    reports: dict[str, Any] = field(default_factory=dict)
    subscribers: dict[str, Any] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    """Reports that are shown as what cannot be read."""

    def outcome(self) -> Outcome:
        """What the checks see."""
        reports = {
            report_id: answer(status, body, problem="no JSON" if report_id in self.unread else "")
            for report_id, (status, body) in self.reports.items()
        }
        told = answer(self.status, self.body, self.content_type, self.problem)
        return Outcome(told, reports, self.subscribers)

    def wrong(self, fault: Fault) -> World:
        """The same with one fault."""
        world = self.copied()
        fault(world)
        return world

    def copied(self) -> World:
        """The same, to be spoilt without harm; payloads are never changed in place."""
        seen = {
            name: copy.deepcopy(getattr(self, name)) for name in ("body", "reports", "subscribers", "unread")
        }
        return replace(self, sent=list(self.sent), **seen)

    def subscriber(self, position: int) -> dict[str, Any]:
        """The state of an entry's subscriber."""
        state: dict[str, Any] = self.subscribers[self.sent[position].payload["subscriber_id"]]
        return state


Fault = Callable[[World], None]


def answer(
    status: int, body: Any, content_type: str = "application/json", problem: str = ""
) -> ProviderAnswer:
    """An answer whose text nobody looks at."""
    return ProviderAnswer(status, body, "", content_type, problem)


@functools.cache
def _right(name: str, *, poisoned: bool) -> World:
    provider = PROVIDERS[name]
    sent = payloads.address_all([case[0] for case in RIGHT], IdFactory(run="0c" * 6))
    moment = {"sent_at": times.format_time(SENT_AT)}
    sent = [replace(entry, payload={**entry.payload, **moment}) for entry in sent]
    if poisoned:
        sent.append(BatchEntry({**sent[0].payload, "report_id": "poison", "spam": 0}, None, "spam: type"))
    if name == ERRORS:
        sent = payloads.error_events(sent)
        return _at_errors(provider, sent)
    bad = [{"report_id": "poison", "reason": "spam is no boolean"}] if poisoned else []
    counted = {"accepted": 5} if name == API else {"stored": 5, "duplicates": 0}
    world = World(provider, sent, provider.status, {**counted, "rejected": bad})
    for entry, (_, protocol, code, outcome) in zip(sent, RIGHT, strict=False):
        forwarded = ["directory-responses", *([] if outcome == "keep" else ["directory-errors-listener"])]
        seen = {"forwarded_to": forwarded} if name == API else {"outcome": outcome}
        shown = {"report_id": entry.report_id, "protocol": protocol, "code": code, **seen}
        world.reports[str(entry.report_id)] = (200, shown)
    return world


def _at_errors(provider: Provider, sent: list[BatchEntry]) -> World:
    actions = [*(outcome for *_, outcome in RIGHT), "alert"]
    results = [
        {
            "event_id": entry.payload["event_id"],
            "subscriber_id": entry.payload["subscriber_id"],
            "action": action,
        }
        for entry, action in zip(sent, actions, strict=False)
    ]
    world = World(provider, sent, 200, {"results": results})
    for position, entry in enumerate(sent[: len(RIGHT)]):
        state = {"status": "active", "token": entry.payload["token"], "postponed_until": None}
        state |= {
            DEAD: {"status": "unsubscribed", "token": None},
            RENEWED: {"token": entry.payload["response"].get("registration_id")},
            BUSY: {"status": "postponed", "postponed_until": UNTIL},
        }.get(position, {})
        subscriber_id = entry.payload["subscriber_id"]
        world.subscribers[subscriber_id] = {"subscriber_id": subscriber_id, **state}
    return world


def right(name: str, *, poisoned: bool = True) -> World:
    """What is right at a provider, as a copy that may be spoilt."""
    return _right(name, poisoned=poisoned).copied()


def told(status: int | None = None, **members: Any) -> Fault:
    """The answer to the batch says something else."""

    def fault(world: World) -> None:
        world.status = status or world.status
        world.body.update(members)

    return fault


def body(value: Any) -> Fault:
    """The answer to the batch is something else altogether."""

    def fault(world: World) -> None:
        world.body = value

    return fault


def unreadable(world: World) -> None:
    """The answer to the batch cannot be read."""
    world.body, world.problem = "{", "no JSON"


def shown(position: int, status: int = 200, **members: Any) -> Fault:
    """One report is shown with something else."""

    def fault(world: World) -> None:
        report_id = str(world.sent[position].report_id)
        old = world.reports[report_id][1]
        world.reports[report_id] = (status, {**old, **members} if status == 200 else {})

    return fault


def state(position: int, **members: Any) -> Fault:
    """One subscriber ends in another state."""
    return lambda world: world.subscriber(position).update(members)


def row(position: int, **members: Any) -> Fault:
    """One result says something else."""
    return lambda world: world.body["results"][position].update(members)


def forgotten(position: int) -> Fault:
    """One subscriber is not listed."""

    def fault(world: World) -> None:
        del world.subscribers[world.sent[position].payload["subscriber_id"]]

    return fault


def rejects_the_dead(world: World) -> None:
    """Name a well-formed report instead of the malformed one."""
    world.body["rejected"] = [{"report_id": world.sent[DEAD].report_id, "reason": "unknown code"}]


def drops_a_result(world: World) -> None:
    """Answer one event less."""
    world.body["results"].pop(FINE)


def swaps_results(world: World) -> None:
    """Answer in another order."""
    rows = world.body["results"]
    rows[DEAD], rows[FINE] = rows[FINE], rows[DEAD]


def all_called(action: str) -> Fault:
    """Every event gets this action."""

    def fault(world: World) -> None:
        for named in world.body["results"]:
            named["action"] = action

    return fault


def only(findings: Iterable[Finding], world: World, check: str) -> Finding:
    """The one finding, which tells what was sent, what was expected and what was got."""
    found = list(findings)
    assert len(found) == 1, found
    assert (found[0].check, found[0].provider) == (check, world.provider.name)
    assert found[0].sent
    assert found[0].expected
    return found[0]


def as_told(finding: Finding) -> str:
    """All that a finding says, and by their ids the first of the entries that it names."""
    ids = ("report_id", "event_id", "message_id", "subscriber_id")
    sent = [
        entry if isinstance(entry, str) else {name: entry[name] for name in ids if name in entry}
        for entry in finding.sent[:3]
    ]
    return f"{finding.check}, {finding.case}: {describe_finding(replace(finding, sent=sent))}"
