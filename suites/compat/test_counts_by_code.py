"""Counts by code: what directory-responses sums up is what was reported."""

from __future__ import annotations

from fixtures.checks.effects import counts_are_complete
from fixtures.core.catalogue import example_report, load
from fixtures.core.findings import raise_if_found
from suites.types import TrialOf

PROVIDER = "directory-responses"


def test_counts_by_code(trial_of: TrialOf) -> None:
    trial = trial_of(PROVIDER)
    own_app = {"firebase_app": trial.identities.next()[0]}
    sent = trial.entries({**example_report(case), **own_app} for case in load().cases)
    trial.fresh(sent)
    trial.post(sent)
    answer = trial.target.request("GET", f"/v1/responses/summary?firebase_app={own_app['firebase_app']}")
    raise_if_found(counts_are_complete(trial.provider, sent, answer))
