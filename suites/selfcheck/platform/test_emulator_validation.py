"""The emulator refuses what FCM refuses: credentials, JSON, fields, sizes, keys, times."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.fcm.messages import LoggedRequest, RequestLog
from fixtures.platform.fcm.oauth import JWT_BEARER, AccessTokens
from suites.selfcheck.platform.emulator_client import (
    BEARER,
    KEY,
    NOW,
    TOO_LONG,
    request,
    send_legacy,
    send_v1,
)

SEND = "/v1/projects/demo/messages:send"

INVALID_V1_MESSAGES: dict[str, tuple[Any, str, str | None]] = {
    "no target": ({}, "Recipient of the message is not set.", "message"),
    "empty token": ({"token": ""}, "Recipient of the message is not set.", "message"),
    "two targets": ({"token": "a", "topic": "b"}, "oneof field 'target' is already set", "message"),
    "unknown field": ({"token": "a", "key": 1}, "Unknown name \"key\" at 'message'", "message"),
    "unknown field within": (
        {"token": "a", "android": {"notification": {"tilte": "b"}}},
        "Unknown name \"tilte\" at 'message.android.notification'",
        "message.android.notification",
    ),
    "number as data": ({"token": "a", "data": {"k": 12}}, "(TYPE_STRING), 12", "message.data[0].value"),
    "list as data": ({"token": "a", "data": []}, "Invalid value at 'message.data'", "message.data"),
    "text as notification": (
        {"token": "a", "notification": "b"},
        "(type.googleapis.com/google.firebase.fcm.v1.Notification)",
        "message.notification",
    ),
    "unknown priority": (
        {"token": "a", "android": {"priority": "urgent"}},
        "AndroidMessagePriority",
        "message.android.priority",
    ),
    "ttl as number": (
        {"token": "a", "android": {"ttl": 5}},
        "google.protobuf.Duration",
        "message.android.ttl",
    ),
    "ttl too long": (
        {"token": "a", "android": {"ttl": "2419201s"}},
        "Invalid TTL 2419201s",
        "message.android.ttl",
    ),
    "negative ttl": ({"token": "a", "android": {"ttl": "-1s"}}, "Invalid TTL -1s", "message.android.ttl"),
    "reserved key": ({"token": "a", "data": {"from": "b"}}, "payload key: from", "message.data[0].key"),
    "reserved prefix": (
        {"token": "a", "data": {"google.x": "b"}},
        "payload key: google.x",
        "message.data[0].key",
    ),
    "too big": ({"token": "a", "data": {"k": TOO_LONG}}, "Message is too large.", None),
    "both kinds of Android options": (
        {"token": "a", "android": {}, "androidV2": {}},
        "Only one of android and android_v2",
        "message.android_v2",
    ),
    "long installation id": ({"fid": TOO_LONG}, "not a valid FCM registration token", "message.fid"),
    "long token": (
        {"token": TOO_LONG},
        "The registration token is not a valid FCM registration token",
        "message.token",
    ),
}


@pytest.mark.parametrize(("message", "text", "field"), INVALID_V1_MESSAGES.values(), ids=INVALID_V1_MESSAGES)
def test_v1_refuses_a_wrong_message(message: Any, text: str, field: str | None) -> None:
    answer = send_v1(Emulator(), message)
    error = answer.body["error"]
    assert (answer.status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert text in error["message"]
    fields = [row["field"] for detail in error["details"] for row in detail.get("fieldViolations", ())]
    assert fields == ([] if field is None else [field])


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "", b"\xff", '{"message": ' + "[" * 100_000])
def test_v1_refuses_what_is_no_json_object(body: Any) -> None:
    answer = request(Emulator(), "POST", SEND, body, BEARER)
    assert (answer.status, answer.body["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert answer.body["error"]["message"].startswith("Invalid JSON payload received. ")


def test_v1_names_every_unknown_field() -> None:
    answer = request(Emulator(), "POST", SEND, {"to": "x", "notification": {}}, BEARER)
    text = 'Invalid JSON payload received. Unknown name "to": Cannot find field.'
    assert answer.body["error"]["message"].splitlines()[0] == text
    assert len(answer.body["error"]["details"][0]["fieldViolations"]) == 2


def test_v1_takes_both_spellings_of_every_field_and_null_for_none() -> None:
    android = {"ttl": "3.5s", "priority": "high", "collapseKey": "c", "restricted_package_name": "p"}
    light = {"light_settings": {"color": {"red": 1}, "lightOnDuration": "1s"}, "notification_count": 3}
    message = {
        "token": "x",
        "topic": None,
        "android": {**android, "notification": {**light, "vibrate_timings": ["1s"]}},
        "apns": {"headers": {"apns-priority": "10"}, "payload": {"aps": {"badge": 1}}},
        "webpush": {"fcm_options": {"link": "l"}, "notification": {"any": [1]}},
        "fcm_options": {"analytics_label": "a"},
    }
    assert send_v1(Emulator(), message, validate_only=False).status == 200


def test_a_wrong_message_is_refused_whatever_its_token_asks_for() -> None:
    assert send_v1(Emulator(), {"token": "case/v1-UNREGISTERED/x", "data": {"from": "b"}}).status == 400


UNREADABLE_LEGACY_REQUESTS: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "JSON_PARSING_ERROR"),
    "a list": ([], "JSON_PARSING_ERROR"),
    "ids as text": ({"registration_ids": "a"}, '"registration_ids" field is not a JSON array'),
    "no ids": ({"registration_ids": []}, '"registration_ids" field cannot be empty'),
    "too many ids": ({"registration_ids": ["a"] * 1001}, "(1001) exceeds maximum allowed (1000)"),
    "both": ({"registration_ids": ["a"], "to": "b"}, "not both"),
    "to as number": ({"to": 1}, '"to" field is not a JSON string'),
    "ttl as text": ({"to": "a", "time_to_live": "5"}, '"time_to_live" field is not a number'),
    "data as list": ({"to": "a", "data": []}, '"data" field is not a JSON object'),
}


@pytest.mark.parametrize(
    ("body", "text"), UNREADABLE_LEGACY_REQUESTS.values(), ids=UNREADABLE_LEGACY_REQUESTS
)
def test_legacy_refuses_what_it_cannot_read_in_plain_text(body: Any, text: str) -> None:
    answer = send_legacy(Emulator(), body)
    assert answer.status == 400
    assert text in answer.body


INVALID_LEGACY_MESSAGES: dict[str, tuple[Any, str]] = {
    "no target": ({}, "MissingRegistration"),
    "reserved key": ({"to": "a", "data": {"google_x": "b"}}, "InvalidDataKey"),
    "ttl too long": ({"to": "a", "time_to_live": 2_419_201}, "InvalidTtl"),
    "negative ttl": ({"to": "a", "time_to_live": -1}, "InvalidTtl"),
    "too big": ({"to": "a", "data": {"k": TOO_LONG}}, "MessageTooBig"),
    "long token": ({"to": TOO_LONG}, "InvalidRegistration"),
    "empty token": ({"registration_ids": [""]}, "MissingRegistration"),
}


@pytest.mark.parametrize(("body", "word"), INVALID_LEGACY_MESSAGES.values(), ids=INVALID_LEGACY_MESSAGES)
def test_legacy_refuses_a_message_with_the_documented_word(body: Any, word: str) -> None:
    answer = send_legacy(Emulator(), body)
    assert (answer.status, answer.body["results"]) == (200, [{"error": word}])


def test_a_legacy_topic_gets_the_word_without_results() -> None:
    answer = send_legacy(Emulator(), {"to": "/topics/a", "data": {"k": "x" * 2049}})
    assert (answer.status, answer.body) == (200, {"error": "MessageTooBig"})


# --- credentials


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "key=abc", "Basic abc"])
def test_v1_refuses_missing_credentials(authorization: str) -> None:
    answer = request(Emulator(), "POST", SEND, {"message": {"token": "x"}}, {"authorization": authorization})
    assert (answer.status, answer.body["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert "missing required authentication credential" in answer.body["error"]["message"]


@pytest.mark.parametrize("authorization", ["", "key=", "Bearer abc", "key=expired"])
def test_legacy_refuses_missing_credentials(authorization: str) -> None:
    answer = request(Emulator(), "POST", "/fcm/send", {"to": "x"}, {**KEY, "authorization": authorization})
    assert answer.status == 401
    assert answer.body.startswith("<HTML>")


def test_configured_credentials_are_the_only_ones() -> None:
    emulator = Emulator("right", AccessTokens(only="right"))
    for word, status in (("right", 200), ("wrong", 401)):
        bearer = {"authorization": f"Bearer {word}"}
        assert request(emulator, "POST", SEND, {"message": {"token": "x"}}, bearer).status == status
        key = {**KEY, "authorization": f"key={word}"}
        assert request(emulator, "POST", "/fcm/send", {"to": "x"}, key).status == status


def make_assertion(claims: dict[str, str]) -> str:
    """An unsigned JWT."""
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"


def request_token(emulator: Emulator, **form: str) -> Any:
    return request(emulator, "POST", "/token", urlencode(form), {}).body


def test_an_assertion_buys_a_token_that_ends() -> None:
    emulator = Emulator(tokens=AccessTokens(lifetime_s=60, only="none"))
    token = request_token(
        emulator, grant_type=JWT_BEARER, assertion=make_assertion({"iss": "me", "aud": "token"})
    )
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 60)
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    message = {"message": {"token": "x"}}
    assert request(emulator, "POST", SEND, message, bearer, NOW + 59).status == 200
    late = request(emulator, "POST", SEND, message, bearer, NOW + 60)
    assert (late.status, late.body["error"]["details"][0]["reason"]) == (401, "ACCESS_TOKEN_EXPIRED")


def test_a_refresh_token_buys_one_too() -> None:
    assert request_token(Emulator(), grant_type="refresh_token", refresh_token="r")["access_token"]  # noqa: S106


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": JWT_BEARER, "assertion": "a.b"}, "invalid_grant"),
        ({"grant_type": JWT_BEARER, "assertion": make_assertion({"iss": "me"})}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
    ],
)
def test_the_token_endpoint_refuses(form: dict[str, str], word: str) -> None:
    assert request_token(Emulator(), **form)["error"] == word


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", SEND),
        ("GET", "/fcm/send"),
        ("POST", "/v1/projects/a/messages"),
        ("POST", "/gcm"),
    ],
)
def test_an_unknown_path_is_the_front_ends_404_page(method: str, path: str) -> None:
    answer = request(Emulator(), method, path, b"", BEARER)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")


# --- bounds


def test_the_request_log_drops_the_oldest_by_number_and_by_size() -> None:
    log = RequestLog(max_requests=3, max_bytes=10)
    for number in range(1, 6):
        log.add(LoggedRequest(number=number, received_at=NOW, protocol="legacy", path="/", body=b"1234"))
    rows = log.to_json()
    assert ([row["number"] for row in rows["requests"]], rows["forgotten"]) == ([4, 5], 3)
