"""Names the edge cases that a drawn report covers: those that have misled readers of FCM's answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fixtures.core import schemas
from fixtures.core.payloads import Payload
from fixtures.generation.malformed import ENVELOPE

DETAIL_KINDS = ("FcmError", "ApnsError", "BadRequest", "QuotaFailure", "RetryInfo", "ErrorInfo", "Help")
KIND = re.compile(rf"google\.(?:firebase\.fcm\.v1|rpc)\.({'|'.join(DETAIL_KINDS)})(?:Code)?\Z")
TEMPORARY = {"INTERNAL", "UNAVAILABLE", "QUOTA_EXCEEDED"}
ENVELOPE_MEMBERS = frozenset(schemas.load_schemas()[ENVELOPE]["$defs"]["envelope"]["properties"])
RESPONSE_MEMBERS = {"fcm_v1": {"name", "error"}, "legacy": {"message_id", "registration_id", "error"}}
ERROR_MEMBERS = {"code", "message", "status", "details", "errors"}
DETAIL_MEMBERS = {"@type", "errorCode", "statusCode", "reason", "fieldViolations", "violations"}
DETAIL_MEMBERS |= {"retryDelay", "domain", "metadata", "links"}
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


def edge_cases_of_report(report: Payload) -> Iterator[str]:
    header = "none" if report["retry_after"] is None else report["retry_after"]
    for name, pattern in RETRY_AFTER.items():
        if re.fullmatch(pattern, header):
            yield f"Retry-After: {name}"
    response = report["response"]
    if isinstance(response, str):
        yield "response: text" if response else "response: empty text"
    texts = [value for value in _values(response) if isinstance(value, str)]
    yield from (f"text: {name}" for name in _edge_cases_of_texts(texts))
    yield from (f"token: {name}" for name in _edge_cases_of_texts([report["token"]]))
    if set(report) - {"protocol", *ENVELOPE_MEMBERS}:
        yield "unknown member: report"
    if isinstance(response, dict):
        protocol = report.get("protocol", "legacy")
        if set(response) - RESPONSE_MEMBERS[protocol]:
            yield f"unknown member: {protocol} response"
        if not response:
            yield f"response: empty object, {protocol}"
        if "protocol" in report and isinstance(response.get("error"), dict):
            yield from _edge_cases_of_error(response["error"])
            yield from _contradictions(report, response["error"])


def readable_codes(error: Mapping[str, Any]) -> set[str]:
    """The codes in the FcmErrors of an error."""
    details = error.get("details")
    return {d["errorCode"] for d in details if _is_readable(d)} if isinstance(details, list) else set()


def _edge_cases_of_error(error: Mapping[str, Any]) -> Iterator[str]:
    if set(error) - ERROR_MEMBERS:
        yield "unknown member: error"
    details = error.get("details")
    if isinstance(details, list):
        yield from _edge_cases_of_details(details)
    else:
        yield f"details: {type(details).__name__}" if "details" in error else "details: missing"


def _edge_cases_of_details(details: list[Any]) -> Iterator[str]:
    if not details:
        yield "details: empty"
    for detail in details:
        yield f"detail: {_kind_of_detail(detail)}"
        if isinstance(detail, dict) and set(detail) - DETAIL_MEMBERS:
            yield "unknown member: detail"
        if _is_readable(detail):
            yield f"FcmError: spelled {detail['@type'].rsplit('.', 1)[-1]}"
        elif _kind_of_detail(detail) == "FcmError":
            yield "FcmError: without a readable code"
    indexes = [index for index, detail in enumerate(details) if _is_readable(detail)]
    if len(details) > 2 and len(indexes) == 1:
        positions = {0: "first", len(details) - 1: "last"}
        yield f"FcmError: {positions.get(indexes[0], 'middle')}"
    if len(indexes) > 1 and details[indexes[0]] == details[indexes[1]]:
        yield "FcmError: doubled"


def _contradictions(report: Payload, error: Mapping[str, Any]) -> Iterator[str]:
    status, codes = report["http_status"], readable_codes(error)
    if isinstance(error.get("code"), int) and error["code"] != status:
        yield "http_status: contradicts error.code"
    if "UNREGISTERED" in codes and status // 100 == 5:
        yield "http_status: 5xx beside UNREGISTERED"
    if "UNREGISTERED" in codes and error.get("status") not in ("NOT_FOUND", None):
        yield "status: contradicts UNREGISTERED"
    if codes & TEMPORARY and status // 100 == 4:
        yield "http_status: permanent beside a temporary code"


def _kind_of_detail(detail: Any) -> str:
    if not isinstance(detail, dict):
        return "an entry that is no object"
    if "@type" not in detail:
        return "an entry without @type"
    if not isinstance(detail["@type"], str):
        return "an entry whose @type is no string"
    kind = KIND.search(detail["@type"])
    return kind[1] if kind else "an unknown @type"


def _is_readable(detail: Any) -> bool:
    """Whether a detail is an FcmError with a code."""
    return _kind_of_detail(detail) == "FcmError" and isinstance(detail.get("errorCode"), str)


def _edge_cases_of_texts(texts: list[str]) -> Iterator[str]:
    edge_cases = {
        "empty": any(not text for text in texts),
        "longest": any(len(text) == 4096 for text in texts),
        "not ASCII": any(not text.isascii() for text in texts),
        "outside the first plane": any(ord(letter) > 0xFFFF for text in texts for letter in text),
        "control characters": any("\u0000" in text for text in texts),
    }
    return (name for name, is_covered in edge_cases.items() if is_covered)


def _values(node: Any) -> Iterator[Any]:
    """A JSON value and every value inside it."""
    yield node
    for member in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _values(member)
