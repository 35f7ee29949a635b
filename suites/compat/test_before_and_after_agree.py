"""Before and after agree on every legacy report: the release changes nothing for old senders."""

from __future__ import annotations

from fixtures.checks.agreement import versions_agree
from fixtures.core.catalogue import Case, load
from fixtures.core.findings import raise_if_found
from fixtures.generation import explicit_examples
from fixtures.generation.runner import answers_of
from suites.compat.parameters import at_each_provider
from suites.types import Answers, Explore, TrialOf


@at_each_provider(load().of("legacy"))
def test_before_and_after_agree(trial_of: TrialOf, explore: Explore, provider: str, case: Case) -> None:
    before, after = trial_of(provider, "before"), trial_of(provider, "after")

    def judge(answers: Answers) -> None:
        sent = after.entries(answers)
        for version in (before, after):
            version.subscribe(sent)
        raise_if_found(versions_agree(after.provider, sent, before.post(sent), after.post(sent)))

    explore(answers_of(case), judge, explicit=explicit_examples.of(case))
