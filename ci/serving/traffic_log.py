"""Finds where each report that passes through a platform ends, and prints a line for it."""

import json
import queue
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from fixtures.core.catalogue import load_catalogue
from fixtures.platform.base import dict_items
from fixtures.platform.over_http.platform import HttpPlatform
from fixtures.services.events import CallAnswer, ServiceCall

# The member that holds the reports, by service, in the order in which a report passes the services.
BATCH_MEMBERS = {
    "events-proxy": "reports",
    "directory-events-api": "reports",
    "directory-responses": "responses",
    "subscribers-errors": "errors",
}
ENDINGS = {
    "keep": "delivered; nothing to do",
    "unsubscribe": "unsubscribed",
    "postpone": "postponed",
    "replace_token": "token replaced",
    "fix_message": "subscriber left alone; the message is at fault",
    "alert": "subscriber left alone; an operator must look",
    "stale": "subscriber left alone: unknown, not this token any more, or unsubscribed already",
    "duplicate": "seen before; nothing to do",
}
# A report, the outcome that the services gave it, and the outcome that the catalogue expects.
ReportEnding: TypeAlias = dict[str, str]
POLL_S = 0.25
MAX_QUEUED = 10_000
MAX_ALERT_LENGTH = 400


class TrafficLog:
    """Requests and alerts that wait to be printed; when too many wait, further ones are only counted."""

    def __init__(self, *, as_json: bool) -> None:
        self._catalogue, self._as_json = load_catalogue(), as_json
        self._rows: queue.Queue[tuple[Any, ...]] = queue.Queue(MAX_QUEUED)
        self._dropped = 0
        self._last_alerts: dict[str, str] = {}

    def put(self, *row: Any) -> None:
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self._dropped += 1

    def print_next(self, platform: HttpPlatform) -> None:
        """Wait a moment for the next request or alert, and print what it shows."""
        try:
            row = self._rows.get(timeout=POLL_S)
        except queue.Empty:
            row = ()
        match row:
            case (str(service), str(reason)):
                # A service that tries something again and again repeats its alert each time.
                if self._last_alerts.get(service) != reason:
                    self._last_alerts[service] = reason
                    self._print_alert(service, reason)
            case (service, request, answer):
                for ending in self.find_endings(platform, service, request, answer):
                    print(json.dumps(ending) if self._as_json else format_ending(ending), flush=True)
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._print_alert("./ci/serve", f"{dropped} lines left out: more passes than can be printed")

    def _print_alert(self, service: str, reason: str) -> None:
        text = f"! {service}: {printable(reason, MAX_ALERT_LENGTH)}"
        print(json.dumps({"told": reason, "by": service}) if self._as_json else text, flush=True)

    def find_endings(
        self, platform: HttpPlatform, service: str, request: Any, answer: Any
    ) -> Iterator[ReportEnding]:
        """The reports that end with this answer of a service."""
        reports = dict_items(request, BATCH_MEMBERS.get(service, ""))
        match service, answer:
            case "subscribers-errors", {"results": [*results]}:
                for event, result in zip(request["errors"], results, strict=False):
                    if isinstance(event, dict) and isinstance(result, dict):
                        yield self._end(event, event.get("code"), str(result.get("action")))
            case "directory-responses", {"stored": _}:
                for report in reports:
                    path = f"/v1/responses/{report.get('report_id')}"
                    stored = platform.call_service(ServiceCall(service, "GET", path, None))
                    body = stored.json() if isinstance(stored, CallAnswer) else None
                    response = body if isinstance(body, dict) else {}
                    outcome = response.get("outcome")
                    if outcome == "keep" or "subscribers-errors" not in platform.service_urls:
                        yield self._end(report, response.get("code"), outcome)
            case "events-proxy" | "directory-events-api", {"accepted": _}:
                services = list(BATCH_MEMBERS)
                if services[services.index(service) + 1] not in platform.service_urls:
                    for report in reports:
                        yield self._end(report, None, None, f"taken by {service}")

    def _end(self, report: Mapping[str, Any], code: Any, outcome: Any, ending: str = "") -> ReportEnding:
        try:
            case = self._catalogue.decide(report)
        except (TypeError, ValueError, KeyError):  # the object is no report
            case = None
        last_seen = f"seen last at {outcome or 'directory-responses'}"
        return {
            "at": datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3],
            "ended": ending or ENDINGS.get(outcome or "", last_seen),
            "case": case.id if case else "no-case",
            "code": printable(code),
            "subscriber_id": printable(report.get("subscriber_id")),
            "token": shorten_token(report.get("token")),
            "outcome": outcome or "",
            "expected": case.outcome if case else "",
            "report_id": printable(report.get("report_id")),
        }


def format_ending(report: ReportEnding) -> str:
    name = report["case"] if report["code"] in ("", report["case"]) else f"{report['case']} {report['code']}"
    is_right = report["outcome"] in ("", "stale", "duplicate", report["expected"])
    doubt = "" if is_right else f"  (the catalogue says {report['expected']})"
    subscriber = f"subscriber {report['subscriber_id']}  token {report['token']}"
    return f"{report['at']}  {name}  {subscriber}  -> {report['ended']}{doubt}"


def shorten_token(token: Any) -> str:
    """A token that readers can tell from other tokens but cannot use."""
    if not isinstance(token, str):
        return "-"
    is_long = len(token) >= 16  # noqa: PLR2004
    return printable(f"{token[:6]}...{token[-3:]}" if is_long else f"{token[:2]}...")


def printable(text: Any, limit: int = 80) -> str:
    """A text without control characters, which could change the terminal."""
    return "".join(char if char.isprintable() else "?" for char in str(text or "")[:limit])
