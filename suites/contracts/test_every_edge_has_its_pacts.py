"""Every edge of the system has its pacts, and all versions at its ends are verified with each other."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.contracts.pact.consumer_tests import is_judged
from fixtures.contracts.pact.cross_reads import cross_read
from fixtures.contracts.pact.declarations import list_declarations
from fixtures.contracts.pact.expected_results import (
    Expectation,
    judge_verification,
    read_cross_read_expectations,
    read_expectations,
)
from fixtures.contracts.pact.model import PACTS, Declaration, first_case, pact_path
from fixtures.contracts.pact.servers import serve_writer
from fixtures.contracts.pact.service_driver import drive_service
from fixtures.contracts.pact.verification import (
    InteractionProblem,
    Verification,
    VerifierProcess,
    verify_url,
)
from fixtures.core import schemas
from fixtures.core.catalogue import example_report
from fixtures.core.topology import EDGES, EMULATED_SERVICES, FLOW, VERSIONS, find_edge, get_version_number
from fixtures.platform.in_memory import InMemoryPlatform, scripted_fcm
from suites.contracts.conftest import write_result
from suites.types import RaiseIfFound

UrlOf = Callable[[str, str], str]
UNJUDGED_PAIRS = [pair for pair in read_expectations() if not is_judged(pair.edge)]
CROSS_READS = {pair.id: pair for pair in read_cross_read_expectations()}
DAY_S = 86_400


class RecordingEnvironment:
    """The environment of one service; it records the container, the queue and the services that it uses."""

    def __init__(self, environment: Any, name: str, uses: set[tuple[str, str]]) -> None:
        self._environment, self._name, self._uses = environment, name, uses

    def __getattr__(self, name: str) -> Any:
        if name in ("container", "queue"):
            self._uses.add((self._name, name))
        return getattr(self._environment, name)

    def call(self, calls: Any) -> Any:
        calls = list(calls)
        self._uses.update((self._name, call.to) for call in calls)
        return self._environment.call(calls)


def record_uses() -> set[tuple[str, str]]:
    """The services, container and queue that each service uses, from a push to the end of a postponement."""
    uses: set[tuple[str, str]] = set()
    system = InMemoryPlatform(scripted_fcm({"token": example_report(first_case("fcm_v1", "postpone"))}))
    for name, runner in system.runners.items():
        system.runners[name] = replace(runner, environment=RecordingEnvironment(system, name, uses))
    device = {"subscriber_id": "00000000-0000-4000-8000-00000000000a", "token": "token"}
    since = {"token_since": "2025-12-31T00:00:00Z", "firebase_app": system.firebase_apps[0]}
    system.subscribe([device | since])
    system.push({}, [device])
    system.drain()
    system.clock_offset_s += DAY_S
    system.drain()
    return uses


def test_the_edges_are_all_that_services_turn_to() -> None:
    by_http = {(edge.consumer, edge.provider) for edge in EDGES if edge.kind == "http"}
    by_message = {
        (end, edge.kind) for edge in EDGES if edge.kind != "http" for end in (edge.consumer, edge.provider)
    }
    assert record_uses() == by_http | by_message


def test_every_service_stands_at_an_edge() -> None:
    assert {end for edge in EDGES for end in (edge.consumer, edge.provider)} == {*FLOW, "fcm"}


def test_every_edge_has_its_pacts_and_there_are_no_others() -> None:
    paths = [pact_path(edge, version) for edge in EDGES for version in VERSIONS]
    assert sorted(paths) == sorted(PACTS.glob("*/*"))
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(
            pair, id=pair.id, marks=[pytest.mark.aside] if pair.provider in EMULATED_SERVICES else []
        )
        for pair in UNJUDGED_PAIRS
    ],
)
def test_the_pair_is_as_compatible_as_expected(
    raise_if_found: RaiseIfFound,
    verifier: VerifierProcess,
    url_of: UrlOf,
    verifications: Path,
    pair: Expectation,
) -> None:
    declarations = list_declarations(pair.edge, pair.consumer_version)
    verification = verify(verifier, url_of, pair)
    assert len(verification.verified) == len(declarations)
    findings = judge_verification(pair, verification)
    cross_reading = None
    if pair.id in CROSS_READS:
        cross_reading = written, read = read_by_cores(pair)
        findings += judge_verification(CROSS_READS[pair.id], read, written)
    write_result(verifications, pair, (declarations, verification), cross_reading)
    raise_if_found(findings)


def verify(verifier: VerifierProcess, url_of: UrlOf, pair: Expectation) -> Verification:
    if pair.edge.kind == "http":
        url = url_of(pair.provider, pair.provider_version)
        return verify_url(verifier, pair.edge, pair.consumer_version, url)
    with serve_writer(lambda: drive_service(pair.provider, pair.provider_version)) as url:
        return verify_url(verifier, pair.edge, pair.consumer_version, url)


def read_by_cores(pair: Expectation) -> tuple[list[Declaration], Verification]:
    consumer = drive_service(pair.consumer, pair.consumer_version)
    return cross_read(pair.edge, consumer, drive_service(pair.provider, pair.provider_version))


@pytest.mark.parametrize("pair", CROSS_READS.values(), ids=lambda pair: pair.id)
def test_there_is_something_to_read(pair: Expectation) -> None:
    written, verification = read_by_cores(pair)
    assert len(verification.verified) == len(written) > 0


@pytest.mark.aside
def test_a_result_says_what_failed_of_which_case(tmp_path: Path) -> None:
    pair = next(pair for pair in UNJUDGED_PAIRS if pair.expected == "broken" and pair.edge == EDGES[0])
    listener = find_edge("directory-errors-listener", "directory-events-api")
    events = list_declarations(listener, "before")[:2]
    problem = InteractionProblem(events[0].description, "$.code", "a", "b", "not equal")
    verification = Verification(tuple(event.description for event in events), (problem,))
    path = write_result(tmp_path, pair, (events, verification), (events[:1], verification))
    result = json.loads(path.read_text(encoding="utf-8"))
    assert path.name == (
        f"go-sender-{get_version_number('go-sender', 'after')}--"
        f"directory-messages-{get_version_number('directory-messages', 'before')}.json"
    )
    assert [(row["case"], row["success"]) for row in result["results"]] == [
        (events[0].case, False),
        (events[1].case, True),
        (events[0].case, False),
    ]
    assert result["results"][0]["problem"] == str(problem)
    assert result["results"][2]["interaction"].endswith(" (read)")
    with pytest.raises(schemas.SchemaViolation):
        schemas.validate({**result, "results": []}, "verification.schema.json")
