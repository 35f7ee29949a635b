"""Each provider version against each consumer version, by Pact's official Verifier: 2 x 2 per pair."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.contracts import Expectation, PactError, Verification, declared, expectations, judge, run_verifier
from fixtures.contracts.expectations import EXPECTED
from fixtures.contracts.verification import Problem
from fixtures.targets import Target, Unobservable
from fixtures.topology import PROVIDERS
from fixtures.verdict import demand_none

TargetsOf = Callable[[str], dict[str, Target]]


@pytest.mark.parametrize(
    ("provider", "expectation"), [pytest.param(one.provider, one, id=one.id) for one in expectations()]
)
def test_the_provider_honours_the_pact(targets_of: TargetsOf, provider: str, expectation: Expectation) -> None:
    target = targets_of(expectation.provider_version)[provider]
    found = run_verifier(PROVIDERS[provider], expectation.consumer_version, target)
    assert len(found.verified) == len(declared(provider, expectation.consumer_version))
    demand_none(judge(expectation, found))
