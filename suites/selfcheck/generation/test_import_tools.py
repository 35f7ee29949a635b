"""What log tools, recorders and databases write around an answer takes nothing from it."""

import base64
import io
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from fixtures.generation.importing.text_source import TextSource
from suites.selfcheck.generation.import_forms import (
    B64,
    BATCH,
    CURL,
    DEAD,
    ESCAPED,
    GONE,
    LATER,
    PRETTY,
    SEND,
    TEXT,
    TEXT_BUSY,
    framed,
    lines,
    read,
    to_node,
)

BOTH = DEAD | LATER
HOST = {"host": "fcm.googleapis.com", "path": "/v1/projects/x/messages:send"}


def coloured(text: str, begin: str = "\x1b[32m", end: str = "\x1b[39m") -> str:
    """A text with its strings and numbers in colours, as Node, rich and jq write them."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\b\d+\b", lambda match: f"{begin}{match[0]}{end}", text)


def to_base64(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def parts(*texts: tuple[str, str]) -> str:
    return lines(*({"log": text, "stream": stream, "time": "t"} for stream, text in texts))


READ: Mapping[str, tuple[str | bytes, dict[str, int]]] = {
    # --- log tools
    "journald, bytes": (
        lines({"PRIORITY": "4", "MESSAGE": list(f"fcm \x1b[31m{TEXT}\x1b[0m".encode()), "_PID": "1"}),
        DEAD,
    ),
    "Kibana": (
        json.dumps({"hits": {"hits": [{"_source": {"message": f"fcm said {TEXT}"}}]}}, indent=2),
        DEAD,
    ),
    "Loki": (
        json.dumps({"data": {"result": [{"stream": {"app": "p"}, "values": [["1", f"fcm {TEXT}"]]}]}}),
        DEAD,
    ),
    "Splunk": (lines({"result": {"_raw": f"fcm response={TEXT}", "host": "h"}}), DEAD),
    "Google Cloud": (
        json.dumps(
            [{"jsonPayload": {"response": GONE}}, {"httpRequest": {"requestUrl": SEND, "status": 503}}]
        ),
        BOTH,
    ),
    "colours of Node": (coloured(f"fcm {to_node(GONE)}\n"), DEAD),
    "colours of jq": (coloured(PRETTY), DEAD),
    "colours of rich": (coloured(f"fcm {GONE!r}\n", "\x1b[1;36m", "\x1b[0m"), DEAD),
    "colours by rsyslog": (coloured(f"fcm {TEXT}\n", "#033[32m", "#033[0m"), DEAD),
    "colours by less": (coloured(f"fcm {TEXT}\n", "^[[32m", "^[[0m"), DEAD),
    "colours in a record": (lines({"log": coloured(f"fcm {TEXT}\n"), "stream": "stdout"}), DEAD),
    "pm2": (framed("0|push  | "), DEAD),
    "Spring": (f'FcmClient: 404 Not Found: "{PRETTY.replace(chr(10), "<EOL>")}"\n', DEAD),
    "bytes of nginx": (
        f'"POST /v1/projects/x/messages:send" "{TEXT.replace(chr(34), "?x22")}"\n'.replace("?", "\\"),
        DEAD,
    ),
    "bytes of Go": (f"fcm body=[{' '.join(map(str, TEXT.encode()))}] code=404\n", DEAD),
    "RabbitMQ": (
        lines({"payload": to_base64({"status": 404, "body": GONE}), "payload_encoding": "base64"}),
        DEAD,
    ),
    "Pub/Sub": (lines({"message": {"data": to_base64({"response": TEXT}), "messageId": "1"}}), DEAD),
    # --- recorders
    "Charles": (
        json.dumps([{**HOST, "response": {"status": 404, "body": {"text": PRETTY, "charset": "UTF-8"}}}]),
        DEAD,
    ),
    "a body named content": (lines({"status": 404, "url": SEND, "content": GONE}), DEAD),
    "Charles, base64": (json.dumps([{**HOST, "response": {"status": 404, "body": {"encoded": B64}}}]), DEAD),
    "Charles, a page": (json.dumps([{**HOST, "response": {"status": 503, "body": {"text": "<p>"}}}]), LATER),
    "Postman, saved": (
        json.dumps(
            {
                "item": [
                    {"response": [{"originalRequest": {"url": {"raw": SEND}}, "code": 503, "body": "<p>"}]}
                ]
            }
        ),
        LATER,
    ),
    "OkHttp": (
        (
            f"--> POST {SEND}\nA: b\n\n--> END POST\n<-- 404 {SEND} (8ms)\nA: b\n\n{PRETTY}\n<-- END HTTP\n"
            f"--> POST {SEND}\n\n--> END POST\n<-- 503 {SEND} (8ms)\nretry-after: 9\n\nlater\n<-- END HTTP\n"
        ),
        BOTH,
    ),
    "Ruby's library": (f'fcm {{:body=>"{ESCAPED}", :status_code=>404, :response=>"retry"}}\n', DEAD),
    "tags of a trace": (
        lines({"tags": [{"key": "http.url", "value": SEND}, {"key": "http.status_code", "value": 503}]}),
        LATER,
    ),
    "attributes of OpenTelemetry": (
        lines(
            {
                "attributes": [
                    {"key": "http.response.status_code", "value": {"intValue": "503"}},
                    {"key": "url.full", "value": {"stringValue": SEND}},
                ]
            }
        ),
        LATER,
    ),
    "chunks": (f"HTTP/1.1 404 No\r\n\r\n{len(TEXT):x}\r\n{TEXT}\r\n0\r\n\r\n", DEAD),
    # --- databases
    "MongoDB": (lines({"status": {"$numberInt": "503"}, "url": SEND, "body": "<p>"}, {"body": GONE}), BOTH),
    "DynamoDB": (lines({"Item": {"status": {"N": "404"}, "url": {"S": SEND}, "body": {"S": TEXT}}}), DEAD),
    # --- parts of two streams
    "Docker, two streams": (
        parts(("stdout", f"fcm {TEXT[:40]}"), ("stderr", "a line\n"), ("stdout", f"{TEXT[40:]}\n")),
        DEAD,
    ),
    "Docker, a part at the end": (parts(("stdout", f"fcm {TEXT[:40]}"), ("stdout", TEXT[40:])), DEAD),
    "Kubernetes, two streams": (
        (
            f"2026-06-01T10:00:00Z stdout P fcm {TEXT[:60]}\n2026-06-01T10:00:00Z stderr F hello\n"
            f"2026-06-01T10:00:00Z stdout F {TEXT[60:]}\n"
        ),
        DEAD,
    ),
    "counters of a device group": (
        lines({"status": 200, "body": {"success": 1, "failure": 1, "failed_registration_ids": ["a"]}}),
        {"alert": 1},
    ),
}


@pytest.mark.parametrize(("content", "outcomes"), READ.values(), ids=READ)
def test_what_a_tool_writes_is_read(content: str | bytes, outcomes: dict[str, int]) -> None:
    imported, _ = read(content)
    assert (imported.outcomes, imported.not_taken) == (outcomes, {})


@pytest.mark.parametrize("content", [str(READ["OkHttp"][0]), str(READ["chunks"][0]), BATCH, CURL + CURL])
def test_a_transcript_may_be_indented(content: str) -> None:
    imported, _ = read(content)
    indented, _ = read("".join(f"    {line}\n" for line in content.splitlines()))
    assert indented.outcomes == imported.outcomes


def test_the_wait_stands_above_a_body_of_okhttp() -> None:
    _, replay = read(
        f"--> POST {SEND}\n\n<-- 503 {SEND} (9ms)\nretry-after: 9\n\n{TEXT_BUSY}\n<-- END HTTP\n"
    )
    assert [row["headers"] for row in replay] == [{"Retry-After": "9"}]


def test_a_colour_that_two_pieces_share_is_taken_away() -> None:
    text = coloured(f"fcm {TEXT}\n")
    for size in range(40, 60):
        source = TextSource(io.BytesIO(text.encode()))
        pieces = [source.read(size) for _ in range(len(text) // size + 1)]
        assert "".join(pieces) == f"fcm {TEXT}\n"


@pytest.mark.parametrize(
    "text",
    [
        "".join(
            f"web | {one}\nweb | {two}\n"
            for one, two in zip(PRETTY.split("\n"), PRETTY.split("\n"), strict=True)
        ),
        "\n".join(f"fcm {TEXT}"[start : start + 80] for start in range(0, len(TEXT), 80)),
        "WARN token a: SENDER_ID_MISMATCH\n{}\nWARN token b: THIRD_PARTY_AUTH_ERROR\n{}\n",
        "WARN token a: DeviceMessageRateExceeded\n",
        f"Request URL: {SEND}\nRequest Method: POST\nStatus Code: 503 Busy\n\n<html>later</html>\n",
        f"fcm body=[{' '.join(map(str, TEXT.encode()[:90]))}\n",
        "firebase_admin.exceptions.NotFoundError: gone\n",
        "[firebase_messaging/unknown] java.io.IOException: SERVICE_NOT_AVAILABLE\n",
    ],
    ids=[
        "two processes",
        "a terminal's line breaks",
        "codes of v1",
        "a code of legacy",
        "a page in DevTools",
        "bytes cut off",
        "an error of the library for Python",
        "an error of the library for Flutter",
    ],
)
def test_what_cannot_be_read_is_named(text: str) -> None:
    imported, _ = read(text)
    assert not imported.outcomes
    assert imported.not_taken
