"""Whatever happens to subscribers and services, every subscriber ends active or not as it must."""

import functools

import pytest

from fixtures.scenarios.lifecycle import SubscriberLifecycle
from suites.types import Build, ExploreSteps, RaiseIfFound

pytestmark = pytest.mark.catches(promise="lifecycle")


@pytest.mark.parametrize("mix", ["all-after-legacy", "all-after-v1"])
def test_life_of_a_subscriber(
    raise_if_found: RaiseIfFound, explore_steps: ExploreSteps, build: Build, mix: str
) -> None:
    explore_steps(functools.partial(SubscriberLifecycle, mix, build, raise_if_found), times=25)
