"""Answers are read in the forms in which people keep them."""

import base64
import gzip
import json
from collections.abc import Mapping

import pytest

from suites.selfcheck.generation.import_forms import (
    B64,
    BARE,
    BATCH,
    BUSY,
    CURL,
    DEAD,
    ESCAPED,
    FCM_ERROR,
    GONE,
    KEPT,
    LATER,
    LEGACY,
    PRETTY,
    SEND,
    SENT,
    TEXT,
    TEXT_BUSY,
    THREE,
    TWICE,
    framed,
    har,
    lines,
    read,
    table,
    to_elixir,
    to_node,
    to_ruby,
)

B64_BATCH = base64.b64encode(BATCH.encode()).decode()
READ: Mapping[str, tuple[str | bytes, dict[str, int]]] = {
    # --- text logs
    "pretty JSON": (f"12:00 WARN push\n{PRETTY}\n\tat a.B.c(B.java:1)\n", DEAD),
    "pretty JSON, CRLF": (f"12:00 WARN push\r\n{PRETTY}\r\n".replace("\n", "\r\n"), DEAD),
    "pretty JSON, indented": ("note\n" + "".join(f"      {line}\n" for line in PRETTY.splitlines()), DEAD),
    "several in a line": (f"got {TEXT} then {json.dumps(SENT)} and {TEXT_BUSY}\n", THREE),
    "an array in a line": (f"all: {json.dumps([GONE] * 30 + [SENT])}\n", {"unsubscribe": 30, "keep": 1}),
    "arrays in an array": (f"all: {json.dumps([[GONE], [SENT, BUSY]])}\n", THREE),
    "siblings": (f"answers {json.dumps([SENT, BARE])}\n", {"keep": 1, "postpone": 1}),
    "escaped once": (f'level=error msg="fcm says {ESCAPED}"\n', DEAD),
    "escaped twice": (f'{{"log":"msg=\\"{TWICE}\\""}}\n', DEAD),
    "escaped twice in text": (f"raw {TWICE} end\n", DEAD),
    "bytes of Python": (f"DEBUG body={PRETTY.encode()!r}\n", DEAD),
    "two quotations": (f"body='{TEXT}' again=\"{ESCAPED}\"\n", {"unsubscribe": 2}),
    "a bracketed prefix": (f"[] [x] [ERROR] fcm 404 {TEXT}\n", DEAD),
    "an odd quotation mark": (f'title: 5" phone {{"\n[] fcm {TEXT}\n', DEAD),
    "many objects before": ("q " + '{"token": "abc"} ' * 60 + f"-> {TEXT}\n", DEAD),
    "a Go map beside it": (f"map[a:1 b:map[c:2]] fcm {TEXT}\n", DEAD),
    # --- dumps
    "Python": (f"fcm {GONE!r}\n", DEAD),
    "Python, legacy": (f"push { ({**LEGACY, 'topic': None, 'ok': True})!r}\n", DEAD),
    "Python, both quotation marks": (
        "fcm " + repr({"error": {**GONE["error"], "message": 'it\'s "x"'}}),
        DEAD,
    ),
    "Python, long": (f"fcm {[GONE] * 40!r}\n", {"unsubscribe": 40}),
    "Ruby": (f"fcm {to_ruby(GONE)}\n", DEAD),
    "Ruby with spaces": (f"fcm {to_ruby(GONE, ' => ')}\n", DEAD),
    "Ruby symbols": (
        (
            f'{{:error=>{{:code=>404, :message=>"m", :details=>[{{:@type=>"{FCM_ERROR}",\n'
            ':errorCode=>"UNREGISTERED", :x=>nil}]}}\n'
        ),
        DEAD,
    ),
    "Elixir": (f"[error] {{:error, {to_elixir(GONE)}}}\n", DEAD),
    "Elixir struct": (
        (
            f'%Tesla.Env{{status: 503, url: "{SEND}", headers: [{{"retry-after", "31"}}],\n'
            f" body: {to_elixir(BUSY)}, __client__: #Function<1.2/1>}}\n"
        ),
        LATER,
    ),
    "Node": (
        f"Error: x\n    at y (z.js:1:2) {{\n  response: {{ status: 404, data: {to_node(GONE)} }}\n}}\n",
        DEAD,
    ),
    "Node with what it leaves out": (
        (
            "{\n  request: <ref *1> ClientRequest { _events: [Object: null prototype], a: [Function: b] },\n"
            f"  response: {{ status: 404, headers: Object [AxiosHeaders] {{}}, data: {to_node(GONE)} }}\n}}\n"
        ),
        DEAD,
    ),
    # --- tables, files, frames
    "CSV": (table([["time", "status", "body"], ["t", "404", TEXT], ["t", "503", TEXT_BUSY]]), DEAD | LATER),
    "CSV, raw and empty bodies": (
        table([["provider", "status", "raw"], ["fcm", "404", TEXT], ["fcm", "503", ""]]),
        DEAD | LATER,
    ),
    "CSV with names of words": (
        table([["Time", "Http Status", "Response Body"], ["t", "404", TEXT], ["t", "503", ""]]),
        DEAD | LATER,
    ),
    "CSV with ;": (table([["time", "status", "body"], ["t", "404", TEXT]], ";"), DEAD),
    "CSV with tabs": (table([["time", "status", "body"], ["t", "404", TEXT]], "\t"), DEAD),
    "CSV for a spreadsheet": ("sep=;\r\n" + table([["status", "body"], ["404", PRETTY]], ";"), DEAD),
    "CSV, headers again": (
        table([["status", "body"], ["404", TEXT], ["status", "body"], ["503", TEXT_BUSY]]),
        DEAD | LATER,
    ),
    "CSV, one column": (table([["@message"], [f"fcm 404 {TEXT}"]]), DEAD),
    "CSV without headers": (table([["1", "404", TEXT], ["2", "503", TEXT_BUSY]]), DEAD | LATER),
    "gzip": (gzip.compress(lines(GONE, SENT).encode()), DEAD | KEPT),
    "gzip in two parts": (
        gzip.compress(lines(GONE).encode()) + gzip.compress(lines(SENT).encode()),
        DEAD | KEPT,
    ),
    "gzip of CSV": (gzip.compress(table([["status", "body"], ["404", TEXT]]).encode()), DEAD),
    "gzip of UTF-16": (gzip.compress(lines(GONE).encode("utf-16")), DEAD),
    "UTF-16": (lines(GONE).encode("utf-16"), DEAD),
    "UTF-16, big end first": (b"\xfe\xff" + lines(GONE).encode("utf-16-be"), DEAD),
    "UTF-16 without a mark": (lines(GONE).encode("utf-16-le"), DEAD),
    "UTF-16, big end first, without a mark": (lines(GONE).encode("utf-16-be"), DEAD),
    "a byte order mark": ("\ufeff" + lines(GONE), DEAD),
    "Docker": (lines({"log": f"fcm {TEXT}\n", "stream": "stdout", "time": "t"}), DEAD),
    "Docker, a line each": (
        lines(
            *({"log": line + "\n", "stream": "stderr", "time": "t"} for line in ["fcm", *PRETTY.splitlines()])
        ),
        DEAD,
    ),
    "Docker, in parts": (
        lines(
            {"log": f"fcm {TEXT[:60]}", "stream": "stdout", "time": "t"},
            {"log": f"{TEXT[60:]}\n", "stream": "stdout", "time": "t"},
        ),
        DEAD,
    ),
    "Kubernetes, in parts": (
        f"2026-06-01T10:00:00Z stdout P fcm {TEXT[:60]}\n2026-06-01T10:00:00Z stdout F {TEXT[60:]}\n",
        DEAD,
    ),
    "GELF, a line each": (
        lines(*({"version": "1.1", "host": "h", "short_message": line} for line in PRETTY.splitlines())),
        DEAD,
    ),
    "GELF": (lines({"version": "1.1", "host": "h", "short_message": "fcm", "full_message": TEXT}), DEAD),
    "Kubernetes": (framed("2026-06-01T10:00:00.123456789Z stderr F "), DEAD),
    "Kubernetes, a line": (f"2026-06-01T10:00:00.1Z stderr F fcm 404 {TEXT}\n", DEAD),
    "Compose": (framed("push-1  | "), DEAD),
    "syslog": (framed("Jun  1 10:00:00 web7 push[812]: "), DEAD),
    "a timestamp on each line": (framed("2026-06-01 10:00:00,117 ERROR push: "), DEAD),
    "kubectl --prefix": (framed("[pod/push-7d/app] "), DEAD),
    "CloudWatch": (json.dumps({"events": [{"timestamp": 1, "message": f"fcm 404 {TEXT}"}]}), DEAD),
    "logfmt": (f'ts=1 level=warn status=404 body="{ESCAPED}"\n', DEAD),
    "ECS": (
        lines({"http": {"response": {"status_code": 503, "body": {"content": ""}}}, "url": {"full": SEND}}),
        LATER,
    ),
    "ECS, flat": (
        lines({"http.response.status_code": 503, "url.full": SEND, "http.response.body.content": "<p>"}),
        LATER,
    ),
    # --- HTTP
    "curl -i": (f"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n{PRETTY}\r\n", DEAD),
    "curl -i, pages and empty bodies": (
        f"{CURL}HTTP/2 404\r\n\r\n{TEXT}\r\nHTTP/2 502\r\ncontent-length: 0\r\n\r\n",
        {"unsubscribe": 1, "postpone": 2},
    ),
    "curl -v": (
        (
            "* Connected to host\n> POST /v1/projects/x/messages:send HTTP/2\n> Host: fcm.googleapis.com\n"
            f">\n< HTTP/2 503\n< retry-after: 9\n<\n{TEXT_BUSY}\n* Connection #0 left intact\n"
        ),
        LATER,
    ),
    "curl through a proxy": (f"HTTP/1.1 200 Connection established\r\n\r\nHTTP/2 404\r\n\r\n{TEXT}\n", DEAD),
    "a batch": (BATCH, THREE),
    "a batch and its head": (
        f"HTTP/1.1 200 OK\r\ncontent-type: multipart/mixed; boundary=x\r\n\r\n{BATCH}",
        THREE,
    ),
    "a batch, other newlines": (BATCH.replace("\r\n", "\n"), THREE),
    "a batch in a record": (
        lines(
            {
                "http_status": 200,
                "headers": {"Content-Type": "multipart/mixed"},
                "protocol": "fcm_v1",
                "body": BATCH,
            }
        ),
        THREE,
    ),
    "a batch in a record of others": (
        lines({"status": 200, "url": "https://fcm.googleapis.com/batch", "body": BATCH}),
        THREE,
    ),
    "bytes of a batch": (f"DEBUG {BATCH.encode()!r}\n", THREE),
    # --- records
    "HAR without bodies": (har((503, None), (401, None)), {"postpone": 1, "alert": 1}),
    "HAR with a page": (har((502, "<html>"), (404, GONE)), LATER | DEAD),
    "HAR in base64": (har((404, B64), encoding="base64"), DEAD),
    "HAR of the batch endpoint": (har((404, "<html>"), url="https://fcm.googleapis.com/batch"), {"alert": 1}),
    "axios": (
        lines(
            {
                "message": "x",
                "response": {
                    "status": 503,
                    "data": "<p>",
                    "headers": {"retry-after": "8"},
                    "config": {"url": SEND},
                },
            }
        ),
        LATER,
    ),
    "axios, no body": (
        lines({"name": "AxiosError", "status": 503, "config": {"url": SEND, "data": "{}"}}),
        LATER,
    ),
    "SNS": (
        lines(
            {
                "delivery": {
                    "destination": "arn:aws:sns:x:1:endpoint/GCM/App/1",
                    "statusCode": 503,
                    "providerResponse": "",
                },
                "status": "FAILURE",
            },
            {"delivery": {"providerResponse": TEXT, "statusCode": 404}},
        ),
        LATER | DEAD,
    ),
    "Newman": (
        json.dumps(
            {
                "run": {
                    "executions": [
                        {
                            "request": {
                                "url": {
                                    "host": ["fcm", "googleapis", "com"],
                                    "path": ["v1", "projects", "x", "messages:send"],
                                }
                            },
                            "response": {
                                "code": 503,
                                "status": "Service Unavailable",
                                "header": [{"key": "Retry-After", "value": "9"}],
                                "stream": {"type": "Buffer", "data": list(TEXT_BUSY.encode())},
                            },
                        }
                    ]
                }
            }
        ),
        LATER,
    ),
    "status lines": (lines({"url": SEND, "Status": "503 Service Unavailable", "Body": ""}), LATER),
    "a status of .NET": (
        lines({"RequestUri": SEND, "StatusCode": "ServiceUnavailable", "Content": ""}),
        LATER,
    ),
    "a status alone": (lines({"url": SEND, "status": 503, "method": "POST"}), LATER),
    # --- wrapped bodies
    "base64": (lines({"status": 404, "body": B64}), DEAD),
    "base64 without its end": (lines({"status": 404, "body": B64.rstrip("=")}), DEAD),
    "base64 of a batch": (
        lines({"status": 200, "url": "https://fcm.googleapis.com/batch", "body": B64_BATCH}),
        THREE,
    ),
    "base64 of gzip": (
        lines({"status": 404, "url": SEND, "body": base64.b64encode(gzip.compress(TEXT.encode())).decode()}),
        DEAD,
    ),
    "JSON in a string": (lines({"http_status": 404, "body": json.dumps(TEXT)}), DEAD),
    "JSON in a string twice": (lines({"status": 404, "body": json.dumps(json.dumps(TEXT))}), DEAD),
    "a mark in the body": (lines({"status": 404, "body": "\ufeff" + TEXT}), DEAD),
    "an array of one": (
        lines({"http_status": 404, "body": [GONE]}, {"status": 503, "body": [BUSY]}),
        DEAD | LATER,
    ),
    "an error object alone": (lines(GONE["error"], {"level": "x", **BUSY["error"]}), DEAD | LATER),
    "repr in a record": (lines({"status": 404, "body": repr(GONE)}), DEAD),
    "Ruby in a record": (lines({"status": 404, "body": to_ruby(GONE)}), DEAD),
    "Elixir in a record": (lines({"http_status": 404, "body": to_elixir(GONE)}), DEAD),
    "bytes in a record": (lines({"status": 404, "body": repr(TEXT.encode())}), DEAD),
}


@pytest.mark.parametrize(("content", "outcomes"), READ.values(), ids=READ)
def test_a_form_is_read(content: str | bytes, outcomes: dict[str, int]) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, {})
