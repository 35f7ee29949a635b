"""What makes a response report readable, and how its times are read and written."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Report = Mapping[str, Any]

LONGEST_TOKEN = 4096
ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-5][0-9]:[0-9]{2}(\.[0-9]+)?(Z|\+00:00)")


def is_id(value: object) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def is_token(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_TOKEN


def is_status(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 100 <= value <= 599
        and value % 1 == 0
    )


def is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(read_time(value))
    except ValueError:
        return False


def read_time(text: str) -> datetime:
    """Read a time of RFC 3339 in UTC. Raises ValueError for any other text."""
    if not TIME.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.replace(":60", ":59"))  # a leap second counts as the second before it


def write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


MEMBERS: Mapping[str, Callable[[object], bool]] = {
    "report_id": is_id,
    "firebase_app": is_id,
    "message_id": is_id,
    "subscriber_id": is_id,
    "spam": lambda value: isinstance(value, bool),
    "sent_at": is_time,
    "http_status": is_status,
    "retry_after": lambda value: value is None or isinstance(value, str),
    "response": lambda value: isinstance(value, dict | str),
}


def find_flaw(report: object) -> str:
    """Say why an entry of a batch is no report; empty if it is one."""
    if not isinstance(report, dict):
        return "the report is not an object"
    for member, is_right in MEMBERS.items():
        if member not in report or not is_right(report[member]):
            return f"{member} is missing or malformed"
    if not is_token(target_of(report)):
        return "the report names neither token nor fid"
    if report.get("protocol", "fcm_v1") != "fcm_v1":
        return "protocol is unknown"
    return ""


def target_of(report: Report) -> Any:
    """Return the token of a report, or the installation id that stands in its place."""
    return report["token"] if "token" in report else report.get("fid")
