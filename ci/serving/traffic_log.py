"""Finds where each report that passes through a platform ends, and describes it in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from fixtures.core.catalogue import Catalogue
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
TOKEN_SHOWN = 6
SHORT_TOKEN = 16


@dataclass(frozen=True, kw_only=True)
class ReportEnding:
    """A report, the outcome that the services gave it, and the outcome that the catalogue expects."""

    time: str
    case: str
    code: str
    subscriber_id: str
    token: str
    outcome: str
    ending: str
    expected: str
    report_id: str

    def to_line(self) -> str:
        name = self.case if self.code in ("", self.case) else f"{self.case} {self.code}"
        is_right = self.outcome in ("", "stale", "duplicate", self.expected)
        doubt = "" if is_right else f"  (the catalogue says {self.expected})"
        subscriber = f"subscriber {self.subscriber_id}  token {self.token}"
        return f"{self.time}  {name}  {subscriber}  -> {self.ending}{doubt}"

    def to_json(self) -> dict[str, str]:
        members = asdict(self)
        return {"at": members.pop("time"), "ended": members.pop("ending"), **members}


class TrafficLog:
    """Finds the ends of reports in the requests that services accept."""

    def __init__(self, platform: HttpPlatform, catalogue: Catalogue) -> None:
        self._platform = platform
        self._catalogue = catalogue

    def find_endings(self, service: str, request: Any, answer: Any) -> Iterator[ReportEnding]:
        """The reports that end with this answer of a service."""
        reports = dict_items(request, BATCH_MEMBERS.get(service, ""))
        match service, answer:
            case "subscribers-errors", {"results": [*results]}:
                for event, result in zip(request["errors"], results, strict=False):
                    if isinstance(event, dict) and isinstance(result, dict):
                        yield self._end(event, event.get("code"), str(result.get("action")))
            case "directory-responses", {"stored": _}:
                for report in reports:
                    response = self._read_response(report)
                    outcome = response.get("outcome")
                    if outcome == "keep" or "subscribers-errors" not in self._platform.service_urls:
                        yield self._end(report, response.get("code"), outcome)
            case "events-proxy" | "directory-events-api", {"accepted": _} if self._is_last(service):
                for report in reports:
                    yield self._end(report, None, None, f"taken by {service}")

    def _is_last(self, service: str) -> bool:
        services = list(BATCH_MEMBERS)
        return services[services.index(service) + 1] not in self._platform.service_urls

    def _read_response(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        path = f"/v1/responses/{report.get('report_id')}"
        answer = self._platform.call_service(ServiceCall("directory-responses", "GET", path, None))
        body = answer.json() if isinstance(answer, CallAnswer) else None
        return body if isinstance(body, dict) else {}

    def _end(self, report: Mapping[str, Any], code: Any, outcome: Any, ending: str = "") -> ReportEnding:
        try:
            case = self._catalogue.decide(report)
        except (TypeError, ValueError, KeyError):  # the object is no report
            case = None
        last_seen = f"seen last at {outcome or 'directory-responses'}"
        return ReportEnding(
            time=datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3],
            case=case.id if case else "no-case",
            code=printable(code),
            subscriber_id=printable(report.get("subscriber_id")),
            token=shorten_token(report.get("token")),
            outcome=outcome or "",
            ending=ending or ENDINGS.get(outcome or "", last_seen),
            expected=case.outcome if case else "",
            report_id=printable(report.get("report_id")),
        )


def shorten_token(token: Any) -> str:
    """A token that readers can tell from other tokens but cannot use."""
    if not isinstance(token, str):
        return "-"
    start, end = (TOKEN_SHOWN, TOKEN_SHOWN // 2) if len(token) >= SHORT_TOKEN else (2, 0)
    return printable(f"{token[:start]}...{token[len(token) - end :]}")


def printable(text: Any, limit: int = 80) -> str:
    """A text without control characters, which could change the terminal."""
    return "".join(char if char.isprintable() else "?" for char in str(text or "")[:limit])
