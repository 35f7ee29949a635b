"""What is not taken is counted with its reason; waits and wrappings are said in the record."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest

from suites.selfcheck.generation.import_forms import (
    B64,
    BARE,
    BUSY,
    CURL,
    DEAD,
    ESCAPED,
    GONE,
    KEPT,
    LEGACY,
    PRETTY,
    QUOTA,
    SEND,
    SENT,
    TEXT,
    TEXT_BUSY,
    har,
    lines,
    read,
    to_elixir,
    to_ruby,
    v1_error,
)

NOT_TAKEN: Mapping[str, tuple[str | bytes, dict[str, int], dict[str, int]]] = {
    # --- not sends
    "Web Push": (
        lines(
            {"url": "https://fcm.googleapis.com/fcm/send/abc:d", "status": 201, "body": ""},
            {"url": "https://fcm.googleapis.com/wp/abc", "status": 410, "body": "gone"},
        ),
        {},
        {"web-push": 2},
    ),
    "Web Push in text": (
        "POST https://fcm.googleapis.com/fcm/send/abc 410 push subscription has expired\n",
        {},
        {"web-push": 1},
    ),
    "Web Push as a recording": (
        lines({"http_status": 410, "body": "push subscription has unsubscribed or expired.\n"}, LEGACY),
        DEAD,
        {"web-push": 1},
    ),
    "Web Push of others": (
        lines(
            {
                "request": {"url": "https://updates.push.services.mozilla.com/wpush/v2/x"},
                "response": {"status": 404, "body": '{"code": 404, "errno": 102, "error": "Not Found"}'},
            },
            SENT,
        ),
        KEPT,
        {"web-push": 1},
    ),
    "Instance ID": (
        lines(
            {
                "url": "https://iid.googleapis.com/iid/v1:batchRemove",
                "status": 200,
                "body": '{"results": [{}, {}]}',
            },
            {"results": [{"error": "NOT_FOUND"}, {}]},
        ),
        {},
        {"topic-management": 2},
    ),
    "topics": (lines(v1_error(409, "ALREADY_EXISTS"), SENT), KEPT, {"topic-management": 1}),
    "OAuth": (
        lines(
            {
                "url": "https://oauth2.googleapis.com/token",
                "status": 400,
                "body": '{"error": "invalid_grant", "error_description": "no"}',
            },
            {"url": "https://sts.googleapis.com/v1/token", "status": 400, "body": "no"},
            SENT,
        ),
        KEPT,
        {"oauth": 2},
    ),
    "OAuth in text": (
        'POST https://oauth2.googleapis.com/token 400 {"error": "invalid_grant", "error_description": ""}\n',
        {},
        {"oauth": 1},
    ),
    "gRPC": (lines({"code": 5, "message": "m", "details": GONE["error"]["details"]}), {}, {"grpc-status": 1}),
    "gRPC in text": ("fcm: rpc error: code = NotFound desc = UNREGISTERED\n", {}, {"grpc-status": 1}),
    "Node's library": (
        lines({"code": "messaging/invalid-argument", "message": "m"}, SENT),
        KEPT,
        {"sdk-error": 1},
    ),
    "libraries in text": (
        "ERROR FirebaseMessagingException: gone\n\tat x.Y.z(Y.java:3)\nERROR UnregisteredError('fcm gone')\n",
        {},
        {"sdk-error": 2},
    ),
    "a batch response": (
        lines({"responses": [{"success": True, "messageId": "x"}], "successCount": 1}),
        {},
        {"sdk-error": 1},
    ),
    "a batch response that Node printed": (
        "{ responses: [ { success: false, error: [FirebaseMessagingError] } ],\n  successCount: 0 }\n",
        {},
        {"sdk-error": 1},
    ),
    "other APIs": (
        lines(
            {
                "url": "https://drive.googleapis.com/v3/files",
                "status": 404,
                "body": json.dumps(v1_error(404, "NOT_FOUND")),
            },
            SENT,
        ),
        KEPT,
        {"other-api": 1},
    ),
    "an error of any API": (lines(BARE, GONE), DEAD, {"api-unknown": 1}),
    # --- cut, left out, unreadable
    "a line cut off": (f"fcm {TEXT[:90]}...\nfcm {TEXT}\n", DEAD, {"cut-off": 1}),
    "a page cut off": (f"x\n{PRETTY[:120]} (truncated...)\nfcm {TEXT}\n", DEAD, {"cut-off": 1}),
    "an escaped body cut off": (f'fcm "{ESCAPED[:130]}\nfcm {TEXT}\n', DEAD, {"cut-off": 1}),
    "a dump cut off": (f"fcm {repr(GONE)[:100]}...\nfcm {TEXT}\n", DEAD, {"cut-off": 1}),
    "gzip cut off": (gzip.compress(lines(*[GONE] * 9).encode())[:-4], {"unsubscribe": 9}, {"cut-off": 1}),
    "Node, left out": (
        "{ data: { error: { code: 404, status: 'NOT_FOUND', message: 'fcm', details: [ [Object] ] } } }\n",
        {},
        {"left-out": 1},
    ),
    "Node, left out, in text that names nothing": (
        "{ error: { code: 404, message: 'm', status: 'NOT_FOUND', details: [Array] } }\n",
        {},
        {"left-out": 1},
    ),
    "a body in a URL": ("body=%7B%22type.googleapis.com%2FFcmError%22\n", {}, {"unreadable": 1}),
    "a status in no known words": (
        lines({"url": SEND, "status": "it went wrong", "body": ""}),
        {},
        {"status-unknown": 1},
    ),
    "Web Push by curl": (
        "> POST /fcm/send/abc:d HTTP/2\n> Host: fcm.googleapis.com\n< HTTP/2 410\n<\nsubscription expired.\n",
        {},
        {"web-push": 1},
    ),
    "a topic's empty answer": (
        har((200, {}), url="https://fcm.googleapis.com/v1/projects/x/registrations/y/topicSubscriptions"),
        {},
        {"topic-management": 1},
    ),
    "a map of Java": (
        "fcm {error={code=404, details=[{errorCode=UNREGISTERED}]}}\n",
        {},
        {"unquoted-dump": 1},
    ),
    "a map of Go": (
        "fcm map[error:map[code:404 details:[map[errorCode:UNREGISTERED]]]]\n",
        {},
        {"unquoted-dump": 1},
    ),
    "codes in text": ("INFO x\nWARN token abc: NotRegistered\nINFO y\n", {}, {"unreadable": 1}),
    "codes in a line without an end": (
        "INFO x\nWARN token abc: NotRegistered",
        {},
        {"unreadable": 1},
    ),
    "codes in a record's text": (lines({"msg": "token abc: NotRegistered"}), {}, {"unreadable": 1}),
    "half of a pair of surrogates": (lines({"msg": "\ud83d {} fcm error 404"}), {}, {"unreadable": 1}),
    "a HAR file without contents": (har((404, None), size=201), {}, {"body-missing": 1}),
    "a status in text": (f'HTTP Request: POST {SEND} "HTTP/1.1 404 Not Found"\n', {}, {"body-missing": 1}),
    "no status": (
        lines({"error": {"message": "m", "status": "NOT_FOUND", "details": GONE["error"]["details"]}}),
        {},
        {"status-unknown": 1},
    ),
    "zip": (b"PK\x03\x04abc", {}, {"compressed": 1}),
    "zstd": (b"\x28\xb5\x2f\xfdabc", {}, {"compressed": 1}),
}


@pytest.mark.parametrize(("content", "outcomes", "reasons"), NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_what_is_not_taken_is_counted(
    content: str | bytes, outcomes: dict[str, int], reasons: dict[str, int]
) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, reasons)
    assert imported.first.keys() == reasons.keys()


@pytest.mark.parametrize(
    "text",
    [
        "INFO POST https://fcm.googleapis.com/v1/projects/x/messages:send\n" + f"INFO fcm {TEXT}\n",
        f'HTTP Request: POST {SEND} "HTTP/1.1 404 Not Found"\nINFO fcm {TEXT}\n',
        "{a:1}\n{}\n12 search results found\n" + lines({"results": [{"title": "a"}]}, GONE),
        lines({"registration_ids": ["a"], "data": {}}, {"message": {"token": "a", "data": {"x": "y"}}}, GONE),
        lines(
            {"jsonrpc": "2.0", "error": {"code": -32000, "message": "m"}},
            {"error": {"code": 190, "type": "x", "message": "m"}},
            GONE,
        ),
    ],
)
def test_a_request_or_other_software_is_no_loss(text: str) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})


WAITS: Mapping[str, Any] = {
    "a list": {"headers": {"Retry-After": ["41"]}},
    "lower case": {"headers": {"retry-after": 41}},
    "pairs": {"headers": [["X", "1"], ["Retry-After", "41"]]},
    "names and values": {"headers": [{"name": "Retry-After", "value": "41"}]},
    "an object for each": {"headers": [{"x": "1"}, {"retry-after": "41"}]},
    "keys and values": {"header": [{"key": "retry-after", "value": "41"}]},
    "keys and lists of values": {"headers": [{"Key": "Retry-After", "Value": ["41"]}]},
    "lists of values": {"multiValueHeaders": {"Retry-After": ["41"]}},
    "a flat list": {"rawHeaders": ["X", "1", "Retry-After", "41"]},
    "text": {"headers": "X: 1\r\nRetry-After: 41\r\n"},
    "JSON": {"headers": '{"retry-after": ["41"]}'},
    "a member": {"retryAfter": 41},
    "another member": {"retry_after": "41"},
    "a short name": {"res_headers": {"retry-after": "41"}},
}


@pytest.mark.parametrize("headers", WAITS.values(), ids=WAITS)
def test_the_wait_is_read_from_headers_in_any_form(headers: dict[str, Any]) -> None:
    for record in (
        {"status": 503, "body": TEXT_BUSY, **headers},
        {"http_status": 503, "body": BUSY, **headers},
    ):
        _, replay = read(lines(record))
        assert [row["headers"] for row in replay] == [{"Retry-After": "41"}]


def test_the_wait_is_read_from_a_transcript() -> None:
    for text in (CURL + f"HTTP/2 404\n\n{TEXT}\n", f"HTTP/1.1 503 No\nRetry-After: 77\n\n{TEXT_BUSY}\n"):
        _, replay = read(text)
        assert replay[0]["headers"] == {"Retry-After": "77"}


def test_what_was_unwrapped_is_said_in_the_record() -> None:
    records = (
        {"status": 404, "body": B64},
        {"status": 404, "body": [QUOTA]},
        {"status": 503, "body": repr(BUSY)},
    )
    _, replay = read(lines(*records, BUSY["error"]) + f"fcm {GONE!r}\n")
    notes = [row.get("note") for row in replay]
    assert notes[:3] == [
        f"unwrapped: {name}" for name in ("base64", "an array of one", "a dump of JavaScript")
    ]


@pytest.mark.parametrize("protocol", ["legacy", "fcm_v1"])
def test_the_user_may_say_that_fcm_gave_every_answer(protocol: str) -> None:
    imported, replay = read(lines(BARE, {"status": 502, "body": "<html>"}), protocol=protocol)
    assert (imported.outcomes, imported.not_taken) == ({"postpone": 2}, {})
    assert replay[1]["protocol"] == protocol


def test_every_line_that_is_cut_anywhere_is_an_answer_or_a_reason() -> None:
    """No cut of a body makes it vanish without a word."""
    for form in (TEXT, repr(GONE), to_elixir(GONE), to_ruby(GONE), ESCAPED, PRETTY, json.dumps(LEGACY)):
        for end in range(40, len(form), 7):
            imported, _ = read(f"fcm answered {form[:end]}")
            assert imported.not_taken, form[:end]
            assert imported.outcomes in ({}, DEAD), form[:end]  # the error object inside may be complete
