"""subscribers-postponed holds a subscriber back until its time, and not longer."""

from collections.abc import Sequence
from itertools import chain

import pytest

from fixtures.checks.postponements import (
    Postponements,
    every_due_subscriber_comes_back,
    no_postponement_ends_early,
)
from fixtures.core.catalogue import Case, load_catalogue
from fixtures.platform.isolated_service import KILLS
from suites.compat.parameters import each_trouble
from suites.types import IsolatedScenarioOf, RaiseIfFound

pytestmark = pytest.mark.catches(promise="postponing")

CASES = [case for case in load_catalogue().cases if case.outcome == "postpone"]
REASON = CASES[0].code
# In units of the service's clock, in the order in which the postponements are asked for.
WAITS = {
    "a shorter one": (3, 1),
    "a longer one": (1, 3),
    "shorter ones": (4, 1, 2),
    "the same one": (2, 2),
}

at_postponed = pytest.mark.parametrize("provider", ["subscribers-postponed"])


def judge(raise_if_found: RaiseIfFound, postponements: Postponements) -> None:
    raise_if_found(
        chain(no_postponement_ends_early(postponements), every_due_subscriber_comes_back(postponements))
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@at_postponed
def test_every_reason_holds_back(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, case: Case
) -> None:
    judge(raise_if_found, isolated_scenario_of(provider).postpone(case.code, 1, case=case.id))


@pytest.mark.parametrize("later", WAITS)
@at_postponed
def test_a_later_postponement_shortens_none(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, later: str
) -> None:
    waits: Sequence[float] = WAITS[later]
    postponements = isolated_scenario_of(provider).postpone(REASON, *waits, situation=f"after {later}")
    judge(raise_if_found, postponements)


@each_trouble
@at_postponed
def test_an_end_is_told_after_trouble(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, trouble: str
) -> None:
    scenario = isolated_scenario_of(provider)
    scenario.service.peer.troubles += [trouble] * 3
    situation = f"at the trouble {trouble!r}"
    judge(raise_if_found, scenario.postpone(REASON, 1, situation=situation, restart=trouble in KILLS))
