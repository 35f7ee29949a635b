"""A status that stands alone is read where it is certain that FCM gave it to a send, and else named."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from suites.selfcheck.generation.import_forms import (
    DEAD,
    GONE,
    KEPT,
    LATER,
    SEND,
    SENT,
    TEXT,
    har,
    lines,
    read,
    table,
    to_elixir,
    to_ruby,
)

WORDS = (
    *("SERVICE_UNAVAILABLE", "UNREGISTERED", "QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL", "NOT_FOUND"),
    *(
        "INVALID_ARGUMENT",
        "SENDER_ID_MISMATCH",
        "THIRD_PARTY_AUTH_ERROR",
        "RESOURCE_EXHAUSTED",
        "Unavailable",
    ),
    *("PERMISSION_DENIED", "UNAUTHENTICATED", "TOO_MANY_REQUESTS", "BAD_GATEWAY", "NotRegistered"),
)
MEMBERS = ("status", "code", "error", "errorCode", "reason", "error_code", "errorStatus", "fcmErrorCode")
UNAVAILABLE = '{"status":"UNAVAILABLE"}'
WORDS_ALONE: Mapping[str, str] = {
    **{word: f'fcm {{"status":"{word}"}}\n' for word in WORDS},
    **{f"member {name}": f'10:00 fcm {{"{name}":"QUOTA_EXCEEDED"}}\n10:00 ok\n' for name in MEMBERS},
    "named behind": f"10:00 {UNAVAILABLE} fcm\n",
    "named below": f"10:00 {UNAVAILABLE}\n  from fcm\n",
    "Python": "fcm {'status': 'UNAVAILABLE'}\n",
    "Ruby": f"fcm {to_ruby({'status': 'UNAVAILABLE'})}\n",
    "Elixir": f"fcm {to_elixir({'status': 'UNAVAILABLE'})}\n",
    "no quotation marks": "fcm {status: UNAVAILABLE}\n",
    "Java": "fcm {status=UNAVAILABLE}\n",
    "logfmt": "provider=fcm status=UNAVAILABLE\n",
    "in a record": lines({"status": "UNAVAILABLE", "logger": "fcm"}),
    "in a record's text": lines({"msg": f"fcm {UNAVAILABLE}"}),
    "in an object of a record": lines({"logger": "fcm", "err": {"status": "UNAVAILABLE"}}),
    "in an error": f'fcm {{"error":{UNAVAILABLE}}}\n',
    "in lower case": 'fcm {"status":"quota-exceeded"}\n',
    "a status beside the object of a call": lines({"call": {"url": SEND}, "code": 503, "body": "<p>"}),
    "a status beside a name": lines({"destination": "endpoint/GCM/App/1", "statusCode": 404}),
    "a row": table([["provider", "status"], ["fcm", "UNAVAILABLE"]]),
    "another object behind it": f'fcm {UNAVAILABLE} {{"took":3}}\n10:00 ok\n',
    "another object below it": f'fcm {UNAVAILABLE}\n{{"a":1}}\n',
    "a number, another object below it": 'fcm {"status":503}\n{"a":1}\n',
    "a word beside the address": lines({"url": SEND, "status": "UNAVAILABLE"}),
}


@pytest.mark.parametrize("text", WORDS_ALONE.values(), ids=WORDS_ALONE)
def test_a_word_of_fcm_without_a_body_is_named(text: str) -> None:
    imported, _ = read(text)
    assert not imported.outcomes
    assert imported.not_taken.total() == 1


def test_the_first_passage_of_a_reason_is_shown_whole() -> None:
    imported, _ = read('10:00 fcm {"status":"UNAVAILABLE"} again\n')
    assert imported.first["unreadable"].endswith(': 10:00 fcm {"status":"UNAVAILABLE"} again')


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        (lines({"url": SEND, "status": "SERVICE_UNAVAILABLE", "body": ""}), LATER),
        (lines({"url": SEND, "status": "TOO_MANY_REQUESTS"}), LATER),
        (f'fcm {{"status":"NOT_FOUND"}}\n{TEXT}\n', DEAD),
    ],
    ids=["a word of HTTP", "a word of HTTP without a body", "a body below it"],
)
def test_a_word_that_tells_the_status_is_read(text: str, outcomes: dict[str, int]) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == (outcomes, {})


@pytest.mark.parametrize(
    "text",
    [
        f"grpc {UNAVAILABLE}\n",
        lines({"service": "billing", "code": "NOT_FOUND"}, {"status": "INTERNAL"}),
        'apns {"reason":"Unregistered"}\n',
        f"10:00 fcm ok\n10:00 billing {UNAVAILABLE}\n10:00 fcm ok\n",
        lines({"logger": "fcm", "status": "OK"}, {"logger": "fcm", "status": "SENT"}),
        "INFO fcm worker pool INTERNAL queue\n",
    ],
)
def test_a_word_of_another_service_is_passed_over(text: str) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == ({}, {})


# --- a body that may be that of a request or of an answer


@pytest.mark.parametrize("body", [{}, "", None, [], "{}", " ", "<html>later</html>"])
def test_a_send_without_status_whose_body_tells_nothing_is_named(body: Any) -> None:
    for record in ({"url": SEND, "body": body}, {"http": {"url": SEND, "body": body}}):
        imported, _ = read(lines(record))
        assert (imported.outcomes, imported.not_taken) == ({}, {"status-unknown": 1})


@pytest.mark.parametrize(
    "record",
    [
        {"req": {"url": SEND}, "res": {"body": ""}},
        {"http": {"response": {"body": {"content": ""}}}, "url": {"full": SEND}},
        {"url": SEND, "content": "<html>later</html>"},
    ],
)
def test_a_response_without_status_is_named(record: dict[str, Any]) -> None:
    imported, _ = read(lines(record))
    assert (imported.outcomes, imported.not_taken) == ({}, {"status-unknown": 1})


@pytest.mark.parametrize(
    "record",
    [
        {"url": SEND, "method": "POST"},
        {"req": {"url": SEND, "method": "POST"}},
        {"url": SEND, "body": {"message": {"token": "a"}}},
        {"url": SEND, "body": json.dumps({"message": {"token": "a"}})},
        {"url": "https://fcm.googleapis.com/fcm/send", "body": {"to": "a"}},
        {"request": {"url": SEND, "body": {}}},
        {"url": SEND, "data": {"message": {"topic": "a"}}, "text": ""},
        {"url": "https://a.example/x", "body": {}},
    ],
)
def test_a_request_is_no_answer(record: dict[str, Any]) -> None:
    imported, _ = read(lines(record))
    assert (imported.outcomes, imported.not_taken) == ({}, {})


# --- a tuple of a status and an empty body


@pytest.mark.parametrize(
    "text",
    [
        "fcm (503, '')\n",
        "fcm (503, b'')\n",
        'fcm [503, ""]\n',
        "fcm ('', 503)\n",
        'fcm {:ok, 503, ""}\n',
        "10:00 WARN fcm.send -> (503, '')\n",
        "fcm (503, '', {'Retry-After': '30'})\n",
        "fcm (503, {'Retry-After': '30'}, '')\n",
        f"POST {SEND} (503, '')\n",
        lines({"msg": "fcm (503, '')"}),
        lines({"logger": "fcm", "result": [503, ""]}),
    ],
)
def test_a_status_and_an_empty_body_are_an_answer(text: str) -> None:
    imported, replay = read(text + lines(SENT))
    assert (imported.outcomes, imported.not_taken) == (LATER | KEPT, {})
    waits = [row["headers"].get("Retry-After") for row in replay]
    assert waits == ["30" if "Retry" in text else None, None]


@pytest.mark.parametrize(
    ("number", "body", "status"), [(350, GONE, 404), (503, GONE, 404), (299, SENT, None)]
)
def test_another_number_in_a_list_is_no_status(number: int, body: dict[str, Any], status: int | None) -> None:
    _, replay = read(lines({"logger": "fcm", "result": [number, body]}))
    assert [row["http_status"] for row in replay] == [status]


@pytest.mark.parametrize("text", ["apns (503, '')\n", "draw (503, '')\n10:00 fcm ok\n"])
def test_a_status_of_another_service_is_passed_over(text: str) -> None:
    imported, _ = read(text + lines(SENT))
    assert (imported.outcomes, imported.not_taken) == (KEPT, {})


def test_an_error_above_a_success_is_named() -> None:
    imported, _ = read(f"10:00 fcm 503, again\n{lines(SENT)}")
    assert (imported.outcomes, imported.not_taken) == (KEPT, {"unreadable": 1})


def test_a_status_above_its_body_is_no_loss() -> None:
    imported, _ = read(f"10:00 fcm answered 404\n10:00 fcm said {TEXT}\n")
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})


# --- requests of another method


def preflight(method: str, status: int = 204, **members: Any) -> dict[str, Any]:
    content = {"size": 0, "mimeType": "x"}
    request = {"method": method, "url": SEND, **members}
    return {"request": request, "response": {"status": status, "headers": [], "content": content}}


OTHER_METHODS: Mapping[str, str] = {
    **{
        method: json.dumps({"log": {"entries": [preflight(method)]}})
        for method in ("OPTIONS", "HEAD", "GET", "CONNECT", "PUT", "DELETE", "options")
    },
    "another address": json.dumps(
        {"log": {"entries": [preflight("CONNECT", url="https://fcm.googleapis.com:443")]}}
    ),
    "a record": lines({"method": "OPTIONS", "url": SEND, "status": 204}),
    "a recording": lines({"url": SEND, "method": "OPTIONS", "http_status": 204, "body": ""}),
    "ECS": lines(
        {"http": {"request": {"method": "GET"}, "response": {"status_code": 404}}, "url": {"full": SEND}}
    ),
    "axios": lines({"status": 405, "config": {"method": "get", "url": SEND}, "data": "<html>"}),
    "a proxy's log": '"OPTIONS /v1/projects/x/messages:send HTTP/1.1" 204 0 "-" "go"\n',
    "text": f"10:00 GET {SEND} 404\n",
    "curl -v": (
        "> OPTIONS /v1/projects/x/messages:send HTTP/2\n> Host: fcm.googleapis.com\n>\n< HTTP/2 204\n<\n"
    ),
    "OkHttp": f"--> HEAD {SEND}\n\n--> END\n<-- 404 {SEND} (8ms)\nA: b\n\n<-- END HTTP\n",
    "logfmt": f"level=info method=OPTIONS url={SEND} status=204\n",
    "a trace": lines(
        {
            "tags": [
                {"key": "http.method", "value": "OPTIONS"},
                {"key": "http.url", "value": SEND},
                {"key": "http.status_code", "value": 204},
            ]
        }
    ),
}


@pytest.mark.parametrize("text", OTHER_METHODS.values(), ids=OTHER_METHODS)
def test_an_answer_to_another_method_is_counted_apart(text: str) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == ({}, {"other-method": 1})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(
            {"log": {"entries": [preflight("OPTIONS"), *json.loads(har((404, GONE)))["log"]["entries"]]}}
        ),
        f"10:00 OPTIONS {SEND} 204\n10:00 POST {SEND} 404 {TEXT}\n",
        f"GET {SEND} 404\nfcm {TEXT}\n",
        table([["method", "url", "status", "body"], ["OPTIONS", SEND, 204, ""], ["POST", SEND, 404, TEXT]]),
    ],
    ids=["HAR", "text", "a body of another request", "CSV"],
)
def test_the_send_beside_a_preflight_is_read(text: str) -> None:
    imported, _ = read(text)
    assert (imported.outcomes, imported.not_taken) == (DEAD, {"other-method": 1})


def test_each_row_with_a_word_of_fcm_is_named() -> None:
    imported, _ = read(table([["provider", "code"], ["fcm", "UNREGISTERED"], ["fcm", "QUOTA_EXCEEDED"]]))
    assert (imported.outcomes, imported.not_taken) == ({}, {"unreadable": 2})


def test_a_status_in_ecs_without_a_body_is_an_answer() -> None:
    record = {
        "http": {"request": {"method": "POST"}, "response": {"status_code": 503}},
        "url": {"full": SEND},
    }
    imported, _ = read(lines(record))
    assert (imported.outcomes, imported.not_taken) == (LATER, {})
