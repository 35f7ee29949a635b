"""Old codes still unsubscribe: every legacy case ends as it always did."""

from __future__ import annotations

from fixtures.core.catalogue import Case, load
from fixtures.generation import explicit_examples
from fixtures.generation.runner import answers_of
from suites.compat.parameters import at_each_provider
from suites.types import Explore, TrialOf


@at_each_provider(case for case in load().of("legacy") if case.known)
def test_old_codes_still_unsubscribe(trial_of: TrialOf, explore: Explore, provider: str, case: Case) -> None:
    trial = trial_of(provider)
    explore(
        answers_of(case),
        lambda answers: trial.fresh(trial.entries(answers)),
        explicit=explicit_examples.of(case),
    )
