"""Right batches at each provider with what became of them, and the faults that the checks must find."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from fixtures.core import payloads
from fixtures.core.findings import Finding, describe_finding
from fixtures.core.outcome import Outcome, ProviderAnswer
from fixtures.core.payloads import BatchEntry, CountedIds
from fixtures.core.times import format_time
from fixtures.core.topology import PROVIDERS, Provider
from suites.selfcheck.sample_answers import fcm_error_detail, legacy_answer, v1_answer

API, RESPONSES, ERRORS = "directory-events-api", "directory-responses", "subscribers-errors"
EVERYWHERE = (API, RESPONSES, ERRORS)
SENT_AT = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = "2026-01-01T00:02:00.000Z"

# The positions in a batch. A malformed report comes last.
DEAD, RENEWED, BUSY, FINE, ODD, POISON = range(6)

# FCM's answers, and what providers must show of them.
RIGHT_ANSWERS = (
    (legacy_answer({"error": "NotRegistered"}), "legacy", "NotRegistered", "unsubscribe"),
    (legacy_answer({"message_id": "1", "registration_id": "new"}), "legacy", "CANONICAL_ID", "replace_token"),
    ({**v1_answer(503, status="UNAVAILABLE"), "retry_after": "120"}, "fcm_v1", "HTTP_5XX", "postpone"),
    (v1_answer(200, {"name": "projects/p/messages/1"}), "fcm_v1", "OK", "keep"),
    (v1_answer(400, details=[fcm_error_detail("TOMORROW")]), "fcm_v1", "UNKNOWN", "alert"),
)


@dataclass
class ObservedBatch:
    """A batch at a provider and what became of it. The reports in `unread` are shown as no JSON."""

    provider: Provider
    sent: list[BatchEntry]
    status: int
    body: Any
    content_type: str = "application/json"
    problem: str = ""
    reports: dict[str, Any] = field(default_factory=dict)
    subscribers: dict[str, Any] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def outcome(self) -> Outcome:
        reports = {
            report_id: answer(status, body, problem="no JSON" if report_id in self.unread else "")
            for report_id, (status, body) in self.reports.items()
        }
        batch_answer = answer(self.status, self.body, self.content_type, self.problem)
        return Outcome(batch_answer, reports, self.subscribers)

    def with_fault(self, fault: BatchFault) -> ObservedBatch:
        batch = self.copied()
        fault(batch)
        return batch

    def copied(self) -> ObservedBatch:
        names = ("body", "reports", "subscribers", "unread")
        members = {name: copy.deepcopy(getattr(self, name)) for name in names}
        return replace(self, sent=list(self.sent), **members)

    def subscriber(self, position: int) -> dict[str, Any]:
        state: dict[str, Any] = self.subscribers[self.sent[position].payload["subscriber_id"]]
        return state


BatchFault = Callable[[ObservedBatch], None]


def answer(
    status: int, body: Any, content_type: str = "application/json", problem: str = ""
) -> ProviderAnswer:
    return ProviderAnswer(status, body, "", content_type, problem)


def right_batch(name: str, *, poisoned: bool = True) -> ObservedBatch:
    """What is right at a provider, as a copy that a test may change."""
    return _build_right_batch(name, poisoned=poisoned).copied()


@functools.cache
def _build_right_batch(name: str, *, poisoned: bool) -> ObservedBatch:
    provider = PROVIDERS[name]
    sent = payloads.address_all([row[0] for row in RIGHT_ANSWERS], CountedIds(run="0c" * 6))
    sent_at = {"sent_at": format_time(SENT_AT)}
    sent = [replace(entry, payload={**entry.payload, **sent_at}) for entry in sent]
    if poisoned:
        sent.append(BatchEntry({**sent[0].payload, "report_id": "poison", "spam": 0}, None, "spam: type"))
    if name == ERRORS:
        return _build_right_events(provider, payloads.error_events(sent))
    rejected = [{"report_id": "poison", "reason": "spam is no boolean"}] if poisoned else []
    counts = {"accepted": 5} if name == API else {"stored": 5, "duplicates": 0}
    batch = ObservedBatch(provider, sent, provider.status, {**counts, "rejected": rejected})
    for entry, (_, protocol, code, outcome) in zip(sent, RIGHT_ANSWERS, strict=False):
        services = ["directory-responses", *([] if outcome == "keep" else ["directory-errors-listener"])]
        members = {"forwarded_to": services} if name == API else {"outcome": outcome}
        report = {"report_id": entry.report_id, "protocol": protocol, "code": code, **members}
        batch.reports[str(entry.report_id)] = (200, report)
    return batch


def _build_right_events(provider: Provider, sent: list[BatchEntry]) -> ObservedBatch:
    actions = [*(outcome for *_, outcome in RIGHT_ANSWERS), "alert"]
    results = [
        {name: entry.payload[name] for name in ("event_id", "subscriber_id")} | {"action": action}
        for entry, action in zip(sent, actions, strict=False)
    ]
    batch = ObservedBatch(provider, sent, 200, {"results": results})
    for position, entry in enumerate(sent[: len(RIGHT_ANSWERS)]):
        state = {"status": "active", "token": entry.payload["token"], "postponed_until": None}
        state |= {
            DEAD: {"status": "unsubscribed", "token": None},
            RENEWED: {"token": entry.payload["response"].get("registration_id")},
            BUSY: {"status": "postponed", "postponed_until": UNTIL},
        }.get(position, {})
        subscriber_id = entry.payload["subscriber_id"]
        batch.subscribers[subscriber_id] = {"subscriber_id": subscriber_id, **state}
    return batch


def change_answer(status: int | None = None, **members: Any) -> BatchFault:
    def fault(batch: ObservedBatch) -> None:
        batch.status = status or batch.status
        batch.body.update(members)

    return fault


def replace_body(value: Any) -> BatchFault:
    def fault(batch: ObservedBatch) -> None:
        batch.body = value

    return fault


def change_report(position: int, status: int = 200, **members: Any) -> BatchFault:
    def fault(batch: ObservedBatch) -> None:
        report_id = str(batch.sent[position].report_id)
        report = batch.reports[report_id][1]
        batch.reports[report_id] = (status, {**report, **members} if status == 200 else {})

    return fault


def change_state(position: int, **members: Any) -> BatchFault:
    return lambda batch: batch.subscriber(position).update(members)


def change_result(position: int, **members: Any) -> BatchFault:
    return lambda batch: batch.body["results"][position].update(members)


def forget_subscriber(position: int) -> BatchFault:
    def fault(batch: ObservedBatch) -> None:
        del batch.subscribers[batch.sent[position].payload["subscriber_id"]]

    return fault


def reject_well_formed(batch: ObservedBatch) -> None:
    batch.body["rejected"] = [{"report_id": batch.sent[DEAD].report_id, "reason": "unknown code"}]


def drop_result(batch: ObservedBatch) -> None:
    batch.body["results"].pop(FINE)


def get_only_finding(findings: Iterable[Finding], batch: ObservedBatch, check: str) -> Finding:
    """The only finding, which must say what was sent and what was expected."""
    (finding,) = findings
    assert (finding.check, finding.provider) == (check, batch.provider.name)
    assert finding.sent
    assert finding.expected
    return finding


def format_finding(finding: Finding) -> str:
    """A finding as text, with the ids of the first entries instead of the entries."""
    ids = ("report_id", "event_id", "message_id", "subscriber_id")
    sent = [
        entry if isinstance(entry, str) else {name: entry[name] for name in ids if name in entry}
        for entry in finding.sent[:3]
    ]
    return f"{finding.check}, {finding.case}: {describe_finding(replace(finding, sent=sent))}"
