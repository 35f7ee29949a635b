"""What the self-checks of the whole system share: one push for each case, and what must become of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from fixtures.core import topology
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.outcome import PushResult
from fixtures.platform.in_memory import InMemoryPlatform, scripted_fcm
from fixtures.scenarios.end_to_end import MESSAGE, cases_of_mix

DONE = {
    "keep": "active",
    "replace_token": "active",
    "unsubscribe": "unsubscribed",
    "postpone": "postponed",
    "fix_message": "active",
    "alert": "active",
}

LEGACY, V1 = load_catalogue().of_protocol("legacy"), load_catalogue().of_protocol("fcm_v1")
WORLDS = {
    name: (dict(world.versions), tuple(cases_of_mix(world))) for name, world in topology.VERSION_MIXES.items()
}
"""The versions of a world, and the cases that its FCM answers with."""


class Pushed:
    """A system in which each case was pushed to a subscriber of its own, on whose token FCM answers so."""

    def __init__(self, versions: dict[str, str], cases: Iterable[Case]) -> None:
        """Push everything, and let the senders send it; legacy cases first."""
        self.answers: dict[str, Any] = {}
        self.system = InMemoryPlatform(scripted_fcm(self.answers), versions)
        self.pushes: dict[str, tuple[str, str]] = {}
        for case in cases:
            if case.protocol == "fcm_v1" and versions["go-sender"] == "before":
                self.system.deploy("go-sender", "after")
            self.push(case)
            self.system.run_round("directory-messages", "go-sender")

    def push(self, case: Case) -> None:
        """Push to a new subscriber."""
        token = f"token-{case.id}-{len(self.answers)}"
        self.answers[token] = example_report(case)
        device = {"subscriber_id": str(UUID(int=len(self.answers))), "token": token}
        since = {"token_since": "2025-12-31T00:00:00Z", "firebase_app": self.system.firebase_apps[0]}
        self.system.subscribe([device | since])
        self.pushes[case.id] = self.system.push(MESSAGE, [device]), device["subscriber_id"]

    def fate(self, case: Case) -> PushResult:
        """What became of the push of a case."""
        return self.system.push_result(*self.pushes[case.id])

    def wrong(self, cases: Iterable[Case]) -> list[tuple[str, PushResult]]:
        """The cases that ended in another way than the catalogue says."""
        return [(case.id, fate) for case in cases if not is_right(case, fate := self.fate(case))]


def is_right(case: Case, fate: PushResult) -> bool:
    """Whether a push ended in one stored response, one action if it was an error, and the right state."""
    status = fate.subscriber is not None and fate.subscriber["status"] == DONE[case.outcome]
    return acted_once(case, fate) and status


def acted_once(case: Case, fate: PushResult) -> bool:
    """Whether a push ended in one stored response, and one action if it was an error."""
    acted = () if case.outcome == "keep" else (case.outcome,)
    decided = {"protocol": case.protocol, "code": case.code, "outcome": case.outcome}
    stored = fate.response == {"report_id": fate.report_id, **decided}
    return stored and fate.reports == 1 and fate.actions == acted
