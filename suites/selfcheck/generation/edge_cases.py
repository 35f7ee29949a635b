"""What is special about a drawn report, in words: what has misled readers of FCM's answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fixtures.core import schemas
from fixtures.core.payloads import Payload
from fixtures.generation.malformed import ENVELOPE

DETAILS = ("FcmError", "ApnsError", "BadRequest", "QuotaFailure", "RetryInfo", "ErrorInfo", "Help")
KIND = re.compile(rf"google\.(?:firebase\.fcm\.v1|rpc)\.({'|'.join(DETAILS)})(?:Code)?\Z")
TEMPORARY = {"INTERNAL", "UNAVAILABLE", "QUOTA_EXCEEDED"}
ENVELOPE_MEMBERS = frozenset(schemas.load_schemas()[ENVELOPE]["$defs"]["envelope"]["properties"])
RESPONSE_MEMBERS = {
    "fcm_v1": {"name", "error"},
    "legacy": {"message_id", "registration_id", "error"},
}
ERROR_MEMBERS = {"code", "message", "status", "details", "errors"}
DETAIL_MEMBERS = {
    "@type",
    "errorCode",
    "statusCode",
    "reason",
    "fieldViolations",
    "violations",
    "retryDelay",
    "domain",
    "metadata",
    "links",
}
RETRY_AFTER = {
    "none": "none",
    "seconds": "[0-9]{1,5}",
    "more seconds than a day": "[0-9]{6,}|86401",
    "IMF-fixdate": r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT",
    "RFC 850": r"\w+, \d\d-\w{3}-\d\d [\d:]{8} GMT",
    "asctime": r"\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}",
    "garbage": "soon|NaN|12 seconds",
    "empty": "",
    "negative": "-[0-9]+",
}


def values(node: Any) -> Iterator[Any]:
    """Every value inside a JSON value, itself included."""
    yield node
    members = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for member in members:
        yield from values(member)


def error_of(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """The error object of a v1 report."""
    response = report["response"]
    error = response.get("error") if isinstance(response, dict) and "protocol" in report else None
    return error if isinstance(error, dict) else None


def kind_of(detail: Any) -> str:
    """What kind of detail an entry is."""
    if not isinstance(detail, dict):
        return "an entry that is no object"
    if "@type" not in detail:
        return "an entry without @type"
    name = detail["@type"]
    if not isinstance(name, str):
        return "an entry whose @type is no string"
    found = KIND.search(name)
    return found[1] if found else "an unknown @type"


def is_readable(detail: Any) -> bool:
    """Whether a detail is an FcmError that tells a code."""
    return kind_of(detail) == "FcmError" and isinstance(detail.get("errorCode"), str)


def of_details(error: Mapping[str, Any]) -> Iterator[str]:
    """What is special about the details of an error."""
    if "details" not in error:
        yield "details: missing"
        return
    details = error["details"]
    if not isinstance(details, list):
        yield f"details: {type(details).__name__}"
        return
    if not details:
        yield "details: empty"
    for detail in details:
        yield f"detail: {kind_of(detail)}"
    readable = [position for position, detail in enumerate(details) if is_readable(detail)]
    if len(details) > 2 and len(readable) == 1:
        last = len(details) - 1
        yield f"FcmError: {'first' if readable == [0] else 'last' if readable == [last] else 'middle'}"
    if len(readable) > 1 and details[readable[0]] == details[readable[1]]:
        yield "FcmError: doubled"
    if any(kind_of(detail) == "FcmError" and not is_readable(detail) for detail in details):
        yield "FcmError: without a readable code"
    for detail in details:
        if is_readable(detail):
            yield f"FcmError: spelled {detail['@type'].rsplit('.', 1)[-1]}"


def of_report(report: Payload) -> Iterator[str]:
    """What is special about a report."""
    header = "none" if report["retry_after"] is None else report["retry_after"]
    for name, pattern in RETRY_AFTER.items():
        if re.fullmatch(pattern, header):
            yield f"Retry-After: {name}"
    if isinstance(report["response"], str):
        yield "response: text" if report["response"] else "response: empty text"
    texts = [value for value in values(report["response"]) if isinstance(value, str)]
    yield from (f"text: {name}" for name in kinds_of_text(texts))
    yield from (f"token: {name}" for name in kinds_of_text([report["token"]]))
    if set(report) - {"protocol", *ENVELOPE_MEMBERS}:
        yield "unknown member: report"
    if isinstance(report["response"], dict):
        yield from of_response(report)


def kinds_of_text(texts: list[str]) -> Iterator[str]:
    """What is special about texts."""
    kinds = {
        "empty": any(not text for text in texts),
        "longest": any(len(text) == 4096 for text in texts),
        "not ASCII": any(not text.isascii() for text in texts),
        "outside the first plane": any(ord(letter) > 0xFFFF for text in texts for letter in text),
        "control characters": any("\u0000" in text for text in texts),
    }
    return (kind for kind, found in kinds.items() if found)


def of_response(report: Payload) -> Iterator[str]:
    """What is special about a JSON answer."""
    protocol = report.get("protocol", "legacy")
    if set(report["response"]) - RESPONSE_MEMBERS[protocol]:
        yield f"unknown member: {protocol} response"
    if not report["response"]:
        yield f"response: empty object, {protocol}"
    error = error_of(report)
    if error is None:
        return
    yield from of_details(error)
    if set(error) - ERROR_MEMBERS:
        yield "unknown member: error"
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and set(detail) - DETAIL_MEMBERS:
            yield "unknown member: detail"
    yield from of_contradictions(report, error)


def of_contradictions(report: Payload, error: Mapping[str, Any]) -> Iterator[str]:
    """What of an error disagrees with what else is said."""
    code = error.get("code")
    if isinstance(code, int) and code != report["http_status"]:
        yield "http_status: contradicts error.code"
    if "UNREGISTERED" in codes(error) and report["http_status"] // 100 == 5:
        yield "http_status: 5xx beside UNREGISTERED"
    if "UNREGISTERED" in codes(error) and error.get("status") not in ("NOT_FOUND", None):
        yield "status: contradicts UNREGISTERED"
    if codes(error) & TEMPORARY and report["http_status"] // 100 == 4:
        yield "http_status: permanent beside a temporary code"


def codes(error: Mapping[str, Any]) -> set[str]:
    """The codes that the FcmErrors of an error tell."""
    details = error.get("details")
    return {d["errorCode"] for d in details if is_readable(d)} if isinstance(details, list) else set()
