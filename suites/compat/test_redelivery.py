"""Reports and events that come again, late or out of order change nothing."""

from datetime import timedelta
from typing import Any

import pytest

from fixtures.checks.effects import each_report_has_its_effect
from fixtures.checks.redelivery import nothing_changes, stale_events_change_nothing, states_are_equal
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.times import utc_now
from fixtures.generation.recordings import found_examples
from fixtures.generation.runner import batches_for_any
from fixtures.scenarios.provider import ProviderScenario, redirect
from suites.compat.parameters import each_provider
from suites.types import Answer, Answers, Explore, RaiseIfFound, ScenarioOf

pytestmark = [pytest.mark.catches(promise="redelivery"), pytest.mark.needs("redelivery")]

ANY_ANSWERS = batches_for_any(load_catalogue().cases, most=25)
REACTOR = "subscribers-errors"


def example_of(scenario: ProviderScenario, outcome: str) -> Answer:
    """The example of the first case with an outcome, in a protocol that the provider is judged on."""
    cases = scenario.catalogue.cases
    return scenario.select(example_report(case) for case in cases if case.outcome == outcome)[0]


@each_provider
def test_the_same_batch_again_changes_nothing(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, explore: Explore, provider: str
) -> None:
    scenario = scenario_of(provider)

    def judge(answers: Answers) -> None:
        batch = scenario.entries(answers)
        first = scenario.assert_handled(batch)
        second = scenario.deliver(batch)
        raise_if_found(nothing_changes(scenario.provider, batch, first, second), batch)

    explore(ANY_ANSWERS, judge, times=2, explicit=found_examples())


@each_provider
def test_twins_in_one_batch_count_once(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, explore: Explore, provider: str
) -> None:
    scenario = scenario_of(provider)

    def judge(answers: Answers) -> None:
        batch = scenario.entries(answers)
        scenario.subscribe(batch)
        doubled = scenario.deliver([*batch, *reversed(batch)])
        raise_if_found(each_report_has_its_effect(scenario.provider, batch, doubled), batch)
        raise_if_found(nothing_changes(scenario.provider, batch, doubled, scenario.deliver(batch)), batch)

    explore(ANY_ANSWERS, judge, times=2, explicit=found_examples())


@pytest.mark.parametrize("provider", [REACTOR])
@pytest.mark.parametrize("again_with", ["the same token", "another token", "the same old token"])
def test_redelivery_leaves_a_resubscribed_user_alone(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, explore: Explore, provider: str, again_with: str
) -> None:
    scenario = scenario_of(provider)
    token = "renewed" if again_with == "another token" else None

    def judge(answers: Answers) -> None:
        batch = scenario.entries(answers)
        scenario.assert_handled(batch)
        # A token from before the event is not stale: only the event's id tells that it was handled.
        is_old = again_with == "the same old token"
        # Later than any drawn report, as a sender's clock may be ahead.
        since = None if is_old else utc_now() + timedelta(seconds=10)
        scenario.subscribe(batch, token=token, since=since)
        resubscribed = scenario.observe(batch)
        second = scenario.deliver(batch)
        raise_if_found(nothing_changes(scenario.provider, batch, resubscribed, second), batch)

    explore(ANY_ANSWERS, judge, times=2, explicit=found_examples())


@pytest.mark.parametrize("provider", [REACTOR])
@pytest.mark.parametrize("reason", ["the token is another one", "the token is newer than the report"])
def test_stale_events_change_nothing(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, explore: Explore, provider: str, reason: str
) -> None:
    scenario = scenario_of(provider)
    subscription: dict[str, Any] = {"token": "renewed"}
    if reason == "the token is newer than the report":
        subscription = {"since": utc_now() + timedelta(days=1)}

    def judge(answers: Answers) -> None:
        batch = scenario.entries(answers)
        scenario.subscribe(batch, **subscription)
        before = scenario.observe(batch)
        after = scenario.deliver(batch)
        raise_if_found(stale_events_change_nothing(scenario.provider, batch, before, after), batch)

    explore(ANY_ANSWERS, judge, times=2, explicit=found_examples())


@pytest.mark.parametrize("provider", [REACTOR])
def test_events_of_unknown_subscribers_are_stale(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, explore: Explore, provider: str
) -> None:
    scenario = scenario_of(provider)

    def judge(answers: Answers) -> None:
        batch = scenario.entries(answers)
        before = scenario.observe(batch)
        after = scenario.deliver(batch)
        raise_if_found(stale_events_change_nothing(scenario.provider, batch, before, after), batch)

    explore(ANY_ANSWERS, judge, times=2, explicit=found_examples())


@pytest.mark.needs("unsubscribe")
@pytest.mark.parametrize("provider", [REACTOR])
def test_nothing_resubscribes_a_dead_device(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str
) -> None:
    scenario = scenario_of(provider)
    later = scenario.entries(example_report(case) for case in load_catalogue().cases)
    batch = scenario.entries([example_of(scenario, "unsubscribe")] * len(later))
    unsubscribed = scenario.assert_handled(batch)
    scenario.deliver(redirect(later, batch))
    raise_if_found(
        states_are_equal(scenario.provider, batch, unsubscribed, scenario.observe(batch), "a later report")
    )


@pytest.mark.needs("postpone", "waits")
@pytest.mark.parametrize("provider", [REACTOR])
def test_a_postponement_never_shortens(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str
) -> None:
    scenario = scenario_of(provider)
    long, short = ({**example_of(scenario, "postpone"), "retry_after": seconds} for seconds in ("7200", "30"))
    batch = scenario.entries([long])
    postponed = scenario.assert_handled(batch)
    scenario.deliver(redirect(scenario.entries([short]), batch))
    raise_if_found(
        states_are_equal(scenario.provider, batch, postponed, scenario.observe(batch), "a shorter wait")
    )


@pytest.mark.parametrize("provider", [REACTOR])
def test_an_event_as_old_as_the_token_is_not_stale(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str
) -> None:
    scenario = scenario_of(provider)
    batch = scenario.entries(example_report(case) for case in load_catalogue().cases)
    scenario.subscribe(batch, age=timedelta(0))
    raise_if_found(each_report_has_its_effect(scenario.provider, batch, scenario.deliver(batch)))


@pytest.mark.needs("postpone", "unsubscribe")
@pytest.mark.parametrize("provider", [REACTOR])
def test_a_dead_device_waits_no_more(
    raise_if_found: RaiseIfFound, scenario_of: ScenarioOf, provider: str
) -> None:
    scenario = scenario_of(provider)
    batch = scenario.entries([example_of(scenario, "postpone")])
    scenario.assert_handled(batch)
    gone = redirect(scenario.entries([example_of(scenario, "unsubscribe")]), batch)
    raise_if_found(each_report_has_its_effect(scenario.provider, gone, scenario.deliver(gone)))
