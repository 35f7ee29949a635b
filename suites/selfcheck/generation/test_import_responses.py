"""What a library or a framework prints of a response beside its body is no answer of its own."""

import json
from collections.abc import Mapping

import pytest

from fixtures.generation.not_sends import tells_of_answer
from suites.selfcheck.generation.import_forms import (
    DEAD,
    KEPT,
    LATER,
    SEND,
    SENT,
    TEXT,
    TEXT_BUSY,
    lines,
    read,
)

READ: Mapping[str, tuple[str, dict[str, int]]] = {
    "Rust's response before the body": (
        (
            f'DEBUG push: Response {{ url: "{SEND}", status: 404, headers: {{"vary": "Origin"}} }}\n'
            f"DEBUG push: body: {TEXT}\n"
        ),
        DEAD,
    ),
    "Rust's response in JSON before the body": (
        lines({"fields": {"message": f'Response {{ url: "{SEND}", status: 200 }}'}}, {"message": str(SENT)}),
        KEPT,
    ),
    "Rust's response, and the body of another": (
        f'DEBUG push: Response {{ url: "{SEND}", status: 503 }}\nDEBUG push: body: {TEXT}\n',
        LATER | DEAD,
    ),
    "Node's response with a stream": (
        (
            f"Response {{\n  status: 404,\n  body: ReadableStream {{ locked: false }},\n  url: '{SEND}'\n}}\n"
            f"{TEXT}\n"
        ),
        DEAD,
    ),
    ".NET's response before the body": (
        (
            "fcm: StatusCode: 404, ReasonPhrase: 'Not Found', Headers:\n{\n  Vary: Origin\n"
            f"  Content-Type: application/json; charset=UTF-8\n}}\n{TEXT}\n"
        ),
        DEAD,
    ),
    "Node's response of a library": (
        (
            "Response {\n  [Symbol(Body)]: { body: PassThrough { _state: [ReadableState] }, error: null },\n"
            f"  [Symbol(Response)]: {{ url: '{SEND}', status: 404, headers: Headers {{ [Symbol(map)]:"
            " [Object: null prototype] {} }, config: { headers: [Object [AxiosHeaders]] } } }\n"
            f"{TEXT}\n"
        ),
        DEAD,
    ),
    "aiohttp": (f"<ClientResponse({SEND}) [404 Not Found]>\n<CIMultiDictProxy('A': 'b')>\n{TEXT}\n", DEAD),
    "a span of a trace": (
        lines(
            {
                "http": {"request": {"url": SEND}, "response": {"status": 503, "content_length": 9}},
                "name": "x",
            }
        ),
        LATER,
    ),
    "Laravel": (
        (
            f'[2026-06-01 10:00:00] live.ERROR: fcm 404 {TEXT} {{"exception":"[object] (Error(code: 404):'
            f' fcm error at /a.php:3)\n[stacktrace]\n{"#0 /b.php(1): x()" * 900}\n"}} \n'
        ),
        DEAD,
    ),
}

EMPTY = '%Finch.Response{status: 503, body: ""}'
LONG = '%Finch.Response{status: 503, body: "", headers: [{"a", "b"}, {"c", "d"}]}'
NAMED_BEHIND: Mapping[str, str] = {
    "Elixir": f"10:00 {EMPTY} from fcm\n",
    "Elixir with headers": f"10:00 {LONG} from fcm\n",
    "Elixir, named before": f"10:00 fcm {LONG}\n",
    "Elixir, named below": f"10:00 {EMPTY}\n  fcm push failed\n",
    "Elixir, named in the record": lines({"logger": "fcm", "msg": EMPTY}),
    "Node": "10:00 Response { status: 503, body: '' } fcm\n",
    "JSON": '{"status": 503, "body": ""} fcm\n',
    "JSON, named before": 'fcm {"status": 503, "body": ""}\n',
    "a page": '%Tesla.Env{status: 503, body: "<p>later</p>"} fcm\n',
}
NO_OBJECTS: Mapping[str, str] = {
    "Java": "10:00 Response{status=503, body=} fcm\n",
    "OkHttp": "10:00 Response{protocol=h2, code=503, message=} fcm\n",
    "Ruby": '10:00 #<Faraday::Response status=503 body=""> fcm\n',
    "Python": "10:00 <Response [503]> fcm\n",
    "Spring": "10:00 <503 SERVICE_UNAVAILABLE Service Unavailable,[]> fcm\n",
    ".NET": "10:00 StatusCode: 503, Content: <null>, Headers: {} fcm\n",
    "Ruby's http": '10:00 #<HTTP::Response/1.1 503 Service Unavailable {"Vary"=>"Origin"}> fcm\n',
    "Ruby's own": "10:00 #<Net::HTTPServiceUnavailable 503 Service Unavailable readbody=true> fcm\n",
    "aiohttp": "10:00 <ClientResponse(https://x) [503 Service Unavailable]> fcm\n",
    "no body, and an answer later": f'{{"status": 503}} fcm\n10:00 done\n{TEXT}\n',
    "a line above a record": '10:00 fcm 503\n{"level": "info", "msg": "started"}\n',
    "no body": '{"status": 503} fcm\n',
    "no body, named before": 'fcm {"status": 503}\n',
    "no body, named before, more objects": 'fcm {"status": 503} {"took": 3}\n10:00 ok {"id": 7}\n',
    "no body, unquoted": "fcm {status: 503}\n",
    "a tuple": "fcm (503, '')\n",
    "a tuple of other JSON": 'fcm (404, \'{"message": "gone"}\')\n',
    "an object of another kind": '10:00 fcm 404 {"message": "gone"}\n10:00 ok\n',
    "an object of another kind, a line below": '10:00 fcm 404\n{"message": "gone"}\n',
    "an object of the request": '10:00 fcm error for {"token": "x"}, try {"n": 2}\n10:00 ok {"id": 7}\n',
    "an object before the code": '10:00 fcm 404 {"token": "x"} NotRegistered\n10:00 ok\n',
    "PHP's var_dump": 'fcm array(1) {\n  ["error"]=>\n  array(1) {\n    ["code"]=>\n    int(404)\n  }\n}\n',
    "PHP's print_r": "fcm Array\n(\n    [error] => Array\n        (\n        [code] => 404\n        )\n)\n",
    "a comment in JSON": 'fcm {\n  // x\n  "error": {"code": 404, "message": "", "status": "NOT_FOUND"}\n}\n',
    "the log of a proxy": '"POST /v1/projects/x/messages:send HTTP/1.1" 404 210 "-" "go"\n',
    "wget": f"--10:00--  {SEND}\nHTTP request sent, awaiting response...\n  HTTP/1.1 404 Not Found\n",
    "a request and its status": f'10:00 POST {SEND} {{"message": {{"token": "x"}}}} 404\n',
}
OTHERS: Mapping[str, str] = {
    "another service": f"10:00 {EMPTY} apns\n",
    "the next entry": f"10:00 {LONG}\n10:00 fcm ok\n",
    "a time": "10:00:00,503 INFO fcm sent\n",
    "a time of a request": f"10:00:00,503 POST {SEND}\n",
    "milliseconds of a request": f"10:00 POST {SEND} 503 ms\n",
    "another number": '10:00 fcm queue {"depth": 404}\n10:00 ok {"id": 7}\n',
    "a request": f'10:00 POST {SEND} {{"message": {{"token": "x"}}}}\n10:00 ok {{"id": 7}}\n',
}


@pytest.mark.parametrize(("content", "outcomes"), READ.values(), ids=READ)
def test_a_printed_response_belongs_to_its_body(content: str, outcomes: dict[str, int]) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, {})


@pytest.mark.parametrize("content", NAMED_BEHIND.values(), ids=NAMED_BEHIND)
def test_a_response_is_fcms_if_the_text_beside_it_says_so(content: str) -> None:
    imported, _ = read(content + lines(SENT))
    assert (imported.outcomes, imported.not_taken) == (LATER | KEPT, {})


@pytest.mark.parametrize("content", NO_OBJECTS.values(), ids=NO_OBJECTS)
def test_a_response_that_cannot_be_read_is_counted(content: str) -> None:
    imported, _ = read(content)
    assert imported.not_taken.total() == 1


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_a_response_of_others_is_passed_over(content: str) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == ({}, {})


def test_the_text_between_two_responses_names_the_second() -> None:
    imported, _ = read(f'apns {{"status": 503, "body": ""}} fcm {TEXT_BUSY}\n')
    assert (imported.outcomes, imported.not_taken) == (LATER, {})


def test_what_a_logger_adds_behind_an_answer_is_none() -> None:
    imported, _ = read(f'fcm {TEXT} {{"status": 503}} of fcm\n')
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})


FORM = "POST https://fcm.googleapis.com/fcm/send"


@pytest.mark.parametrize(
    ("content", "outcomes", "not_taken"),
    [
        (f"{FORM} 200\nError=NotRegistered\n", {"alert": 1}, {}),
        (f"10:00 {FORM} -> 503\r\n10:00 body: 'Error=Unavailable'\r\n", LATER, {}),
        (f"{FORM} 200\nError=NotRegistered\n" * 2, {"alert": 2}, {}),
        (f"{FORM}\nError=NotRegistered\n", {}, {"status-unknown": 1}),
        (f"{FORM} 200\n10:00 backup Error=DiskFull\n", {}, {"body-missing": 1}),
        (f"{FORM} 200\n10:00 done\n10:00 Error=NotRegistered\n", {}, {"body-missing": 1, "unreadable": 1}),
    ],
    ids=["one", "prefixes", "two", "no status", "the error of another", "another line between"],
)
def test_the_answer_to_a_form_stands_below_its_request(
    content: str, outcomes: dict[str, int], not_taken: dict[str, int]
) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, not_taken)


@pytest.mark.parametrize(
    ("content", "outcomes", "not_taken"),
    [
        (f"10:00 POST {SEND} 404\n10:00 idle\n{lines(SENT)}", KEPT, {"body-missing": 1}),
        (f"POST https://oauth2.googleapis.com/token 400\n10:00 idle\n{TEXT}\n", DEAD, {"oauth": 1}),
        (f"10:00 push failed: UnregisteredError\n{lines(SENT)}", KEPT, {"sdk-error": 1}),
        (lines({"url": SEND, "status": 404}) + f"10:00 idle\n10:00 fcm {TEXT}\n", {"alert": 1} | DEAD, {}),
    ],
    ids=["a status in text", "another server", "an error of a library", "a status in an object"],
)
def test_a_body_below_another_entry_belongs_to_none_above(
    content: str, outcomes: dict[str, int], not_taken: dict[str, int]
) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, not_taken)


@pytest.mark.parametrize("prefix", ["app-1 | ", "10:00 DEBUG x: ", "  "])
def test_a_response_in_a_frame_belongs_to_its_body(prefix: str) -> None:
    text = READ["Node's response of a library"][0]
    imported, _ = read("".join(f"{prefix}{line}\n" for line in text.splitlines()))
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})


@pytest.mark.parametrize(
    ("content", "outcomes", "not_taken"),
    [
        (f"fcm a {TEXT} fcm b 503\n", DEAD, {"unreadable": 1}),
        (f"fcm {TEXT} 404 of fcm\n", DEAD, {}),
        (f"POST {SEND} (503, '') {json.dumps(SENT)}\n", LATER | KEPT, {}),
        ('HTTP/2 404\n\n{"error": {"code": 404,,}}\n', {}, {"not-json": 2}),
        ('fcm {,"name": "projects/x/messages/1"}\n', {}, {"unreadable": 1}),
    ],
    ids=["another status", "the same status", "a tuple", "a broken body", "a broken success"],
)
def test_what_stands_in_the_line_of_an_answer_is_no_loss(
    content: str, outcomes: dict[str, int], not_taken: dict[str, int]
) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, not_taken)


def test_a_body_below_a_status_is_its_body() -> None:
    imported, _ = read(f'{{"status": 404}} fcm\n{TEXT}\n')
    assert (imported.outcomes, imported.not_taken) == (DEAD, {})


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_status_and_its_service_may_stand_on_two_lines(end: str) -> None:
    assert tells_of_answer(f"code: 503{end}  sent to fcm")
    assert not tells_of_answer(f"code: 503{end}  sent to apns")
