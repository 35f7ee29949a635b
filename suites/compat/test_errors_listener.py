"""directory-errors-listener hands over every error event, and buries only what cannot be handled."""

import json
from itertools import chain

import pytest

from fixtures.checks.transit import every_event_is_handed_over
from fixtures.core.catalogue import Case, example_report, load_catalogue
from fixtures.generation.recordings import examples_for
from fixtures.generation.runner import batches_for_any
from suites.compat.parameters import each_trouble
from suites.types import Answers, Explore, IsolatedScenarioOf, RaiseIfFound

pytestmark = pytest.mark.catches(promise="handover")

# directory-events-api makes an event of each outcome but this one.
CASES = [case for case in load_catalogue().cases if case.outcome != "keep"]
EXAMPLES = [example_report(case) for case in CASES]
POISON = {"no JSON": '{"errors":', "no object": "[]", "an empty text": '""'}

at_listener = pytest.mark.parametrize("provider", ["directory-errors-listener"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@at_listener
def test_every_event_is_handed_over(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, case: Case
) -> None:
    scenario = isolated_scenario_of(provider)
    events = scenario.events(chain.from_iterable(examples_for(case)))
    raise_if_found(every_event_is_handed_over(scenario.hand_over_events(events)))


@at_listener
def test_any_event_is_handed_over(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, explore: Explore, provider: str
) -> None:
    scenario = isolated_scenario_of(provider)

    def judge(answers: Answers) -> None:
        batch = scenario.events(answers)
        raise_if_found(every_event_is_handed_over(scenario.hand_over_events(batch)), batch)

    explore(batches_for_any(CASES), judge)


@each_trouble
@at_listener
def test_an_event_comes_again_after_trouble(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, trouble: str
) -> None:
    scenario = isolated_scenario_of(provider)
    scenario.service.peer.troubles += [trouble] * 3
    situation = f"at the trouble {trouble!r}"
    raise_if_found(
        every_event_is_handed_over(scenario.hand_over_events(scenario.events(EXAMPLES), situation))
    )


@pytest.mark.parametrize("poison", POISON)
@at_listener
def test_an_unreadable_message_blocks_no_event(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str, poison: str
) -> None:
    scenario = isolated_scenario_of(provider)
    events = scenario.events(EXAMPLES)
    transit = scenario.hand_over_events(events, f"behind {poison}", [POISON[poison]] * 3)
    raise_if_found(every_event_is_handed_over(transit))


@at_listener
def test_an_event_that_always_fails_blocks_no_other(
    raise_if_found: RaiseIfFound, isolated_scenario_of: IsolatedScenarioOf, provider: str
) -> None:
    scenario = isolated_scenario_of(provider)
    bad, *rest = scenario.events(EXAMPLES)
    event_id = bad.payload["event_id"]
    scenario.service.peer.is_poison = lambda event: event.get("event_id") == event_id
    transit = scenario.hand_over_events(rest, "behind one that always fails", [json.dumps(bad.payload)])
    raise_if_found(every_event_is_handed_over(transit))
