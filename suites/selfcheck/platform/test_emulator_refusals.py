"""The emulator refuses messages as FCM does in 2026: texts, shapes and limits of recorded answers."""

from typing import Any

import pytest

from fixtures.platform.fcm.emulator import Emulator
from suites.selfcheck.platform.emulator_client import TOO_LONG, send_legacy, send_v1


def refusal(message: str, field: str | None = None, *, by_fcm: bool = True) -> dict[str, Any]:
    """An error of FCM about a field; the details are in the order of the recorded answers of 2026."""
    bad_request: dict[str, Any] = {"@type": "type.googleapis.com/google.rpc.BadRequest"}
    if field:
        bad_request["fieldViolations"] = [{"field": field, "description": message}]
    fcm_error = {
        "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
        "errorCode": "INVALID_ARGUMENT",
    }
    error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}
    return {**error, "details": [bad_request, fcm_error]} if by_fcm else error


TOO_LARGE = refusal("Message is too large. The maximum is 4K (4096 bytes).")
BAD_TOPIC = refusal("Topic name contains invalid characters.", "message")
BAD_CONDITION = refusal("Request contains an invalid argument.", by_fcm=False)
BAD_TTL = refusal("TTL must be a non-negative integer.", "message.webpush.headers.TTL")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"topic": "news", "data": {"p": "x" * 4505}}, None),
        ({"topic": "news", "data": {"p": "x" * 4506}}, TOO_LARGE),
        ({"token": "a", "data": {"k": TOO_LONG}}, {**TOO_LARGE, "details": TOO_LARGE["details"][1:]}),
        ({"topic": "bad#topic!name"}, BAD_TOPIC),
        ({"topic": "x" * 901}, BAD_TOPIC),
        ({"condition": "'a' in topics &&"}, BAD_CONDITION),
        ({"topic": "news", "webpush": {"headers": {"TTL": "not-a-number"}}}, BAD_TTL),
        ({"topic": "news", "webpush": {"headers": {"TTL": "3600"}}}, None),
    ],
)
def test_v1_refuses_in_the_words_of_recorded_answers(message: Any, error: Any) -> None:
    answer = send_v1(Emulator(), message)
    assert (answer.status, answer.body.get("error")) == (400 if error else 200, error)


@pytest.mark.parametrize(
    "condition",
    [
        "'a' in topics",
        "  'a' in topics && ('b' in topics||'c' in topics)  ",
        "!('a' in topics) && !'b' in topics",
        "(('a' in topics))",
        " && ".join(f"'{n}' in topics" for n in range(5)),
        "(" * 1000 + "'a' in topics" + ")" * 1000,
    ],
)
def test_a_condition_is_taken(condition: str) -> None:
    assert send_v1(Emulator(), {"condition": condition}).status == 200
    assert "message_id" in send_legacy(Emulator(), {"condition": condition}).body


@pytest.mark.parametrize(
    "condition",
    [
        "a",
        "'a'",
        "'a' in topics 'b' in topics",
        "'a' in topics & 'b' in topics",
        "'a b' in topics",
        "'' in topics",
        "'a' in topics || && 'b' in topics",
        "|| 'a' in topics",
        "'a' in topics !",
        "()",
        "('a' in topics",
        "'a' in topics)",
        ")'a' in topics(",
        "'a' in topicsx",
        " || ".join(f"'{n}' in topics" for n in range(6)),
        "(" * 1000,
    ],
)
def test_a_malformed_condition_is_refused(condition: str) -> None:
    assert send_v1(Emulator(), {"condition": condition}).body == {"error": BAD_CONDITION}
    answer = send_legacy(Emulator(), {"condition": condition})
    assert (answer.status, answer.body) == (200, {"error": "InvalidParameters: Bad topic or filter provided"})
