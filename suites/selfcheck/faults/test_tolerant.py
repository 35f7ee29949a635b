"""Each tolerant variant differs from the reference as it says, and does to a subscriber what is allowed."""

from collections.abc import Mapping
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.core.backoff import retry_after_s, retry_info_s
from fixtures.core.catalogue import example_report, load_catalogue
from fixtures.core.errors import UserError
from fixtures.core.findings import Finding
from fixtures.core.payloads import CountedIds, active_subscriber, address, error_event
from fixtures.core.run_config import RunConfig
from fixtures.core.times import parse_time
from fixtures.faults import tolerant_decisions
from fixtures.faults.tolerant import (
    TOLERANT_VARIANTS,
    find_tolerant_variant,
    write_times_with_offset,
)
from fixtures.services import load
from fixtures.services.decision import Decision
from fixtures.services.routing import LocalService
from suites.plugins.options import DEPLOYMENTS, RUN_CONFIG
from suites.plugins.ranks import get_deciding_ranks
from suites.selfcheck.sample_answers import fcm_error_detail, legacy_answer, retry_info_detail, v1_answer

SENT_AT, ARRIVED_AT = "2026-01-01T00:00:00Z", "2026-01-01T00:00:03Z"
SUCCESS = {"name": "projects/p/messages/1"}
FCM_ERRORS = [fcm_error_detail("UNREGISTERED"), fcm_error_detail("INTERNAL")]
TWO_FCM_ERRORS = v1_answer(404, details=FCM_ERRORS)
OTHER_TYPE = {"@type": "google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
UNKNOWN = v1_answer(400, details=[fcm_error_detail("NEW_CODE")])
LIMITED = v1_answer(429, details=[fcm_error_detail("QUOTA_EXCEEDED")])
LIMITED_FOR_20_S = v1_answer(429, details=[fcm_error_detail("QUOTA_EXCEEDED"), retry_info_detail("20s")])
UNAVAILABLE = legacy_answer({"error": "Unavailable"})
MISMATCH = legacy_answer({"error": "MismatchSenderId"})
TOO_BIG = legacy_answer({"error": "MessageTooBig"})
DEAD_AND_DELIVERED = legacy_answer({"message_id": "1", "error": "NotRegistered"})

# The variant, an answer, and its code, outcome and wait.
DECISIONS: tuple[tuple[str, Mapping[str, Any], tuple[Any, ...]], ...] = (
    ("unknown-codes-as-they-came", UNKNOWN, ("NEW_CODE", "alert", None)),
    ("unknown-codes-as-they-came", legacy_answer({"error": "New"}), ("New", "alert", None)),
    ("http-codes-by-number", legacy_answer("", 418), ("HTTP_418", "alert", None)),
    ("http-codes-by-number", legacy_answer("", 503), ("HTTP_503", "postpone", 10)),
    ("codes-in-lower-case", UNAVAILABLE, ("unavailable", "postpone", 10)),
    ("delivered-by-another-name", v1_answer(200, SUCCESS), ("DELIVERED", "keep", None)),
    ("alerts-told-as-fix-message", MISMATCH, ("MismatchSenderId", "fix_message", None)),
    ("fix-messages-told-as-alert", TOO_BIG, ("MessageTooBig", "alert", None)),
    ("alerts-told-as-keep", MISMATCH, ("MismatchSenderId", "keep", None)),
    ("fix-messages-told-as-keep", TOO_BIG, ("MessageTooBig", "keep", None)),
    ("first-fcm-error-decides", v1_answer(404, details=FCM_ERRORS[::-1]), ("INTERNAL", "postpone", 10)),
    ("last-fcm-error-decides", TWO_FCM_ERRORS, ("INTERNAL", "postpone", 10)),
    ("types-letter-by-letter", v1_answer(404, details=[OTHER_TYPE]), ("HTTP_404", "alert", None)),
    ("contradictions-alert", TWO_FCM_ERRORS, ("UNREGISTERED", "alert", None)),
    ("contradictions-alert", DEAD_AND_DELIVERED, ("NotRegistered", "alert", None)),
    ("success-beats-error", DEAD_AND_DELIVERED, ("OK", "keep", None)),
    ("success-beats-error", v1_answer(200, {**SUCCESS, "error": {"code": 404}}), ("OK", "keep", None)),
    ("empty-answers-alert", v1_answer(200, {}), ("UNKNOWN", "alert", None)),
    ("empty-answers-alert", legacy_answer({}), ("UNKNOWN", "alert", None)),
    ("unreadable-errors-alert", v1_answer(200, {**SUCCESS, "error": "x"}), ("OK", "alert", None)),
    ("unreadable-errors-ignored", v1_answer(200, {"error": "x"}), ("OK", "keep", None)),
    ("unreadable-errors-ignored", legacy_answer({"error": 5}), ("OK", "keep", None)),
    ("undecided-answers-alert", v1_answer(503, '{"error": {"co'), ("HTTP_5XX", "alert", None)),
    (
        "http-status-decides-the-impossible",
        v1_answer(403, details=[fcm_error_detail("UNREGISTERED")]),
        ("HTTP_403", "alert", None),
    ),
    ("waits-twice-as-long", LIMITED, ("QUOTA_EXCEEDED", "postpone", 120)),
    ("waits-five-times-as-long", LIMITED_FOR_20_S, ("QUOTA_EXCEEDED", "postpone", 300)),
    ("waits-five-times-as-long", {**LIMITED, "retry_after": "86000"}, ("QUOTA_EXCEEDED", "postpone", 86_400)),
    ("waits-a-minute-by-default", UNAVAILABLE, ("Unavailable", "postpone", 60)),
    ("waits-as-named-when-limited", LIMITED_FOR_20_S, ("QUOTA_EXCEEDED", "postpone", 20)),
)
DECIDING = sorted({name for name, _, _ in DECISIONS})
# To a subscriber, these outcomes are one.
NO_EFFECT = dict.fromkeys(("keep", "fix_message", "alert"), "keep")


def decide(variant: str, answer: Mapping[str, Any]) -> Decision:
    tolerant = find_tolerant_variant(variant)
    service: Any = tolerant.load(tolerant.service, "after")
    decision: Decision = service.decide({"sent_at": SENT_AT, **answer})
    return decision


def decide_right(answer: Mapping[str, Any]) -> Decision:
    service: Any = load("directory-responses", "after")
    decision: Decision = service.decide({"sent_at": SENT_AT, **answer})
    return decision


@pytest.mark.parametrize(("variant", "answer", "expected"), DECISIONS)
def test_a_variant_decides_otherwise(
    variant: str, answer: Mapping[str, Any], expected: tuple[Any, ...]
) -> None:
    decision = decide(variant, answer)
    assert (decision.code, decision.outcome, decision.wait_s) == expected
    assert decision != decide_right(answer)


@pytest.mark.parametrize("variant", DECIDING)
def test_a_variant_does_to_a_subscriber_what_is_allowed(variant: str) -> None:
    catalogue = load_catalogue()
    for example in (*catalogue.cases, *catalogue.unspecified):
        answer = example_report(example)
        decision = decide(variant, answer)
        allowed = {NO_EFFECT.get(outcome, outcome) for outcome in catalogue.allowed_outcomes(answer)}
        assert NO_EFFECT.get(decision.outcome, decision.outcome) in allowed
        asked_s = retry_after_s(answer["retry_after"], parse_time(SENT_AT))
        named_waits = [asked_s, *retry_info_s(answer["response"])]
        assert decision.wait_s is None or decision.wait_s >= max(named_waits)


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(UserError, match=r"unknown-variant: 'contradiction': allowed: contradictions-alert,"):
        find_tolerant_variant("contradiction")


def test_each_changed_decision_has_a_row() -> None:
    by_arrival = {"waits-from-arrival", "late-waits-are-over", "waits-from-its-own-clock"}
    by_data = {variant.name for variant in TOLERANT_VARIANTS} - by_arrival
    assert tolerant_decisions.CHANGES.keys() - by_arrival <= set(DECIDING) <= by_data


@pytest.mark.parametrize(
    ("variant", "ranks"),
    [
        ("", ["promise", "contract", "label"]),
        ("any-404-unsubscribes", ["promise", "contract", "label"]),
        ("slow", ["promise", "contract"]),
        ("one-word-for-no-action", ["promise"]),
    ],
)
def test_a_variant_is_judged_as_a_deployment(variant: str, ranks: list[str]) -> None:
    config: Any = SimpleNamespace(stash=pytest.Stash())
    config.stash[RUN_CONFIG], config.stash[DEPLOYMENTS] = RunConfig(variant=variant), {}
    deciding = get_deciding_ranks(config)
    rules = ("effects.subscriber", "answers.shape", "effects.action")
    findings = [
        Finding(rule=rule, provider="subscribers-errors", title="", sent=[], expected="", got=None)
        for rule in rules
    ]
    assert [finding.rank for finding in findings if deciding.decides(finding)] == ranks


def react(variant: str, *answers: Mapping[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """The actions of events about the answers at subscribers-errors, and the subscribers after them."""
    ids = CountedIds(run="fcafe0000000")
    events = [error_event(address(answer, ids, sent_at=parse_time(SENT_AT)), "UNKNOWN") for answer in answers]
    service = LocalService(find_tolerant_variant(variant).load("subscribers-errors", "after"), now=ARRIVED_AT)
    with closing(service.store):
        state = {
            "state": "subscribers exist",
            "params": {"subscribers": list(map(active_subscriber, events))},
        }
        service.answer("POST", "/_pact/provider-states", state)
        results = service.answer("POST", "/v1/errors", {"errors": [*events, events[0]]}).body["results"]
        reply = service.answer("GET", "/v1/subscribers", id=tuple(event["subscriber_id"] for event in events))
    return [row["action"] for row in results], reply.body["subscribers"]


def test_only_times_are_written_with_an_offset() -> None:
    like_a_time = "cJ8x-Tq2_bTAPA91bH:Z"  # a token of FCM
    assert (like_a_time[10], like_a_time[-1]) == ("T", "Z")
    written = write_times_with_offset({"token": like_a_time, "postponed_until": "2026-01-01T00:00:00.5Z"})
    assert written == {"token": like_a_time, "postponed_until": "2026-01-01T00:00:00.5+00:00"}


def test_actions_have_other_words() -> None:
    dead = v1_answer(404, details=[fcm_error_detail("UNREGISTERED")])
    actions, subscribers = react("other-action-words", dead, TOO_BIG, MISMATCH, UNAVAILABLE)
    assert actions == ["removed", "told", "told", "postpone", "duplicate"]
    assert [subscriber["status"] for subscriber in subscribers] == [
        "unsubscribed",
        "active",
        "active",
        "postponed",
    ]


def test_no_action_has_one_word() -> None:
    assert react("one-word-for-no-action", TOO_BIG, UNAVAILABLE)[0] == ["ignored", "postpone", "ignored"]


def test_a_wait_counts_from_the_arrival() -> None:
    _, (subscriber,) = react("waits-from-arrival", UNAVAILABLE)
    assert subscriber["postponed_until"] == "2026-01-01T00:00:13Z"


def test_a_wait_that_is_over_postpones_nobody() -> None:
    late = {**UNAVAILABLE, "sending": {"age_s": 7_200}}
    actions, subscribers = react("late-waits-are-over", UNAVAILABLE, late)
    assert actions == ["postpone", "postpone", "duplicate"]
    assert [subscriber["status"] for subscriber in subscribers] == ["postponed", "active"]


def test_a_wait_counts_from_the_arrival_if_the_sender_is_ahead() -> None:
    ahead = {**UNAVAILABLE, "sending": {"age_s": -5}}
    _, subscribers = react("waits-from-its-own-clock", UNAVAILABLE, ahead)
    ends = [subscriber["postponed_until"] for subscriber in subscribers]
    assert ends == ["2026-01-01T00:00:10Z", "2026-01-01T00:00:13Z"]


@pytest.mark.parametrize("service", find_tolerant_variant("refusals-as-json").services)
def test_refusals_are_json(service: str) -> None:
    local = LocalService(find_tolerant_variant("refusals-as-json").load(service, "after"))
    with closing(local.store):
        paths = ("/v1/reports", "/v1/responses", "/v1/errors")
        replies = [
            reply for path in paths for reply in [local.answer("POST", path, b"")] if reply.status == 400
        ]
    assert [reply.content_type for reply in replies] == ["application/json"]
