"""Redelivery: the same again, late or out of order changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fixtures.checks.redelivery import is_stale, nothing_changes, states_are_equal
from fixtures.core.catalogue import example_report, instant, load
from fixtures.core.findings import raise_if_found
from fixtures.core.payloads import now
from fixtures.generation import explicit_examples
from fixtures.generation.runner import batches_of
from fixtures.generation.strategies import mixed
from suites.compat.parameters import each_provider
from suites.types import Answers, Explore, TrialOf

ANY_ANSWERS = batches_of(mixed(load().cases), most=25)
REACTOR = "subscribers-errors"


def example_of(outcome: str) -> dict[str, Any]:
    """An answer of the first case that ends so."""
    return next(example_report(case) for case in load().cases if case.outcome == outcome)


@each_provider
def test_the_same_batch_again_changes_nothing(trial_of: TrialOf, explore: Explore, provider: str) -> None:
    trial = trial_of(provider)

    def judge(answers: Answers) -> None:
        sent = trial.entries(answers)
        first = trial.fresh(sent)
        again = trial.post(sent)
        raise_if_found(nothing_changes(trial.provider, sent, first, again))

    explore(ANY_ANSWERS, judge, times=2, explicit=explicit_examples.found())


@each_provider
def test_twins_in_one_batch_count_once(trial_of: TrialOf, explore: Explore, provider: str) -> None:
    trial = trial_of(provider)

    def judge(answers: Answers) -> None:
        sent = trial.entries(answers)
        trial.subscribe(sent)
        doubled = trial.post([*sent, *reversed(sent)])
        raise_if_found(trial.effects(sent, doubled))
        raise_if_found(nothing_changes(trial.provider, sent, doubled, trial.post(sent)))

    explore(ANY_ANSWERS, judge, times=2, explicit=explicit_examples.found())


@pytest.mark.parametrize("provider", [REACTOR])
@pytest.mark.parametrize("again_with", ["the same token", "another token"])
def test_redelivery_leaves_a_resubscribed_user_alone(
    trial_of: TrialOf, explore: Explore, provider: str, again_with: str
) -> None:
    trial = trial_of(provider)
    token = {"the same token": None, "another token": "renewed"}[again_with]

    def judge(answers: Answers) -> None:
        sent = trial.entries(answers)
        trial.fresh(sent)
        trial.subscribe(sent, token=token, since=now() + timedelta(seconds=1))
        resubscribed = trial.look(sent)
        again = trial.post(sent)
        raise_if_found(nothing_changes(trial.provider, sent, resubscribed, again))

    explore(ANY_ANSWERS, judge, times=2, explicit=explicit_examples.found())


@pytest.mark.parametrize("provider", [REACTOR])
@pytest.mark.parametrize("reason", ["the token is another one", "the token is newer than the report"])
def test_stale_events_change_nothing(trial_of: TrialOf, explore: Explore, provider: str, reason: str) -> None:
    trial = trial_of(provider)
    ways: dict[str, dict[str, Any]] = {
        "the token is another one": {"token": "renewed"},
        "the token is newer than the report": {"since": now() + timedelta(days=1)},
    }
    subscribed = ways[reason]

    def judge(answers: Answers) -> None:
        sent = trial.entries(answers)
        trial.subscribe(sent, **subscribed)
        before = trial.look(sent)
        raise_if_found(is_stale(trial.provider, sent, before, trial.post(sent)))

    explore(ANY_ANSWERS, judge, times=2, explicit=explicit_examples.found())


@pytest.mark.parametrize("provider", [REACTOR])
def test_events_of_unknown_subscribers_are_stale(trial_of: TrialOf, explore: Explore, provider: str) -> None:
    trial = trial_of(provider)

    def judge(answers: Answers) -> None:
        sent = trial.entries(answers)
        before = trial.look(sent)
        raise_if_found(is_stale(trial.provider, sent, before, trial.post(sent)))

    explore(ANY_ANSWERS, judge, times=2, explicit=explicit_examples.found())


@pytest.mark.parametrize("provider", [REACTOR])
def test_nothing_resubscribes_a_dead_device(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    sent = trial.entries([example_of("unsubscribe")] * len(load().cases))
    unsubscribed = trial.fresh(sent)
    later = trial.entries(example_report(case) for case in load().cases)
    trial.post(trial.for_subscribers_of(later, sent))
    raise_if_found(states_are_equal(trial.provider, sent, unsubscribed, trial.look(sent), "a later report"))


@pytest.mark.parametrize("provider", [REACTOR])
def test_a_postponement_never_shortens(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    long, short = ({**example_of("postpone"), "retry_after": seconds} for seconds in ("7200", "30"))
    sent = trial.entries([long])
    postponed = trial.fresh(sent)
    trial.post(trial.for_subscribers_of(trial.entries([short]), sent))
    raise_if_found(states_are_equal(trial.provider, sent, postponed, trial.look(sent), "a shorter wait"))


@pytest.mark.parametrize("provider", [REACTOR])
def test_an_event_as_old_as_the_token_is_not_stale(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    sent = trial.entries(example_report(case) for case in load().cases)
    trial.subscribe(sent, since=instant(sent[0].payload["sent_at"]))
    raise_if_found(trial.effects(sent, trial.post(sent)))


@pytest.mark.parametrize("provider", [REACTOR])
def test_a_dead_device_waits_no_more(trial_of: TrialOf, provider: str) -> None:
    trial = trial_of(provider)
    sent = trial.entries([example_of("postpone")])
    trial.fresh(sent)
    gone = trial.for_subscribers_of(trial.entries([example_of("unsubscribe")]), sent)
    raise_if_found(trial.effects(gone, trial.post(gone)))
