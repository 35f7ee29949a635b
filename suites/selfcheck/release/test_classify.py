"""Every message has a format and an age class, readable or not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.release.cleanup import classify
from suites.selfcheck.release.cleaner_process import record

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD, NEW = record(1), record(2, new=True)

FORMATS = {
    "old": (OLD, "old"),
    "old-without-legacy": (b"{}", "old"),
    "new": (NEW, "new"),
    "v1-inside-legacy": (b'{"legacy": {"v1": {}}}', "old"),
    "v1-without-legacy": (b'{"v1": {}}', "unreadable"),
    "v1-null": (b'{"v1": null, "legacy": {}}', "unreadable"),
    "list": (b"[]", "unreadable"),
    "empty": (b"", "unreadable"),
    "not-utf-8": (b'{"legacy": "\xff"}', "unreadable"),
    "not-json": (b"{'legacy': {}}", "unreadable"),
    "nan": (b'{"legacy": NaN}', "unreadable"),
    "too-deep": (b'{"legacy":' + b"[" * 100_000, "unreadable"),
    "lone-surrogate": (b'{"legacy": "\\ud800"}', "old"),
}
AGES = {
    "2026-11-22T11:30:00Z": "under 1 hour",
    "2026-11-22T13:30:00+02:00": "under 1 hour",
    "2026-11-22T12:00:01.5Z": "under 1 hour",
    "2026-11-22T11:00:00Z": "under 1 day",
    "2026-11-16T12:00:00.000001Z": "under 7 days",
    "2026-11-15T12:00:00Z": "7 days or more",
    "0001-01-01T00:00:00+14:00": "7 days or more",
    "9999-12-31T23:59:59-14:00": "under 1 hour",
    "2026-11-22": "unknown",
    "2026-11-22T11:30:00": "unknown",
    "yesterday": "unknown",
}


@pytest.mark.parametrize(("message", "message_format"), FORMATS.values(), ids=FORMATS)
def test_the_format(message: bytes, message_format: str) -> None:
    assert classify.classify_message(message, NOW).format == message_format


@pytest.mark.parametrize(("created_at", "age"), AGES.items(), ids=AGES)
def test_the_age(created_at: str, age: str) -> None:
    assert classify.classify_message(record(1, created_at=created_at), NOW).age == age


@pytest.mark.parametrize("created_at", [None, 0, [], {}], ids=repr)
def test_an_age_that_is_no_time_is_unknown(created_at: Any) -> None:
    assert classify.classify_message(record(1, created_at=created_at), NOW).age == "unknown"
