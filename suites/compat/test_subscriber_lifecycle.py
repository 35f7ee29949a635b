"""The life of a subscriber: whatever happens on the way, whoever must be active is, with the right token."""

from __future__ import annotations

import pytest

from fixtures.scenarios.lifecycle import life_in
from suites.types import Build, ExploreSteps


@pytest.mark.parametrize("world", ["all-after-legacy", "all-after-v1"])
def test_life_of_a_subscriber(explore_steps: ExploreSteps, build: Build, world: str) -> None:
    explore_steps(life_in(world, build), times=25)
