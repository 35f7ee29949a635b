"""What the self-checks of the chain over sockets share: pushes whose tokens ask the emulator for a case."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterable, Sequence
from uuid import UUID

from fixtures.core.catalogue import Case
from fixtures.core.outcome import PushResult
from fixtures.platform.base import Platform, Push
from fixtures.scenarios.end_to_end import MESSAGE
from suites.selfcheck.platform.pushes import acted_once, is_right

NUMBERS = itertools.count(1)


def push(system: Platform, case: Case, *, options: str = "") -> Push:
    """Push to a new subscriber, on whose token FCM answers as the case says."""
    number = next(NUMBERS)
    device = {"subscriber_id": str(UUID(int=number)), "token": f"case/{case.id}{options}/{number}"}
    since = {"token_since": "2025-12-31T00:00:00Z", "firebase_app": system.firebase_apps[0]}
    system.subscribe([device | since])
    return system.push(MESSAGE, [device]), device["subscriber_id"]


def pushed(system: Platform, cases: Iterable[Case]) -> list[tuple[Case, Push]]:
    """Push each case to a subscriber of its own."""
    return [(case, push(system, case)) for case in cases]


def wrong(system: Platform, pushes: Sequence[tuple[Case, Push]]) -> list[tuple[str, PushResult]]:
    """The cases that ended in another way than the catalogue says."""
    fates = system.push_results()
    return [(case.id, fates[one]) for case, one in pushes if not is_right(case, fates[one])]


def lost(system: Platform, pushes: Sequence[tuple[Case, Push]]) -> list[tuple[str, PushResult]]:
    """The cases that did not end in one stored response, and one action if they were errors."""
    fates = system.push_results()
    return [(case.id, fates[one]) for case, one in pushes if not acted_once(case, fates[one])]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
