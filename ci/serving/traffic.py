"""What is shown of reports that pass through a chain: a line each, when it is known where they ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fixtures.core.catalogue import Catalogue
from fixtures.platform.base import dict_items
from fixtures.platform.over_http import HttpPlatform
from fixtures.services.events import Answer, Call

BATCHES = {
    "events-proxy": "reports",
    "directory-events-api": "reports",
    "directory-responses": "responses",
    "subscribers-errors": "errors",
}
"""In which member each service gets reports, in the order in which they pass."""

ENDS = {
    "keep": "delivered; nothing to do",
    "unsubscribe": "unsubscribed",
    "postpone": "postponed",
    "replace_token": "token replaced",
    "fix_message": "subscriber left alone; the message is at fault",
    "alert": "subscriber left alone; somebody must look",
    "stale": "subscriber left alone: unknown, not this token any more, or unsubscribed already",
    "duplicate": "seen before; nothing to do",
}
TOKEN_SHOWN = 6
SHORT_TOKEN = 16


@dataclass(frozen=True)
class Passage:
    """A report and where it ended."""

    at: str
    case: str
    code: str
    subscriber_id: str
    token: str
    outcome: str
    ended: str
    expected: str
    report_id: str

    def line(self) -> str:
        """The passage for people."""
        doubt = "" if self.is_right() else f"  (the catalogue says {self.expected})"
        name = f"{self.case}" if self.code in ("", self.case) else f"{self.case} {self.code}"
        return (
            f"{self.at}  {name}  subscriber {self.subscriber_id}  token {self.token}  -> {self.ended}{doubt}"
        )

    def is_right(self) -> bool:
        """Whether it ended as the catalogue says, as far as can be seen."""
        return self.outcome in ("", "stale", "duplicate", self.expected)


class Passages:
    """Finds the end of each report in what services are handed, one after the other."""

    def __init__(self, chain: HttpPlatform, catalogue: Catalogue) -> None:
        self._chain = chain
        self._catalogue = catalogue

    def of(self, to: str, asked: Any, answered: Any) -> Iterator[Passage]:
        """The passages that end with this answer."""
        reports = dict_items(asked, BATCHES.get(to, ""))
        match to, answered:
            case "subscribers-errors", {"results": [*results]}:
                for event, result in zip(asked["errors"], results, strict=False):
                    if isinstance(event, dict) and isinstance(result, dict):
                        yield self._ended(event, event.get("code"), str(result.get("action")))
            case "directory-responses", {"stored": _}:
                for report in reports:
                    shown = self._shown(report)
                    if shown.get("outcome") == "keep" or "subscribers-errors" not in self._chain.service_urls:
                        yield self._ended(report, shown.get("code"), shown.get("outcome"))
            case "events-proxy" | "directory-events-api", {"accepted": _} if self._is_last(to):
                for report in reports:
                    yield self._ended(report, None, None, f"taken by {to}")

    def _is_last(self, name: str) -> bool:
        """Whether nothing more will be seen of a report that this service has taken."""
        order = list(BATCHES)
        next_one = order[order.index(name) + 1]
        return next_one not in self._chain.service_urls

    def _shown(self, report: Mapping[str, Any]) -> Mapping[str, Any]:
        """What directory-responses shows of a report."""
        path = f"/v1/responses/{report.get('report_id')}"
        answer = self._chain.ask(Call("directory-responses", "GET", path, None))
        body = answer.json() if isinstance(answer, Answer) else None
        return body if isinstance(body, dict) else {}

    def _ended(self, report: Mapping[str, Any], code: Any, outcome: Any, ended: str = "") -> Passage:
        try:
            case = self._catalogue.decide(report)
        except (TypeError, ValueError, KeyError):  # what is no report at all
            case = None
        return Passage(
            at=datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3],
            case=case.id if case else "no-case",
            code=printable(code),
            subscriber_id=printable(report.get("subscriber_id")),
            token=redacted(report.get("token")),
            outcome=outcome or "",
            ended=ended or ENDS.get(outcome or "", f"seen last at {outcome or 'directory-responses'}"),
            expected=case.outcome if case else "",
            report_id=printable(report.get("report_id")),
        )


def redacted(token: Any) -> str:
    """A token that can be told from others, and not be used."""
    if not isinstance(token, str):
        return "-"
    start, end = (TOKEN_SHOWN, TOKEN_SHOWN // 2) if len(token) >= SHORT_TOKEN else (2, 0)
    return printable(f"{token[:start]}...{token[len(token) - end :]}")


def printable(text: Any, most: int = 80) -> str:
    """A text that does nothing to a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text or "")[:most])
