"""The in-process matcher accepts every correct answer, and refuses faults."""

import itertools
import json
from typing import Any

import pact_ffi
import pytest

from fixtures.contracts.pact.declarations import list_declarations
from fixtures.contracts.pact.matcher import (
    FFI_FUNCTION,
    find_interaction,
    load_matcher,
    make_matcher,
)
from fixtures.contracts.pact.model import GENERAL_INTERACTIONS, PactError
from fixtures.core.topology import PROVIDERS, VERSIONS

JSON = "application/json"
ID, TIME = "11111111-1111-4111-8111-111111111111", "2026-01-05T12:00:00Z"
API, RESPONSES, REACTOR = "directory-events-api", "directory-responses", "subscribers-errors"
ACTIONS = ("keep", "replace_token", "postpone", "fix_message", "alert", "duplicate", "stale")

REJECTED = {"report_id": ID, "reason": "token is missing"}
RESULT = {"event_id": ID, "subscriber_id": ID, "action": "unsubscribe"}
REPORT = {"report_id": ID, "protocol": "legacy", "code": "OK", "forwarded_to": [RESPONSES]}
RESPONSE = {"report_id": ID, "protocol": "fcm_v1", "code": "OK", "outcome": "keep"}
SUBSCRIBER = {"subscriber_id": ID, "status": "active", "token": "t", "postponed_until": None}


def accepted(**entry: Any) -> dict[str, Any]:
    """An answer with two rejected reports; the second one differs in these members."""
    return {"accepted": 1, "rejected": [REJECTED, {**REJECTED, **entry}]}


def handled(**result: Any) -> dict[str, Any]:
    """An answer with two results; the second one differs in these members."""
    return {"results": [RESULT, {**RESULT, **result}]}


def subscribers(**subscriber: Any) -> dict[str, Any]:
    """An observation of two subscribers; the second one differs in these members."""
    return {"subscribers": [SUBSCRIBER, {**SUBSCRIBER, **subscriber}]}


def without(value: dict[str, Any], member: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key != member}


ACCEPTED: list[tuple[str, str, str, Any]] = [
    ("nothing rejected", API, "answer", {"accepted": 500, "rejected": []}),
    ("nothing accepted", API, "answer", {"accepted": 0, "rejected": [REJECTED] * 500}),
    ("rejected without an id", API, "answer", accepted(report_id=None)),
    ("an id that is any text", API, "answer", accepted(report_id="")),
    ("half a surrogate pair", API, "answer", accepted(report_id="\ud83d")),
    ("members from the future", API, "answer", {**accepted(at=3), "took_ms": 7}),
    ("forwarded to one", API, "observation", REPORT),
    ("forwarded to many", API, "observation", {**REPORT, "forwarded_to": ["a", "b", "c"]}),
    ("the new protocol", API, "observation", {**REPORT, "protocol": "fcm_v1"}),
    ("nothing stored", RESPONSES, "answer", {"stored": 0, "duplicates": 0, "rejected": []}),
    ("all of it", RESPONSES, "answer", {"stored": 3, "duplicates": 2, "rejected": [REJECTED]}),
    ("a response", RESPONSES, "observation", RESPONSE),
    ("an alert", RESPONSES, "observation", {**RESPONSE, "code": "UNKNOWN", "outcome": "alert"}),
    ("no results", REACTOR, "answer", {"results": []}),
    ("one result", REACTOR, "answer", {"results": [RESULT]}),
    ("many results", REACTOR, "answer", {"results": [RESULT] * 500}),
    ("no ids", REACTOR, "answer", handled(event_id=None, subscriber_id=None, action="alert")),
    *((f"the action {action}", REACTOR, "answer", handled(action=action)) for action in ACTIONS),
    ("no subscribers", REACTOR, "observation", {"subscribers": []}),
    ("many subscribers", REACTOR, "observation", {"subscribers": [SUBSCRIBER] * 50}),
    ("unsubscribed", REACTOR, "observation", subscribers(status="unsubscribed", token=None)),
    *(
        (
            f"postponed until {until}",
            REACTOR,
            "observation",
            subscribers(status="postponed", postponed_until=until),
        )
        for until in ("2026-01-05T12:01:00Z", "2026-01-05T12:01:00.123456Z", "2026-01-05T12:01:00+00:00")
    ),
]

REFUSED: list[tuple[str, str, str, Any, str]] = [
    ("a count as text", API, "answer", {"accepted": "1", "rejected": []}, "$.accepted"),
    ("a count with a fraction", API, "answer", {"accepted": 1.5, "rejected": []}, "$.accepted"),
    ("a count that is true", API, "answer", {"accepted": True, "rejected": []}, "$.accepted"),
    ("no count", API, "answer", {"rejected": []}, "accepted"),
    ("no list", API, "answer", {"accepted": 1}, "rejected"),
    ("null for a list", API, "answer", {"accepted": 1, "rejected": None}, "$.rejected"),
    ("a number for a list", API, "answer", {"accepted": 1, "rejected": 0}, "$.rejected"),
    ("an id that is a number", API, "answer", accepted(report_id=7), "$.rejected[1].report_id"),
    ("an empty reason", API, "answer", accepted(reason=""), "$.rejected[1].reason"),
    ("a null reason", API, "answer", accepted(reason=None), "$.rejected[1].reason"),
    ("no reason", API, "answer", {"accepted": 1, "rejected": [{"report_id": ID}]}, "reason"),
    ("ids instead of entries", API, "answer", {"accepted": 1, "rejected": [ID]}, "$.rejected[0]"),
    ("a list", API, "answer", [], "$"),
    ("null", API, "answer", None, "$"),
    ("another protocol", API, "observation", {**REPORT, "protocol": "fcm_v2"}, "$.protocol"),
    ("a protocol with a suffix", API, "observation", {**REPORT, "protocol": "legacy2"}, "$.protocol"),
    ("an empty code", API, "observation", {**REPORT, "code": ""}, "$.code"),
    ("forwarded to no service", API, "observation", {**REPORT, "forwarded_to": []}, "$.forwarded_to"),
    ("forwarded to a number", API, "observation", {**REPORT, "forwarded_to": ["a", 3]}, "$.forwarded_to[1]"),
    ("duplicates uncounted", RESPONSES, "answer", {"stored": 1, "rejected": []}, "duplicates"),
    ("an unknown outcome", RESPONSES, "observation", {**RESPONSE, "outcome": "drop"}, "$.outcome"),
    ("an unknown action", REACTOR, "answer", handled(action="delete"), "$.results[1].action"),
    ("a null action", REACTOR, "answer", handled(action=None), "$.results[1].action"),
    ("no event id", REACTOR, "answer", {"results": [without(RESULT, "event_id")]}, "event_id"),
    ("results by id", REACTOR, "answer", {"results": {ID: "keep"}}, "$.results"),
    ("an unknown status", REACTOR, "observation", subscribers(status="gone"), "$.subscribers[1].status"),
    ("a word for a time", REACTOR, "observation", subscribers(postponed_until="soon"), "postponed_until"),
    ("seconds for a time", REACTOR, "observation", subscribers(postponed_until=60), "postponed_until"),
    (
        "local time",
        REACTOR,
        "observation",
        subscribers(postponed_until=f"{TIME[:-1]}+02:00"),
        "postponed_until",
    ),
    ("a token that is a list", REACTOR, "observation", subscribers(token=["t"]), "$.subscribers[1].token"),
    ("no token", REACTOR, "observation", {"subscribers": [without(SUBSCRIBER, "token")]}, "token"),
]


def case_id(value: Any) -> str:
    return value.replace(" ", "-") if isinstance(value, str) else ""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("provider", "kind", "body"),
    [pytest.param(*row[1:], id=f"{row[1]}-{case_id(row[0])}") for row in ACCEPTED],
)
def test_a_correct_answer_is_accepted(provider: str, kind: str, body: Any, version: str) -> None:
    matcher = load_matcher(provider, kind, version)
    assert matcher.check(json.dumps(body), JSON, matcher.status) == []


@pytest.mark.parametrize(
    ("provider", "kind", "body", "path"),
    [pytest.param(*row[1:], id=f"{row[1]}-{case_id(row[0])}") for row in REFUSED],
)
def test_a_faulty_answer_is_refused_and_says_where(provider: str, kind: str, body: Any, path: str) -> None:
    matcher = load_matcher(provider, kind)
    mismatches = matcher.check(json.dumps(body), JSON, matcher.status)
    assert any(path in mismatch for mismatch in mismatches), mismatches


@pytest.mark.parametrize(
    ("text", "content_type", "status", "says"),
    [
        ('{"accepted":1,"rejected":[]}', JSON, 200, "status: expected 202, got 200"),
        ('{"accepted":1,"rejected":[]}', "text/html", 202, "content type: expected application/json"),
        ('{"accepted":1,"rejected":[]}', "", 202, "content type: expected application/json, got none"),
        ("", JSON, 202, "$: "),
        ("<html>", JSON, 202, "$: "),
        ('{"accepted":1,"rejected":[]} and more', JSON, 202, "$: "),
        ('{"accepted":1,"rejected":[]}\0{"error":1}', JSON, 202, "$: "),
    ],
)
def test_what_is_no_json_answer_at_all_is_refused(
    text: str, content_type: str, status: int, says: str
) -> None:
    mismatches = load_matcher(API, "answer").check(text, content_type, status)
    assert len(mismatches) == 1
    assert mismatches[0].startswith(says)


def test_a_charset_changes_nothing() -> None:
    matcher = load_matcher(API, "answer")
    assert matcher.check('{"accepted":1,"rejected":[]}', "Application/JSON; charset=utf-8", 202) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_general_interaction_accepts_every_answer_of_its_kind(provider: str) -> None:
    definition = {"answer": PROVIDERS[provider].answer, "observation": PROVIDERS[provider].observation}
    answers = [
        (kind, interaction)
        for version, kind in itertools.product(VERSIONS, GENERAL_INTERACTIONS)
        for interaction in list_declarations(PROVIDERS[provider].edge, version)
        if interaction.answer_definition == definition[kind]
    ]
    assert answers
    for kind, interaction in answers:
        text = json.dumps(interaction.answer)
        mismatches = load_matcher(provider, kind).check(text, JSON, interaction.status)
        assert mismatches == [], interaction.description


def test_an_interaction_that_is_not_there_is_missed_with_the_next_command() -> None:
    with pytest.raises(PactError, match=r"pact-missing.*\n.*next: ./ci/regenerate pacts"):
        find_interaction(API, "after", "a batch of carrier pigeons")


@pytest.mark.parametrize(
    ("provider", "version", "kind"),
    [("pigeons", "after", "answer"), (API, "later", "answer"), (API, "after", "feeling")],
)
def test_an_unknown_name_is_refused_with_the_allowed_ones(provider: str, version: str, kind: str) -> None:
    with pytest.raises(PactError, match="unknown-") as refused:
        load_matcher(provider, kind, version)
    assert any(name in str(refused.value) for name in (API, "observation"))


def test_a_pact_without_the_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pact_ffi, FFI_FUNCTION)
    interaction = find_interaction(API, "after", "a look at a known report")
    with pytest.raises(PactError, match="pact-too-old"):
        make_matcher(interaction)
