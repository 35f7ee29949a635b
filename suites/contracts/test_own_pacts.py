"""A deployment keeps the pacts that its targets file names, which take the place of ours."""

import itertools
import json

import pytest

from fixtures.contracts.pact.own_verification import (
    describe_verified,
    find_broken_interactions,
    verify_own_pact,
)
from fixtures.contracts.pact.verification import VerifierProcess
from fixtures.contracts.pact_probe import read_pacts
from fixtures.targets.config import Deployment
from suites.types import RaiseIfFound, TargetsOf


def test_the_deployment_keeps_its_own_pacts(
    request: pytest.FixtureRequest,
    raise_if_found: RaiseIfFound,
    verifier: VerifierProcess,
    targets_of: TargetsOf,
    deployed: dict[str, Deployment],
    provider: str,
) -> None:
    target, own_pacts = targets_of("after")[provider], deployed[provider].own_pacts
    assert own_pacts is not None
    pacts = read_pacts(own_pacts)
    verified = [(pact, verify_own_pact(verifier, target, own_pacts, pact)) for pact in pacts]
    assert verified
    request.node.user_properties.append(
        ("pacts", json.dumps(list(itertools.starmap(describe_verified, verified))))
    )
    raise_if_found(find_broken_interactions(provider, verified))
