"""Pushes one message for each case of the catalogue, and finds the pushes with a wrong end."""

import itertools
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.core.outcome import PushResult
from fixtures.core.topology import VERSION_MIXES
from fixtures.platform.base import Platform, PushId
from fixtures.platform.in_memory import InMemoryPlatform, scripted_fcm
from fixtures.scenarios.end_to_end import MESSAGE, cases_of_mix

STATUSES = {"unsubscribe": "unsubscribed", "postpone": "postponed"}
LEGACY, V1 = load_catalogue().of_protocol("legacy"), load_catalogue().of_protocol("fcm_v1")
# The versions of each mix, and the cases that its senders can get.
MIXES = {name: (dict(mix.versions), tuple(cases_of_mix(mix))) for name, mix in VERSION_MIXES.items()}
NUMBERS = itertools.count(1)


def push_to_device(platform: Platform, number: int, token: str) -> PushId:
    """Push to a new subscriber."""
    device = {"subscriber_id": str(UUID(int=number)), "token": token}
    since = {"token_since": "2025-12-31T00:00:00Z", "firebase_app": platform.firebase_apps[0]}
    platform.subscribe([device | since])
    return platform.push(MESSAGE, [device]), device["subscriber_id"]


def push_case(platform: Platform, case: Case, *, options: str = "") -> PushId:
    """Push to a new subscriber, whose token asks the emulator for a case."""
    number = next(NUMBERS)
    return push_to_device(platform, number, f"case/{case.id}{options}/{number}")


def push_cases(platform: Platform, cases: Iterable[Case]) -> list[tuple[Case, PushId]]:
    return [(case, push_case(platform, case)) for case in cases]


class PushedCases:
    """A platform in memory through which each case was sent; its FCM answers the examples of the cases."""

    def __init__(self, versions: Mapping[str, str], cases: Iterable[Case]) -> None:
        self.answers: dict[str, Any] = {}
        self.platform = InMemoryPlatform(scripted_fcm(self.answers), versions)
        self.pushes: dict[str, PushId] = {}
        for case in cases:
            if case.protocol == "fcm_v1" and versions["go-sender"] == "before":
                self.platform.deploy("go-sender", "after")
            self.push(case)
            self.platform.run_round("directory-messages", "go-sender")

    def push(self, case: Case) -> None:
        token = f"token-{case.id}-{len(self.answers)}"
        self.answers[token] = example_report(case)
        self.pushes[case.id] = push_to_device(self.platform, len(self.answers), token)

    def result(self, case: Case) -> PushResult:
        push = self.pushes[case.id]
        return self.platform.push_results([push])[push]

    def find_wrong(self, cases: Iterable[Case]) -> list[tuple[str, PushResult]]:
        return find_wrong(self.platform, [(case, self.pushes[case.id]) for case in cases])


def find_wrong(
    platform: Platform, pushes: Sequence[tuple[Case, PushId]], *, check_status: bool = True
) -> list[tuple[str, PushResult]]:
    """The pushes that have another result than the catalogue says."""
    results = platform.push_results([push for _, push in pushes])
    wrong_results = []
    for case, push in pushes:
        result = results[push]
        status = result.subscriber["status"] if result.subscriber else None
        is_status_right = not check_status or status == STATUSES.get(case.outcome, "active")
        if not is_status_right or not acted_once(case, result):
            wrong_results.append((case.id, result))
    return wrong_results


def acted_once(case: Case, result: PushResult) -> bool:
    """Whether one response is stored and, if the case is an error, one action was taken."""
    decision = {"protocol": case.protocol, "code": case.code, "outcome": case.outcome}
    actions = () if case.outcome == "keep" else (case.outcome,)
    is_stored = result.response == {"report_id": result.report_id, **decision}
    return is_stored and result.reports == 1 and result.actions == actions


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in sockets]
