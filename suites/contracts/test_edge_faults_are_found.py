"""The contracts find each fault at an edge that the gate does not judge, and find it where it is."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from fixtures.contracts.pact.cross_reads import cross_read
from fixtures.contracts.pact.expected_results import (
    Expectation,
    judge_verification,
    read_cross_read_expectations,
    read_expectations,
)
from fixtures.contracts.pact.servers import serve_providers, serve_writer
from fixtures.contracts.pact.service_driver import ServiceDriver, drive_service
from fixtures.contracts.pact.verification import VerifierProcess, verify_url
from fixtures.core.findings import Finding
from fixtures.core.topology import find_edge
from fixtures.faults import Fault, find_fault
from fixtures.platform.asgi_server import AsgiServers
from fixtures.platform.fcm import canned_answers, legacy
from fixtures.services.asgi import application

pytestmark = pytest.mark.aside


def drive_with_fault(fault: Fault, name: str, version: str) -> ServiceDriver:
    """A service of a version; it has the fault if the fault belongs to it."""
    if (name, version) == (fault.service, "after"):
        return ServiceDriver(fault.load_faulty())
    return drive_service(name, version)


def verify_with_fault(verifier: VerifierProcess, pair: Expectation, fault: Fault) -> list[Finding]:
    def make_provider() -> ServiceDriver:
        return drive_with_fault(fault, pair.provider, pair.provider_version)

    if pair.edge.kind == "http":
        provider = make_provider()
        with closing(AsgiServers()) as servers:
            url = servers.start(application(provider.service, provider.store))
            verification = verify_url(verifier, pair.edge, pair.consumer_version, url)
    else:
        with serve_writer(make_provider) as url:
            verification = verify_url(verifier, pair.edge, pair.consumer_version, url)
    return judge_verification(pair, verification)


def cross_read_with_fault(pair: Expectation, fault: Fault) -> list[Finding]:
    consumer = drive_with_fault(fault, pair.consumer, pair.consumer_version)
    provider = drive_with_fault(fault, pair.provider, pair.provider_version)
    written, verification = cross_read(pair.edge, consumer, provider)
    return judge_verification(pair, verification, written)


def findings_of(verifier: VerifierProcess, fault: Fault) -> Iterator[tuple[str, Finding]]:
    """All findings of the contracts of every edge, each with the name of its pair."""
    for pair in read_expectations():
        if (pair.provider, pair.provider_version) == (fault.service, "after"):
            findings = verify_with_fault(verifier, pair, fault)
            yield from ((f"pact {pair.id}", finding) for finding in findings)
    for pair in read_cross_read_expectations():
        ends = ((pair.consumer, pair.consumer_version), (pair.provider, pair.provider_version))
        if (fault.service, "after") in ends:
            findings = cross_read_with_fault(pair, fault)
            yield from ((f"reading {pair.id}", finding) for finding in findings)


WHERE = {
    "record-without-legacy": {
        "pact go-sender=before,directory-messages=after",
        "reading go-sender=before,directory-messages=after",
        "reading go-sender=after,directory-messages=after",
    },
    "numbers-in-v1-data": {"pact go-sender=after,directory-messages=after"},
    "event-without-code": {
        f"{kind} directory-errors-listener={version},directory-events-api=after"
        for kind in ("pact", "reading")
        for version in ("before", "after")
    },
    "listener-wants-a-word": {"reading directory-errors-listener=after,directory-events-api=after"},
    "proxy-copies-ten-members": {"reading go-sender=after,events-proxy=after"},
    "new-reasons-refused": {"pact subscribers-errors=after,subscribers-postponed=after"},
}


@pytest.mark.parametrize("name", WHERE)
def test_the_fault_is_found_where_it_is(verifier: VerifierProcess, name: str) -> None:
    findings = list(findings_of(verifier, find_fault(name)))
    assert {pair for pair, _ in findings} == WHERE[name]
    assert all(finding.sent and finding.expected and finding.got for _, finding in findings)


def test_results_in_another_order_are_found(
    verifier: VerifierProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = legacy.multicast
    monkeypatch.setattr(legacy, "multicast", lambda results, number: original(results[::-1], number))
    assert failing_at_fcm(verifier, "before") == {"a push to several devices, answered in their order"}


@pytest.mark.parametrize(
    ("case", "instead"),
    [
        pytest.param("v1-UNREGISTERED", "v1-bare-404", id="a dead device without details"),
        pytest.param("v1-bare-429", "v1-bare-408", id="another status"),
        pytest.param("v1-INVALID_ARGUMENT-token-text", "v1-INVALID_ARGUMENT-payload", id="another text"),
    ],
)
def test_another_answer_of_fcm_is_found(
    verifier: VerifierProcess, monkeypatch: pytest.MonkeyPatch, case: str, instead: str
) -> None:
    monkeypatch.setattr(
        canned_answers, "ANSWERS", {**canned_answers.ANSWERS, case: canned_answers.ANSWERS[instead]}
    )
    assert failing_at_fcm(verifier, "after") == {f"a push that ends as {case}"}


def failing_at_fcm(verifier: VerifierProcess, version: str) -> frozenset[str]:
    """The interactions of a sender that fail at the emulator."""
    with serve_providers() as serve:
        url = serve("fcm", "emulator")
        return verify_url(verifier, find_edge("go-sender", "fcm"), version, url).failed
