"""Mistakes that one of the providers can make on request, each in a promise about subscribers or reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from werkzeug.exceptions import BadRequest, UnprocessableEntity

from suites.selfcheck.second_opinion import decisions, reports
from suites.selfcheck.second_opinion.decisions import Decision
from suites.selfcheck.second_opinion.keepers import DirectoryEventsApi, DirectoryResponses, Kept, ReportKeeper
from suites.selfcheck.second_opinion.reports import Report
from suites.selfcheck.second_opinion.services import Answer, Service
from suites.selfcheck.second_opinion.subscribers import Subscriber, SubscribersErrors

Changes = Mapping[str, Callable[..., Any]]
EVENTS_API, RESPONSES, SUBSCRIBERS = DirectoryEventsApi.name, DirectoryResponses.name, SubscribersErrors.name
LONGEST_COLUMN = 255


class Fault(NamedTuple):
    """A service that does what the description says; `changes` are the methods that do it."""

    service: str
    description: str
    changes: Changes


def build_services(fault_name: str | None) -> tuple[Service, ...]:
    """Build the three providers, one of them with the fault if one is named."""
    fault = FAULTS[fault_name] if fault_name else None

    def with_fault(base: type[Any]) -> type[Any]:
        return (
            type(base.__name__, (base,), dict(fault.changes))
            if fault and fault.service == base.name
            else base
        )

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
    """Take some reports without keeping them."""

    def keep(keeper: ReportKeeper, report: Report) -> bool:
        return when(report) or ReportKeeper.keep(keeper, report)

    return {"keep": keep}


def waits_for(change: Callable[[Report], Report]) -> Changes:
    """Read the wait from a changed event."""
    return {"wait_of": lambda _service, event: decisions.wait_of(change(event))}


def is_unknown(report: Report) -> bool:
    error = report["response"].get("error") if isinstance(report["response"], dict) else None
    codes = list(decisions.fcm_codes(error)) if isinstance(error, dict) else []
    return any(code not in (*decisions.V1_ERRORS, "INVALID_ARGUMENT") for code in codes)


def decide_by_status_alone(_service: Service, report: Report) -> Decision:
    if report.get("protocol") != "fcm_v1" or report["http_status"] == 200:
        return decisions.decide(report)
    right = decisions.decide_by_status(report)
    return right._replace(outcome="unsubscribe") if report["http_status"] == 404 else right


def decide_by_first_detail(_service: Service, report: Report) -> Decision:
    response = report["response"]
    error = response.get("error") if isinstance(response, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(details, list):
        return decisions.decide(report)
    return decisions.decide({**report, "response": {"error": {**error, "details": details[:1]}}})


def has_apns_detail(report: Report, right: Decision) -> bool:
    return right == Decision("INVALID_ARGUMENT", "unsubscribe") and "ApnsError" in json.dumps(
        report["response"]
    )


def holds_code(report: Report, _right: Decision) -> bool:
    text = json.dumps(report["response"]).lower()
    return "notregistered" in text or "unregistered" in text


def take_to_first_flaw(keeper: ReportKeeper, entries: Sequence[Any]) -> Answer:
    flawed = (place for place, entry in enumerate(entries) if keeper.find_flaw(entry))
    return ReportKeeper.take(keeper, entries[: next(flawed, len(entries)) + 1])


def take_last_of_subscriber(keeper: ReportKeeper, entries: Sequence[Any]) -> Answer:
    places = {json.dumps(entry.get("subscriber_id", place) if isinstance(entry, dict) else place): place
              for place, entry in enumerate(entries)}  # fmt: skip
    answer = ReportKeeper.take(keeper, [entries[place] for place in sorted(places.values())])
    return {**answer, "accepted": len(entries) - len(answer["rejected"])}


def take_only_flawless(keeper: ReportKeeper, entries: Sequence[Any]) -> Answer:
    if any(keeper.find_flaw(entry) for entry in entries):
        raise BadRequest("a report is malformed")
    return ReportKeeper.take(keeper, entries)


def take_only_known_codes(keeper: ReportKeeper, entries: Sequence[Any]) -> Answer:
    if any(not keeper.find_flaw(entry) and is_unknown(entry) for entry in entries):
        raise UnprocessableEntity("a code is unknown")
    return ReportKeeper.take(keeper, entries)


def keep_twice(keeper: ReportKeeper, report: Report) -> bool:
    if not ReportKeeper.keep(keeper, report):
        keeper.kept[str(uuid4())] = Kept(report, keeper.decide(report))
    return True


def count_all(keeper: DirectoryResponses, _firebase_app: str) -> Answer:
    return {"counts": Counter(one.decision.code for one in keeper.kept.values())}


def forward_regular(keeper: DirectoryEventsApi, report: Report, decision: Decision) -> tuple[str, ...]:
    if not report["spam"]:
        return DirectoryEventsApi.forward(keeper, report, decision)
    keeper.responses.take([report])
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


FAULTS: Mapping[str, Fault] = {
    "bad-report-ends-batch": Fault(
        EVENTS_API, "The reports behind a malformed one are lost.", {"take": take_to_first_flaw}
    ),
    "text-answers-lost": Fault(
        EVENTS_API,
        "A report whose answer is text is accepted and forgotten.",
        loses(lambda report: isinstance(report["response"], str)),
    ),
    "long-tokens-rejected": Fault(
        EVENTS_API,
        "A report with a token of more than 255 characters is rejected.",
        rejects(lambda report: len(reports.target_of(report)) > LONGEST_COLUMN),
    ),
    "spam-not-forwarded": Fault(
        EVENTS_API, "An error of a spam message never reaches the subscriber.", {"forward": forward_regular}
    ),
    "unknown-codes-rejected": Fault(
        EVENTS_API, "A report with an FcmError code that no document lists is rejected.", rejects(is_unknown)
    ),
    "last-report-of-subscriber": Fault(
        EVENTS_API,
        "Of a subscriber's reports in one batch, only the last is kept.",
        {"take": take_last_of_subscriber},
    ),
    "duplicates-counted": Fault(
        RESPONSES, "A response that comes again is counted again.", {"keep": keep_twice}
    ),
    "apps-counted-together": Fault(RESPONSES, "The summary of an app counts all apps.", {"count": count_all}),
    "unknown-codes-refuse-batch": Fault(
        RESPONSES,
        "A batch with an unknown FcmError code is refused as a whole.",
        {"take": take_only_known_codes},
    ),
    "status-decides": Fault(
        RESPONSES,
        "The HTTP status of a v1 answer decides its outcome, whatever FcmError says.",
        {"decide": decide_by_status_alone},
    ),
    "empty-answers-lost": Fault(
        RESPONSES,
        "A response with an empty body is acknowledged and lost.",
        loses(lambda report: not report["response"]),
    ),
    "bad-response-refuses-batch": Fault(
        RESPONSES, "One malformed response makes the whole batch a 400.", {"take": take_only_flawless}
    ),
    "any-404-unsubscribes": Fault(
        SUBSCRIBERS,
        "Every answer with 404 unsubscribes, such as an HTML page.",
        decides("unsubscribe", lambda report, _: report["http_status"] == 404),
    ),
    "any-invalid-argument-unsubscribes": Fault(
        SUBSCRIBERS,
        "Every INVALID_ARGUMENT unsubscribes, even if the payload is at fault.",
        decides("unsubscribe", lambda _, right: right.code == "INVALID_ARGUMENT"),
    ),
    "sender-mismatch-unsubscribes": Fault(
        SUBSCRIBERS,
        "A token of another sender unsubscribes, so a wrong key of ours removes all subscribers.",
        decides("unsubscribe", lambda _, right: right.code in ("MismatchSenderId", "SENDER_ID_MISMATCH")),
    ),
    "apns-gone-ignored": Fault(
        SUBSCRIBERS,
        "INVALID_ARGUMENT with Apple's 410 leaves the dead device subscribed.",
        decides("fix_message", has_apns_detail),
    ),
    "first-detail-only": Fault(
        SUBSCRIBERS,
        "An FcmError that is not the first detail is not seen.",
        {"decide": decide_by_first_detail},
    ),
    "code-in-text-unsubscribes": Fault(
        SUBSCRIBERS,
        "The word UNREGISTERED anywhere in an answer unsubscribes.",
        decides("unsubscribe", holds_code),
    ),
    "retry-info-ignored": Fault(
        SUBSCRIBERS,
        "A RetryInfo does not lengthen the wait.",
        waits_for(lambda event: {**event, "response": ""}),
    ),
    "retry-date-ignored": Fault(
        SUBSCRIBERS,
        "A Retry-After that is a date does not lengthen the wait.",
        waits_for(
            lambda event: {**event, "retry_after": None} if "GMT" in (event["retry_after"] or "") else event
        ),
    ),
    "unreadable-retry-after-fails": Fault(
        SUBSCRIBERS, "A Retry-After that is no number fails the whole batch.", {"wait_of": wait_for_number}
    ),
    "longer-wait-shortened": Fault(
        SUBSCRIBERS,
        "A later event with a shorter wait shortens the longer one.",
        {"postpone_until": postpone_anew},
    ),
    "former-token-acts": Fault(
        SUBSCRIBERS,
        "An event about a token that the subscriber no longer has acts.",
        {"is_stale": is_earlier},
    ),
    "duplicates-act": Fault(
        SUBSCRIBERS, "An event that comes again acts again.", {"is_duplicate": lambda _service, _event: False}
    ),
    "postponement-resubscribes": Fault(
        SUBSCRIBERS,
        "A temporary error after an unsubscribe brings the subscriber back.",
        {"change": change_unsubscribed},
    ),
}
