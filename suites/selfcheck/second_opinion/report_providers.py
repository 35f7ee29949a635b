"""directory-responses and directory-events-api, which store reports by their ids."""

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID, uuid5

from suites.selfcheck.second_opinion import reports
from suites.selfcheck.second_opinion.decisions import Decision
from suites.selfcheck.second_opinion.reports import Report
from suites.selfcheck.second_opinion.services import Answer, Service, UnknownState, text_member
from suites.selfcheck.second_opinion.subscribers import SubscribersErrors

EVENT_IDS = UUID("0d3c2f4e-9f3b-4b53-8a55-6a5a3d1c7e10")


@dataclass(frozen=True)
class ReportRecord:
    report: Report
    decision: Decision
    forwarded_to: tuple[str, ...] = ()


class ReportProvider(Service):
    """A provider that stores reports by their ids."""

    noun: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.reports: dict[str, ReportRecord] = {}

    def take(self, entries: Sequence[Any]) -> Answer:
        flaws = [self.find_flaw(entry) for entry in entries]
        readable = [entry for entry, flaw in zip(entries, flaws, strict=True) if not flaw]
        rejected = [
            {"report_id": text_member(entry, "report_id"), "reason": flaw}
            for entry, flaw in zip(entries, flaws, strict=True)
            if flaw
        ]
        new = sum(self.store(report) for report in readable)
        return self.describe(new, len(readable) - new, rejected[::-1])

    def store(self, report: Report) -> bool:
        """Store a report; False if it is known."""
        key = report["report_id"].lower()
        if key in self.reports:
            return False
        decision = self.decide(report)
        self.reports[key] = ReportRecord(report, decision, self.forward(report, decision))
        return True

    def forward(self, _report: Report, _decision: Decision) -> tuple[str, ...]:
        return ()

    def describe(self, new: int, duplicates: int, rejected: list[Answer]) -> Answer:
        raise NotImplementedError

    def show(self, report_id: str) -> Answer | None:
        stored = self.reports.get(report_id.lower())
        if stored is None:
            return None
        return {
            "report_id": stored.report["report_id"],
            "protocol": stored.report.get("protocol", "legacy"),
            "code": stored.decision.code,
        }

    def change_state(self, state: str, params: Mapping[str, Any], *, set_up: bool) -> None:
        if state == f"no {self.noun}s exist":
            if set_up:
                self.reports.clear()
        elif state == f"a {self.noun} exists":
            report = params.get("report")
            if reports.find_flaw(report):
                raise UnknownState("params.report is malformed")
            self.reports.pop(report["report_id"].lower(), None)  # type: ignore[index]
            if set_up:
                self.take([report])
        elif state != "reachable":
            raise UnknownState(state)


class DirectoryResponses(ReportProvider):
    name = "directory-responses"
    path = observed_path = "/v1/responses"
    takes = observed = "responses"
    taken_status = 201
    noun = "response"

    def describe(self, new: int, duplicates: int, rejected: list[Answer]) -> Answer:
        return {"stored": new, "duplicates": duplicates, "rejected": rejected}

    def show(self, report_id: str) -> Answer | None:
        answer = super().show(report_id)
        return answer and {**answer, "outcome": self.reports[report_id.lower()].decision.outcome}

    def count(self, firebase_app: str) -> Answer:
        """Count the responses of a Firebase app by code."""
        codes = (
            stored.decision.code
            for stored in self.reports.values()
            if stored.report["firebase_app"].lower() == firebase_app.lower()
        )
        return {"counts": Counter(codes)}


class DirectoryEventsApi(ReportProvider):
    name = "directory-events-api"
    path = observed_path = "/v1/reports"
    takes = observed = "reports"
    taken_status = 202
    noun = "report"

    def __init__(self, responses: DirectoryResponses, subscribers: SubscribersErrors) -> None:
        super().__init__()
        self.responses = responses
        self.subscribers = subscribers

    def forward(self, report: Report, decision: Decision) -> tuple[str, ...]:
        """Hand a report to directory-responses, and an error event to subscribers-errors."""
        hand_over(self.responses, report)
        if decision.outcome == "keep":
            return ("directory-responses",)
        event = {
            **report,
            "event_id": str(uuid5(EVENT_IDS, report["report_id"].lower())),
            "code": decision.code,
        }
        hand_over(self.subscribers, event)
        return ("directory-errors-listener", "directory-responses")

    def describe(self, new: int, duplicates: int, rejected: list[Answer]) -> Answer:
        return {"accepted": new + duplicates, "rejected": rejected}

    def show(self, report_id: str) -> Answer | None:
        answer = super().show(report_id)
        return answer and {
            **answer,
            "forwarded_to": list(self.reports[report_id.lower()].forwarded_to),
        }


def hand_over(service: Service, entry: Report) -> None:
    """Give one entry to a service; if that fails, the report is taken all the same."""
    with service.lock, contextlib.suppress(Exception):
        service.take([entry])
