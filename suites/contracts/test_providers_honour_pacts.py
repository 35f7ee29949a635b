"""Each provider version against each consumer version, by Pact's official Verifier: 2 x 2 per pair."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.contracts.pact.consumer_tests import is_judged
from fixtures.contracts.pact.declarations import list_declarations
from fixtures.contracts.pact.expected_results import (
    EXPECTED,
    Expectation,
    judge_verification,
    read_cross_read_expectations,
    read_expectations,
)
from fixtures.contracts.pact.model import PactError
from fixtures.contracts.pact.verification import (
    InteractionProblem,
    Verification,
    VerifierProcess,
    verify_pact,
    verify_target,
)
from fixtures.core.topology import PROVIDERS
from fixtures.targets.client import Unreachable
from fixtures.targets.config import Deployment
from fixtures.targets.deployed import prepare_target
from fixtures.targets.rate_limit import RateLimiter
from fixtures.targets.target import Target, Unobservable
from suites.contracts.conftest import write_result
from suites.types import RaiseIfFound

TargetsOf = Callable[[str], dict[str, Target]]
UrlOf = Callable[[str, str], str]


@pytest.mark.needs("own-wire")
@pytest.mark.parametrize(
    ("provider", "expectation"),
    [pytest.param(pair.provider, pair, id=pair.id) for pair in read_expectations() if is_judged(pair.edge)],
)
def test_the_provider_honours_the_pact(
    raise_if_found: RaiseIfFound,
    verifier: VerifierProcess,
    targets_of: TargetsOf,
    verifications: Path,
    provider: str,
    expectation: Expectation,
) -> None:
    target = targets_of(expectation.provider_version)[provider]
    verification = verify_target(verifier, PROVIDERS[provider], expectation.consumer_version, target)
    declarations = list_declarations(expectation.edge, expectation.consumer_version)
    assert len(verification.verified) == len(declarations)
    write_result(verifications, expectation, (declarations, verification))
    raise_if_found(judge_verification(expectation, verification))


@pytest.mark.aside
def test_a_provider_that_remembers_can_be_verified_twice(
    verifier: VerifierProcess, targets_of: TargetsOf
) -> None:
    target = targets_of("after")["subscribers-errors"]
    first, second = (verify_target(verifier, target.provider, "after", target) for _ in range(2))
    assert second.failed == first.failed


EXPECTATIONS = {pair.id: pair for pair in read_expectations()}
HONOURED = EXPECTATIONS["events-proxy=after,directory-events-api=after"]
BROKEN = EXPECTATIONS["events-proxy=after,directory-events-api=before"]


def verification_with(
    expectation: Expectation, failing: set[str], *, unobserved: bool = False
) -> Verification:
    """A verification in which interactions that need these protocols fail."""
    declarations = list_declarations(expectation.edge, expectation.consumer_version)
    problems = tuple(
        InteractionProblem(
            declaration.description, "$.code", "Known", "Unknown", "not equal", unobserved=unobserved
        )
        for declaration in declarations
        if declaration.protocol in failing
    )
    return Verification(tuple(declaration.description for declaration in declarations), problems)


@pytest.mark.parametrize(
    ("expectation", "failing", "titles"),
    [
        pytest.param(HONOURED, set(), set(), id="honoured, as expected"),
        pytest.param(HONOURED, {"legacy"}, {"breaks its contract with"}, id="old codes break"),
        pytest.param(HONOURED, {"fcm_v1"}, {"breaks its contract with"}, id="new codes break"),
        pytest.param(BROKEN, {"fcm_v1"}, set(), id="broken, as expected"),
        pytest.param(
            BROKEN, set(), {"keeps, against expectation, its contract with"}, id="honoured after all"
        ),
        pytest.param(
            BROKEN, {"fcm_v1", "legacy"}, {"breaks its contract with"}, id="broken for another reason"
        ),
    ],
)
def test_what_contradicts_the_expectation_is_found(
    expectation: Expectation, failing: set[str], titles: set[str]
) -> None:
    findings = judge_verification(expectation, verification_with(expectation, failing))
    assert {finding.title.partition(" events-proxy")[0] for finding in findings} == titles
    assert all(finding.sent and finding.expected and finding.got for finding in findings)


def test_a_refused_state_is_no_finding() -> None:
    with pytest.raises(Unobservable, match="directory-events-api"):
        judge_verification(HONOURED, verification_with(HONOURED, {"fcm_v1"}, unobserved=True))
    assert judge_verification(BROKEN, verification_with(BROKEN, {"fcm_v1"}, unobserved=True)) == []


def test_a_silent_provider_is_known_at_once(verifier: VerifierProcess) -> None:
    deployment = Deployment("subscribers-errors", "http://127.0.0.1:9")
    target = prepare_target(deployment, RateLimiter(), PROVIDERS[deployment.name])
    with pytest.raises(Unreachable):
        verify_target(verifier, target.provider, "after", target)
    target.close()


@pytest.mark.parametrize("descriptions", [[], ["twin", "twin"]], ids=["no interaction", "twins"])
def test_an_empty_verification_is_no_answer(
    verifier: VerifierProcess, url_of: UrlOf, descriptions: list[str]
) -> None:
    url = url_of("subscribers-errors", "before")
    request, response = {"method": "GET", "path": "/nowhere"}, {"status": 404}
    pact = {
        "consumer": {"name": "a"},
        "provider": {"name": "b"},
        "interactions": [
            {"type": "Synchronous/HTTP", "description": text, "request": request, "response": response}
            for text in descriptions
        ],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    with pytest.raises(PactError, match="verification-incomplete"):
        verify_pact(verifier, json.dumps(pact), url, states=False)


@pytest.mark.aside
def test_a_verifier_that_dies_is_named_with_its_complaint_and_replaced(
    verifier: VerifierProcess, url_of: UrlOf, targets_of: TargetsOf
) -> None:
    url = url_of("subscribers-errors", "before")
    job = {"provider": "b", "pact": "no-such-file.json", "url": url, "transport": "http", "states_url": None}
    with pytest.raises(PactError, match=r"(?s)verification-incomplete.*no-such-file"):
        verifier.run(job)
    target = targets_of("before")["directory-responses"]
    assert verify_target(verifier, target.provider, "before", target).problems == ()


@pytest.mark.parametrize(
    ("old", "new", "slug"),
    [
        ('expected = "broken"', 'expected = "maybe"', "expectations-invalid"),
        ('protocol = "fcm_v1"', "", "expectations-invalid"),
        ('consumer_version = "after"', 'consumer_version = "before"', "expectations-incomplete"),
        ("[[verification]]", "[[verifications]]", "expectations-unreadable"),
        ('why = "This is what runs today."', "", "expectations-unreadable"),
    ],
)
def test_expectations_that_say_nothing_are_refused(tmp_path: Path, old: str, new: str, slug: str) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(EXPECTED.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(PactError, match=slug):
        read_expectations(path)


@pytest.mark.parametrize(
    ("old", "new", "slug"),
    [
        ('expected = "honoured"', 'expected = "honoured"\nbut = ["v1-text-*"]', "expectations-invalid"),
        ('provider = "events-proxy"', 'provider = "fcm"', "expectations-incomplete"),
        ("[[reading]]", "[[verification]]", "expectations-unreadable"),
    ],
)
def test_expected_readings_that_say_nothing_are_refused(
    tmp_path: Path, old: str, new: str, slug: str
) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(EXPECTED.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(PactError, match=slug):
        read_cross_read_expectations(path)
