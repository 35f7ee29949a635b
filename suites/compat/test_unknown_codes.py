"""Unknown codes: what nobody knows yet alerts a person and touches no subscriber."""

from __future__ import annotations

from fixtures.core.catalogue import Case, load
from fixtures.generation import explicit_examples
from fixtures.generation.runner import answers_of
from fixtures.generation.strategies import misspelt
from suites.compat.parameters import at_each_provider, each_provider
from suites.types import Explore, TrialOf


@at_each_provider(case for case in load().cases if not case.known)
def test_unknown_codes(trial_of: TrialOf, explore: Explore, provider: str, case: Case) -> None:
    trial = trial_of(provider)
    explore(
        answers_of(case),
        lambda answers: trial.fresh(trial.entries(answers)),
        explicit=explicit_examples.of(case),
    )


@each_provider
def test_near_misses_of_known_codes_are_unknown(trial_of: TrialOf, provider: str) -> None:
    trial_of(provider).replay(misspelt())
