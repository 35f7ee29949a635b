"""directory-responses and directory-events-api, which keep reports by their ids."""

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
class Kept:
    report: Report
    decision: Decision
    forwarded_to: tuple[str, ...] = ()


class ReportKeeper(Service):
    """A provider that keeps reports by their ids."""

    noun: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Kept] = {}

    def take(self, entries: Sequence[Any]) -> Answer:
        flaws = [self.find_flaw(entry) for entry in entries]
        readable = [entry for entry, flaw in zip(entries, flaws, strict=True) if not flaw]
        rejected = [
            {"report_id": text_member(entry, "report_id"), "reason": flaw}
            for entry, flaw in zip(entries, flaws, strict=True)
            if flaw
        ]
        new = sum(self.keep(report) for report in readable)
        return self.describe(new, len(readable) - new, rejected[::-1])

    def keep(self, report: Report) -> bool:
        """Keep a report; False if it is known."""
        key = report["report_id"].lower()
        if key in self.kept:
            return False
        decision = self.decide(report)
        self.kept[key] = Kept(report, decision, self.forward(report, decision))
        return True

    def forward(self, _report: Report, _decision: Decision) -> tuple[str, ...]:
        return ()

    def describe(self, new: int, known: int, rejected: list[Answer]) -> Answer:
        raise NotImplementedError

    def show(self, wanted: str) -> Answer | None:
        kept = self.kept.get(wanted.lower())
        if kept is None:
            return None
        return {
            "report_id": kept.report["report_id"],
            "protocol": kept.report.get("protocol", "legacy"),
            "code": kept.decision.code,
        }

    def change_state(self, state: str, params: Mapping[str, Any], *, set_up: bool) -> None:
        if state == f"no {self.noun}s exist":
            if set_up:
                self.kept.clear()
        elif state == f"a {self.noun} exists":
            report = params.get("report")
            if reports.find_flaw(report):
                raise UnknownState("params.report is malformed")
            self.kept.pop(report["report_id"].lower(), None)  # type: ignore[index]
            if set_up:
                self.take([report])
        elif state != "reachable":
            raise UnknownState(state)


class DirectoryResponses(ReportKeeper):
    name = "directory-responses"
    path = observed_path = "/v1/responses"
    takes = observed = "responses"
    taken_status = 201
    noun = "response"

    def describe(self, new: int, known: int, rejected: list[Answer]) -> Answer:
        return {"stored": new, "duplicates": known, "rejected": rejected}

    def show(self, wanted: str) -> Answer | None:
        shown = super().show(wanted)
        return shown and {**shown, "outcome": self.kept[wanted.lower()].decision.outcome}

    def count(self, firebase_app: str) -> Answer:
        """Count the responses of a Firebase app by code."""
        kept = [
            one for one in self.kept.values() if one.report["firebase_app"].lower() == firebase_app.lower()
        ]
        return {"counts": Counter(one.decision.code for one in kept)}


class DirectoryEventsApi(ReportKeeper):
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

    def describe(self, new: int, known: int, rejected: list[Answer]) -> Answer:
        return {"accepted": new + known, "rejected": rejected}

    def show(self, wanted: str) -> Answer | None:
        shown = super().show(wanted)
        return shown and {**shown, "forwarded_to": list(self.kept[wanted.lower()].forwarded_to)}


def hand_over(service: Service, entry: Report) -> None:
    """Give one entry to a service; if that fails, the report is taken all the same."""
    with service.lock, contextlib.suppress(Exception):
        service.take([entry])
