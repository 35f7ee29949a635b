"""The life of a subscriber: whatever happens on the way, whoever must be active is, with the right token."""

from __future__ import annotations

import pytest

from fixtures.scenarios.lifecycle import machine_for
from suites.types import Build, ExploreSteps, RaiseIfFound


@pytest.mark.parametrize("world", ["all-after-legacy", "all-after-v1"])
def test_life_of_a_subscriber(
    raise_if_found: RaiseIfFound, explore_steps: ExploreSteps, build: Build, world: str
) -> None:
    explore_steps(machine_for(world, build, raise_if_found), times=25)
