"""The checks of answers find nothing in right ones, and each wrong count, name, problem and shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.batch_answer import batch_is_answered, problem_is_reported
from fixtures.checks.contract import answer_keeps_contract
from fixtures.core.outcome import ProviderAnswer
from fixtures.core.payloads import BatchEntry
from fixtures.core.topology import PROVIDERS
from suites.selfcheck.checks.outcomes import (
    API,
    BUSY,
    DEAD,
    ERRORS,
    EVERYWHERE,
    FINE,
    ODD,
    POISON,
    RENEWED,
    RESPONSES,
    Fault,
    World,
    answer,
    as_told,
    body,
    drops_a_result,
    only,
    rejects_the_dead,
    right,
    row,
    swaps_results,
    told,
    unreadable,
)

REJECTED = "rejects other entries than the malformed ones"
ANSWERS: Mapping[str, tuple[str, Fault, str]] = {
    "one poisons all": (API, told(400), "answers 400 to a batch of "),
    "crash": (ERRORS, told(500), "answers 500 to a batch of "),
    "another success": (RESPONSES, told(200), "answers 200 to a batch of "),
    "no JSON": (API, body("Accepted"), "answers in another shape"),
    "nothing that can be read": (API, unreadable, "answers what is no JSON"),
    "no count": (API, body({"rejected": []}), "answers in another shape"),
    "count as text": (RESPONSES, told(stored="5"), "answers in another shape"),
    "unknown action": (ERRORS, row(DEAD, action="unsubscribed"), "answers in another shape"),
    "counts too few": (API, told(accepted=4), "counts {'accepted': 4} instead of {'accepted': 5}"),
    "counts the malformed one": (API, told(accepted=6), "counts {'accepted': 6} instead"),
    "stores too few": (RESPONSES, told(stored=4), "counts {'stored': 4, 'duplicates': 0} instead"),
    "calls new ones duplicates": (
        RESPONSES,
        told(stored=4, duplicates=1),
        "counts {'stored': 4, 'duplicates': 1}",
    ),
    "names nobody": (API, told(rejected=[]), REJECTED),
    "names a good one": (API, rejects_the_dead, REJECTED),
    "names a good one, stored": (RESPONSES, rejects_the_dead, REJECTED),
    "names nobody in particular": (API, told(rejected=[{"report_id": None, "reason": "x"}]), REJECTED),
    "names it twice": (API, told(rejected=[{"report_id": "poison", "reason": "x"}] * 2), REJECTED),
    "a result too few": (ERRORS, drops_a_result, "results are not one per event in the order sent"),
    "another order": (ERRORS, swaps_results, "results are not one per event in the order sent"),
    "another event": (ERRORS, row(ODD, event_id="x"), "results are not one per event in the order sent"),
    "names no event": (
        ERRORS,
        row(ODD, event_id=None),
        "results are not one per event in the order sent",
    ),
    "acts on the malformed one": (
        ERRORS,
        row(POISON, action="unsubscribe"),
        "acts on a malformed event: unsubscribe",
    ),
}


def nameless(world: World) -> World:
    """The same with an entry that nobody can read, and so cannot name."""
    world.sent[POISON] = BatchEntry("not an object", None, "type of the entry: string")  # type: ignore[arg-type]
    for place in ("rejected", "results"):
        for named in world.body.get(place, [])[-1:]:
            named.update(dict.fromkeys(named.keys() & {"report_id", "event_id", "subscriber_id"}))
    return world


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_right_answer(name: str) -> None:
    worlds = {
        "poisoned": right(name),
        "clean": right(name, poisoned=False),
        "nameless": nameless(right(name)),
    }
    if name == ERRORS:
        worlds["malformed, and not named"] = right(name).wrong(row(POISON, event_id=None))
    for what, world in worlds.items():
        assert not list(batch_is_answered(world.provider, world.sent, world.outcome().answer)), what


@pytest.mark.parametrize(("name", "fault", "title"), ANSWERS.values(), ids=ANSWERS)
def test_a_wrong_answer(name: str, fault: Fault, title: str, snapshot: SnapshotAssertion) -> None:
    world = right(name).wrong(fault)
    findings = batch_is_answered(world.provider, world.sent, world.outcome().answer)
    found = only(findings, world, "answers")
    assert found.title.startswith(title)
    assert found.sent[-1] == world.sent[POISON].payload
    assert as_told(found) == snapshot


@pytest.mark.parametrize("cases", [(), (ODD,), (DEAD, BUSY), (DEAD, RENEWED, BUSY, FINE, ODD)])
def test_a_refusal_names_up_to_three_cases_and_is_of_one(
    cases: tuple[int, ...], snapshot: SnapshotAssertion
) -> None:
    world = right(API)
    world.sent = [world.sent[position] for position in (*cases, *cases, POISON)]
    refused = answer(400, {"title": "no"})
    assert as_told(only(batch_is_answered(world.provider, world.sent, refused), world, "answers")) == snapshot


def test_where_nothing_is_malformed_nothing_may_be_rejected(snapshot: SnapshotAssertion) -> None:
    world = right(API, poisoned=False).wrong(rejects_the_dead)
    found = only(batch_is_answered(world.provider, world.sent, world.outcome().answer), world, "answers")
    assert as_told(found) == snapshot


def test_all_malformed_entries_are_told_that_were_to_be_rejected(snapshot: SnapshotAssertion) -> None:
    world = right(API)
    world.sent.append(replace(world.sent[POISON], payload={"report_id": "worse"}))
    found = only(batch_is_answered(world.provider, world.sent, world.outcome().answer), world, "answers")
    assert as_told(found) == snapshot


WHOLE = {"type": "about:blank", "title": "Bad Request", "status": 400}
PROBLEM = "application/problem+json"
NO_PROBLEM: Mapping[str, ProviderAnswer] = {
    "another status": answer(500, WHOLE, PROBLEM),
    "accepted": answer(202, {"accepted": 0, "rejected": []}),
    "plain JSON": answer(400, WHOLE),
    "a page": answer(400, "<html></html>", "text/html"),
    "no content type": answer(400, WHOLE, ""),
    "no title": answer(400, {"status": 400}, PROBLEM),
    "no object": answer(400, [WHOLE], PROBLEM),
}


def test_a_problem_that_is_told() -> None:
    for content_type in (PROBLEM, f"{PROBLEM}; charset=utf-8"):
        good = answer(400, WHOLE, content_type)
        assert not list(
            problem_is_reported(PROVIDERS[API], "x", good, status=400, why="a body without a batch")
        )


@pytest.mark.parametrize("wrong", NO_PROBLEM.values(), ids=NO_PROBLEM)
def test_a_problem_that_is_not_told(wrong: ProviderAnswer, snapshot: SnapshotAssertion) -> None:
    findings = list(
        problem_is_reported(PROVIDERS[API], "{}", wrong, status=400, why="a body without a batch")
    )
    assert [found.title for found in findings] == [
        f"answers {wrong.status} ({wrong.content_type or 'no content type'}) to a body without a batch"
    ]
    assert findings[0].sent == "{}"
    assert as_told(findings[0]) == snapshot


# --- the contract


def test_a_kept_contract() -> None:
    world = right(API)
    assert not list(answer_keeps_contract(world.provider, world.sent, world.outcome().answer, []))


def test_a_broken_contract_is_of_the_one_case_in_the_batch(snapshot: SnapshotAssertion) -> None:
    world = right(API)
    world.sent = [world.sent[DEAD], world.sent[POISON]]
    broken = answer_keeps_contract(world.provider, world.sent, world.outcome().answer, ["$.x is missing"])
    assert as_told(only(broken, world, "contract")) == snapshot


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_broken_contract(name: str, snapshot: SnapshotAssertion) -> None:
    world = right(name)
    mismatches = [f"$.x{number} is missing" for number in range(9)]
    found = only(
        answer_keeps_contract(world.provider, world.sent, world.outcome().answer, mismatches),
        world,
        "contract",
    )
    assert found.title == f"breaks its contract with {world.provider.consumer}"
    assert as_told(found) == snapshot
