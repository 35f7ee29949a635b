"""End to end: a push goes through eight services, and its subscriber ends as the catalogue says."""

from __future__ import annotations

from fixtures.catalogue import Case
from fixtures.pushes import example, mailings_in
from fixtures.topology import WORLDS
from fixtures.verdict import demand_none
from suites.compat.parameters import in_each_world
from suites.types import Explore, JourneyOf, Mailings


@in_each_world
def test_end_to_end(journey_of: JourneyOf, explore: Explore, world: str, case: Case) -> None:
    journey = journey_of(world)

    def judge(mailings: Mailings) -> None:
        demand_none(journey.findings(mailings))

    explore(mailings_in(WORLDS[world], case), judge, explicit=[example(WORLDS[world], case)])
