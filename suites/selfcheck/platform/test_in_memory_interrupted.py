"""Services stop at random: no push is lost, and no error is acted upon twice."""

import contextlib
import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from fixtures.core.catalogue import load_catalogue
from fixtures.core.topology import FLOW, version_map
from fixtures.platform.in_memory import InMemoryPlatform
from fixtures.services.events import CallAnswer, CallFailure, ServiceCall
from suites.selfcheck.platform.pushes import PushedCases, acted_once

V1 = load_catalogue().of_protocol("fcm_v1")


class Killed(Exception):
    """The calling process ended before the call was sent, or before the answer arrived."""


def make_calls_unreliable(platform: InMemoryPlatform, dice: random.Random) -> None:
    reliable = platform.call

    def call_or_die(calls: Iterable[ServiceCall]) -> Iterator[tuple[ServiceCall, CallAnswer | CallFailure]]:
        for call in calls:
            if dice.random() < 0.05:
                raise Killed
            ((_, answer),) = reliable([call])
            if dice.random() < 0.05:
                raise Killed
            yield call, answer

    platform.call = call_or_die  # type: ignore[method-assign]


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_whatever_stops_whenever(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same steps every time
    pushes = PushedCases(version_map("after"), ())
    for case in V1:
        pushes.push(case)
    platform = pushes.platform
    reliable_call = platform.call
    make_calls_unreliable(platform, dice)
    for _ in range(150):
        name = dice.choice(FLOW)
        steps: list[Callable[[], object]] = [
            lambda: platform.run_round(name),  # noqa: B023 - called at once
            platform.run_round,
            lambda: platform.restart(name),  # noqa: B023
            lambda: platform.down.symmetric_difference_update({name}),  # noqa: B023
        ]
        with contextlib.suppress(Killed):
            dice.choices(steps, (8, 2, 2, 1))[0]()
        platform.clock_offset_s += dice.choice([0, 1, 60])
    platform.call = reliable_call  # type: ignore[method-assign]
    platform.down.clear()
    for name in FLOW:
        platform.restart(name)
    platform.drain()
    assert [case.id for case in V1 if not acted_once(case, pushes.result(case))] == []
    assert platform.queue.count() == platform.dead_letters.count() == 0
