"""End to end: a push goes through eight services, and its subscriber ends as the catalogue says."""

from __future__ import annotations

import pytest

from fixtures.core.catalogue import Case
from fixtures.core.findings import raise_if_found
from fixtures.core.topology import WORLDS
from fixtures.scenarios.end_to_end import traffic_in
from suites.compat.parameters import in_each_world
from suites.types import Explore, FindingsOf, JourneyOf, Mailings


@in_each_world
def test_end_to_end(findings_of: FindingsOf, world: str, case: Case) -> None:
    raise_if_found(finding for finding in findings_of(world) if finding.case in (case.id, None))


@pytest.mark.process
@pytest.mark.parametrize("world", WORLDS)
def test_any_traffic(journey_of: JourneyOf, explore: Explore, world: str) -> None:
    journey = journey_of(world)

    def judge(mailings: Mailings) -> None:
        raise_if_found(journey.findings(mailings))

    explore(traffic_in(WORLDS[world]), judge, times=2)
