"""A rule answers messages to a topic, condition, installation id, group or live activity, or is refused."""

from typing import Any

import pytest

from fixtures.platform.fcm.emulator import Emulator
from suites.selfcheck.platform.emulator_client import request, send_legacy, send_v1

TOPIC, CONDITION, FID = "news", "'a' in topics && 'b' in topics", "d1cQ8tVUTR-abcdefghijk"
GONE: dict[str, Any] = {"case": "v1-UNREGISTERED"}
LIMIT: dict[str, Any] = {"case": "legacy-TopicsMessageRateExceeded"}


def scripted(*rules: dict[str, Any]) -> Emulator:
    """An emulator with these rules."""
    emulator = Emulator()
    answer = request(emulator, "POST", "/_emulator/script", {"rules": rules}, {})
    assert answer.status == 200, answer.body
    return emulator


ACTIVITY = {"token": "x", "apns": {"live_activity_token": "activity-1"}}


@pytest.mark.parametrize(
    ("match", "message"),
    [
        ({"token": "x"}, {"token": "x"}),
        ({"fid": FID}, {"fid": FID}),
        ({"prefix": "d1"}, {"fid": FID}),
        ({"topic": TOPIC}, {"topic": TOPIC}),
        ({"topic": "/topics/news"}, {"topic": TOPIC}),
        ({"prefix": "ne", "target": "topic"}, {"topic": TOPIC}),
        ({"target": "topic"}, {"topic": TOPIC}),
        ({"condition": CONDITION}, {"condition": CONDITION}),
        ({"live_activity_token": "activity-1"}, ACTIVITY),
        ({"token": "x"}, ACTIVITY),
        ({}, {"topic": TOPIC}),
    ],
)
def test_a_rule_matches_each_kind_of_recipient(match: dict[str, str], message: dict[str, Any]) -> None:
    assert send_v1(scripted({"match": match, **GONE}), message).status == 404


@pytest.mark.parametrize(
    ("match", "message"),
    [
        ({"token": FID}, {"fid": FID}),
        ({"fid": FID}, {"token": FID}),
        ({"prefix": "news"}, {"topic": TOPIC}),
        ({"topic": "new"}, {"topic": TOPIC}),
        ({"target": "condition"}, {"topic": TOPIC}),
        ({"target": "live_activity_token"}, {"token": "x"}),
    ],
)
def test_a_rule_leaves_other_recipients_alone(match: dict[str, str], message: dict[str, Any]) -> None:
    assert send_v1(scripted({"match": match, **GONE}), message).status == 200


@pytest.mark.parametrize(
    ("match", "to"),
    [({"topic": TOPIC}, {"to": "/topics/news"}), ({"condition": CONDITION}, {"condition": CONDITION})],
)
def test_a_rule_answers_a_legacy_topic(match: dict[str, str], to: dict[str, str]) -> None:
    emulator = scripted({"match": match, **LIMIT, "times": 1})
    assert send_legacy(emulator, to).body == {"error": "TopicsMessageRateExceeded"}
    assert isinstance(send_legacy(emulator, to).body["message_id"], int)


def test_a_token_of_an_activity_asks_for_a_case() -> None:
    message = {"token": "x", "apns": {"live_activity_token": "case/v1-UNREGISTERED/activity"}}
    assert send_v1(Emulator(), message).status == 404


def test_an_answer_about_the_target_names_its_field() -> None:
    for kind in ("token", "fid"):
        answer = send_v1(Emulator(), {kind: "case/v1-INVALID_ARGUMENT-token-field/x"})
        (violation,) = answer.body["error"]["details"][1]["fieldViolations"]
        assert violation["field"] == f"message.{kind}"


@pytest.mark.parametrize(
    "rules",
    [
        [{**GONE}, {"match": {"token": "x"}, **GONE}],
        [{"match": {"prefix": "a"}}, {"match": {"prefix": "ab"}, **GONE}],
        [{"match": {"token": "a"}}, {"match": {"token": "a"}, **GONE}],
        [{"match": {"target": "topic"}}, {"match": {"topic": "a"}, **GONE}],
        [{"match": {"token": "a"}}, {"match": {"fid": "a"}}, {"match": {"fid": "a"}, "times": 1}],
        [{"match": {"target": "token"}}, {"match": {"target": "fid"}}, {"match": {"prefix": "a"}}],
        [{"match": {"subscription": "a"}, **LIMIT}],
        [{"match": {"topic": "a b"}, **GONE}],
        [{"match": {"condition": "'a' in topics &&"}, **GONE}],
        [{"match": {"token": "x" * 4097}, **GONE}],
        [{"match": {"fid": ""}, **GONE}],
        [{"match": {"fid": FID}, **LIMIT}],
        [{"match": {"live_activity_token": "a"}, "protocol": "legacy", "fault": "reset"}],
    ],
)
def test_a_rule_that_can_never_apply_is_refused(rules: list[dict[str, Any]]) -> None:
    answer = request(Emulator(), "POST", "/_emulator/script", {"rules": rules}, {})
    assert (answer.status, answer.body["slug"]) == (422, "unreachable-rule")
    assert f"rules[{len(rules) - 1}]" in answer.body["detail"]


@pytest.mark.parametrize(
    "rules",
    [
        [{**GONE, "times": 1}, {"match": {"token": "x"}, **GONE}],
        [{**GONE}, {**LIMIT}],
        [{"match": {"prefix": "ab"}}, {"match": {"prefix": "a"}, **GONE}],
        [{"match": {"prefix": "a"}}, {"match": {"topic": "ab"}, **GONE}],
        [{"match": {"token": "a"}}, {"match": {"prefix": "a"}, **GONE}],
    ],
)
def test_a_rule_that_can_still_apply_is_taken(rules: list[dict[str, Any]]) -> None:
    scripted(*rules)


@pytest.mark.parametrize(
    ("rule", "slug", "detail"),
    [
        ({"match": {"token": "a", "prefix": "a"}}, "bad-script", "one recipient"),
        ({"match": {"target": "device"}}, "bad-script", "allowed: token, fid, topic"),
        ({"protocol": "fcm_v1", "answer": {"result": {}}}, "wrong-protocol", "allowed: legacy"),
    ],
)
def test_a_contradiction_is_refused(rule: dict[str, Any], slug: str, detail: str) -> None:
    answer = request(Emulator(), "POST", "/_emulator/script", {"rules": [rule]}, {})
    assert (answer.status, answer.body["slug"]) == (422, slug)
    assert detail in answer.body["detail"]
