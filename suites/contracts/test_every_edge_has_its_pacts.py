"""Every edge of the system has its pacts, and all versions at its ends are verified with each other."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.contracts import (
    Expectation,
    InteractionProblem,
    judge_cross_read,
    judge_verification,
    list_declarations,
)
from fixtures.contracts.pact.consumer_tests import is_judged
from fixtures.contracts.pact.cross_reads import cross_read
from fixtures.contracts.pact.expected_results import read_cross_read_expectations, read_expectations
from fixtures.contracts.pact.message_proxy import verify_writer
from fixtures.contracts.pact.model import PACTS, first_case, pact_path
from fixtures.contracts.pact.result_files import result_path, write_result
from fixtures.contracts.pact.service_driver import drive_service
from fixtures.contracts.pact.verification import Verification, verify_url
from fixtures.core import schemas
from fixtures.core.catalogue import example_report
from fixtures.core.topology import EDGES, EMULATED, VERSIONS, edge, version_number
from fixtures.platform.base import FLOW
from fixtures.platform.in_memory import InMemoryPlatform, scripted_fcm
from suites.types import RaiseIfFound

UrlOf = Callable[[str, str], str]
OTHERS = [one for one in read_expectations() if not is_judged(one.edge)]
READINGS = {one.id: one for one in read_cross_read_expectations()}
A_DAY_S = 86_400


class Watched:
    """The world as one service has it, which notes whom the service turns to."""

    def __init__(self, world: InMemoryPlatform, name: str, turned_to: set[tuple[str, str]]) -> None:
        self._world, self._name, self._turned_to = world, name, turned_to

    def __getattr__(self, name: str) -> Any:
        if name in ("container", "queue"):
            self._turned_to.add((self._name, name))
        return getattr(self._world, name)

    def call(self, calls: Any) -> Any:
        listed = list(calls)
        self._turned_to.update((self._name, call.to) for call in listed)
        return self._world.call(listed)


def turned_to() -> set[tuple[str, str]]:
    """Whom each service turns to while a push becomes a postponement, and that is over."""
    found: set[tuple[str, str]] = set()
    system = InMemoryPlatform(scripted_fcm({"token": example_report(first_case("fcm_v1", "postpone"))}))
    for name, runner in system.runners.items():
        system.runners[name] = replace(runner, world=Watched(system, name, found))
    device = {"subscriber_id": "00000000-0000-4000-8000-00000000000a", "token": "token"}
    since = {"token_since": "2025-12-31T00:00:00Z", "firebase_app": system.firebase_apps[0]}
    system.subscribe([device | since])
    system.push({}, [device])
    system.drain()
    system.seconds += A_DAY_S
    system.drain()
    return found


def test_the_edges_are_all_that_services_turn_to() -> None:
    by_http = {(one.consumer, one.provider) for one in EDGES if one.kind == "http"}
    by_message = {
        (end, one.kind) for one in EDGES if one.kind != "http" for end in (one.consumer, one.provider)
    }
    assert turned_to() == by_http | by_message


def test_every_service_stands_at_an_edge() -> None:
    assert {end for one in EDGES for end in (one.consumer, one.provider)} == {*FLOW, "fcm"}


def test_every_edge_has_its_pacts_and_there_are_no_others() -> None:
    wanted = [pact_path(one, version) for one in EDGES for version in VERSIONS]
    assert sorted(wanted) == sorted(PACTS.glob("*/*"))
    assert len(set(wanted)) == len(wanted)


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(one, id=one.id, marks=[pytest.mark.aside] if one.provider in EMULATED else [])
        for one in OTHERS
    ],
)
def test_the_pair_is_as_compatible_as_expected(
    raise_if_found: RaiseIfFound, url_of: UrlOf, verifications: Path, pair: Expectation
) -> None:
    interactions = list_declarations(pair.edge, pair.consumer_version)
    found = verified(url_of, pair)
    assert len(found.verified) == len(interactions)
    read = read_by_cores(pair) if pair.id in READINGS else None
    write_result(verifications, pair, (interactions, found), read)
    findings = judge_cross_read(READINGS[pair.id], read[1], read[0]) if read else []
    raise_if_found([*judge_verification(pair, found), *findings])


def verified(url_of: UrlOf, pair: Expectation) -> Verification:
    """What the Verifier says of a pair; a writer is asked through its proxy."""
    if pair.edge.kind == "http":
        return verify_url(pair.edge, pair.consumer_version, url_of(pair.provider, pair.provider_version))
    return verify_writer(
        pair.edge, pair.consumer_version, lambda: drive_service(pair.provider, pair.provider_version)
    )


def read_by_cores(pair: Expectation) -> tuple[list[Any], Verification]:
    """What is really written and read between a pair, and what comes of it."""
    consumer, provider = (
        drive_service(pair.consumer, pair.consumer_version),
        drive_service(pair.provider, pair.provider_version),
    )
    return cross_read(pair.edge, consumer, provider)


@pytest.mark.parametrize("pair", READINGS.values(), ids=lambda pair: pair.id)
def test_there_is_something_to_read(pair: Expectation) -> None:
    written, found = read_by_cores(pair)
    assert len(found.verified) == len(written) > 0


@pytest.mark.aside
def test_a_result_says_what_failed_of_which_case(tmp_path: Path) -> None:
    pair = next(one for one in OTHERS if one.expected == "broken" and one.edge == EDGES[0])
    listener = edge("directory-errors-listener", "directory-events-api")
    about_cases = list_declarations(listener, "before")[:2]
    problem = InteractionProblem(about_cases[0].description, "$.code", "a", "b", "not equal")
    found = Verification(tuple(one.description for one in about_cases), (problem,))
    path = write_result(tmp_path, pair, (about_cases, found), (about_cases[:1], found))
    result = json.loads(path.read_text(encoding="utf-8"))
    assert path == result_path(tmp_path, pair)
    assert path.name == (
        f"go-sender-{version_number('go-sender', 'after')}--"
        f"directory-messages-{version_number('directory-messages', 'before')}.json"
    )
    assert [(row["case"], row["success"]) for row in result["results"]] == [
        (about_cases[0].case, False),
        (about_cases[1].case, True),
        (about_cases[0].case, False),
    ]
    assert result["results"][0]["problem"] == str(problem)
    assert result["results"][2]["interaction"].endswith(" (read)")
    with pytest.raises(schemas.Invalid):
        schemas.validate({**result, "results": []}, "verification.schema.json")
