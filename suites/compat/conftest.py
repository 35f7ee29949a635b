"""Fixtures of the promises that take all services to keep."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

from fixtures.emulator.core import Emulator
from fixtures.pushes import Journey, emulated
from fixtures.system import System
from fixtures.topology import WORLDS


@pytest.fixture(scope="session")
def worlds() -> Callable[[str], Journey]:
    """Each world by its name, started when it is first asked for."""

    @functools.cache
    def of(name: str) -> Journey:
        world, fcm = WORLDS[name], Emulator()
        return Journey(name, world, System(lambda call: emulated(fcm, call), world.versions))

    return of


@pytest.fixture
def journey_of(
    request: pytest.FixtureRequest, worlds: Callable[[str], Journey]
) -> Iterator[Callable[[str], Journey]]:
    """A world to push through; its reports count."""
    used: list[tuple[Journey, int]] = []

    def of(name: str) -> Journey:
        journey = worlds(name)
        used.append((journey, journey.reports))
        return journey

    yield of
    reports = sum(journey.reports - before for journey, before in used)
    request.node.user_properties.append(("reports", reports))
