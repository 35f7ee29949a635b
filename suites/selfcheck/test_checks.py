"""Each check finds nothing in what is right, and each wrong thing, told so that people understand."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures import payloads
from fixtures.catalogue import load
from fixtures.checks.agreement import equivalents_end_alike, versions_agree
from fixtures.checks.answers import batch_is_answered, problem_is_told
from fixtures.checks.contract import answer_keeps_contract
from fixtures.checks.effects import counts_are_complete, each_report_has_its_effect, nothing_was_done
from fixtures.checks.redelivery import is_stale, nothing_changes, states_are_equal
from fixtures.outcome import Answer, Outcome
from fixtures.payloads import Identities, Sent
from fixtures.topology import PROVIDERS, Provider
from fixtures.verdict import Finding, Findings, demand_none, describe
from suites.selfcheck.samples import legacy, v1

API, RESPONSES, ERRORS = "directory-events-api", "directory-responses", "subscribers-errors"
EVERYWHERE = (API, RESPONSES, ERRORS)
SENT_AT = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = "2026-01-01T00:02:00.000Z"
UNREGISTERED = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}

DEAD, RENEWED, BUSY, FINE, ODD, POISON = range(6)
RIGHT = (
    (legacy({"error": "NotRegistered"}), "legacy", "NotRegistered", "unsubscribe"),
    (legacy({"message_id": "1", "registration_id": "new"}), "legacy", "CANONICAL_ID", "replace_token"),
    ({**v1(503, status="UNAVAILABLE"), "retry_after": "120"}, "fcm_v1", "HTTP_5XX", "postpone"),
    (v1(200, {"name": "projects/p/messages/1"}), "fcm_v1", "OK", "keep"),
    (v1(400, details=[{**UNREGISTERED, "errorCode": "TOMORROW"}]), "fcm_v1", "UNKNOWN", "alert"),
)
"""Answers, and what must be shown of them; a malformed report comes last in the batch."""


@dataclass
class World:
    """A batch at a provider and what became of it, to be made wrong in one place."""

    provider: Provider
    sent: list[Sent]
    status: int
    body: Any
    content_type: str = "application/json"
    reports: dict[str, Any] = field(default_factory=dict)
    subscribers: dict[str, Any] = field(default_factory=dict)

    def outcome(self) -> Outcome:
        """What the checks see."""
        reports = {report_id: answer(status, body) for report_id, (status, body) in self.reports.items()}
        return Outcome(answer(self.status, self.body, self.content_type), reports, self.subscribers)

    def wrong(self, fault: Fault) -> World:
        """The same with one fault."""
        world = self.copied()
        fault(world)
        return world

    def copied(self) -> World:
        """The same, to be spoilt without harm; payloads are never changed in place."""
        seen = {name: copy.deepcopy(getattr(self, name)) for name in ("body", "reports", "subscribers")}
        return replace(self, sent=list(self.sent), **seen)

    def subscriber(self, position: int) -> dict[str, Any]:
        """The state of an entry's subscriber."""
        state: dict[str, Any] = self.subscribers[self.sent[position].payload["subscriber_id"]]
        return state


Fault = Callable[[World], None]


def answer(status: int, body: Any, content_type: str = "application/json") -> Answer:
    """An answer whose text nobody looks at."""
    return Answer(status, body, "", content_type)


@functools.cache
def _right(name: str, *, poisoned: bool) -> World:
    provider = PROVIDERS[name]
    sent = payloads.reports([case[0] for case in RIGHT], Identities(run="0c" * 6))
    moment = {"sent_at": payloads.rfc3339(SENT_AT)}
    sent = [replace(entry, payload={**entry.payload, **moment}) for entry in sent]
    if poisoned:
        sent.append(Sent({**sent[0].payload, "report_id": "poison", "spam": 0}, None, "spam: type"))
    if name == ERRORS:
        sent = payloads.events(sent)
        return _at_errors(provider, sent)
    bad = [{"report_id": "poison", "reason": "spam is no boolean"}] if poisoned else []
    counted = {"accepted": 5} if name == API else {"stored": 5, "duplicates": 0}
    world = World(provider, sent, provider.status, {**counted, "rejected": bad})
    for entry, (_, protocol, code, outcome) in zip(sent, RIGHT, strict=False):
        forwarded = ["directory-responses", *([] if outcome == "keep" else ["directory-errors-listener"])]
        seen = {"forwarded_to": forwarded} if name == API else {"outcome": outcome}
        shown = {"report_id": entry.report_id, "protocol": protocol, "code": code, **seen}
        world.reports[str(entry.report_id)] = (200, shown)
    return world


def _at_errors(provider: Provider, sent: list[Sent]) -> World:
    actions = [*(outcome for *_, outcome in RIGHT), "alert"]
    results = [
        {
            "event_id": entry.payload["event_id"],
            "subscriber_id": entry.payload["subscriber_id"],
            "action": action,
        }
        for entry, action in zip(sent, actions, strict=False)
    ]
    world = World(provider, sent, 200, {"results": results})
    for position, entry in enumerate(sent[: len(RIGHT)]):
        state = {"status": "active", "token": entry.payload["token"], "postponed_until": None}
        state |= {
            DEAD: {"status": "unsubscribed", "token": None},
            RENEWED: {"token": entry.payload["response"].get("registration_id")},
            BUSY: {"status": "postponed", "postponed_until": UNTIL},
        }.get(position, {})
        subscriber_id = entry.payload["subscriber_id"]
        world.subscribers[subscriber_id] = {"subscriber_id": subscriber_id, **state}
    return world


def right(name: str, *, poisoned: bool = True) -> World:
    """What is right at a provider, as a copy that may be spoilt."""
    return _right(name, poisoned=poisoned).copied()


# --- faults, one at a time


def told(status: int | None = None, **members: Any) -> Fault:
    """The answer to the batch says something else."""

    def fault(world: World) -> None:
        world.status = status or world.status
        world.body.update(members)

    return fault


def body(value: Any) -> Fault:
    """The answer to the batch is something else altogether."""

    def fault(world: World) -> None:
        world.body = value

    return fault


def shown(position: int, status: int = 200, **members: Any) -> Fault:
    """One report is shown with something else."""

    def fault(world: World) -> None:
        report_id = str(world.sent[position].report_id)
        old = world.reports[report_id][1]
        world.reports[report_id] = (status, {**old, **members} if status == 200 else {})

    return fault


def state(position: int, **members: Any) -> Fault:
    """One subscriber ends in another state."""
    return lambda world: world.subscriber(position).update(members)


def row(position: int, **members: Any) -> Fault:
    """One result says something else."""
    return lambda world: world.body["results"][position].update(members)


def forgotten(position: int) -> Fault:
    """One subscriber is not listed."""

    def fault(world: World) -> None:
        del world.subscribers[world.sent[position].payload["subscriber_id"]]

    return fault


def rejects_the_dead(world: World) -> None:
    """Name a well-formed report instead of the malformed one."""
    world.body["rejected"] = [{"report_id": world.sent[DEAD].report_id, "reason": "unknown code"}]


def drops_a_result(world: World) -> None:
    """Answer one event less."""
    world.body["results"].pop(FINE)


def swaps_results(world: World) -> None:
    """Answer in another order."""
    rows = world.body["results"]
    rows[DEAD], rows[FINE] = rows[FINE], rows[DEAD]


def only(findings: Iterable[Finding], world: World, check: str) -> Finding:
    """The one finding, which tells what was sent, what was expected and what was got."""
    found = list(findings)
    assert len(found) == 1, found
    assert (found[0].check, found[0].provider) == (check, world.provider.name)
    assert found[0].sent
    assert found[0].expected
    return found[0]


# --- answers

REJECTED = "rejects other entries than the malformed ones"
ANSWERS: Mapping[str, tuple[str, Fault, str]] = {
    "one poisons all": (API, told(400), "answers 400 to a batch of "),
    "crash": (ERRORS, told(500), "answers 500 to a batch of "),
    "another success": (RESPONSES, told(200), "answers 200 to a batch of "),
    "no JSON": (API, body("Accepted"), "answers in another shape"),
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
    "acts on the malformed one": (
        ERRORS,
        row(POISON, action="unsubscribe"),
        "acts on a malformed event: unsubscribe",
    ),
}


@pytest.mark.parametrize("poisoned", [True, False], ids=["poisoned", "clean"])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_right_answer(name: str, *, poisoned: bool) -> None:
    world = right(name, poisoned=poisoned)
    assert not list(batch_is_answered(world.provider, world.sent, world.outcome().answer))


@pytest.mark.parametrize("name", EVERYWHERE)
def test_an_unreadable_entry_may_go_without_a_name(name: str) -> None:
    world = right(name)
    world.sent[POISON] = Sent("not an object", None, "type of the entry: string")  # type: ignore[arg-type]
    for place in ("rejected", "results"):
        for named in world.body.get(place, [])[-1:]:
            named.update(dict.fromkeys(named.keys() & {"report_id", "event_id", "subscriber_id"}))
    assert not list(batch_is_answered(world.provider, world.sent, world.outcome().answer))


@pytest.mark.parametrize(("name", "fault", "title"), ANSWERS.values(), ids=ANSWERS)
def test_a_wrong_answer(name: str, fault: Fault, title: str) -> None:
    world = right(name).wrong(fault)
    findings = batch_is_answered(world.provider, world.sent, world.outcome().answer)
    found = only(findings, world, "answers")
    assert found.title.startswith(title)
    assert found.sent[-1] == world.sent[POISON].payload


WHOLE = {"type": "about:blank", "title": "Bad Request", "status": 400}
PROBLEM = "application/problem+json"
NO_PROBLEM: Mapping[str, Answer] = {
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
        assert not list(problem_is_told(PROVIDERS[API], "x", good, status=400, why="a body without a batch"))


@pytest.mark.parametrize("wrong", NO_PROBLEM.values(), ids=NO_PROBLEM)
def test_a_problem_that_is_not_told(wrong: Answer) -> None:
    findings = list(problem_is_told(PROVIDERS[API], "{}", wrong, status=400, why="a body without a batch"))
    assert [found.title for found in findings] == [
        f"answers {wrong.status} ({wrong.content_type or 'no content type'}) to a body without a batch"
    ]
    assert findings[0].expected == "400 as application/problem+json: a body without a batch"
    assert findings[0].sent == "{}"
    assert findings[0].got == {"status": wrong.status, "content_type": wrong.content_type, "body": wrong.body}


# --- effects

EFFECTS: Mapping[str, tuple[str, Fault, int, str]] = {
    "lost": (API, shown(DEAD, 404), DEAD, "lost the report of legacy-NotRegistered"),
    "lost a response": (RESPONSES, shown(BUSY, 404), BUSY, "lost the report of v1-bare-5xx"),
    "cannot be shown": (API, shown(ODD, 500), ODD, "shows a report in another shape"),
    "shown without a list": (API, shown(ODD, forwarded_to=None), ODD, "shows a report in another shape"),
    "outcome of no catalogue": (
        RESPONSES,
        shown(ODD, outcome="ignore"),
        ODD,
        "shows a report in another shape",
    ),
    "another code": (API, shown(DEAD, code="UNKNOWN"), DEAD, "makes code UNKNOWN of legacy-NotRegistered"),
    "another code stored": (RESPONSES, shown(FINE, code="ok"), FINE, "makes code ok of v1-delivered"),
    "another protocol": (API, shown(BUSY, protocol="legacy"), BUSY, "makes protocol legacy of v1-bare-5xx"),
    "unsubscribes on unknown": (
        RESPONSES,
        shown(ODD, outcome="unsubscribe"),
        ODD,
        "makes outcome unsubscribe of v1-unknown-code",
    ),
    "keeps the dead": (
        RESPONSES,
        shown(DEAD, outcome="keep"),
        DEAD,
        "makes outcome keep of legacy-NotRegistered",
    ),
    "not forwarded": (
        API,
        shown(DEAD, forwarded_to=["directory-responses"]),
        DEAD,
        "makes forwarded_to ['directory-responses'] of legacy-NotRegistered",
    ),
    "forwarded to nobody": (API, shown(FINE, forwarded_to=[]), FINE, "makes forwarded_to [] of v1-delivered"),
    "delivered is an error": (
        API,
        shown(FINE, forwarded_to=["directory-responses", "directory-errors-listener"]),
        FINE,
        "makes forwarded_to ['directory-errors-listener', 'directory-responses'] of v1-delivered",
    ),
    "another action": (ERRORS, row(DEAD, action="alert"), DEAD, "answers alert to legacy-NotRegistered"),
    "no action": (ERRORS, row(ODD, action=None), ODD, "answers None to v1-unknown-code"),
    "calls it stale": (ERRORS, row(BUSY, action="stale"), BUSY, "answers stale to v1-bare-5xx"),
    "dead but active": (
        ERRORS,
        lambda world: world.subscriber(DEAD).update(status="active", token=world.sent[DEAD].payload["token"]),
        DEAD,
        "leaves the subscriber active after legacy-NotRegistered",
    ),
    "unsubscribed by an unknown code": (
        ERRORS,
        state(ODD, status="unsubscribed"),
        ODD,
        "leaves the subscriber unsubscribed after v1-unknown-code",
    ),
    "unsubscribed for a while": (
        ERRORS,
        state(BUSY, status="unsubscribed", postponed_until=None),
        BUSY,
        "leaves the subscriber unsubscribed after v1-bare-5xx",
    ),
    "not postponed": (
        ERRORS,
        state(BUSY, status="active", postponed_until=None),
        BUSY,
        "leaves the subscriber active after v1-bare-5xx",
    ),
    "old token": (
        ERRORS,
        state(RENEWED, token="old"),  # noqa: S106
        RENEWED,
        "leaves another token after legacy-canonical-id",
    ),
    "token lost": (ERRORS, state(FINE, token=None), FINE, "leaves another token after v1-delivered"),
    "too short": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T00:00:10Z"),
        BUSY,
        "postpones for 10 s instead of 120 s after v1-bare-5xx",
    ),
    "a little too short": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T00:01:59.900Z"),
        BUSY,
        "postpones for 119.9 s instead of 120 s",
    ),
    "too long": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-02T00:00:00Z"),
        BUSY,
        "postpones for 86400 s instead of 120 s",
    ),
    "a little too long": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T00:02:05.100Z"),
        BUSY,
        "postpones for 125.1 s instead of 120 s",
    ),
    "no end": (ERRORS, state(BUSY, postponed_until=None), BUSY, "states no end of the postponement"),
    "an end for nobody": (ERRORS, state(ODD, postponed_until=UNTIL), ODD, "postpones somebody it must not"),
    "forgotten": (ERRORS, forgotten(DEAD), DEAD, "lost the subscriber"),
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_right_effects(name: str) -> None:
    world = right(name)
    assert not list(each_report_has_its_effect(world.provider, world.sent, world.outcome()))


RIGHT_TOO: Mapping[str, tuple[str, Fault]] = {
    "another order of forwarding": (
        API,
        shown(DEAD, forwarded_to=["directory-errors-listener", "directory-responses"]),
    ),
    "unknown members": (API, shown(DEAD, since="yesterday")),
    "the token of an unsubscribed one": (ERRORS, state(DEAD, token="any")),  # noqa: S106
    "the offset instead of Z": (ERRORS, state(BUSY, postponed_until="2026-01-01T00:02:00+00:00")),
    "counted from when it was heard": (ERRORS, state(BUSY, postponed_until="2026-01-01T00:02:04Z")),
    "cut to milliseconds": (ERRORS, state(BUSY, postponed_until="2026-01-01T00:01:59.995Z")),
}


@pytest.mark.parametrize(("name", "fault"), RIGHT_TOO.values(), ids=RIGHT_TOO)
def test_what_is_right_too(name: str, fault: Fault) -> None:
    world = right(name).wrong(fault)
    assert not list(each_report_has_its_effect(world.provider, world.sent, world.outcome()))


@pytest.mark.parametrize(("name", "fault", "position", "title"), EFFECTS.values(), ids=EFFECTS)
def test_a_wrong_effect(name: str, fault: Fault, position: int, title: str) -> None:
    world = right(name).wrong(fault)
    findings = each_report_has_its_effect(world.provider, world.sent, world.outcome())
    found = only(findings, world, "effects")
    case = world.sent[position].case
    assert case is not None
    assert found.title.startswith(title)
    assert (found.case, found.sent) == (case.id, [world.sent[position].payload])
    assert found.expected.endswith(f" ({case.outcome}: {case.why} [{case.source}])")
    assert "sent:     " in describe(found)


@pytest.mark.parametrize("results", [None, "x", [], [7] * 6], ids=["none", "text", "empty", "numbers"])
def test_actions_that_cannot_be_read_are_found(results: Any) -> None:
    world = right(ERRORS).wrong(told(results=results))
    findings = list(each_report_has_its_effect(world.provider, world.sent, world.outcome()))
    assert [found.title.partition(" to ")[0] for found in findings] == ["answers None"] * 5


def untouched(name: str) -> World:
    """A batch that was refused as a whole."""
    world = right(name, poisoned=False)
    for report_id in world.reports:
        world.reports[report_id] = (404, {})
    for entry in world.sent:
        if name == ERRORS:
            fresh = {"status": "active", "token": entry.payload["token"], "postponed_until": None}
            world.subscribers[entry.payload["subscriber_id"]] = fresh
    return world


def kept(world: World) -> None:
    """One report is there after all."""
    world.reports[str(world.sent[DEAD].report_id)] = (200, {"code": "NotRegistered"})


DONE: Mapping[str, tuple[str, Fault]] = {
    "forwarded": (API, kept),
    "stored": (RESPONSES, kept),
    "unsubscribed": (ERRORS, state(DEAD, status="unsubscribed")),
    "another token": (ERRORS, state(DEAD, token="new")),  # noqa: S106
    "forgotten": (ERRORS, forgotten(DEAD)),
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_nothing_done_is_right(name: str) -> None:
    world = untouched(name)
    assert not list(nothing_was_done(world.provider, world.sent, world.outcome()))


@pytest.mark.parametrize(("name", "fault"), DONE.values(), ids=DONE)
def test_something_done_is_found(name: str, fault: Fault) -> None:
    world = untouched(name).wrong(fault)
    found = only(nothing_was_done(world.provider, world.sent, world.outcome()), world, "effects")
    assert found.title == "acts on a batch that it refused"
    assert found.sent == [world.sent[DEAD].payload]


COUNTS = {"NotRegistered": 1, "CANONICAL_ID": 1, "HTTP_5XX": 1, "OK": 1, "UNKNOWN": 1}
WRONG_COUNTS: Mapping[str, tuple[Any, str]] = {
    "one twice": ({"counts": {**COUNTS, "OK": 2}}, "counts {'OK': 2} by code"),
    "one missing": ({"counts": {**COUNTS, "OK": 0}}, "counts {'OK': 0} by code"),
    "one too many": ({"counts": {**COUNTS, "Err": 1}}, "counts {'Err': 1} by code"),
    "nothing": ({"counts": {}}, "counts {"),
    "no counts": ({}, "counts {} by code"),
    "a list": ([], "counts [] by code"),
    "a text": ("5", "counts 5 by code"),
}


def test_right_counts() -> None:
    world = right(RESPONSES)
    assert not list(counts_are_complete(world.provider, world.sent, answer(200, {"counts": COUNTS})))


@pytest.mark.parametrize(("wrong", "title"), WRONG_COUNTS.values(), ids=WRONG_COUNTS)
def test_wrong_counts(wrong: Any, title: str) -> None:
    world = right(RESPONSES)
    found = only(counts_are_complete(world.provider, world.sent, answer(200, wrong)), world, "effects")
    assert found.title.startswith(title)
    assert found.got == wrong
    assert "NotRegistered" in found.expected


# --- contract


def test_a_kept_contract() -> None:
    world = right(API)
    assert not list(answer_keeps_contract(world.provider, world.sent, world.outcome().answer, []))


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_broken_contract(name: str) -> None:
    world = right(name)
    mismatches = [f"$.x{number} is missing" for number in range(9)]
    found = only(
        answer_keeps_contract(world.provider, world.sent, world.outcome().answer, mismatches),
        world,
        "contract",
    )
    assert found.title == f"breaks its contract with {world.provider.consumer}"
    assert found.expected.startswith(f"what {world.provider.consumer} relies on: $.x0 is missing; ")
    assert found.got == {"status": world.status, "body": world.body}


# --- redelivery


def all_called(action: str) -> Fault:
    """Every event gets this action."""

    def fault(world: World) -> None:
        for named in world.body["results"]:
            named["action"] = action

    return fault


KNOWN: Mapping[str, Fault] = {
    API: lambda _: None,
    RESPONSES: told(stored=0, duplicates=5),
    ERRORS: all_called("duplicate"),
}
AGAIN: Mapping[str, tuple[str, Fault, str]] = {
    "refused": (API, told(409), "answers a redelivered batch with 409 {'accepted': 5}"),
    "not accepted": (API, told(accepted=0), "answers a redelivered batch with 202 {'accepted': 0}"),
    "stored twice": (
        RESPONSES,
        told(stored=5, duplicates=0),
        "answers a redelivered batch with 201 {'stored': 5, 'duplicates': 0}",
    ),
    "conflict": (RESPONSES, told(409), "answers a redelivered batch with 409"),
    "acts again": (
        ERRORS,
        row(DEAD, action="unsubscribe"),
        "answers a redelivered batch with 200 {'actions': ['un",
    ),
    "no results": (ERRORS, body([]), "answers a redelivered batch with 200 {'actions': None}"),
    "another code": (API, shown(DEAD, code="x"), "a redelivery changes what became of legacy-NotRegistered"),
    "lost": (RESPONSES, shown(BUSY, 404), "a redelivery changes what became of v1-bare-5xx"),
    "postponed further": (
        ERRORS,
        state(BUSY, postponed_until="2026-01-01T01:00:00Z"),
        "a redelivery changes what became of v1-bare-5xx",
    ),
    "resubscribed": (
        ERRORS,
        state(DEAD, status="active"),
        "a redelivery changes what became of legacy-NotRegistered",
    ),
    "forgotten": (ERRORS, forgotten(FINE), "a redelivery changes what became of v1-delivered"),
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_a_right_redelivery(name: str) -> None:
    first = right(name, poisoned=False)
    again = first.wrong(KNOWN[name])
    assert not list(nothing_changes(first.provider, first.sent, first.outcome(), again.outcome()))


@pytest.mark.parametrize(("name", "fault", "title"), AGAIN.values(), ids=AGAIN)
def test_a_wrong_redelivery(name: str, fault: Fault, title: str) -> None:
    first = right(name, poisoned=False)
    again = first.wrong(KNOWN[name]).wrong(fault)
    findings = nothing_changes(first.provider, first.sent, first.outcome(), again.outcome())
    found = only(findings, first, "redelivery")
    assert found.title.startswith(title)
    assert "delivery is at least once" in found.expected


def test_equal_states_ignore_malformed_entries() -> None:
    world = right(ERRORS)
    assert not list(states_are_equal(world.provider, world.sent, world.outcome(), world.outcome(), "x"))


STALE: Mapping[str, tuple[Fault, str]] = {
    "acts on one": (row(DEAD, action="unsubscribe"), "acts on stale events: ['stale', 'unsubscribe']"),
    "calls them duplicates": (row(FINE, action="duplicate"), "acts on stale events: ['duplicate', 'stale']"),
    "answers one less": (drops_a_result, "acts on stale events: ['stale']"),
    "changes a subscriber": (
        state(FINE, status="unsubscribed"),
        "a stale event changes what became of v1-delivered",
    ),
}


def test_stale_events_are_right() -> None:
    before = right(ERRORS, poisoned=False)
    after = before.wrong(all_called("stale"))
    assert not list(is_stale(before.provider, before.sent, before.outcome(), after.outcome()))


@pytest.mark.parametrize(("fault", "title"), STALE.values(), ids=STALE)
def test_stale_events_that_are_not_left_alone(fault: Fault, title: str) -> None:
    before = right(ERRORS, poisoned=False)
    after = before.wrong(all_called("stale")).wrong(fault)
    findings = is_stale(before.provider, before.sent, before.outcome(), after.outcome())
    assert only(findings, before, "redelivery").title == title


# --- agreement

DIFFERENT: Mapping[str, tuple[str, Fault, str]] = {
    "another status": (API, told(400), "before and after answer the same legacy batch differently"),
    "another count": (RESPONSES, told(stored=4), "before and after answer the same legacy batch differently"),
    "another rejected one": (
        API,
        rejects_the_dead,
        "before and after answer the same legacy batch differently",
    ),
    "another action": (
        ERRORS,
        row(DEAD, action="alert"),
        "before and after answer the same legacy batch differently",
    ),
    "another code": (
        API,
        shown(DEAD, code="x"),
        "before and after make different things of legacy-NotRegistered",
    ),
    "another state": (
        ERRORS,
        state(RENEWED, status="postponed"),
        "before and after make different things of legacy-canonical-id",
    ),
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_versions_that_agree(name: str) -> None:
    world = right(name)
    other = world.wrong(lambda _: None)
    for named in other.body.get("rejected", ()):
        named["reason"] = "told in other words"
    assert not list(versions_agree(world.provider, world.sent, world.outcome(), other.outcome()))


@pytest.mark.parametrize(("name", "fault", "title"), DIFFERENT.values(), ids=DIFFERENT)
def test_versions_that_differ(name: str, fault: Fault, title: str) -> None:
    before = right(name)
    after = before.wrong(fault)
    findings = versions_agree(before.provider, before.sent, before.outcome(), after.outcome())
    found = only(findings, before, "agreement")
    assert found.title == title
    assert found.expected.startswith("as the version before the release: ")


def pair(name: str) -> tuple[World, list[Sent], list[Sent]]:
    """A dead device by either protocol, and what became of both."""
    world = right(name, poisoned=False)
    answers = [legacy({"error": "NotRegistered"}), v1(404, details=[UNREGISTERED])]
    sent = payloads.reports(answers, Identities(run="0d" * 6))
    sent = payloads.events(sent) if name == ERRORS else sent
    seen = {"outcome": "unsubscribe"} if name == RESPONSES else {"forwarded_to": ["directory-responses"]}
    world.sent, world.reports, world.subscribers = sent, {}, {}
    for entry in sent:
        assert entry.case is not None
        if name == ERRORS:
            world.subscribers[entry.payload["subscriber_id"]] = {"status": "unsubscribed", "token": None}
        else:
            world.reports[str(entry.report_id)] = (200, {"code": entry.case.code, **seen})
    return world, sent[:1], sent[1:]


UNEQUAL: Mapping[str, tuple[str, Fault]] = {
    "keeps the new one": (ERRORS, state(1, status="active")),
    "keeps the old one": (ERRORS, state(0, status="active")),
    "another outcome": (RESPONSES, shown(1, outcome="alert")),
    "forwards one only": (API, shown(1, forwarded_to=[])),
    "loses one": (API, shown(1, 404)),
}


@pytest.mark.parametrize("name", EVERYWHERE)
def test_equivalents_that_end_alike(name: str) -> None:
    world, old, new = pair(name)
    assert not list(equivalents_end_alike(world.provider, old, new, world.outcome()))


@pytest.mark.parametrize(("name", "fault"), UNEQUAL.values(), ids=UNEQUAL)
def test_equivalents_that_do_not(name: str, fault: Fault) -> None:
    world, old, new = pair(name)
    outcome = world.wrong(fault).outcome()
    found = only(equivalents_end_alike(world.provider, old, new, outcome), world, "agreement")
    assert found.title == "legacy-NotRegistered and v1-UNREGISTERED mean the same but end differently"
    assert load()["v1-UNREGISTERED"].why in found.expected
    assert found.sent == [old[0].payload, new[0].payload]
    assert found.got is not None


# --- findings


def test_findings_fail_a_test_and_say_it_all() -> None:
    world = right(API).wrong(shown(DEAD, code="UNKNOWN"))
    with pytest.raises(Findings) as caught:
        demand_none(each_report_has_its_effect(world.provider, world.sent, world.outcome()))
    said = str(caught.value).splitlines()
    assert said[0] == "directory-events-api: makes code UNKNOWN of legacy-NotRegistered"
    assert [line.split()[0] for line in said[1:]] == ["sent:", "expected:", "got:"]
    assert '"error":"NotRegistered"' in said[1]
    assert "The app was uninstalled" in said[2]
    assert '"code":"UNKNOWN"' in said[3]


def test_no_findings_fail_nothing() -> None:
    demand_none(())
