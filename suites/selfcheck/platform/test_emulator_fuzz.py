"""The emulator answers any request as FCM or as itself and never crashes."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.platform.fcm.asgi import encode_answer
from fixtures.platform.fcm.emulator import Emulator
from fixtures.platform.fcm.v1 import MESSAGES, snake_case
from suites.selfcheck.platform.emulator_client import BEARER, KEY, request

FIELDS = sorted({name for fields in MESSAGES.values() for name in fields})
LEGACY_NAMES = [
    "to",
    "registration_ids",
    "condition",
    "data",
    "notification",
    "time_to_live",
    "dry_run",
    "priority",
]
SCRIPT_NAMES = [
    "rules",
    "match",
    "case",
    "answer",
    "times",
    "fault",
    "h2-error",
    "target",
    "prefix",
    "group",
    "delay",
    "http_status",
    "headers",
    "body",
]
NAMES = [*FIELDS, *map(snake_case, FIELDS), *LEGACY_NAMES, *SCRIPT_NAMES, "from"]
TEXTS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        ["case/v1-delivered/x", "case//", "case/;fault=/x", "recorded/a", "1s", "/topics/a", "HIGH"]
    ),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), values, max_size=4)
    ),
    max_leaves=12,
)
BODIES = st.one_of(
    VALUES,
    VALUES.map(lambda value: {"message": value}),
    VALUES.map(lambda value: {"message": {"token": "a", "android": value, "data": value}}),
    VALUES.map(lambda value: {"to": "a", "data": value, "notification": value}),
    VALUES.map(lambda value: {"rules": [{"match": {}, "answer": value}]}),
    VALUES.map(lambda value: {"rules": [{"match": value}, value]}),
    VALUES.map(lambda value: {"to": "/topics/a", "registration_tokens": ["a", value], "operation": value}),
)
STATUSES = {200, 400, 404, 422}
HEADERS = {
    "/v1/projects/demo/messages:send": BEARER,
    "/v1/projects/demo/registrations/a/topicSubscriptions": BEARER,
    "/fcm/send": KEY,
    "/fcm/notification": {**KEY, "project_id": "1"},
    "/iid/v1:batchAdd": KEY,
    "/_emulator/script": {},
    "/token": {},
}


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(st.sampled_from(sorted(HEADERS)), BODIES)
def test_any_json_is_answered(path: str, body: Any) -> None:
    answer = request(Emulator(), "POST", path, json.dumps(body), HEADERS[path])
    assert answer.status in STATUSES | {401}
    encode_answer(answer)


@settings(derandomize=True, database=None, deadline=None, max_examples=80)
@given(st.sampled_from(sorted(HEADERS)), st.binary(max_size=40))
def test_any_bytes_are_answered(path: str, body: bytes) -> None:
    answer = request(Emulator(), "POST", path, body, {**HEADERS[path], "content-type": "text/plain"})
    assert answer.status in STATUSES
    encode_answer(answer)


@settings(derandomize=True, database=None, deadline=None, max_examples=80)
@given(st.text(max_size=30))
def test_any_token_is_answered(tail: str) -> None:
    for token in (tail, f"case/{tail}", f"case/v1-delivered;{tail}", f"recorded/{tail}"):
        body = json.dumps({"message": {"token": token}})
        answer = request(Emulator(), "POST", "/v1/projects/demo/messages:send", body, BEARER)
        assert answer.status in STATUSES | {429, 502}
        encode_answer(answer)
