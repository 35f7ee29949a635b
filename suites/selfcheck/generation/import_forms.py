"""Answers in the forms in which people keep them, and the import of such a text."""

import base64
import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from fixtures.generation.importing.deduplicate import ImportedAnswers

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
SEND = "https://fcm.googleapis.com/v1/projects/lantern-shop/messages:send"


def v1_error(code: int, status: str, fcm_code: str | None = None) -> dict[str, Any]:
    details = [{"@type": FCM_ERROR, "errorCode": fcm_code}] if fcm_code else []
    return {"error": {"code": code, "message": f"It said {status}", "status": status, "details": details}}


GONE = v1_error(404, "NOT_FOUND", "UNREGISTERED")
BUSY = v1_error(503, "UNAVAILABLE", "UNAVAILABLE")
QUOTA = v1_error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
BARE = v1_error(500, "INTERNAL")
SENT = {"name": "projects/lantern-shop/messages/0:17%ab"}
LEGACY = {"multicast_id": 7, "success": 0, "failure": 1, "results": [{"error": "NotRegistered"}]}
PRETTY = json.dumps(GONE, indent=2)
TEXT, TEXT_BUSY = json.dumps(GONE), json.dumps(BUSY)
ESCAPED = json.dumps(TEXT)[1:-1]
TWICE = json.dumps(ESCAPED)[1:-1]
DEAD, LATER, KEPT = {"unsubscribe": 1}, {"postpone": 1}, {"keep": 1}


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def har(*rows: tuple[int, Any], url: str = SEND, size: int = 0, **content: Any) -> str:
    entries = []
    for status, body in rows:
        text = {} if body is None else {"text": body if isinstance(body, str) else json.dumps(body)}
        response = {"status": status, "headers": [], "content": {"size": size, **text, **content}}
        entries.append({"request": {"method": "POST", "url": url}, "response": response})
    return json.dumps({"log": {"entries": entries}})


def framed(frame: str, text: str = PRETTY) -> str:
    return "".join(f"{frame}{line}\n" for line in ["fcm answered 404", *text.splitlines()])


def table(rows: Iterable[Iterable[Any]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def to_ruby(value: Any, arrow: str = "=>") -> str:
    return json.dumps(value).replace('": ', f'"{arrow}').replace("null", "nil")


def to_elixir(value: Any) -> str:
    return json.dumps(value).replace("{", "%{").replace('": ', '" => ').replace("null", "nil")


def to_node(value: Any) -> str:
    text = json.dumps(value, indent=2).replace('"', "'")
    for name in ("error", "code", "message", "status", "details", "errorCode"):
        text = text.replace(f"'{name}':", f"{name}:")
    return text


def batch(boundary: str, *parts: tuple[str, Any], newline: str = "\r\n") -> str:
    text = ""
    for number, (status, body) in enumerate(parts):
        content = body if isinstance(body, str) else json.dumps(body, indent=2)
        head = f"--{boundary}\nContent-Type: application/http\nContent-ID: response-{number}\n\n"
        text += f"{head}HTTP/1.1 {status}\nVary: Origin\nContent-Type: application/json\n\n{content}\n"
    return f"{text}--{boundary}--\n".replace("\n", newline)


BATCH = batch("frontier_1", ("404 Not Found", GONE), ("200 OK", SENT), ("503 Service Unavailable", ""))
THREE = {"unsubscribe": 1, "keep": 1, "postpone": 1}
CURL = "HTTP/2 503 \r\nretry-after: 77\r\ncontent-type: text/html\r\n\r\n<html>\n<p>later</p>\n</html>\r\n"
B64 = base64.b64encode(TEXT.encode()).decode()


def read(content: str | bytes, **options: Any) -> tuple[ImportedAnswers, list[dict[str, Any]]]:
    """The account of a file, and the records of its replay file."""
    imported = ImportedAnswers(**options)
    data = content if isinstance(content, bytes) else content.encode()
    return imported, [json.loads(line) for line in imported.read(io.BytesIO(data), "mine")]
