"""Names the edge cases that a drawn report covers: those that have misled readers of FCM's answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs

from fixtures.core import schemas
from fixtures.core.json_values import walk
from fixtures.core.payloads import Payload
from fixtures.generation.malformed import ENVELOPE

# A JSON Schema for each edge case, by the part of a report that shows it.
EDGE_CASES: Mapping[str, Mapping[str, Any]] = {
    part: {name: jsonschema_rs.validator_for(schema) for name, schema in edge_cases.items()}
    for part, edge_cases in json.loads(
        Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    ).items()
}
TEMPORARY = {"INTERNAL", "UNAVAILABLE", "QUOTA_EXCEEDED"}
ENVELOPE_MEMBERS = frozenset(schemas.load_schemas()[ENVELOPE]["$defs"]["envelope"]["properties"])


def edge_cases_of_report(report: Payload) -> Iterator[str]:
    response = report["response"]
    parts: dict[str, Sequence[Any]] = {
        "report": [report],
        "text": [value for _, value in walk(response) if isinstance(value, str)],
    }
    if isinstance(response, dict):
        parts[f"{report.get('protocol', 'legacy')} response"] = [response]
        error = response.get("error")
        if "protocol" in report and isinstance(error, dict):
            details = error["details"] if isinstance(error.get("details"), list) else []
            parts |= {"error": [error], "detail": details}
            yield from _edge_cases_of_order(details)
            yield from _contradictions(report, error)
    for part, values in parts.items():
        for name, validator in EDGE_CASES[part].items():
            if any(map(validator.is_valid, values)):
                yield name
    if set(report) - {"protocol", *ENVELOPE_MEMBERS}:
        yield "unknown member: report"


def readable_codes(error: Mapping[str, Any]) -> set[str]:
    """The codes in the FcmErrors of an error."""
    details = error.get("details")
    return {d["errorCode"] for d in details if _is_readable(d)} if isinstance(details, list) else set()


def _edge_cases_of_order(details: list[Any]) -> Iterator[str]:
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


def _is_readable(detail: Any) -> bool:
    """Whether a detail is an FcmError with a code."""
    spellings = ("FcmError: spelled FcmError", "FcmError: spelled FcmErrorCode")
    return any(EDGE_CASES["detail"][name].is_valid(detail) for name in spellings)
