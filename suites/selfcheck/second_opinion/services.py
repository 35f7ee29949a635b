"""What the three providers have in common."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from suites.selfcheck.second_opinion import decisions, reports
from suites.selfcheck.second_opinion.decisions import Decision
from suites.selfcheck.second_opinion.reports import Report

Answer = dict[str, Any]


class UnknownState(Exception):
    """A provider state that the service does not have, or whose params cannot be read."""


class Service:
    """What the providers have in common."""

    name: ClassVar[str]
    path: ClassVar[str]  # takes batches
    takes: ClassVar[str]  # the list in the body
    taken_status: ClassVar[int]
    observed_path: ClassVar[str]
    observed: ClassVar[str]  # the list in the answer to an observation

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def decide(self, report: Report) -> Decision:
        return decisions.decide(report)

    def find_flaw(self, report: object) -> str:
        return reports.find_flaw(report)

    def take(self, entries: Sequence[Any]) -> Answer:
        raise NotImplementedError

    def show(self, item_id: str) -> Answer | None:
        raise NotImplementedError

    def change_state(self, state: str, params: Mapping[str, Any], *, set_up: bool) -> None:
        raise NotImplementedError


def text_member(entry: object, member: str) -> str | None:
    """Return a member of an entry if it is a text."""
    value = entry.get(member) if isinstance(entry, dict) else None
    return value if isinstance(value, str) else None
