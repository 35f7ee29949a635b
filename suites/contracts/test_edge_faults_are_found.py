"""The contracts bite: each fault at an edge that the gate does not judge is found, and where it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.contracts import Expectation, expectations, judge
from fixtures.contracts.cores import Core, core
from fixtures.contracts.expectations import expected_readings
from fixtures.contracts.message_proxy import verify_writer
from fixtures.contracts.readings import readings
from fixtures.contracts.serving import serving, serving_core
from fixtures.contracts.verification import verification_at
from fixtures.edge_faults import EDGE_FAULTS
from fixtures.emulator import book, legacy
from fixtures.faults import Fault
from fixtures.topology import EDGES, edge
from fixtures.verdict import Finding

pytestmark = pytest.mark.aside
SENDER_FCM = edge("go-sender", "fcm")
MULTICAST = legacy.multicast


def cores_of(pair: Expectation, fault: Fault) -> tuple[Core, Core]:
    """Both ends of a pair, the faulty one with its fault."""
    ends = ((pair.consumer, pair.consumer_version), (pair.provider, pair.provider_version))
    first, second = (
        Core(fault.seeded()) if (name, version) == (fault.service, "after") else core(name, version)
        for name, version in ends
    )
    return first, second


def by_pact(pair: Expectation, fault: Fault) -> list[Finding]:
    """What the pact of a pair says of the faulty provider."""
    if pair.edge.kind == "http":
        with serving_core(cores_of(pair, fault)[1]) as url:
            return judge(pair, verification_at(pair.edge, pair.consumer_version, url))
    return judge(
        pair, verify_writer(pair.edge, pair.consumer_version, lambda: Core(cores_of(pair, fault)[1].service))
    )


def by_reading(pair: Expectation, fault: Fault) -> list[Finding]:
    """What a reading says of a pair with the fault."""
    written, found = readings(pair.edge, *cores_of(pair, fault))
    return judge(pair, found, written)


def findings_of(fault: Fault) -> Iterator[tuple[str, Finding]]:
    """By edge, all that the contracts find of a fault; HTTP edges with the fault at their provider."""
    judged = [one for one in EDGES if one.kind == "http" and one.provider == "directory-events-api"]
    for pair in expectations():
        if (pair.provider, pair.provider_version) == (fault.service, "after") and pair.edge not in judged:
            yield from ((f"pact {pair.id}", finding) for finding in by_pact(pair, fault))
    for pair in expected_readings():
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


@pytest.mark.parametrize("fault", EDGE_FAULTS, ids=lambda fault: fault.name)
def test_the_fault_is_found_where_it_is(fault: Fault) -> None:
    found = list(findings_of(fault))
    assert {where for where, _ in found} == WHERE[fault.name]
    assert all(finding.sent and finding.expected and finding.got for _, finding in found)


@pytest.mark.parametrize(
    ("version", "module", "name", "wrong", "failing"),
    [
        pytest.param(
            "before",
            legacy,
            "multicast",
            lambda results, number: MULTICAST(results[::-1], number),
            "a push to several devices, answered in their order",
            id="results-in-another-order",
        ),
        pytest.param(
            "after",
            book,
            "BOOK",
            {**book.BOOK, "v1-UNREGISTERED": book.BOOK["v1-bare-404"]},
            "a push that ends as v1-UNREGISTERED",
            id="a-dead-device-without-details",
        ),
        pytest.param(
            "after",
            book,
            "BOOK",
            {**book.BOOK, "v1-bare-429": book.BOOK["v1-bare-408"]},
            "a push that ends as v1-bare-429",
            id="another-status",
        ),
    ],
)
def test_an_fcm_that_answers_otherwise_is_found(
    monkeypatch: pytest.MonkeyPatch, version: str, module: Any, name: str, wrong: Any, failing: str
) -> None:
    monkeypatch.setattr(module, name, wrong)
    with serving("fcm", "emulator") as url:
        assert verification_at(SENDER_FCM, version, url).failed == {failing}
