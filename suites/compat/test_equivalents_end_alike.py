"""The same dead device ends the same way, whichever protocol reported it."""

from __future__ import annotations

import hypothesis.strategies as st

from fixtures.checks.agreement import equivalents_end_alike
from fixtures.core.catalogue import Case, load
from fixtures.core.findings import raise_if_found
from fixtures.generation.runner import batches_of
from fixtures.generation.strategies import answers, mixed
from suites.compat.parameters import at_each_provider
from suites.types import Explore, Pairs, TrialOf


@at_each_provider(case for case in load().of("fcm_v1") if case.legacy_equivalent)
def test_equivalents_end_alike(trial_of: TrialOf, explore: Explore, provider: str, case: Case) -> None:
    trial = trial_of(provider)
    old_cases = [load()[name] for name in case.legacy_equivalent]

    def judge(pairs: Pairs) -> None:
        legacy = trial.entries(old for old, _ in pairs)
        v1 = trial.entries(new for _, new in pairs)
        trial.subscribe([*legacy, *v1])
        outcome = trial.post([*legacy, *v1])
        raise_if_found(equivalents_end_alike(trial.provider, legacy, v1, outcome))

    explore(batches_of(st.tuples(mixed(old_cases), answers(case)), most=9), judge)
