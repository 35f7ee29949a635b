"""Whatever stops, whenever: no push is lost, and no error is acted upon twice."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import FLOW, version_map
from fixtures.platform.in_memory import InMemoryPlatform
from fixtures.services.events import CallAnswer, CallFailure, ServiceCall
from suites.selfcheck.platform.pushes import Pushed, acted_once

pytestmark = pytest.mark.aside

V1 = load_catalogue().of_protocol("fcm_v1")


class Killed(Exception):
    """The process that made a call is gone, before the other side heard it or before the answer came."""


def unreliable(system: InMemoryPlatform, dice: random.Random) -> None:
    """Kill whoever makes a call now and then."""
    reliable = system.call

    def call(calls: Iterable[ServiceCall]) -> Iterator[tuple[ServiceCall, CallAnswer | CallFailure]]:
        for one in calls:
            if dice.random() < 0.05:
                raise Killed
            ((back, answer),) = reliable([one])
            if dice.random() < 0.05:
                raise Killed
            yield back, answer

    system.call = call  # type: ignore[method-assign]


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_whatever_stops_whenever(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same adventures every time
    pushed = Pushed(version_map("after"), ())
    for case in V1:
        pushed.push(case)
    system = pushed.system
    whole = system.call
    unreliable(system, dice)
    for _ in range(150):
        name = dice.choice(FLOW)
        adventures: list[Callable[[], object]] = [
            lambda: system.run_round(name),  # noqa: B023 - called at once
            system.run_round,
            lambda: system.restart(name),  # noqa: B023
            lambda: system.down.symmetric_difference_update({name}),  # noqa: B023
        ]
        with contextlib.suppress(Killed):
            dice.choices(adventures, (8, 2, 2, 1))[0]()
        system.clock_offset_s += dice.choice([0, 1, 60])
    system.call = whole  # type: ignore[method-assign]
    system.down.clear()
    for name in FLOW:
        system.restart(name)
    system.drain()
    assert [case.id for case in V1 if not acted_once(case, pushed.fate(case))] == []
    assert system.queue.count() == system.dead_letters.count() == 0
