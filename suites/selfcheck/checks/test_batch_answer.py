"""The answer checks accept right answers, and find each wrong count, id, problem and shape."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fixtures.checks.batch_answer import answer_keeps_contract, batch_is_answered, problem_is_reported
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
    BatchFault,
    ObservedBatch,
    answer,
    change_answer,
    change_result,
    drop_result,
    format_finding,
    get_only_finding,
    reject_well_formed,
    replace_body,
    right_batch,
)


def swap_results(batch: ObservedBatch) -> None:
    rows = batch.body["results"]
    rows[DEAD], rows[FINE] = rows[FINE], rows[DEAD]


def make_unreadable(batch: ObservedBatch) -> None:
    batch.body, batch.problem = "{", "no JSON"


REJECTED = "rejects other entries than the malformed ones"
ANSWERS: Mapping[str, tuple[str, BatchFault, str]] = {
    "one poisons all": (API, change_answer(400), "answers 400 to a batch of "),
    "crash": (ERRORS, change_answer(500), "answers 500 to a batch of "),
    "another success": (RESPONSES, change_answer(200), "answers 200 to a batch of "),
    "no JSON": (API, replace_body("Accepted"), "answers in another shape"),
    "nothing that can be read": (API, make_unreadable, "answers what is no JSON"),
    "no count": (API, replace_body({"rejected": []}), "answers in another shape"),
    "count as text": (RESPONSES, change_answer(stored="5"), "answers in another shape"),
    "unknown action": (ERRORS, change_result(DEAD, action="unsubscribed"), "answers in another shape"),
    "counts too few": (API, change_answer(accepted=4), "counts {'accepted': 4} instead of {'accepted': 5}"),
    "counts the malformed one": (API, change_answer(accepted=6), "counts {'accepted': 6} instead"),
    "stores too few": (RESPONSES, change_answer(stored=4), "counts {'stored': 4, 'duplicates': 0} instead"),
    "calls new ones duplicates": (
        RESPONSES,
        change_answer(stored=4, duplicates=1),
        "counts {'stored': 4, 'duplicates': 1}",
    ),
    "names no entry": (API, change_answer(rejected=[]), REJECTED),
    "names a good one": (API, reject_well_formed, REJECTED),
    "names a good one, stored": (RESPONSES, reject_well_formed, REJECTED),
    "names an entry without id": (
        API,
        change_answer(rejected=[{"report_id": None, "reason": "x"}]),
        REJECTED,
    ),
    "names it twice": (API, change_answer(rejected=[{"report_id": "poison", "reason": "x"}] * 2), REJECTED),
    "a result too few": (ERRORS, drop_result, "results are not one per event in the order sent"),
    "another order": (ERRORS, swap_results, "results are not one per event in the order sent"),
    "another event": (
        ERRORS,
        change_result(ODD, event_id="x"),
        "results are not one per event in the order sent",
    ),
    "names no event": (
        ERRORS,
        change_result(ODD, event_id=None),
        "results are not one per event in the order sent",
    ),
    "acts on the malformed one": (
        ERRORS,
        change_result(POISON, action="unsubscribe"),
        "acts on a malformed event: unsubscribe",
    ),
}


def nameless(batch: ObservedBatch) -> ObservedBatch:
    """A fault: the malformed entry has no readable id."""
    batch.sent[POISON] = BatchEntry("not an object", None, "type of the entry: string")  # type: ignore[arg-type]
    for member in ("rejected", "results"):
        for named in batch.body.get(member, [])[-1:]:
            named.update(dict.fromkeys(named.keys() & {"report_id", "event_id", "subscriber_id"}))
    return batch


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_right_answer(name: str) -> None:
    batches = {
        "poisoned": right_batch(name),
        "clean": right_batch(name, poisoned=False),
        "nameless": nameless(right_batch(name)),
    }
    if name == ERRORS:
        batches["malformed, and not named"] = right_batch(name).with_fault(
            change_result(POISON, event_id=None)
        )
    for what, batch in batches.items():
        assert not list(batch_is_answered(batch.provider, batch.sent, batch.outcome().answer)), what


@pytest.mark.parametrize(
    ("text", "content_type", "rule"),
    [
        pytest.param('{"accepted":', "application/json", "answers.unreadable", id="JSON that is cut off"),
        pytest.param("Accepted", "text/plain", "answers.shape", id="a text"),
        pytest.param("", "application/json", "answers.shape", id="nothing"),
    ],
)
def test_only_json_that_cannot_be_read_breaks_a_promise(text: str, content_type: str, rule: str) -> None:
    batch = right_batch(API)
    unreadable = ProviderAnswer(batch.status, text, text, content_type, "no JSON")
    (finding,) = batch_is_answered(batch.provider, batch.sent, unreadable)
    assert finding.rule == rule


@pytest.mark.parametrize(("name", "fault", "title"), ANSWERS.values(), ids=ANSWERS)
def test_a_wrong_answer(name: str, fault: BatchFault, title: str, snapshot: SnapshotAssertion) -> None:
    batch = right_batch(name).with_fault(fault)
    findings = batch_is_answered(batch.provider, batch.sent, batch.outcome().answer)
    finding = get_only_finding(findings, batch, "answers")
    assert finding.title.startswith(title)
    assert finding.sent[-1] == batch.sent[POISON].payload
    assert format_finding(finding) == snapshot


def test_a_result_about_another_subscriber_breaks_a_promise(snapshot: SnapshotAssertion) -> None:
    right = right_batch(ERRORS)
    (subscriber_id, other_id) = (right.sent[i].payload["subscriber_id"] for i in (ODD, DEAD))
    in_capitals = right.with_fault(change_result(ODD, subscriber_id=subscriber_id.upper()))
    assert not list(batch_is_answered(right.provider, right.sent, in_capitals.outcome().answer))
    faulty = right.with_fault(change_result(ODD, subscriber_id=other_id))
    (finding,) = batch_is_answered(right.provider, right.sent, faulty.outcome().answer)
    assert (finding.rank, finding.sent) == ("promise", [right.sent[ODD].payload])
    assert format_finding(finding) == snapshot


@pytest.mark.parametrize("cases", [(), (ODD,), (DEAD, BUSY), (DEAD, RENEWED, BUSY, FINE, ODD)])
def test_a_refusal_names_up_to_three_cases_and_is_of_one(
    cases: tuple[int, ...], snapshot: SnapshotAssertion
) -> None:
    batch = right_batch(API)
    batch.sent = [batch.sent[position] for position in (*cases, *cases, POISON)]
    refused = answer(400, {"title": "no"})
    assert (
        format_finding(
            get_only_finding(batch_is_answered(batch.provider, batch.sent, refused), batch, "answers")
        )
        == snapshot
    )


def test_where_nothing_is_malformed_nothing_may_be_rejected(snapshot: SnapshotAssertion) -> None:
    batch = right_batch(API, poisoned=False).with_fault(reject_well_formed)
    finding = get_only_finding(
        batch_is_answered(batch.provider, batch.sent, batch.outcome().answer), batch, "answers"
    )
    assert format_finding(finding) == snapshot


def test_all_malformed_entries_are_told_that_were_to_be_rejected(snapshot: SnapshotAssertion) -> None:
    batch = right_batch(API)
    batch.sent.append(replace(batch.sent[POISON], payload={"report_id": "worse"}))
    finding = get_only_finding(
        batch_is_answered(batch.provider, batch.sent, batch.outcome().answer), batch, "answers"
    )
    assert format_finding(finding) == snapshot


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


@pytest.mark.parametrize("wrong_answer", NO_PROBLEM.values(), ids=NO_PROBLEM)
def test_a_problem_that_is_not_told(wrong_answer: ProviderAnswer, snapshot: SnapshotAssertion) -> None:
    findings = list(
        problem_is_reported(PROVIDERS[API], "{}", wrong_answer, status=400, why="a body without a batch")
    )
    media_type = wrong_answer.content_type or "no content type"
    title = f"answers {wrong_answer.status} ({media_type}) to a body without a batch"
    assert [finding.title for finding in findings] == [title]
    assert findings[0].sent == "{}"
    assert format_finding(findings[0]) == snapshot


# --- the contract


def test_a_kept_contract() -> None:
    batch = right_batch(API)
    assert not list(answer_keeps_contract(batch.provider, batch.sent, batch.outcome().answer, []))


def test_a_broken_contract_is_of_the_one_case_in_the_batch(snapshot: SnapshotAssertion) -> None:
    batch = right_batch(API)
    batch.sent = [batch.sent[DEAD], batch.sent[POISON]]
    broken = answer_keeps_contract(batch.provider, batch.sent, batch.outcome().answer, ["$.x is missing"])
    assert format_finding(get_only_finding(broken, batch, "contract")) == snapshot


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_broken_contract(name: str, snapshot: SnapshotAssertion) -> None:
    batch = right_batch(name)
    mismatches = [f"$.x{number} is missing" for number in range(9)]
    finding = get_only_finding(
        answer_keeps_contract(batch.provider, batch.sent, batch.outcome().answer, mismatches),
        batch,
        "contract",
    )
    assert finding.title == f"breaks its contract with {batch.provider.consumer}"
    assert format_finding(finding) == snapshot
