"""The contracts bite: each fault at an edge that the gate does not judge is found, and where it is."""

from collections.abc import Iterator

import pytest

from fixtures.contracts import Expectation, judge_cross_read, judge_verification
from fixtures.contracts.pact.cross_reads import cross_read
from fixtures.contracts.pact.expected_results import read_cross_read_expectations, read_expectations
from fixtures.contracts.pact.message_proxy import verify_writer
from fixtures.contracts.pact.provider_server import serve_driver, serve_provider
from fixtures.contracts.pact.service_driver import ServiceDriver, drive_service
from fixtures.contracts.pact.verification import verify_url
from fixtures.core.findings import Finding
from fixtures.core.topology import edge
from fixtures.faults import Fault, named
from fixtures.platform.fcm import canned_answers, legacy

pytestmark = pytest.mark.aside


def cores_of(pair: Expectation, fault: Fault) -> tuple[ServiceDriver, ServiceDriver]:
    """Both ends of a pair, the faulty one with its fault."""
    ends = ((pair.consumer, pair.consumer_version), (pair.provider, pair.provider_version))
    first, second = (
        ServiceDriver(fault.seeded())
        if (name, version) == (fault.service, "after")
        else drive_service(name, version)
        for name, version in ends
    )
    return first, second


def by_pact(pair: Expectation, fault: Fault) -> list[Finding]:
    """What the pact of a pair says of the faulty provider."""
    if pair.edge.kind == "http":
        with serve_driver(cores_of(pair, fault)[1]) as url:
            return judge_verification(pair, verify_url(pair.edge, pair.consumer_version, url))
    return judge_verification(
        pair, verify_writer(pair.edge, pair.consumer_version, lambda: cores_of(pair, fault)[1])
    )


def by_reading(pair: Expectation, fault: Fault) -> list[Finding]:
    """What a reading says of a pair with the fault."""
    written, found = cross_read(pair.edge, *cores_of(pair, fault))
    return judge_cross_read(pair, found, written)


def findings_of(fault: Fault) -> Iterator[tuple[str, Finding]]:
    """All that the contracts of every edge find of a fault, by where they find it."""
    for pair in read_expectations():
        if (pair.provider, pair.provider_version) == (fault.service, "after"):
            yield from ((f"pact {pair.id}", finding) for finding in by_pact(pair, fault))
    for pair in read_cross_read_expectations():
        ends = ((pair.consumer, pair.consumer_version), (pair.provider, pair.provider_version))
        if (fault.service, "after") in ends:
            yield from ((f"reading {pair.id}", finding) for finding in by_reading(pair, fault))


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
def test_the_fault_is_found_where_it_is(name: str) -> None:
    found = list(findings_of(named(name)))
    assert {where for where, _ in found} == WHERE[name]
    assert all(finding.sent and finding.expected and finding.got for _, finding in found)


def test_results_in_another_order_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = legacy.multicast
    monkeypatch.setattr(legacy, "multicast", lambda results, number: right(results[::-1], number))
    assert failing_at_fcm("before") == {"a push to several devices, answered in their order"}


@pytest.mark.parametrize(
    ("case", "instead"),
    [
        pytest.param("v1-UNREGISTERED", "v1-bare-404", id="a dead device without details"),
        pytest.param("v1-bare-429", "v1-bare-408", id="another status"),
        pytest.param("v1-INVALID_ARGUMENT-token-text", "v1-INVALID_ARGUMENT-payload", id="another text"),
    ],
)
def test_another_answer_of_fcm_is_found(monkeypatch: pytest.MonkeyPatch, case: str, instead: str) -> None:
    monkeypatch.setattr(
        canned_answers, "ANSWERS", {**canned_answers.ANSWERS, case: canned_answers.ANSWERS[instead]}
    )
    assert failing_at_fcm("after") == {f"a push that ends as {case}"}


def failing_at_fcm(version: str) -> frozenset[str]:
    """The interactions of a sender that fail at the emulator."""
    with serve_provider("fcm", "emulator") as url:
        return verify_url(edge("go-sender", "fcm"), version, url).failed
