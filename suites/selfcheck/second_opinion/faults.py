"""Mistakes that one of the providers can make on request, each in a promise about subscribers or reports."""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from werkzeug.exceptions import BadRequest, UnprocessableEntity

from suites.selfcheck.second_opinion import decisions, reports
from suites.selfcheck.second_opinion.decisions import Decision
from suites.selfcheck.second_opinion.report_providers import (
    DirectoryEventsApi,
    DirectoryResponses,
    ReportProvider,
    ReportRecord,
    hand_over,
)
from suites.selfcheck.second_opinion.reports import Report
from suites.selfcheck.second_opinion.services import Answer, Service
from suites.selfcheck.second_opinion.subscribers import Subscriber, SubscribersErrors

Changes = Mapping[str, Callable[..., Any]]  # the methods that do what a fault says
FAULTS: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("faults.toml").read_text())
LONGEST_COLUMN = 255


def build_services(fault: str | None) -> tuple[Service, ...]:
    """Build the three providers, one of them with the fault if one is named."""
    faulty, changes = (FAULTS[fault]["service"], dict(CHANGES[fault])) if fault else ("", {})

    def with_fault(base: type[Any]) -> type[Any]:
        return type(base.__name__, (base,), changes) if faulty == base.name else base

    responses, subscribers = with_fault(DirectoryResponses)(), with_fault(SubscribersErrors)()
    return with_fault(DirectoryEventsApi)(responses, subscribers), responses, subscribers


def decides(outcome: str, when: Callable[[Report, Decision], bool]) -> Changes:
    """Give another outcome to some reports."""

    def decide(_service: Service, report: Report) -> Decision:
        right = decisions.decide(report)
        return right._replace(outcome=outcome) if when(report, right) else right

    return {"decide": decide}


def rejects(when: Callable[[Report], bool]) -> Changes:
    """Reject some reports as malformed."""

    def find_flaw(_service: Service, report: Any) -> str:
        return reports.find_flaw(report) or ("the report is not supported" if when(report) else "")

    return {"find_flaw": find_flaw}


def loses(when: Callable[[Report], bool]) -> Changes:
    """Take some reports without storing them."""

    def store(provider: ReportProvider, report: Report) -> bool:
        return when(report) or ReportProvider.store(provider, report)

    return {"store": store}


def waits_for(change: Callable[[Report], Report]) -> Changes:
    """Read the wait from a changed event."""
    return {"wait_of": lambda _service, event: decisions.wait_of(change(event))}


def is_unknown(report: Report) -> bool:
    error = report["response"].get("error") if isinstance(report["response"], dict) else None
    codes = list(decisions.fcm_codes(error)) if isinstance(error, dict) else []
    return any(code not in (*decisions.V1_ERRORS, "INVALID_ARGUMENT") for code in codes)


def decide_by_first_detail(_service: Service, report: Report) -> Decision:
    response = report["response"]
    error = response.get("error") if isinstance(response, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(details, list):
        return decisions.decide(report)
    return decisions.decide({**report, "response": {"error": {**error, "details": details[:1]}}})


def has_apns_detail(report: Report, right: Decision) -> bool:
    dead = right == Decision("INVALID_ARGUMENT", "unsubscribe")
    return dead and "ApnsError" in json.dumps(report["response"])


def holds_code(report: Report, _right: Decision) -> bool:
    text = json.dumps(report["response"]).lower()
    return "notregistered" in text or "unregistered" in text


def take_to_first_flaw(provider: ReportProvider, entries: Sequence[Any]) -> Answer:
    flawed = (position for position, entry in enumerate(entries) if provider.find_flaw(entry))
    return ReportProvider.take(provider, entries[: next(flawed, len(entries)) + 1])


def take_last_of_subscriber(provider: ReportProvider, entries: Sequence[Any]) -> Answer:
    last = {entry["subscriber_id"]: entry for entry in entries if not provider.find_flaw(entry)}
    latest = [
        entry for entry in entries if provider.find_flaw(entry) or entry is last[entry["subscriber_id"]]
    ]
    answer = ReportProvider.take(provider, latest)
    return {**answer, "accepted": len(entries) - len(answer["rejected"])}


def take_only_flawless(provider: ReportProvider, entries: Sequence[Any]) -> Answer:
    if any(provider.find_flaw(entry) for entry in entries):
        raise BadRequest("a report is malformed")
    return ReportProvider.take(provider, entries)


def take_only_known_codes(provider: ReportProvider, entries: Sequence[Any]) -> Answer:
    if any(not provider.find_flaw(entry) and is_unknown(entry) for entry in entries):
        raise UnprocessableEntity("a code is unknown")
    return ReportProvider.take(provider, entries)


def store_twice(provider: ReportProvider, report: Report) -> bool:
    if not ReportProvider.store(provider, report):
        provider.reports[str(uuid4())] = ReportRecord(report, provider.decide(report))
    return True


def count_all(provider: DirectoryResponses, _firebase_app: str) -> Answer:
    return {"counts": Counter(stored.decision.code for stored in provider.reports.values())}


def forward_regular(provider: DirectoryEventsApi, report: Report, decision: Decision) -> tuple[str, ...]:
    if not report["spam"]:
        return DirectoryEventsApi.forward(provider, report, decision)
    hand_over(provider.responses, report)
    return ("directory-responses",)


def postpone_anew(service: SubscribersErrors, subscriber: Subscriber, event: Report) -> datetime:
    return SubscribersErrors.postpone_until(service, replace(subscriber, until=None), event)


def change_unsubscribed(
    service: SubscribersErrors, subscriber: Subscriber, event: Report, outcome: str
) -> Subscriber:
    if outcome == "postpone":
        subscriber = replace(subscriber, status="postponed")
    return SubscribersErrors.change(service, subscriber, event, outcome)


def is_earlier(_service: SubscribersErrors, subscriber: Subscriber, event: Report) -> bool:
    return reports.read_time(event["sent_at"]) < subscriber.since


def wait_for_number(_service: SubscribersErrors, event: Report) -> timedelta:
    int(event["retry_after"] or 0)
    return decisions.wait_of(event)


CHANGES: Mapping[str, Changes] = {
    "bad-report-ends-batch": {"take": take_to_first_flaw},
    "text-answers-lost": loses(lambda report: isinstance(report["response"], str)),
    "long-tokens-rejected": rejects(lambda report: len(reports.target_of(report)) > LONGEST_COLUMN),
    "spam-not-forwarded": {"forward": forward_regular},
    "unknown-codes-rejected": rejects(is_unknown),
    "last-report-of-subscriber": {"take": take_last_of_subscriber},
    "duplicates-counted": {"store": store_twice},
    "apps-counted-together": {"count": count_all},
    "unknown-codes-refuse-batch": {"take": take_only_known_codes},
    "any-200-is-a-delivery": decides("keep", lambda report, _: report["http_status"] == 200),
    "empty-answers-lost": loses(lambda report: not report["response"]),
    "bad-response-refuses-batch": {"take": take_only_flawless},
    "any-404-unsubscribes": decides("unsubscribe", lambda report, _: report["http_status"] == 404),
    "any-invalid-argument-unsubscribes": decides(
        "unsubscribe", lambda _, right: right.code == "INVALID_ARGUMENT"
    ),
    "sender-mismatch-unsubscribes": decides(
        "unsubscribe", lambda _, right: right.code in ("MismatchSenderId", "SENDER_ID_MISMATCH")
    ),
    "apns-gone-ignored": decides("fix_message", has_apns_detail),
    "first-detail-only": {"decide": decide_by_first_detail},
    "code-in-text-unsubscribes": decides("unsubscribe", holds_code),
    "retry-info-ignored": waits_for(lambda event: {**event, "response": ""}),
    "retry-date-ignored": waits_for(
        lambda event: {**event, "retry_after": None} if "GMT" in (event["retry_after"] or "") else event
    ),
    "unreadable-retry-after-fails": {"wait_of": wait_for_number},
    "longer-wait-shortened": {"postpone_until": postpone_anew},
    "former-token-acts": {"is_stale": is_earlier},
    "duplicates-act": {"is_duplicate": lambda _service, _event: False},
    "postponement-resubscribes": {"change": change_unsubscribed},
}
